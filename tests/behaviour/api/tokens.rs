//! Who shows the token of a write is not answered from before it, whichever process is asked.

use std::time::Duration;

use serde_json::json;

use super::near::{LONG, near, process};
use crate::harness::soon::{FIRST, SOON, nothing_waits, sees_soon, soon};
use crate::harness::{Answer, App, Plio, Proxy, Seen, Story, World, story};

const HEADER: &str = "consistency-token";
const UNDELIVERED: &str = "undelivered";

pub fn stories() -> Vec<Story> {
    const OLD: &str = "nothing else is to tell what the token does";
    [
        story!(a_token_is_kept_by_another_process_on_every_path),
        story!(a_token_is_kept_for_what_was_absent),
        story!(garbage_is_no_token),
        story!(an_invented_token_costs_loads_that_are_shared),
        story!(a_token_is_kept_between_two_memories).in_memory().without_relay(OLD),
        story!(a_token_is_kept_near_although_a_message_is_lost)
            .own_redis()
            .with_near()
            .without_relay(OLD),
        story!(a_token_is_kept_near_although_messages_are_late)
            .own_redis()
            .with_near()
            .without_relay(OLD),
        story!(a_token_gives_nothing_near_up_for_others).own_redis().with_near(),
        story!(a_token_of_a_commit_that_redis_was_not_told_of).own_redis().without_relay(OLD),
        story!(a_token_of_a_commit_that_another_process_delivered).on_redis().without_relay(OLD),
        story!(a_token_while_redis_is_away).own_redis().without_relay(OLD),
        story!(a_token_of_another_server).own_redis(),
    ]
    .into()
}

/// On the same Redis, or with a memory of its own.
async fn another_process(world: &World) -> App {
    world.app_with(|builder| builder).await
}

/// Renames what the plio's value embeds, which is itself a cached value; returns the token.
async fn rename(app: &App, plio: &Plio, name: &str) -> String {
    let answer = app.patch(&plio.user_path(), json!({ "first_name": name })).await;
    token_of(&answer.is(200))
}

fn token_of(answer: &Answer) -> String {
    let token = answer.header(HEADER).to_owned();
    assert!(token.len() == 64 || token == UNDELIVERED, "{token:?} is a token");
    token
}

async fn get(app: &App, path: &str, token: &str) -> Answer {
    app.send(app.request("GET", path).header(HEADER, token)).await
}

/// Asks twice for the plio in every way, and says what its creator is called.
async fn all_say(app: &App, plio: &Plio, token: &str, name: &str) {
    for path in [plio.path(), plio.by_uuid(), plio.path()] {
        get(app, &path, token).await.ok().says("/created_by/first_name", name);
    }
    get(app, &plio.user_path(), token).await.ok().says("/first_name", name);
    let list = get(app, "/plios?limit=1000", token).await.ok();
    for n in 0..list.ids("").len() {
        let creator = list.at(&format!("/{n}/created_by"));
        assert!(
            creator["id"] != plio.user || creator["first_name"] == name,
            "wrong answer: {creator}"
        );
    }
}

async fn a_token_is_kept_by_another_process_on_every_path(world: World) {
    let (plio, _) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let other = another_process(&world).await;
    for round in 0..10 {
        let (writer, reader) = if round % 2 == 0 { (&*world, &other) } else { (&other, &*world) };
        for app in [writer, reader] {
            app.get(&plio.path()).await.ok();
            app.get(&plio.by_uuid()).await.ok();
        }
        let name = format!("round {round}");
        let token = rename(writer, &plio, &name).await;
        all_say(reader, &plio, &token, &name).await;
        all_say(writer, &plio, &token, &name).await;
    }
}

async fn a_token_is_kept_for_what_was_absent(world: World) {
    let other = another_process(&world).await;
    let user = |email: &str| json!({ "email": email });
    let first = world.post("/users", user("first")).await.is(201).id();
    let next = format!("/users/{}", first + 1);
    for _ in 0..2 {
        other.get(&next).await.is(404);
    }
    let created = world.post("/users", user("second")).await.is(201);
    assert_eq!(created.id(), first + 1);
    get(&other, &next, &token_of(&created)).await.is(200).says("/email", "second");

    let deleted = world.delete(&next).await.is(204);
    get(&other, &next, &token_of(&deleted)).await.is(404);
}

