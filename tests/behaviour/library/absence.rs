//! "No such row" is a value, and is built from everything that could make the row appear.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{BoxError, Cache, Error, Find, Load, LoadContext, RedisStore, Schema};
use ledger::{Base, Note, NoteLookup, SCHEMA, Shelf};
use sqlx::Pool;

use super::bank::{Bank, Branch, story};
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_condition_that_becomes_true_makes_a_row_appear),
        story!(a_row_that_appears_in_another_spelling_is_found),
        story!(a_lookup_of_exact_texts_stays_absent_when_others_appear),
        story!(a_lookup_column_gets_another_type_meanwhile).on_postgres(),
        story!(a_list_gets_its_first_member),
        story!(a_list_is_there_when_what_it_joins_is),
        story!(an_id_that_the_database_calls_equal_is_not_stored_as_absent),
    ]
}

impl<DB: Base> Branch<DB> {
    async fn by_slug(&self, slug: &str) -> Option<Arc<Note>> {
        let note: Result<_, Error> = Note::get_by_slug(&self.cache, slug).await;
        note.unwrap_or_else(|error| panic!("slug {slug:?}: {error}"))
    }

    async fn shelf(&self, id: i64) -> Option<Vec<String>> {
        let shelf = Shelf::get(&self.cache, id).await.expect("no error")?;
        Some(shelf.volumes.iter().map(|it| it.title.clone()).collect())
    }
}

/// A source whose queries have a condition.
struct Living<DB: Base>(Pool<DB>);

impl<DB: Base> Living<DB> {
    async fn notes(cx: &LoadContext<Self>, by: &str, is: &String) -> Result<Vec<Note>, BoxError> {
        let sql = format!("SELECT id, slug, text FROM note WHERE {by} = $1 AND text <> 'deleted'");
        let mut connection = cx.acquire(&cx.db().0).await?;
        Ok(DB::select(&mut connection, &sql, vec![is.into()]).await?)
    }
}

impl<DB: Base> Load<Living<DB>> for Note {
    async fn load(cx: &LoadContext<Living<DB>>, ids: &[String]) -> Result<Vec<Note>, BoxError> {
        let mut notes = Vec::new();
        for id in ids {
            notes.extend(Living::notes(cx, "id", id).await?);
        }
        Ok(notes)
    }
}

impl<DB: Base> Find<Living<DB>> for Note {
    async fn find(
        cx: &LoadContext<Living<DB>>,
        by: &NoteLookup,
    ) -> Result<Option<String>, BoxError> {
        let NoteLookup::Slug(slug) = by;
        let found = Living::notes(cx, "slug", slug).await?;
        Ok(found.into_iter().next().map(|note| note.id))
    }
}

async fn a_condition_that_becomes_true_makes_a_row_appear<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO note (id, slug, text) VALUES ('d', 'dead', 'deleted')").await;
    let source = Living(bank.pool().clone());
    let builder = Cache::builder(source, &SCHEMA).outbox(bank.pool());
    let builder = match bank.has_redis() {
        true => builder.store(RedisStore::new(&bank.redis().url(), &SCHEMA).expect("a URL")),
        false => builder,
    };
    let cache = builder.build().await.expect("built");
    for _ in 0..2 {
        let by_slug = Note::get_by_slug(&cache, "dead").await;
        assert_eq!(by_slug.expect("no error"), None);
        let by_id = Note::get(&cache, "d").await;
        assert_eq!(by_id.expect("no error"), None);
    }
    // Neither its id nor its slug changes.
    let mut tx = cache.begin_on(bank.pool()).await.expect("a transaction");
    let restore = "UPDATE note SET text = 'alive' WHERE id = 'd'";
    DB::run(&mut tx, restore, Vec::new()).await.expect("run");
    tx.commit().await.expect("committed");
    let by_slug = Note::get_by_slug(&cache, "dead").await;
    assert!(by_slug.expect("no error").is_some(), "wrong answer: absent by its slug");
    let by_id = Note::get(&cache, "d").await;
    assert!(by_id.expect("no error").is_some(), "wrong answer: absent by its id");
}

async fn zed_appears_and_is_found<DB: Base>(branch: &Branch<DB>) {
    assert_eq!(branch.by_slug("ZED").await, None);
    branch
        .write("INSERT INTO note (id, slug, text) VALUES ('z', 'Zed', 'it is there')")
        .await
        .expect("committed");
    let found = branch.by_slug("ZED").await;
    assert!(found.is_some(), "wrong answer: absent, as it is spelt Zed");
}

async fn a_row_that_appears_in_another_spelling_is_found<DB: Base>(bank: Bank<DB>) {
    bank.call_slugs_equal_in_any_case().await;
    let branch = bank.branch().await;
    zed_appears_and_is_found(&branch).await;
    // And when it gets its name later, by somebody else.
    assert_eq!(branch.by_slug("NEW").await, None);
    bank.sql("UPDATE note SET slug = 'nEw' WHERE id = 'z'").await;
    branch.cache.deliver_pending().await.expect("drained");
    let found = branch.by_slug("NEW").await;
    assert!(found.is_some(), "wrong answer: absent, as it is spelt nEw");
}

