//! Writes while Redis is away, for everybody or for the writer alone: for how long others
//! may be served what was written over. A is the process that writes, B another one that
//! relays. Until the outbox is delivered B may serve an old value out of Redis, for
//! `outbox.poll` and the delivery; once it is, never again.

use std::time::{Duration, Instant};

use example_app::SCHEMA;
use serde_json::json;

use crate::harness::Proxy;
use crate::harness::soon::{FIRST, RETURN, SOON, Soon, WINDOW, nothing_waits};
use crate::harness::{App, Plio, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    [
        story!(writes_while_redis_is_frozen_and_nobody_else_notices)
            .without_relay("it measures another process, which relays"),
        story!(writes_while_redis_is_frozen_and_everybody_notices)
            .without_relay("only the process that it looks at is to relay"),
        story!(writes_while_only_the_writer_has_lost_redis)
            .without_relay("it measures another process, which relays"),
        story!(writes_while_only_the_writer_waits_for_redis)
            .without_relay("it measures another process, which relays"),
        story!(a_fill_that_comes_before_the_delivery_is_gone_after_it)
            .without_relay("nothing but the drain is to deliver"),
        story!(what_was_sent_into_a_frozen_connection_comes_too_late),
        story!(a_fill_from_before_redis_was_restarted_empty_is_refused),
    ]
    .map(Story::own_redis)
    .into()
}

async fn writes_while_redis_is_frozen_and_nobody_else_notices(world: World) {
    let story = Both::begin(&world, &world.redis_url()).await;
    let mut longest = Duration::ZERO;
    for round in 0..6 {
        let name = story.warm(round).await;
        world.redis().freeze();
        story.a_loses_redis_and_writes(&name).await;
        world.redis().thaw();
        longest = longest.max(story.b_becomes_right(&name).await);
        story.a_comes_back(&name).await;
    }
    println!("Redis frozen, B idle: B was right {longest:?} after the thaw at the latest");
}

async fn writes_while_redis_is_frozen_and_everybody_notices(world: World) {
    let story = Both::begin(&world, &world.redis_url()).await;
    for round in 0..3 {
        let name = story.warm(round).await;
        world.redis().freeze();
        story.a_loses_redis_and_writes(&name).await;
        if world.has_near() {
            story.b_hears_nothing().await;
        }
        for _ in 0..3 {
            for app in [&story.a, &story.b] {
                let read = world.right_from(app, &story.warm.path()).await;
                read.within(FIRST).says("/created_by/first_name", name.as_str());
            }
        }
        assert!(story.b.get(&story.warm.path()).await.is_bypass(), "B has noticed");
        world.redis().thaw();
        let old = story.b_becomes_right(&name).await;
        assert!(old.is_zero(), "wrong answer: B was right, and old again for {old:?}");
        story.a_comes_back(&name).await;
    }
}

async fn writes_while_only_the_writer_has_lost_redis(world: World) {
    let proxy = Proxy::to(world.redis().port()).await;
    let story = Both::begin(&world, &proxy.redis_url()).await;
    let mut longest = Duration::ZERO;
    for round in 0..6 {
        let name = story.warm(round).await;
        proxy.cut();
        story.a_loses_redis_and_writes(&name).await;
        longest = longest.max(story.b_becomes_right(&name).await);
        proxy.resume();
        story.a_comes_back(&name).await;
    }
    println!("A cut off: B was right {longest:?} after the commit at the latest");
}

async fn writes_while_only_the_writer_waits_for_redis(world: World) {
    let proxy = Proxy::to(world.redis().port()).await;
    let story = Both::begin(&world, &proxy.redis_url()).await;
    let mut longest = Duration::ZERO;
    for round in 0..6 {
        let name = story.warm(round).await;
        proxy.freeze();
        story.a_loses_redis_and_writes(&name).await;
        longest = longest.max(story.b_becomes_right(&name).await);
        proxy.resume();
        // What A had sent arrives now.
        story.a_comes_back(&name).await;
    }
    println!("A frozen off: B was right {longest:?} after the commit at the latest");
}

async fn a_fill_that_comes_before_the_delivery_is_gone_after_it(world: World) {
    let proxy = Proxy::to(world.redis().port()).await;
    let a = world.app_at(&proxy.redis_url(), |builder| builder).await;
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await; // it has the old value, and a token of before
    proxy.cut();
    rename_video(&a, &plio).await;
    hold.release();

    // Nothing has told Redis yet, and nobody relays: it is stored.
    reader.await.expect("answered").ok();
    world.get(&plio.path()).await.ok().hit().says("/video/title", "old title");
    world.deliver_pending().await;
    world.right(&plio.path()).await.miss().says("/video/title", "new title");
    world.kept(&plio.path()).await;
}

