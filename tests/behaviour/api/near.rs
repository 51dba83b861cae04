//! What is kept near, what is not, and how the stories of it are told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Builder, Cache, Event, MemoryStore, RedisStore, Schema, Store};
use example_app::{Db, Plio, SCHEMA, User};
use serde_json::json;

use crate::harness::held::Held;
use crate::harness::soon::{RETURN, Soon};
use crate::harness::{self, Answer, App, Seen, Story, World, story};

/// Nothing is heard of by its heartbeats, and nothing ends by itself, while a story is told.
pub const LONG: Duration = Duration::from_secs(60);
/// How many users are kept near, as `cache.toml` says.
const USERS: usize = 10_000;

pub fn stories() -> Vec<Story> {
    [
        story!(what_was_read_before_a_write_is_not_near_after_it).own_redis(),
        story!(what_was_read_in_memory_before_a_write_is_not_near_after_it).in_memory(),
        story!(what_others_loaded_before_a_write_is_not_near_after_it),
        story!(what_a_loaded_value_embeds_is_not_taken_from_near),
        story!(what_makes_room_in_memory_is_not_near_any_more).in_memory(),
        story!(near_and_absent_until_it_is_created),
        story!(more_users_than_are_kept_near),
    ]
    .map(Story::with_near)
    .into()
}

/// The schema with another bound.
fn bounded(bound: Duration) -> &'static Schema {
    Box::leak(Box::new(Schema { max_staleness: Some(bound), ..SCHEMA }))
}

fn builder(world: &World, bound: Duration) -> Builder<Db> {
    let builder = Cache::builder(world.db().clone(), bounded(bound)).relay(world.relays());
    match world.db() {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    }
}

/// A process of the service with this bound, which reaches Redis at this address.
pub async fn process(world: &World, redis: &str, bound: Duration) -> App {
    let store = RedisStore::new(redis, &SCHEMA).expect("a URL");
    App::serve(builder(world, bound).store(store)).await
}

/// Reads until the value is near.
pub async fn near(app: &App, path: &str) -> Answer {
    let soon = Soon::within(RETURN);
    loop {
        let answer = app.get(path).await;
        if answer.tier() == "near" {
            return answer;
        }
        soon.or(&format!("{path} is not near")).await;
    }
}

async fn what_was_read_before_a_write_is_not_near_after_it(world: World) {
    let store = || RedisStore::new(&world.redis_url(), &SCHEMA).expect("a URL");
    let (first, second) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    for plio in [&first, &second] {
        world.warm(&plio.path()).await;
    }
    let held = Held::new(store());
    let app = App::serve(builder(&world, LONG).store(held.clone())).await;
    overtaken(&world, &app, &held, &world, &first).await;
    overtaken(&world, &app, &held, &app, &second).await;
}

async fn what_was_read_in_memory_before_a_write_is_not_near_after_it(world: World) {
    let plio = world.plio_with_items(1).await;
    let held = Held::new(MemoryStore::new(&SCHEMA));
    // Another cache on this memory stores it; of the two, the later one is told.
    let fills = App::serve(builder(&world, LONG).store(held.clone())).await;
    let app = App::serve(builder(&world, LONG).store(held.clone())).await;
    fills.get(&plio.path()).await.ok();
    overtaken(&world, &app, &held, &app, &plio).await;
}

/// A reader stands still where it has read the value and not kept
/// it yet, and is told of a write meanwhile.
async fn overtaken<S: Store>(
    world: &World,
    app: &App,
    held: &Held<S>,
    writer: &App,
    plio: &harness::Plio,
) {
    held.hold();
    let reader = app.get_meanwhile(&plio.path());
    held.reached().await;
    let change = json!({"name": "new name"});
    writer.patch(&plio.path(), change).await.is(200);
    held.is_told().await;
    held.release();

    let old = reader.await.expect("answered").ok();
    assert_eq!(*old.at("/name"), json!("old name"), "it was read before");
    world.right_from(app, &plio.path()).await.says("/name", "new name");
    near(app, &plio.path()).await.says("/name", "new name");
}

