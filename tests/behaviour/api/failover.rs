//! Fail-over: another server, with an older memory, where the
//! one was that the service is connected to.

use std::time::Duration;

use cache_runtime::{Builder, Cache, RedisStore, Schema};
use example_app::{Db, SCHEMA};
use serde_json::json;

use crate::harness::soon::{RETURN, SOON, Soon, nothing_waits, until_hit};
use crate::harness::{App, Plio, Proxy, Redis, Seen, Story, World, story};

mod processes;

pub fn stories() -> Vec<Story> {
    [
        story!(a_replica_that_missed_invalidations_serves_none_of_it_and_stays_warm),
        story!(a_fill_from_before_a_fail_over_is_refused),
        // Nor does its near cache ask the server now and then.
        story!(a_replica_older_than_the_retention_is_voided)
            .without_relay("the world's own app, which keeps rows for longer, is to do nothing")
            .without_near(),
        story!(a_restart_with_an_older_memory_stays_warm),
        story!(an_emptied_table_is_not_forgotten_by_a_restart),
        story!(a_clear_is_not_forgotten_by_a_restart),
        story!(an_address_that_leads_to_another_server),
        story!(a_server_that_became_a_replica_and_a_primary_again),
        story!(a_server_that_was_given_an_older_memory_and_is_a_primary_again),
        story!(a_redis_that_served_another_database_is_voided),
    ]
    .into_iter()
    .chain(processes::stories())
    .map(Story::own_redis)
    .collect()
}

async fn a_replica_that_missed_invalidations_serves_none_of_it_and_stays_warm(world: World) {
    let plios = warm_plios(&world).await;
    let replica = replica(&world).await;
    replica.detach().await;
    change(&world, &plios[0], "new").await;
    world.warm(&plios[0].path()).await.says("/name", "new");
    world.events.forget();

    replica.take_the_place_of(world.redis()).await;
    comes_back(&world, &world, &plios[..1]).await;

    for plio in &plios[1..] {
        world.get(&plio.path()).await.ok().hit();
    }
    world.right(&plios[0].path()).await.says("/name", "new");
    world.kept(&plios[0].path()).await;
    is_a_cache(&world, &plios).await;
}

async fn a_fill_from_before_a_fail_over_is_refused(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.user_path()).await; // so that there is something to adopt
    let replica = replica(&world).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await; // it has the old value, and a token of before

    replica.detach().await;
    let video = format!("/videos/{}", plio.video);
    world.patch(&video, json!({"title": "new"})).await.is(200);
    world.events.forget();
    replica.take_the_place_of(world.redis()).await;
    comes_back(&world, &world, &[]).await;
    hold.release();

    reader.await.expect("answered").ok();
    let refused = Seen::Filled(plio.key(), false);
    assert!(world.events.count(|seen| *seen == refused) > 0, "the fill is refused");
    world.right(&plio.path()).await.says("/video/title", "new");
    world.kept(&plio.path()).await;
}

async fn a_replica_older_than_the_retention_is_voided(world: World) {
    // The world's own app is asked nothing from here on.
    let plios = [world.plio_with_items(1).await, world.plio_with_items(1).await];
    made_long_ago(&world).await;
    let short = Schema { retention: Duration::from_secs(1), ..SCHEMA };
    let app = app_of(&world, Box::leak(Box::new(short))).await;
    for plio in &plios {
        app.warm(&plio.path()).await;
    }
    let replica = replica(&world).await;
    replica.detach().await;
    app.patch(&plios[0].path(), json!({"name": "new"})).await.is(200);
    app.events.forget();
    replica.take_the_place_of(world.redis()).await;
    comes_back(&world, &app, &plios[..1]).await;

    // Nobody knows any more that this one is right.
    app.get(&plios[1].path()).await.ok().miss();
    world.right_from(&app, &plios[0].path()).await.says("/name", "new");
}

async fn a_restart_with_an_older_memory_stays_warm(world: World) {
    let plios = warm_plios(&world).await;
    world.redis_command("SAVE").await;
    change(&world, &plios[0], "new").await;
    world.sql(format!("UPDATE video SET title = 'new' WHERE id = {}", plios[1].video)).await;
    world.deliver_pending().await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }
    restart(&world).await;
    comes_back(&world, &world, &plios[..2]).await;

    world.right(&plios[0].path()).await.says("/name", "new");
    world.right(&plios[1].path()).await.says("/video/title", "new");
    world.get(&plios[2].path()).await.ok().hit();
    is_a_cache(&world, &plios).await;
}

async fn an_emptied_table_is_not_forgotten_by_a_restart(world: World) {
    let plios = warm_plios(&world).await;
    world.redis_command("SAVE").await;
    let empty = if world.is_postgres() { "TRUNCATE question" } else { "DELETE FROM question" };
    world.sql(empty).await;
    world.deliver_pending().await;
    restart(&world).await;
    comes_back(&world, &world, &[]).await;
    for plio in &plios {
        world.right(&plio.path()).await;
    }
}

/// After writes that nobody reported, all is forgotten; for good.
async fn a_clear_is_not_forgotten_by_a_restart(world: World) {
    let plios = warm_plios(&world).await;
    world.redis_command("SAVE").await;
    let mut tx = world.begin_elsewhere().await;
    tx.run(format!("UPDATE plio SET name = 'new' WHERE id = {}", plios[0].id)).await;
    tx.run(format!("DELETE FROM {} WHERE delivered_at IS NULL", SCHEMA.outbox)).await;
    tx.commit().await;
    world.cache.clear().await.expect("cleared");
    world.right(&plios[0].path()).await.says("/name", "new");

    restart(&world).await;
    comes_back(&world, &world, &plios).await;
    world.right(&plios[0].path()).await.says("/name", "new");
}

