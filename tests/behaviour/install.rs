//! A database that `cache.toml` does not fit is refused with a sentence, and left as it was.

use libtest_mimic::Trial;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

pub fn trial() -> Trial {
    Trial::test("sqlite::a_missing_table_or_column_is_refused_at_install", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(refused());
        Ok(())
    })
}

async fn refused() {
    // One connection: in memory, each is a database of its own.
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.expect("open");
    assert_refusal(&pool, "no such table").await;

    sqlx::raw_sql(
        "CREATE TABLE image (id); CREATE TABLE video (id); CREATE TABLE organization (id);
         CREATE TABLE organization_user (id, user_id, organization_id); CREATE TABLE user (id);
         CREATE TABLE plio (id, uuid, video_id, created_by_id, status, is_public); CREATE TABLE item (id, plio);
         CREATE TABLE question (id, item_id, image_id);",
    )
    .execute(&pool)
    .await
    .expect("create");
    assert_refusal(&pool, "plio_id").await;

    // A trigger would compare them with `TRUE`, which no text is.
    sqlx::raw_sql(
        "ALTER TABLE item RENAME COLUMN plio TO plio_id;
         ALTER TABLE plio RENAME COLUMN is_public TO was_public; ALTER TABLE plio ADD COLUMN is_public VARCHAR(5)",
    )
    .execute(&pool)
    .await
    .expect("alter");
    assert_refusal(&pool, "a condition of the list published-plios: plio.is_public holds texts")
        .await;

    sqlx::raw_sql(
        "ALTER TABLE plio RENAME COLUMN is_public TO text; ALTER TABLE plio RENAME COLUMN was_public TO is_public",
    )
    .execute(&pool)
    .await
    .expect("alter");
    example_app::SCHEMA.install(&pool).await.expect("now it fits");
}

async fn assert_refusal(pool: &SqlitePool, what: &str) {
    let error = example_app::SCHEMA.install(pool).await.expect_err("it does not fit").to_string();
    assert!(error.contains("cache.toml does not fit this database"), "{error}");
    assert!(error.contains(what), "{error}");
    let installed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'cache_outbox%'")
            .fetch_one(pool)
            .await
            .expect("count");
    assert_eq!(installed, 0, "nothing is left behind");
}
