//! Reads within a transaction: they see it, and the cache knows nothing of them.

use std::time::{Duration, Instant};

use cache_runtime::{BoxError, Cache, Error, Find, Load, LoadContext, Reader, Schema, Transaction};
use ledger::{Account, Base, Note, NoteLookup, Owner, Page, SCHEMA, Seat};
use sqlx::Pool;
use tokio::time::timeout;

use super::bank::{Bank, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_transaction_sees_what_it_wrote_and_others_do_not),
        story!(the_database_says_why_it_did_not_commit).on_postgres(),
        story!(who_reads_from_either_is_generic),
        story!(a_loader_that_reads_past_the_transaction_is_told_so),
        story!(a_loader_that_acquires_twice_is_told_so),
        story!(a_loader_that_keeps_the_connection_loses_the_transaction),
        story!(without_an_outbox_there_is_no_transaction),
        story!(a_read_that_is_dropped_halfway_leaves_the_transaction_usable),
        story!(a_rollback_after_all_that_leaves_nothing_open),
    ]
}

/// Nothing is strict.
static WEAK: Schema = Schema { strict: &[], ..SCHEMA };

const WRITE: &str = "UPDATE note SET text = 'new' WHERE id = 'n'";

async fn a_transaction_sees_what_it_wrote_and_others_do_not<DB: Base>(bank: Bank<DB>) {
    for _ in 0..2 {
        assert_eq!(bank.text("n").await.as_deref(), Some("old"));
        bank.account("a").await;
    }
    let mut tx = bank.begin().await;
    for write in [
        WRITE,
        "INSERT INTO note (id, slug, text) VALUES ('m', 'another', 'mine')",
        "UPDATE owner SET version = 5",
        "INSERT INTO entry (id, account_id, amount) VALUES (2, 'a', 7)",
    ] {
        DB::run(&mut tx, write, Vec::new()).await.expect("run");
    }
    bank.events.forget();

    let note = Note::get(&mut tx, "n").await.expect("read");
    assert_eq!(note.expect("there").text, "new", "wrong answer");
    let ids = ["m", "nobody", "n", "m"].map(str::to_owned);
    let notes = Note::get_many(&mut tx, &ids).await.expect("read");
    let texts: Vec<Option<&str>> =
        notes.iter().map(|note| note.as_ref().map(|note| note.text.as_str())).collect();
    assert_eq!(texts, [Some("mine"), None, Some("new"), Some("mine")], "wrong answer");
    let by = |slug: &str| NoteLookup::Slug(slug.to_owned());
    let found = Note::get_by_slug(&mut tx, "another").await;
    let found = found.expect("read");
    assert_eq!(found.expect("there").id, "m", "wrong answer");
    let found = tx.get_by::<Note>(by("nobody's")).await.expect("read");
    assert!(found.is_none(), "wrong answer: {found:?}");
    let account = tx.get::<Account>("a".to_owned()).await.expect("read");
    let account = account.expect("there");
    assert_eq!(account.entries.len(), 2, "wrong answer");
    let owner = account.owner.as_ref().expect("an owner");
    assert_eq!(owner.version, 5, "wrong answer: of a nested cached model");
    assert!(tx.get_many::<Note>(&[]).await.expect("read").is_empty());
    assert_eq!(bank.events.told(), [], "the cache knows nothing of it");

    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("old"), "wrong answer: {said:?}");
    assert!(bank.note("m").await.is_none(), "wrong answer: it is there");
    let account = bank.account("a").await.expect("there");
    assert_eq!(account.entries.len(), 1, "wrong answer");
    assert_eq!(bank.hits("note_n") + bank.hits("account_a"), 2, "kept");

    tx.commit().await.expect("committed");
    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");
    assert!(bank.note("m").await.is_some(), "wrong answer: it is gone");
    let account = bank.account("a").await.expect("there");
    assert_eq!(account.entries.len(), 2, "wrong answer");
}

/// A source whose loaders do all that they should not.
struct Careless<DB: Base>(Pool<DB>);

/// It reads from the pool.
impl<DB: Base> Load<Careless<DB>> for Note {
    async fn load(cx: &LoadContext<Careless<DB>>, ids: &[String]) -> Result<Vec<Note>, BoxError> {
        let mut connection = cx.db().0.acquire().await?;
        let sql = "SELECT id, slug, text FROM note WHERE id = $1";
        Ok(DB::select(&mut connection, sql, vec![(&ids[0]).into()]).await?)
    }
}