/// The old server lives on, and nobody is led to it any more.
async fn an_address_that_leads_to_another_server(world: World) {
    let plios = warm_plios(&world).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let app = world.app_at(&proxy.redis_url(), |builder| builder).await;
    let replica = replica(&world).await;
    replica.detach().await;
    change(&app, &plios[0], "new").await;
    app.events.forget();
    proxy.turn_to(replica.port());
    comes_back(&world, &app, &plios[..1]).await;
    for plio in &plios[1..] {
        app.get(&plio.path()).await.ok().hit();
    }
    until_hit(&world, &app, &plios[0].path()).await;
}

async fn a_server_that_became_a_replica_and_a_primary_again(world: World) {
    let plios = warm_plios(&world).await;
    let (a, b) = (world.another_app().await, world.relaying_app().await);
    for app in [&a, &b] {
        app.warm(&plios[0].path()).await;
    }
    // Of a server that has nothing.
    let empty = Redis::own();
    world.redis_command(&format!("REPLICAOF 127.0.0.1 {}", empty.port())).await;
    change(&a, &plios[0], "new").await;
    world.right_from(&a, &plios[0].path()).await.says("/name", "new");
    // The other finds out by itself.
    b.events.wait_for("the store is away", |seen| *seen == Seen::StoreAway).await;
    world.right_from(&b, &plios[0].path()).await.says("/name", "new");
    assert!(b.get(&plios[1].path()).await.ok().is_bypass(), "the store is not asked");

    for app in [&a, &b] {
        app.events.forget();
    }
    world.redis_command("REPLICAOF NO ONE").await;
    for app in [&a, &b] {
        comes_back(&world, app, &plios).await;
        until_hit(&world, app, &plios[0].path()).await;
    }
}

/// It was the replica of a replica of its own, which had missed something, and nobody noticed.
async fn a_server_that_was_given_an_older_memory_and_is_a_primary_again(world: World) {
    let plios = warm_plios(&world).await;
    let replica = replica(&world).await;
    replica.detach().await;
    change(&world, &plios[0], "new").await;
    world.warm(&plios[0].path()).await;

    world.events.forget();
    world.redis_command(&format!("REPLICAOF 127.0.0.1 {}", replica.port())).await;
    world.redis().has_caught_up_with(&replica).await;
    world.redis_command("REPLICAOF NO ONE").await;
    // As Sentinel does.
    world.cut_redis_connections().await;
    comes_back(&world, &world, &plios[..1]).await;
    world.right(&plios[0].path()).await.says("/name", "new");
    world.get(&plios[1].path()).await.ok().hit();
}

async fn a_redis_that_served_another_database_is_voided(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await;
    // As good as another database: only its identity says so.
    world.sql(format!("UPDATE {}_stamp SET identity = 'another'", SCHEMA.outbox)).await;
    let mut tx = world.begin_elsewhere().await;
    tx.run(format!("UPDATE plio SET name = 'of another database' WHERE id = {}", plio.id)).await;
    tx.run(format!("DELETE FROM {}", SCHEMA.outbox)).await;
    tx.commit().await;

    let other = world.another_app().await;
    world.right_from(&other, &plio.path()).await.miss().says("/name", "of another database");
    world.kept_from(&other, &plio.path()).await;
}

/// Four plios that have nothing in common, in the store.
async fn warm_plios(world: &World) -> Vec<Plio> {
    let mut plios = Vec::new();
    for _ in 0..4 {
        let plio = world.plio_with_items(1).await;
        world.warm(&plio.path()).await;
        plios.push(plio);
    }
    made_long_ago(world).await;
    plios
}

/// As when retention is over: a server that is up to date
/// within a minute need not hear of it again.
async fn made_long_ago(world: &World) {
    world.deliver_pending().await;
    world.sql(format!("DELETE FROM {}", SCHEMA.outbox)).await;
}

async fn replica(world: &World) -> Redis {
    let replica = world.redis().replica();
    replica.has_caught_up_with(world.redis()).await;
    // With its first replica a server begins another history, which the relay finds, and adopts.
    if world.relays() {
        world.events.idle(2).await;
    }
    replica
}

async fn restart(world: &World) {
    world.events.forget();
    world.redis().kill();
    world.redis().start_again();
}

async fn app_of(world: &World, schema: &'static Schema) -> App {
    let builder: Builder<Db> = Cache::builder(world.db().clone(), schema);
    let builder = match world.db() {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    };
    let store = RedisStore::new(&world.redis_url(), schema).expect("a URL");
    App::serve(builder.relay(world.relays()).store(store)).await
}

async fn change(app: &App, plio: &Plio, name: &str) {
    let change = json!({ "name": name });
    app.patch(&plio.path(), change).await.is(200);
}

/// From the first answer on these are right, also when the app has found the server.
async fn comes_back(world: &World, app: &App, plios: &[Plio]) {
    let soon = Soon::within(RETURN);
    while app.events.count(|seen| *seen == Seen::StoreBack) < 1 {
        soon.at_once_or("the store is not back");
        for plio in plios {
            world.right_from(app, &plio.path()).await.is(200);
        }
        // Finds that the server is gone, if nobody reads.
        app.get("/plios/999999").await.is(404);
    }
    for plio in plios {
        world.right_from(app, &plio.path()).await.is(200);
    }
}

/// It is told of writes, as before.
async fn is_a_cache(world: &World, plios: &[Plio]) {
    for plio in plios {
        change(world, plio, "after the return").await;
        world.right(&plio.path()).await.says("/name", "after the return");
        world.kept(&plio.path()).await;
    }
    nothing_waits(world, SOON).await;
}