async fn garbage_is_no_token(world: World) {
    let plio = world.plio_with_items(1).await;
    let long = "0".repeat(65);
    for garbage in ["", "0", "Undelivered", "é", &long, &long.replace('0', "x")[1..]] {
        let answer = get(&world, &plio.path(), garbage).await;
        let detail = answer.is(400).at("/detail").to_string();
        assert!(detail.contains("`Consistency-Token` is no consistency token"), "{detail}");
    }
}

async fn an_invented_token_costs_loads_that_are_shared(world: World) {
    const OTHERS: usize = 20;
    let plio = world.plio_with_items(1).await;
    let token = rename(&world, &plio, "new").await;
    world.warm(&plio.path()).await;
    // Of this store, and of a time that never comes.
    let invented = format!("{}{}", &token[..48], "f".repeat(16));

    world.events.forget();
    let hold = world.events.hold_before_load(&plio.key());
    let ask = || {
        let (app, path, token) = (App::clone(&world), plio.path(), invented.clone());
        tokio::spawn(async move { get(&app, &path, &token).await })
    };
    let first = ask();
    hold.reached().await;
    let others = [(); OTHERS].map(|()| ask());
    let missed = Seen::Miss(plio.key());
    soon("all have missed", || world.events.count(|seen| *seen == missed) > OTHERS).await;
    // Nobody else waits for them.
    world.get(&plio.path()).await.ok().hit();
    hold.release();
    for asked in others.into_iter().chain([first]) {
        let answer = asked.await.expect("answered").ok();
        assert!(answer.is_bypass(), "{}", answer.header("cache-status"));
    }
    // One more for those who came after it had begun, and perhaps for one who comes too late to it.
    let loads = world.events.loads_of(&plio.key());
    assert!(loads < OTHERS / 2, "{loads} loads");
    world.kept(&plio.path()).await;
}

async fn a_token_is_kept_between_two_memories(world: World) {
    let plio = world.plio_with_items(1).await;
    let other = another_process(&world).await;
    other.warm(&plio.path()).await;
    let token = rename(&world, &plio, "new").await;
    other.get(&plio.path()).await.ok().says("/created_by/first_name", "old first name").hit();
    let answer = get(&other, &plio.path(), &token).await;
    assert!(answer.is_bypass(), "its memory has not been told");
    answer.says("/created_by/first_name", "new");
    // Where it was told, what is cached answers.
    for _ in 0..2 {
        assert!(!get(&world, &plio.path(), &token).await.ok().is_bypass());
    }
    get(&world, &plio.path(), &token).await.ok().hit().says("/created_by/first_name", "new");
}

async fn a_token_is_kept_near_although_a_message_is_lost(world: World) {
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let other = process(&world, &proxy.redis_url(), LONG).await;
    near(&other, &plio.path()).await;
    proxy.lose_a_message();
    // It reads nothing afterwards: a fill may publish something as well.
    let deleted = world.delete(&format!("/items/{}", plio.items[0])).await.is(204);
    let token = token_of(&deleted);
    proxy.has_lost_it().await;
    let answer = other.get(&plio.path()).await.lists("/items", &plio.items);
    assert_eq!(answer.tier(), "near", "nothing has told it");

    let answer = get(&other, &plio.path(), &token).await.ok();
    assert!(!answer.is_bypass(), "Redis has been told");
    answer.lists("/items", &[]);
}

async fn a_token_is_kept_near_although_messages_are_late(world: World) {
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let other = process(&world, &proxy.redis_url(), LONG).await;
    near(&other, &plio.path()).await;
    proxy.freeze_answers();
    let token = rename(&world, &plio, "new").await;
    let answer = other.get(&plio.path()).await.says("/created_by/first_name", "old first name");
    assert_eq!(answer.tier(), "near", "nothing has told it");

    let answer = get(&other, &plio.path(), &token).await.ok().within(FIRST);
    assert!(answer.is_bypass(), "Redis does not answer");
    answer.says("/created_by/first_name", "new");
    proxy.resume();
}