/// Only on PostgreSQL is it known which they are.
async fn a_lookup_of_exact_texts_stays_absent_when_others_appear<DB: Base>(bank: Bank<DB>) {
    assert_eq!(bank.by_slug("nobody").await, None);
    bank.events.forget();
    bank.write("INSERT INTO note (id, slug, text) VALUES ('z', 'Zed', 'another')")
        .await
        .expect("committed");
    assert_eq!(bank.by_slug("nobody").await, None);
    let hits = usize::from(bank.is_postgres());
    assert_eq!(bank.hits("note_by_slug_nobody"), hits);
}

/// Its relay notices, though no trigger has changed.
async fn a_lookup_column_gets_another_type_meanwhile<DB: Base>(bank: Bank<DB>) {
    let schema: &'static Schema = Box::leak(Box::new(Schema {
        // As often as it looks at everything.
        retention: Duration::from_millis(200),
        ..SCHEMA
    }));
    let branch = bank.branch_with(schema, |builder| builder.relay(true)).await;
    bank.call_slugs_equal_in_any_case().await;
    let is_away = |seen: &Seen| *seen == Seen::StoreAway;
    branch.events.wait_for("it is noticed", is_away).await;
    let is_back = |seen: &Seen| *seen == Seen::StoreBack;
    branch.events.wait_for("it goes on", is_back).await;
    zed_appears_and_is_found(&branch).await;
}

async fn a_list_gets_its_first_member<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO room (id, name) VALUES (1, 'hall'); INSERT INTO shelf (id, room_id) VALUES (1, 1)")
        .await;
    bank.deliver_pending().await;
    assert_eq!(bank.shelf(1).await, None);
    assert_eq!(bank.shelf(1).await, None, "and that is stored");
    bank.write("INSERT INTO volume (id, shelf_id, title) VALUES (1, 1, 'first')")
        .await
        .expect("committed");
    let shelf = bank.shelf(1).await;
    assert!(shelf.is_some(), "wrong answer: no shelf, with a volume on it");
    bank.write("DELETE FROM volume").await.expect("committed");
    assert_eq!(bank.shelf(1).await, None);
    // From another shelf.
    bank.sql("INSERT INTO volume (id, shelf_id, title) VALUES (2, 9, 'moved')").await;
    bank.deliver_pending().await;
    assert_eq!(bank.shelf(1).await, None);
    bank.sql("UPDATE volume SET shelf_id = 1 WHERE id = 2").await;
    bank.deliver_pending().await;
    let shelf = bank.shelf(1).await;
    assert!(shelf.is_some(), "wrong answer: no shelf, with a volume on it");
}

async fn a_list_is_there_when_what_it_joins_is<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO shelf (id, room_id) VALUES (1, 1); INSERT INTO volume (id, shelf_id, title) VALUES (1, 1, 'first')")
        .await;
    bank.deliver_pending().await;
    assert_eq!(bank.shelf(1).await, None);
    bank.write("INSERT INTO room (id, name) VALUES (1, 'hall')").await.expect("committed");
    let shelf = bank.shelf(1).await;
    assert!(shelf.is_some(), "wrong answer: no shelf, though its room is there");
}

/// An id in such a column is refused at install; where nobody installs, what is loaded says so.
async fn an_id_that_the_database_calls_equal_is_not_stored_as_absent<DB: Base>(bank: Bank<DB>) {
    bank.call_ids_equal_in_any_case().await;
    // The triggers stay, as only `install` looks at the type.
    assert_eq!(bank.note("N").await, None, "it is no id of ours");
    assert_eq!(bank.fills("note_N", true), 0, "its absence is stored");
    assert!(bank.note("n").await.is_some());
}

impl<DB: Base> Bank<DB> {
    async fn call_slugs_equal_in_any_case(&self) {
        let sql = match self.is_postgres() {
            true => {
                "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                 ALTER TABLE note ALTER slug TYPE text COLLATE any_case"
            }
            false => {
                "CREATE TABLE other (id TEXT PRIMARY KEY NOT NULL, slug TEXT UNIQUE COLLATE NOCASE, text TEXT NOT NULL,
                   views BIGINT NOT NULL DEFAULT 0);
                 DROP TABLE note; ALTER TABLE other RENAME TO note"
            }
        };
        self.sql(sql).await;
        SCHEMA.install(self.pool()).await.expect("a lookup may be spelt in several ways");
    }

    async fn call_ids_equal_in_any_case(&self) {
        let sql = match self.is_postgres() {
            true => {
                "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                 ALTER TABLE note ALTER id TYPE text COLLATE any_case"
            }
            false => {
                "PRAGMA writable_schema = on;
                 UPDATE sqlite_master SET sql = replace(sql, 'id TEXT PRIMARY KEY', 'id TEXT COLLATE NOCASE PRIMARY KEY') WHERE name = 'note';
                 PRAGMA writable_schema = reset; REINDEX note;
                 CREATE TABLE others_hear_of_it (id); DROP TABLE others_hear_of_it"
            }
        };
        self.sql(sql).await;
    }
}
