//! What administrators do to the database: roles and policies,
//! replication, publications, two-phase commits.

use cache_runtime::{Cache, Error};
use ledger::{Base, Note, SCHEMA};
use sqlx::{Pool, Postgres};

use super::bank::{Bank, story};
use crate::harness::Story;
use crate::harness::soon::{SOON, Soon};

pub fn stories() -> Vec<Story> {
    [
        story!(postgres: a_publication_for_all_tables_takes_the_set_up),
        story!(postgres: a_role_that_may_not_use_the_outbox_is_refused),
        story!(postgres: row_level_security_on_the_outbox_is_refused),
        story!(postgres: a_table_that_a_subscription_fills_is_refused),
        story!(postgres: a_prepared_transaction_is_reported_when_it_commits),
    ]
    .map(Story::in_memory)
    .into()
}

async fn built<DB: Base>(pool: &Pool<DB>) -> Result<(), Error> {
    let builder = Cache::builder(pool.clone(), &SCHEMA).outbox(pool);
    builder.build().await.map(drop)
}

async fn a_publication_for_all_tables_takes_the_set_up(bank: Bank<Postgres>) {
    bank.sql("CREATE PUBLICATION everything FOR ALL TABLES").await;
    SCHEMA.uninstall(bank.pool()).await.expect("uninstalled");
    SCHEMA.install(bank.pool()).await.expect("installed");
    bank.sql("UPDATE cache_outbox_stamp SET stamp = 'older'").await;
    SCHEMA.install(bank.pool()).await.expect("installed anew");
    built(bank.pool()).await.expect("it fits");
}

/// A role of this story's own, which can log in.
struct Role<'b> {
    bank: &'b Bank<Postgres>,
    name: String,
    pool: Pool<Postgres>,
}

impl<'b> Role<'b> {
    async fn new(bank: &'b Bank<Postgres>, grants: &str) -> Role<'b> {
        let name = format!("service_{:016x}", fastrand::u64(..));
        bank.sql(format!(
            "CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"
        ))
        .await;
        bank.sql(grants.replace("{role}", &name)).await;
        let options = (*bank.pool().connect_options()).clone().username(&name);
        let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options);
        Role { bank, name, pool }
    }

    async fn end(self) {
        self.pool.close().await;
        let name = self.name;
        self.bank.sql(format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
    }
}

/// What a role needs besides reading.
const NEEDED: [&str; 4] = [
    "INSERT ON cache_outbox",
    "UPDATE ON cache_outbox",
    "DELETE ON cache_outbox",
    "INSERT ON cache_outbox_life",
];

async fn a_role_that_may_not_use_the_outbox_is_refused(bank: Bank<Postgres>) {
    for missing in NEEDED {
        let granted = NEEDED.into_iter().filter(|right| *right != missing);
        let granted: String = granted.map(|right| format!("GRANT {right} TO {{role}};")).collect();
        let role = Role::new(&bank, &granted).await;
        let error = built(&role.pool).await.expect_err(missing);
        assert!(error.is_set_up(), "without {missing}: {error}");
        assert!(error.to_string().contains("GRANT SELECT, INSERT, UPDATE, DELETE"), "{error}");
        role.end().await;
    }
    let role = Role::new(
        &bank,
        "GRANT INSERT, UPDATE, DELETE ON cache_outbox TO {role}; GRANT INSERT ON cache_outbox_life TO {role};
         REVOKE SELECT ON cache_outbox_stamp FROM {role}",
    )
    .await;
    let error = built(&role.pool).await.expect_err("the fingerprint");
    assert!(
        error.is_set_up() && error.to_string().contains("SELECT ON cache_outbox_stamp"),
        "{error}"
    );
    role.end().await;
    let granted = NEEDED.map(|right| format!("GRANT {right} TO {{role}};"));
    let role = Role::new(&bank, &granted.concat()).await;
    built(&role.pool).await.expect("it may do all that is needed");
    role.end().await;
    assert_eq!(bank.number("SELECT count(*) FROM cache_outbox WHERE tag LIKE 'tried%'").await, 0);
}

async fn row_level_security_on_the_outbox_is_refused(bank: Bank<Postgres>) {
    let grants = "GRANT ALL ON cache_outbox, cache_outbox_life TO {role}; ALTER TABLE cache_outbox ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON cache_outbox TO {role} USING (tag NOT LIKE 'note#%') WITH CHECK (true)";
    let role = Role::new(&bank, grants).await;
    let error = built(&role.pool).await.expect_err("rows are hidden");
    assert!(error.is_set_up() && error.to_string().contains("row-level security"), "{error}");
    // Not from the owner.
    built(bank.pool()).await.expect("nothing is hidden");
    bank.sql(
        "ALTER TABLE cache_outbox DISABLE ROW LEVEL SECURITY; DROP POLICY own ON cache_outbox",
    )
    .await;
    built(&role.pool).await.expect("nothing is hidden");
    role.end().await;
}

async fn a_table_that_a_subscription_fills_is_refused(bank: Bank<Postgres>) {
    bank.sql("ALTER TABLE note ENABLE ALWAYS TRIGGER cache_outbox_note_update").await;
    built(bank.pool()).await.expect("it fits");
    // Without a slot nor a connection, it is never begun; its tables are known all the same.
    let subscribe = "CREATE SUBSCRIPTION copy CONNECTION 'dbname=nowhere' PUBLICATION p
        WITH (connect = false, slot_name = NONE, enabled = false)";
    bank.sql(subscribe).await;
    bank.sql(
        "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
         SELECT pg_subscription.oid, 'note'::regclass, 'r' FROM pg_subscription WHERE subname = 'copy'",
    )
    .await;
    let error = built(bank.pool()).await.expect_err("nobody would report");
    assert!(
        error.is_set_up() && error.to_string().contains("note is filled by a logical"),
        "{error}"
    );
    bank.sql("DELETE FROM pg_subscription_rel; DROP SUBSCRIPTION copy").await;
    built(bank.pool()).await.expect("it fits");
}

/// A transaction that notifies cannot be prepared, so on such a server the relay looks by itself.
async fn a_prepared_transaction_is_reported_when_it_commits(_: Bank<Postgres>) {
    let server =
        tokio::task::spawn_blocking(|| servers::Postgres::own(&["max_prepared_transactions=5"]));
    let server = server.await.expect("started");
    let pool = <Postgres as Base>::pool(&server.url("postgres"), 4);
    <Postgres as Base>::set_up(&pool).await.expect("tables and triggers");
    let sql = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    sql("INSERT INTO note (id, text) VALUES ('n', 'old')").await;
    let cache = Cache::builder(pool.clone(), &SCHEMA).outbox(&pool).build().await.expect("built");
    let text = async || Note::get(&cache, "n").await.expect("no error").map(|it| it.text.clone());
    assert_eq!(text().await.as_deref(), Some("old"));
    sql("BEGIN; UPDATE note SET text = 'new' WHERE id = 'n'; PREPARE TRANSACTION 'two phases'")
        .await;
    cache.deliver_pending().await.expect("drained");
    assert_eq!(text().await.as_deref(), Some("old"), "it is not committed");
    // Later transactions are delivered before it.
    sql("INSERT INTO note (id, text) VALUES ('later', 'x')").await;
    cache.deliver_pending().await.expect("drained");
    sql("COMMIT PREPARED 'two phases'").await;
    let soon = Soon::within(SOON);
    while text().await.as_deref() != Some("new") {
        soon.at_once_or("wrong answer: not new");
        tokio::task::yield_now().await;
    }
    pool.close().await;
    server.stop();
}
