//! What is delivered elsewhere: to the memory of another process, to another schema.

use std::time::{Duration, Instant};

use example_app::{Db, SCHEMA};
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::harness::soon::{A_PASS, SOON, Soon, nothing_waits, sees_soon};
use crate::harness::{App, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(two_processes_with_memories_of_their_own).in_memory(),
        story!(more_than_a_batch_is_delivered_elsewhere).in_memory(),
        story!(nothing_here_is_from_before_a_commit_that_another_delivered)
            .without_relay("its own would tell it")
            .in_memory(),
        story!(a_schema_that_only_the_connections_know).on_postgres(),
    ]
}

async fn two_processes_with_memories_of_their_own(world: World) {
    let plio = world.plio_with_items(1).await;
    let (a, b) = (world.relaying_app().await, world.relaying_app().await);
    for app in [&a, &b] {
        app.warm(&plio.path()).await.says("/name", "old name");
    }
    for (round, (writer, reader)) in [(&a, &b), (&b, &a), (&a, &b)].into_iter().enumerate() {
        reader.events.forget();
        let name = format!("new name {round}");
        let patched = writer.patch(&plio.path(), json!({ "name": name })).await;
        patched.is(200);
        let answer = world.right_from(writer, &plio.path()).await;
        answer.says("/name", name.as_str());
        let answer = sees_soon(&world, reader, &plio.path(), A_PASS).await;
        answer.says("/name", name.as_str());

        // Its rows are found in every pass for some seconds, and told in one; in two
        // if a pass comes before the writer marks them.
        idle(reader, 1).await;
        let told = invalidations(reader, &plio.key());
        assert!((1..=2).contains(&told), "told {told} times");
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(2) {
            reader.warm(&plio.path()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let again = invalidations(reader, &plio.key());
        assert_eq!(again, told, "told again");
        idle(reader, 3).await;
    }
}

async fn more_than_a_batch_is_delivered_elsewhere(world: World) {
    // Over a batch of the outbox, and the last of them in the second.
    const IMAGES: usize = 5_100;
    let plio = world.plio_with_items(1).await;
    world
        .sql(format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {IMAGES})
             INSERT INTO image (url, alt_text) SELECT 'bulk', 'old' FROM n"
        ))
        .await;
    let last = world.numbers("SELECT max(id) FROM image").await[0];
    world
        .sql(format!("UPDATE question SET image_id = {last} WHERE id = {}", plio.questions[0]))
        .await;
    world.sql("DELETE FROM cache_outbox").await;
    let reader = world.relaying_app().await;
    reader.warm(&plio.path()).await;

    // As by a process whose memory has been told when others see the rows.
    let now = match world.is_postgres() {
        true => "now()",
        false => "unixepoch('now', 'subsec')",
    };
    let mut tx = world.begin_elsewhere().await;
    tx.run("UPDATE image SET alt_text = 'new' WHERE url = 'bulk'").await;
    tx.run(format!("UPDATE cache_outbox SET delivered_at = {now}, delivered_to = 1")).await;
    tx.commit().await;
    let answer = sees_soon(&world, &reader, &plio.path(), SOON).await;
    answer.says("/items/0/details/image/alt_text", "new");
}

async fn nothing_here_is_from_before_a_commit_that_another_delivered(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await;
    let hold = world.events.hold_after_commit();
    let writes = world.patch_meanwhile(&plio.path(), json!({"name": "new name"}));
    hold.reached().await;
    let _another = world.relaying_app().await;
    nothing_waits(&world, SOON).await;

    hold.release();
    writes.await.expect("answered").is(200);
    let answer = world.right(&plio.path()).await;
    answer.says("/name", "new name");
}

/// How often the relay of this app invalidated the plio.
fn invalidations(app: &App, key: &str) -> usize {
    let tag = key.replace("plio_", "plio#id=");
    app.events.count(|seen| matches!(seen, Seen::Invalidated(tags) if tags.contains(&tag)))
}

/// Waits until so many passes have found nothing.
async fn idle(app: &App, passes: usize) {
    let soon = Soon::within(SOON);
    while app.events.count(|seen| *seen == Seen::Idle) < passes {
        soon.or("the relay finds something in every pass").await;
    }
}

/// The relay's own connections are set up as the pool's are.
async fn a_schema_that_only_the_connections_know(world: World) {
    let Db::Postgres(pool) = world.db() else {
        panic!("told on PostgreSQL only");
    };
    world.sql("CREATE SCHEMA other").await;
    let other = PgPoolOptions::new()
        .after_connect(|connection, _| {
            Box::pin(async move {
                let path = "SET search_path = other";
                connection.execute(path).await.map(drop)
            })
        })
        .connect_lazy_with((*pool.connect_options()).clone());
    let db = Db::Postgres(other.clone());
    db.migrate().await.expect("migrated");
    let builder = example_app::cache_builder(db).relay(true);
    let app = App::serve(builder.store(cache_runtime::MemoryStore::new(&SCHEMA))).await;

    let user = world
        .number(
            r#"INSERT INTO other."user" (email, first_name, last_name, mobile)
               VALUES ('somebody@example.org', 'old', 'Doe', '+91') RETURNING id"#,
        )
        .await;
    delivered(&other).await;
    let path = format!("/users/{user}");
    app.warm(&path).await.says("/first_name", "old");

    world.sql(r#"UPDATE other."user" SET first_name = 'new'"#).await;
    let soon = Soon::within(SOON);
    while app.get(&path).await.ok().at("/first_name") != "new" {
        soon.or("wrong answer: a write in its schema is not seen").await;
    }
    delivered(&other).await;
    assert_eq!(world.outbox_rows().await, 0, "the other outbox has nothing");
}

/// Waits until nothing waits in the outbox that these connections find.
async fn delivered(pool: &PgPool) {
    let soon = Soon::within(SOON);
    loop {
        let sql = format!("SELECT count(*) FROM {} WHERE delivered_at IS NULL", SCHEMA.outbox);
        let waiting: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.expect("a number");
        if waiting == 0 {
            return;
        }
        soon.or("rows wait").await;
    }
}