/// It holds the connection while it acquires it again.
impl<DB: Base> Load<Careless<DB>> for Seat {
    async fn load(
        cx: &LoadContext<Careless<DB>>,
        _: &[(String, i64)],
    ) -> Result<Vec<Seat>, BoxError> {
        let _first = cx.acquire(&cx.db().0).await?;
        let _second = cx.acquire(&cx.db().0).await?;
        Ok(Vec::new())
    }
}

/// It never ends, and has the connection.
impl<DB: Base> Load<Careless<DB>> for Owner {
    async fn load(cx: &LoadContext<Careless<DB>>, _: &[i64]) -> Result<Vec<Owner>, BoxError> {
        let mut connection = cx.acquire(&cx.db().0).await?;
        DB::run(&mut connection, "SELECT 1", Vec::new()).await?;
        std::future::pending().await
    }
}

/// It gives the connection to a task that goes on.
impl<DB: Base> Load<Careless<DB>> for Page {
    async fn load(cx: &LoadContext<Careless<DB>>, _: &[i64]) -> Result<Vec<Page>, BoxError> {
        let connection = cx.acquire(&cx.db().0).await?;
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(connection);
        });
        Ok(Vec::new())
    }
}

/// Its statement takes long.
impl<DB: Base> Load<Careless<DB>> for Account {
    async fn load(
        cx: &LoadContext<Careless<DB>>,
        ids: &[String],
    ) -> Result<Vec<Account>, BoxError> {
        let mut connection = cx.acquire(&cx.db().0).await?;
        // The text of the id is the statement.
        DB::run(&mut connection, &ids[0], Vec::new()).await?;
        Ok(Vec::new())
    }
}

type CarelessTransaction<DB> = Transaction<DB, Careless<DB>>;

/// A transaction that has written, on the only connection of its pool.
async fn begin<DB: Base>(pool: &Pool<DB>) -> CarelessTransaction<DB> {
    let cache = Cache::builder(Careless(pool.clone()), &SCHEMA).outbox(pool);
    let cache = cache.build().await.expect("built");
    let mut tx = cache.begin_on(pool).await.expect("a transaction");
    DB::run(&mut tx, WRITE, Vec::new()).await.expect("run");
    tx
}

async fn is_usable<DB: Base>(tx: &mut CarelessTransaction<DB>) {
    let text = "SELECT text FROM note WHERE id = 'n'";
    let texts: Vec<(String,)> = DB::select(tx, text, Vec::new()).await.expect("usable");
    assert_eq!(texts, [("new".to_owned(),)], "it has what it wrote");
}

async fn commits<DB: Base>(bank: &Bank<DB>, mut tx: CarelessTransaction<DB>) {
    is_usable(&mut tx).await;
    tx.commit().await.expect("committed");
    bank.deliver_pending().await;
    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");
}

async fn past_it<DB: Base>(tx: &mut CarelessTransaction<DB>) {
    let error: Error = tx.get::<Note>("n".to_owned()).await.expect_err("old");
    let error = error.to_string();
    assert!(error.contains("`cx.acquire(&pool)`"), "{error}");
}

async fn twice<DB: Base>(tx: &mut CarelessTransaction<DB>) {
    let began = Instant::now();
    let error = tx.get::<Seat>(("t".to_owned(), 1)).await;
    let error = error.expect_err("one connection").to_string();
    assert!(error.contains("has the transaction's connection already"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "it waits on");
}

async fn dropped<DB: Base>(bank: &Bank<DB>, tx: &mut CarelessTransaction<DB>) {
    const SOON: Duration = Duration::from_millis(100);
    let between_statements = timeout(SOON, tx.get::<Owner>(1)).await;
    between_statements.expect_err("it never ends");
    is_usable(tx).await;

    let slow = match bank.is_postgres() {
        true => "SELECT pg_sleep(0.7)",
        false => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000)
             SELECT max(i) FROM n"
        }
    };
    let in_a_statement = timeout(SOON, tx.get::<Account>(slow.to_owned())).await;
    in_a_statement.expect_err("it takes longer");
    is_usable(tx).await;
}

async fn a_loader_that_reads_past_the_transaction_is_told_so<DB: Base>(bank: Bank<DB>) {
    let mut tx = begin(bank.pool()).await;
    past_it(&mut tx).await;
    commits(&bank, tx).await;
}

async fn a_loader_that_acquires_twice_is_told_so<DB: Base>(bank: Bank<DB>) {
    let mut tx = begin(bank.pool()).await;
    twice(&mut tx).await;
    commits(&bank, tx).await;
}