async fn a_token_gives_nothing_near_up_for_others(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let app = process(&world, &world.redis_url(), LONG).await;
    world.settled().await;
    near(&app, &other.path()).await;
    let token = rename(&world, &plio, "new").await;
    sees_soon(&world, &app, &plio.path(), Duration::from_secs(1)).await;
    // Whatever has been heard by now.
    for _ in 0..3 {
        let answer = app.get(&other.path()).await;
        assert_eq!(answer.tier(), "near", "who shows no token pays for none");
    }
    // The store says that all was heard, and then near is as good as far.
    get(&app, "/users/999999", &token).await.is(404);
    let answer = get(&app, &other.path(), &token).await;
    assert_eq!(answer.tier(), "near", "it was heard of");
}

async fn a_token_of_a_commit_that_redis_was_not_told_of(world: World) {
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let writer = world.app_at(&proxy.redis_url(), |builder| builder).await;
    for path in [plio.path(), plio.user_path()] {
        world.warm(&path).await;
    }
    proxy.cut();
    let token = rename(&writer, &plio, "new").await;
    assert_eq!(token, UNDELIVERED);
    world.get(&plio.path()).await.hit().says("/created_by/first_name", "old first name");
    world.get(&plio.user_path()).await.hit().says("/first_name", "old first name");

    // Neither the plio nor the user in it is taken from Redis.
    let answer = get(&world, &plio.path(), &token).await.ok();
    assert!(answer.is_bypass(), "nobody knows what Redis was told");
    all_say(&world, &plio, &token, "new").await;
    all_say(&writer, &plio, &token, "new").await;
    // And nothing of it is stored.
    world.get(&plio.path()).await.hit().says("/created_by/first_name", "old first name");
    world.deliver_pending().await;
    world.right(&plio.path()).await.says("/created_by/first_name", "new");
}

async fn a_token_of_a_commit_that_another_process_delivered(world: World) {
    let plio = world.plio_with_items(1).await;
    let reader = world.another_app().await;
    reader.warm(&plio.path()).await;
    let hold = world.events.hold_after_commit();
    let change = json!({"first_name": "new"});
    let write = world.patch_meanwhile(&plio.user_path(), change);
    hold.reached().await;
    let _relay = world.relaying_app().await;
    nothing_waits(&world, SOON).await;
    hold.release();
    let token = token_of(&write.await.expect("answered").is(200));
    let answer = get(&reader, &plio.path(), &token).await.ok();
    assert!(!answer.is_bypass(), "Redis has been told");
    all_say(&reader, &plio, &token, "new").await;
}

async fn a_token_while_redis_is_away(world: World) {
    let plio = world.plio_with_items(1).await;
    let reader = world.another_app().await;
    for path in [plio.path(), plio.user_path()] {
        reader.warm(&path).await;
    }
    let token = rename(&world, &plio, "new").await;
    world.redis().freeze();
    let answer = get(&reader, &plio.path(), &token).await.ok().within(FIRST);
    assert!(answer.is_bypass(), "Redis does not answer");
    all_say(&reader, &plio, &token, "new").await;

    reader.events.forget();
    world.redis().thaw();
    let is_back = |seen: &Seen| *seen == Seen::StoreBack;
    reader.events.wait_for("the store is back", is_back).await;
    let answer = get(&reader, &plio.path(), &token).await.ok();
    assert!(!answer.is_bypass(), "it is the same Redis");
    all_say(&reader, &plio, &token, "new").await;
}

async fn a_token_of_another_server(world: World) {
    let plio = world.plio_with_items(1).await;
    let reader = world.another_app().await;
    reader.warm(&plio.path()).await;
    let replica = world.redis().replica();
    replica.has_caught_up_with(world.redis()).await;
    replica.detach().await;
    let token = rename(&world, &plio, "new").await;
    for app in [&*world, &reader] {
        app.events.forget();
    }
    replica.take_the_place_of(world.redis()).await;
    for app in [&*world, &reader] {
        all_say(app, &plio, &token, "new").await;
        let is_back = |seen: &Seen| *seen == Seen::StoreBack;
        app.events.wait_for("the store is back", is_back).await;
        let answer = get(app, &plio.path(), &token).await.ok();
        assert!(answer.is_bypass(), "that server is gone");
        all_say(app, &plio, &token, "new").await;
    }
    let token = rename(&world, &plio, "newer").await;
    let answer = get(&reader, &plio.path(), &token).await.ok();
    assert!(!answer.is_bypass(), "it is of this server");
    all_say(&reader, &plio, &token, "newer").await;
}
