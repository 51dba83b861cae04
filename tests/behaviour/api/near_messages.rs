//! What other processes do is heard of soon: from messages, not because a bound is over.

use std::time::{Duration, Instant};

use example_app::Plio;
use serde_json::json;

use super::near::{LONG, near, process};
use crate::harness::Proxy;
use crate::harness::soon::{LATE, Soon, sees_soon};
use crate::harness::{self, App, Story, World, story};

/// More than one script deletes.
const MANY: usize = 1500;

pub fn stories() -> Vec<Story> {
    [
        story!(near_hears_of_a_commit),
        story!(near_hears_of_plain_sql),
        story!(near_hears_of_an_emptied_table),
        story!(near_hears_of_a_clear),
        story!(near_hears_of_a_flush_and_a_write),
        story!(near_hears_of_a_fail_over),
        story!(near_hears_of_a_restart),
        story!(near_hears_of_a_write_to_many),
        story!(a_lost_message_is_noticed_at_the_next_heartbeat)
            .without_relay("one that delivers the same rows is told by itself"),
        story!(a_lost_message_is_noticed_at_the_next_one)
            .without_relay("one that delivers the same rows is told by itself"),
        story!(another_database_of_the_server_empties_nothing_near),
    ]
    .map(Story::own_redis)
    .map(Story::with_near)
    .into()
}

/// A plio, and a process that has it near.
async fn told(world: &World) -> (harness::Plio, App) {
    let plio = world.plio_with_items(1).await;
    let app = process(world, &world.redis_url(), LONG).await;
    near(&app, &plio.path()).await;
    (plio, app)
}

async fn rename(world: &World, plio: &harness::Plio) {
    let change = json!({"name": "new name"});
    world.patch(&plio.path(), change).await.is(200);
}

async fn near_hears_of_a_commit(world: World) {
    let (plio, app) = told(&world).await;
    rename(&world, &plio).await;
    sees_soon(&world, &app, &plio.path(), LATE).await;
    near(&app, &plio.path()).await.says("/name", "new name");
}

async fn near_hears_of_plain_sql(world: World) {
    let (plio, app) = told(&world).await;
    let _relay = world.relaying_app().await;
    world.sql("UPDATE organization SET name = 'new'").await;
    // Once the relay has looked.
    sees_soon(&world, &app, &plio.path(), 2 * LATE).await;
    near(&app, &plio.path()).await;
    world.right_from(&app, &plio.path()).await;
}

async fn near_hears_of_an_emptied_table(world: World) {
    let (plio, app) = told(&world).await;
    let empty = match world.is_postgres() {
        true => "TRUNCATE question",
        false => "DELETE FROM question",
    };
    world.sql(empty).await;
    world.deliver_pending().await;
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

async fn near_hears_of_a_clear(world: World) {
    let (plio, app) = told(&world).await;
    let mut tx = world.begin_elsewhere().await;
    tx.run("UPDATE plio SET name = 'unreported'").await;
    let outbox = example_app::SCHEMA.outbox;
    tx.run(format!("DELETE FROM {outbox} WHERE delivered_at IS NULL")).await;
    tx.commit().await;
    near(&app, &plio.path()).await.says("/name", "old name");
    world.cache.clear().await.expect("cleared");
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

async fn near_hears_of_a_flush_and_a_write(world: World) {
    let (plio, app) = told(&world).await;
    world.redis_command("FLUSHALL").await;
    rename(&world, &plio).await;
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

async fn near_hears_of_a_fail_over(world: World) {
    let (plio, app) = told(&world).await;
    let replica = world.redis().replica();
    replica.has_caught_up_with(world.redis()).await;
    replica.detach().await;
    replica.take_the_place_of(world.redis()).await;
    rename(&world, &plio).await;
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

async fn near_hears_of_a_restart(world: World) {
    let (plio, app) = told(&world).await;
    world.redis_command("SAVE").await;
    world.redis().kill();
    world.redis().start_again();
    rename(&world, &plio).await;
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

async fn near_hears_of_a_write_to_many(world: World) {
    let (plio, app) = told(&world).await;
    let creator = plio.user;
    world
        .sql(format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
             INSERT INTO plio (uuid, name, created_by_id) SELECT 'many' || i, 'old', {creator} FROM n"
        ))
        .await;
    world.deliver_pending().await;
    let ids = world.numbers("SELECT id FROM plio").await;
    for _ in 0..2 {
        for some in ids.chunks(500) {
            Plio::get_many(&app.cache, some).await.expect("plios");
        }
    }
    let (nears, _) = near_and_old(&app, &ids).await;
    assert!(nears > 1000, "{nears} are near, which is one script's");

    let change = json!({"first_name": "new first name"});
    world.patch(&plio.user_path(), change).await.is(200);
    let began = Instant::now();
    let soon = Soon::within(5 * LATE);
    loop {
        let asked = began.elapsed();
        let (nears, old) = near_and_old(&app, &ids).await;
        if old == 0 {
            return;
        }
        assert!(asked < LATE, "wrong answer: after {asked:?} {old} are old, with {nears} near");
        soon.or("some are old").await;
    }
}

/// How many of the plios are near, and how many have their creator's old name.
async fn near_and_old(app: &App, ids: &[i64]) -> (usize, usize) {
    let (mut nears, mut old) = (0, 0);
    for some in ids.chunks(500) {
        for plio in Plio::fetch_many(&app.cache, some).await.expect("plios") {
            nears += usize::from(plio.status.tier == "near");
            let creator = &plio.value.expect("a plio").created_by;
            old += usize::from(creator.first_name == "old first name");
        }
    }
    (nears, old)
}

/// Nothing else would tell before the bound is over.
async fn a_lost_message_is_noticed_at_the_next_heartbeat(world: World) {
    let bound = Duration::from_secs(8);
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let app = process(&world, &proxy.redis_url(), bound).await;
    near(&app, &plio.path()).await;
    proxy.lose_a_message();
    rename(&world, &plio).await;
    proxy.has_lost_it().await;
    sees_soon(&world, &app, &plio.path(), bound / 4 + LATE).await;
}

async fn a_lost_message_is_noticed_at_the_next_one(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let proxy = Proxy::to(world.redis().port()).await;
    let app = process(&world, &proxy.redis_url(), LONG).await;
    near(&app, &plio.path()).await;
    proxy.lose_a_message();
    rename(&world, &plio).await;
    proxy.has_lost_it().await;
    let answer = app.get(&plio.path()).await.says("/name", "old name");
    assert_eq!(answer.tier(), "near", "nothing has told it");

    rename(&world, &other).await; // which it does not have
    sees_soon(&world, &app, &plio.path(), LATE).await;
}

/// Channels are the server's, not a database's.
async fn another_database_of_the_server_empties_nothing_near(world: World) {
    let (plio, app) = told(&world).await;
    let other = process(&world, &world.redis().url(1), LONG).await;
    for name in ["first", "second"] {
        let video = format!("/videos/{}", world.video().await);
        other.patch(&video, json!({ "title": name })).await.is(200);
    }
    // An answer that comes after whatever was published.
    app.get("/plios/999999").await.is(404);
    let answer = app.get(&plio.path()).await;
    assert_eq!(answer.tier(), "near", "it has nothing to do with it");
}
