//! Writers that know nothing of the cache: what they commit reaches it by the relay.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::postgres::PgPoolCopyExt;

use crate::harness::soon::{LATE, Soon, nothing_waits, sees_soon};
use crate::harness::{Answer, App, Seen, Story, World, story};
use example_app::Db;

/// To deliver a statement of many rows takes at most so many times as
/// long as to run it, however busy the machine is.
const TIMES: u32 = 10;

pub fn stories() -> Vec<Story> {
    vec![
        story!(what_strangers_write_is_seen_within_a_second)
            .without_relay("it measures another process, which relays")
            .alone(),
        story!(what_strangers_write_in_bulk_is_seen_soon)
            .without_relay("it measures another process, which relays")
            .alone(),
        story!(what_is_written_first_and_committed_last_is_seen),
        // (What is near hears of it a moment later.)
        story!(what_another_process_relays_is_right_here)
            .without_relay("another process is to relay")
            .without_near()
            .on_redis(),
    ]
}

async fn what_strangers_write_is_seen_within_a_second(world: World) {
    let app = world.relaying_app().await;
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    let retitled = format!("UPDATE video SET title = 'new title' WHERE id = {}", a.video);
    let answer = writes(&world, &app, &a.path(), retitled).await;
    answer.says("/video/title", "new title");

    let moved = format!("UPDATE item SET plio_id = {} WHERE id = {}", b.id, a.items[0]);
    app.warm(&b.path()).await;
    let answer = writes(&world, &app, &a.path(), moved).await;
    answer.lists("/items", &a.items[1..]);
    sees_soon(&world, &app, &b.path(), LATE).await;

    let inserted = format!("INSERT INTO item (plio_id, time) VALUES ({}, 900)", a.id);
    writes(&world, &app, &a.path(), inserted).await;

    let deleted = format!("DELETE FROM question WHERE id = {}", a.questions[1]);
    writes(&world, &app, &a.path(), deleted).await;

    // The cascade deletes the membership, which is what the user's value is built from.
    let cascade = format!("DELETE FROM organization WHERE id = {}", a.organization);
    let answer = writes(&world, &app, &a.user_path(), cascade).await;
    answer.says("/organizations", json!([]));

    if let Db::Postgres(pool) = world.db() {
        app.warm(&a.path()).await;
        let copy = pool.copy_in_raw("COPY item (plio_id, time) FROM STDIN").await;
        let mut copy = copy.expect("COPY begins");
        let rows = format!("{}\t901\n{}\t902\n", a.id, a.id);
        copy.send(rows.as_bytes()).await.expect("rows are sent");
        assert_eq!(copy.finish().await.expect("COPY ends"), 2);
        sees_soon(&world, &app, &a.path(), LATE).await;
    }

    // SQLite has no TRUNCATE; a DELETE of everything is its.
    let emptied = match world.is_postgres() {
        true => "TRUNCATE question",
        false => "DELETE FROM question",
    };
    writes(&world, &app, &b.path(), emptied.to_owned()).await;

    let gone = format!("DELETE FROM plio WHERE id = {}", b.id);
    writes(&world, &app, &b.path(), gone).await.is(404);
}

/// Somebody runs this SQL; a warm value is right again soon.
async fn writes(world: &World, app: &App, path: &str, sql: String) -> Answer {
    app.warm(path).await;
    world.sql(sql).await;
    sees_soon(world, app, path, LATE).await
}

/// A hundred thousand questions are changed by one statement,
/// each of an item of its own: as many facts.
async fn what_strangers_write_in_bulk_is_seen_soon(world: World) {
    const ROWS: i64 = 100_000;
    let user = world.user().await;
    world
        .sql(format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
             INSERT INTO plio (uuid, created_by_id) SELECT 'bulk ' || n, {user} FROM n"
        ))
        .await;
    world
        .sql(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
             INSERT INTO item (plio_id, time) SELECT plio.id, n.n FROM plio, n WHERE uuid LIKE 'bulk %'",
        )
        .await;
    world.sql("INSERT INTO question (item_id, text) SELECT id, 'old text' FROM item").await;
    world.sql("DELETE FROM cache_outbox").await;
    let bulk = world.numbers("SELECT id FROM plio WHERE uuid LIKE 'bulk %' ORDER BY id").await;
    let shown = [bulk[0], bulk[500], bulk[999]].map(|id| format!("/plios/{id}"));
    let app = world.relaying_app().await;
    for path in &shown {
        app.warm(path).await;
    }

    let began = Instant::now();
    world.sql("UPDATE question SET text = 'new text'").await;
    let (written, committed) = (began.elapsed(), Instant::now());
    let delivered = || {
        let seen = app.events.seen().into_iter();
        seen.map(|seen| match seen {
            Seen::Delivered(rows) => rows as i64,
            _ => 0,
        })
        .sum::<i64>()
    };
    let soon = Soon::within(Duration::from_secs(60));
    while delivered() < ROWS {
        soon.or("not all are delivered").await;
    }
    let took = committed.elapsed();
    println!("{ROWS} rows: written in {written:?}, delivered {took:?} after the commit");

    for path in &shown {
        let answer = world.right_from(&app, path).await.miss();
        answer.says("/items/0/details/text", "new text");
    }
    // One fact for each question: on PostgreSQL a single insert-select.
    assert_eq!(world.outbox_rows().await, ROWS);
    assert!(took < TIMES * written, "written in {written:?}, delivered {took:?} after the commit");
}

/// Rows become visible when they are committed: later ones may have been delivered long before.
async fn what_is_written_first_and_committed_last_is_seen(world: World) {
    let app = world.relaying_app().await;
    let (first, second) = (world.plio_with_items(0).await, world.plio_with_items(0).await);
    app.warm(&first.path()).await;
    app.warm(&second.path()).await;
    let retitle = |video| format!("UPDATE video SET title = 'new title' WHERE id = {video}");

    let mut slow = world.begin_elsewhere().await;
    slow.run(retitle(first.video)).await;
    // On SQLite nobody else writes meanwhile.
    if world.is_postgres() {
        world.sql(retitle(second.video)).await;
        sees_soon(&world, &app, &second.path(), LATE).await;
        nothing_waits(&world, LATE).await;
        app.get(&first.path()).await.ok().hit();
    } else {
        app.events.forget();
        app.events.wait_for("the relay looks", |seen| *seen == Seen::Idle).await;
    }
    slow.commit().await;
    sees_soon(&world, &app, &first.path(), 2 * LATE).await;
    if world.is_postgres() {
        let ids = world.numbers("SELECT id FROM cache_outbox ORDER BY delivered_at").await;
        assert!(!ids.is_sorted(), "the first was delivered last: {ids:?}");
    }
}

/// `world`'s own app relays nothing.
async fn what_another_process_relays_is_right_here(world: World) {
    let plio = world.plio_with_items(1).await;
    world.events.forget();
    let relaying = world.relaying_app().await;
    for round in 0..5 {
        world.warm(&plio.path()).await;
        relaying.events.forget();
        let title = format!("round {round}");
        world.sql(format!("UPDATE video SET title = '{title}' WHERE id = {}", plio.video)).await;
        relaying.events.wait_for_invalidation().await;
        world.entry_is_gone(&plio.key()).await;
        world.right(&plio.path()).await.miss().says("/video/title", title);
    }
    let delivered = |seen: &Seen| matches!(seen, Seen::Delivered(_));
    assert_eq!(world.events.count(delivered), 0, "it delivered nothing itself");
}