/// A loaded value is stored for all: what it embeds is to be what the store has. A
/// reader of two plios comes to one of them late: another reader has loaded it
/// meanwhile, and it was written to since. That may answer the reader, who came
/// before; it is not to be kept for those who come after.
async fn what_others_loaded_before_a_write_is_not_near_after_it(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let title = async |title: &str| {
        let video = format!("/videos/{}", plio.video);
        world.patch(&video, json!({ "title": title })).await.is(200);
    };
    let misses = |times: usize| {
        let missed = Seen::Miss(plio.key());
        let events = &world.events;
        async move {
            let soon = Soon::within(RETURN);
            while events.count(|seen| *seen == missed) < times {
                soon.or("nobody misses it").await;
            }
        }
    };
    // A load that cannot be stored, and so does not serve who comes after the write.
    let refused = world.events.hold_after_load(&plio.key());
    let first = world.get_meanwhile(&plio.path());
    refused.reached().await;
    title("1").await;
    let busy = world.events.hold_after_load(&other.key());
    let (cache, ids) = (world.cache.clone(), [plio.id, other.id]);
    let reader = tokio::spawn(async move { Plio::get_many(&cache, &ids).await });
    busy.reached().await;
    refused.release();
    first.await.expect("answered").ok();

    // The load of another, which is stored, and not landed yet when it is written to.
    let stored = world.events.hold_after_fill(&plio.key());
    let second = world.get_meanwhile(&plio.path());
    stored.reached().await;
    title("2").await;
    busy.release();
    misses(4).await;
    stored.release();
    second.await.expect("answered").ok();
    reader.await.expect("no panic").expect("two plios");

    let plio = Plio::get(&world.cache, plio.id).await;
    let video = plio.expect("a plio").and_then(|plio| plio.video.clone());
    assert_eq!(video.expect("a video").title, "2", "wrong answer");
}

async fn what_a_loaded_value_embeds_is_not_taken_from_near(world: World) {
    let plio = world.plio_with_items(1).await;
    let hits = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&hits);
    let builder = builder(&world, LONG).on_event(move |event| {
        if let Event::Hit { key, tier } = event {
            seen.lock().expect("no panic").push(((*key).to_owned(), *tier));
        }
    });
    let builder = match world.has_redis() {
        true => builder.store(RedisStore::new(&world.redis_url(), &SCHEMA).expect("a URL")),
        false => builder.store(MemoryStore::new(&SCHEMA)),
    };
    let cache = builder.build().await.expect("a cache");
    let soon = Soon::within(RETURN);
    while User::fetch(&cache, plio.user).await.expect("a user").status.tier != "near" {
        soon.or("the user is not near").await;
    }
    hits.lock().expect("no panic").clear();

    let loaded = Plio::get(&cache, plio.id).await.expect("loaded");
    assert_eq!(loaded.expect("a plio").created_by.id, plio.user);
    let store = if world.has_redis() { "redis" } else { "memory" };
    assert_eq!(*hits.lock().expect("no panic"), [(plio.user_key(), store)]);
}

/// Its edges are gone with it: nobody would be told of a write.
async fn what_makes_room_in_memory_is_not_near_any_more(world: World) {
    let plios = world.plios_of_one_creator(20, 1).await;
    let store = MemoryStore::new(&SCHEMA).capacity(16 << 10);
    let app = App::serve(builder(&world, LONG).store(store)).await;
    near(&app, &plios[0].path()).await;
    for plio in &plios {
        app.get(&plio.path()).await.ok();
        app.get(&plio.path()).await.ok();
    }
    world.sql("UPDATE plio SET name = 'new'").await;
    app.deliver_pending().await;
    for plio in &plios {
        world.right_from(&app, &plio.path()).await.says("/name", "new");
    }
}

async fn near_and_absent_until_it_is_created(world: World) {
    let (user, id) = (world.user().await, 777_777);
    let path = format!("/plios/{id}");
    near(&world, &path).await.is(404);
    world
        .sql(format!(
            "INSERT INTO plio (id, uuid, name, created_by_id) VALUES ({id}, 'created', 'new', {user})"
        ))
        .await;
    world.deliver_pending().await;
    world.right(&path).await.is(200).says("/name", "new");
    near(&world, &path).await.says("/name", "new");
    world.delete(&path).await.ok();
    world.right(&path).await.is(404);
}

async fn more_users_than_are_kept_near(world: World) {
    let more = USERS + USERS / 5;
    world
        .sql(format!(
            r#"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
               INSERT INTO "user" (email, first_name) SELECT 'many' || i || '@example.org', 'old' FROM n"#
        ))
        .await;
    world.deliver_pending().await;
    let ids = world.numbers(r#"SELECT id FROM "user" ORDER BY id"#).await;
    for _ in 0..2 {
        // In portions: nobody holds a connection for long.
        for some in ids.chunks(500) {
            User::get_many(&world.cache, some).await.expect("users");
        }
    }
    let (mut near, mut far) = (0, 0);
    for some in ids.chunks(500) {
        for user in User::fetch_many(&world.cache, some).await.expect("users") {
            assert!(user.value.is_some(), "wrong answer: a user is missing");
            match user.status.tier {
                "near" => near += 1,
                _ => far += 1,
            }
        }
    }
    println!("{near} of {} users are near", near + far);
    assert!(near > 0, "some are near");
    assert!(near <= USERS, "{near} are near; there is room for {USERS}");
}