async fn a_loader_that_keeps_the_connection_loses_the_transaction<DB: Base>(bank: Bank<DB>) {
    let mut tx = begin(bank.pool()).await;
    tx.get::<Page>(1).await.expect("it has answered");
    let error = tx.get::<Note>("n".to_owned()).await.expect_err("no connection");
    let kept = "a loader kept the transaction's connection";
    assert!(error.to_string().contains(kept), "{error}");
    let error = tx.commit().await.expect_err("no connection");
    assert!(error.to_string().contains(kept), "{error}");
    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("old"), "wrong answer: {said:?}");
}

/// A commit would invalidate nothing.
async fn the_database_says_why_it_did_not_commit<DB: Base>(bank: Bank<DB>) {
    bank.sql("CREATE TABLE once (id INT UNIQUE DEFERRABLE INITIALLY DEFERRED)").await;
    let error = bank.refused("INSERT INTO once VALUES (1), (1)").await;
    assert!(error.is_database() && !error.is_unknown(), "{error}");
    let database = error.database().and_then(sqlx::Error::as_database_error);
    let database = database.expect("what the database said");
    assert!(database.is_unique_violation(), "{database}");
    let error = sqlx::Error::from(error);
    assert!(error.as_database_error().is_some(), "{error}");

    // What a pooler says when its server has gone while it committed.
    bank.sql(
        "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'server conn crashed?' USING ERRCODE = '08P01'; END $$;
         CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON once DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION gone()",
    )
    .await;
    // (For strict values what is put off is done before the commit.)
    let branch = bank.branch_with(&WEAK, |builder| builder).await;
    let error = branch.refused("INSERT INTO once VALUES (1)").await;
    assert!(error.is_unknown() && !error.is_database(), "{error}");
}

/// What a function that is generic over both reads.
async fn texts<R: Reader>(reader: R, slug: &str) -> Option<String>
where
    Note: Find<R::Source>,
{
    let note = Note::get_by_slug(reader, slug).await;
    Some(note.expect("read")?.text.clone())
}

async fn who_reads_from_either_is_generic<DB: Base>(bank: Bank<DB>) {
    let mut tx = bank.begin().await;
    let write = "UPDATE note SET slug = 'mine' WHERE id = 'n'";
    DB::run(&mut tx, write, Vec::new()).await.expect("run");
    assert_eq!(texts(&mut tx, "mine").await.as_deref(), Some("old"));
    assert_eq!(texts(&bank.cache, "mine").await, None);
    tx.rollback().await.expect("rolled back");
}

async fn without_an_outbox_there_is_no_transaction<DB: Base>(bank: Bank<DB>) {
    let cache = Cache::builder(bank.pool().clone(), &SCHEMA).without_outbox();
    let cache = cache.build().await.expect("built");
    let error = cache.begin_on(bank.pool()).await.expect_err("no outbox");
    assert!(error.to_string().contains("`outbox(&pool)`"), "{error}");
    // Nobody is left without one by accident.
    let source = Careless(bank.pool().clone());
    let unsaid = Cache::builder(source, &SCHEMA).build().await;
    let error = unsaid.expect_err("which database reports writes?");
    assert!(error.is_misuse(), "{error}");
    assert!(error.to_string().contains("`.without_outbox()`"), "{error}");
}

async fn a_read_that_is_dropped_halfway_leaves_the_transaction_usable<DB: Base>(bank: Bank<DB>) {
    let mut tx = begin(bank.pool()).await;
    dropped(&bank, &mut tx).await;
    commits(&bank, tx).await;
}

async fn a_rollback_after_all_that_leaves_nothing_open<DB: Base>(bank: Bank<DB>) {
    let text = "SELECT text FROM note WHERE id = 'n'";
    for how in ["rolled back", "dropped"] {
        // Whatever is left open is found on the only connection.
        let pool = DB::pool(bank.url(), 1);
        let mut tx = begin(&pool).await;
        twice(&mut tx).await;
        dropped(&bank, &mut tx).await;
        match how {
            "dropped" => drop(tx),
            _ => tx.rollback().await.expect("rolled back"),
        }

        let mut connection = pool.acquire().await.expect("the connection");
        let texts: Vec<(String,)> =
            DB::select(&mut connection, text, Vec::new()).await.expect("usable");
        assert_eq!(texts, [("old".to_owned(),)], "wrong answer: {how}");
        // Were it in a transaction, nobody else would see this.
        let visible = "UPDATE note SET views = views + 1 WHERE id = 'n'";
        let before = bank.number("SELECT views FROM note WHERE id = 'n'").await;
        DB::run(&mut connection, visible, Vec::new()).await.expect("run");
        let after = bank.number("SELECT views FROM note WHERE id = 'n'").await;
        assert_eq!(after, before + 1, "the connection is in a transaction");
    }
}