async fn what_was_sent_into_a_frozen_connection_comes_too_late(world: World) {
    let proxy = Proxy::to(world.redis().port()).await;
    let a = world.app_at(&proxy.redis_url(), |builder| builder).await;
    let plio = world.plio_with_items(1).await;
    let hold = a.events.hold_after_load(&plio.key());
    let reader = a.get_meanwhile(&plio.path());
    hold.reached().await; // it has the old value, and a token of before
    proxy.freeze();
    hold.release(); // A's fill of the old value is on the way
    reader.await.expect("answered").ok().within(FIRST);
    rename_video(&world, &plio).await;
    world.warm(&plio.path()).await.says("/video/title", "new title");

    a.events.forget();
    proxy.resume();
    back(&a).await;
    for app in [&*world, &a] {
        world.kept_from(app, &plio.path()).await.says("/video/title", "new title");
    }
}

async fn a_fill_from_before_redis_was_restarted_empty_is_refused(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await;
    rename_video(&world, &plio).await;
    world.events.forget();
    world.redis().kill();
    world.redis().start_again();
    assert!(world.redis_keys().await.is_empty(), "it has forgotten everything");
    world.get("/plios/999999").await.is(404); // finds out
    back(&world).await;
    hold.release();

    reader.await.expect("answered").ok();
    let refused = Seen::Filled(plio.key(), false);
    assert!(world.events.count(|seen| *seen == refused) > 0, "the fill is refused");
    world.right(&plio.path()).await.miss().says("/video/title", "new title");
    world.kept(&plio.path()).await;
}

/// The two processes, and two plios of one creator, who is renamed.
struct Both<'w> {
    world: &'w World,
    a: App,
    b: App,
    warm: Plio,
    /// Another's, written only for A to notice that Redis is away.
    bell: Plio,
}

impl<'w> Both<'w> {
    async fn begin(world: &'w World, redis_of_a: &str) -> Self {
        let a = world.app_at(redis_of_a, |builder| builder).await;
        let b = world.relaying_app().await;
        let (warm, bell) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
        Self { world, a, b, warm, bell }
    }

    /// Both have the value at hand; the name to come.
    async fn warm(&self, round: usize) -> String {
        for app in [&self.a, &self.b] {
            app.warm(&self.warm.path()).await;
        }
        format!("round {round}")
    }

    /// The invalidation of the first write may still reach Redis
    /// one day; that of the second is not sent.
    async fn a_loses_redis_and_writes(&self, name: &str) {
        self.a.events.forget();
        let bell = format!("/videos/{}", self.bell.video);
        self.a.patch(&bell, json!({ "title": name })).await.is(200).within(FIRST);
        away(&self.a).await;
        let renamed = json!({ "first_name": name });
        self.a.patch(&self.warm.user_path(), renamed).await.is(200).within(FIRST);
        let read = self.world.right_from(&self.a, &self.warm.path()).await;
        read.within(FIRST).says("/created_by/first_name", name);
    }

    /// What B has near it serves until it notices, and no longer than `max-staleness`.
    async fn b_hears_nothing(&self) {
        let began = Instant::now();
        while self.b.get(&self.warm.path()).await.is_hit() {
            let trusted = SCHEMA.max_staleness.expect("it is near");
            let late = began.elapsed();
            assert!(late < trusted, "wrong answer: B trusts it after {late:?}");
        }
    }

    /// From now on B is right within the window, and then for good; how long it was not.
    async fn b_becomes_right(&self, name: &str) -> Duration {
        let began = Instant::now();
        let reads = async |app: &App| {
            let answer = app.get(&self.warm.path()).await.is(200).within(FIRST);
            answer.at("/created_by/first_name") == name
        };
        let mut last_old = Duration::ZERO;
        while !reads(&self.b).await {
            last_old = began.elapsed();
            assert!(last_old < WINDOW, "wrong answer: B is old after {last_old:?}");
        }
        while began.elapsed() < WINDOW {
            assert!(reads(&self.b).await, "wrong answer: B is old again");
        }
        last_old
    }

    async fn a_comes_back(&self, name: &str) {
        back(&self.a).await;
        for app in [&self.a, &self.b] {
            let soon = Soon::within(RETURN);
            loop {
                let read = self.world.right_from(app, &self.warm.path()).await;
                if read.says("/created_by/first_name", name).is_hit() {
                    break;
                }
                soon.at_once_or("no hit");
            }
        }
        nothing_waits(self.world, SOON).await;
    }
}

async fn rename_video(app: &App, plio: &Plio) {
    let video = format!("/videos/{}", plio.video);
    app.patch(&video, json!({"title": "new title"})).await.is(200).within(FIRST);
}

async fn away(app: &App) {
    app.events.wait_for("the store is away", |seen| *seen == Seen::StoreAway).await;
}

async fn back(app: &App) {
    app.events.wait_for("the store is back", |seen| *seen == Seen::StoreBack).await;
}
