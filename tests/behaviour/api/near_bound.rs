//! How long a process may answer what is no longer true, when it cannot be told.

use std::time::{Duration, Instant};

use serde_json::json;

use super::near::{LONG, near, process};
use crate::harness::Proxy;
use crate::harness::service::Doomed;
use crate::harness::soon::{FIRST, RETURN, Soon, sees_soon};
use crate::harness::{Seen, Story, World, story};

/// One that is over before Redis is taken for away, and one that is not.
const BOUNDS: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// How long the network stays cut after the bound.
const AFTERWARDS: Duration = Duration::from_secs(2);

pub fn stories() -> Vec<Story> {
    [
        story!(a_cut_network_is_noticed_within_the_bound)
            .without_relay("one finds out before the bound is over"),
        story!(unanswered_questions_are_noticed_within_the_bound)
            .without_relay("one finds out before the bound is over"),
        story!(questions_that_do_not_arrive_are_noticed_within_the_bound)
            .without_relay("one finds out before the bound is over"),
        story!(a_message_that_comes_late_is_heard)
            .without_relay("one may find out before the message comes"),
        story!(a_process_that_stood_still_is_right_when_it_goes_on),
    ]
    .map(Story::own_redis)
    .map(Story::with_near)
    .into()
}

async fn a_cut_network_is_noticed_within_the_bound(world: World) {
    cut(&world, Proxy::freeze).await;
}

async fn unanswered_questions_are_noticed_within_the_bound(world: World) {
    cut(&world, Proxy::freeze_answers).await;
}

async fn questions_that_do_not_arrive_are_noticed_within_the_bound(world: World) {
    cut(&world, Proxy::freeze_questions).await;
}

async fn cut(world: &World, how: fn(&Proxy)) {
    let proxy = Proxy::to(world.redis().port()).await;
    for bound in BOUNDS {
        let plio = world.plio_with_items(1).await;
        let other = process(world, &proxy.redis_url(), bound).await;
        near(&other, &plio.path()).await.says("/name", "old name");

        how(&proxy);
        let since = Instant::now();
        let change = json!({"name": "new name"});
        world.patch(&plio.path(), change).await.is(200);
        let (mut longest, mut slowest) = (Duration::ZERO, Duration::ZERO);
        while since.elapsed() < bound + AFTERWARDS {
            // Since before the commit: that it asked the store last was before that.
            let asked = since.elapsed();
            let answer = other.get(&plio.path()).await.is(200).within(FIRST);
            slowest = slowest.max(answer.took);
            if asked > bound {
                answer.says("/name", "new name");
            } else if *answer.at("/name") == json!("old name") {
                longest = asked;
            }
        }
        println!("bound {bound:?}: wrong for {longest:?}, the slowest answer took {slowest:?}");

        proxy.resume();
        let soon = Soon::within(RETURN);
        while other.get(&plio.path()).await.is(200).says("/name", "new name").tier() != "near" {
            soon.or("it is not near again").await;
        }
    }
}

/// The cut begins and ends within the bound, and between two heartbeats: only the message tells.
async fn a_message_that_comes_late_is_heard(world: World) {
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let other = process(&world, &proxy.redis_url(), LONG).await;
    near(&other, &plio.path()).await;
    proxy.freeze();
    let change = json!({"name": "new name"});
    world.patch(&plio.path(), change).await.is(200);
    let answer = other.get(&plio.path()).await;
    assert_eq!(answer.tier(), "near", "it cannot know");

    proxy.resume();
    sees_soon(&world, &other, &plio.path(), Duration::from_secs(1)).await;
    assert_eq!(other.events.count(|seen| *seen == Seen::StoreAway), 0);
}

async fn a_process_that_stood_still_is_right_when_it_goes_on(world: World) {
    let bound = example_app::SCHEMA.max_staleness.expect("a bound");
    let plio = world.plio_with_items(1).await;
    let (process, client) = Doomed::server(&world).await;
    let path = format!("/api/v1{}", plio.path());
    let get = || {
        let (client, request) = (client.clone(), client.request("GET", &path));
        async move { client.send(request).await }
    };
    for name in ["first", "second"] {
        let soon = Soon::within(RETURN);
        while get().await.is(200).tier() != "near" {
            soon.or("it is not near").await;
        }
        process.stop();
        let change = json!({ "name": name });
        world.patch(&plio.path(), change).await.is(200);
        // Asked while it stands still: the first thing that it comes to.
        let first = tokio::spawn(get());
        tokio::time::sleep(bound + Duration::from_millis(100)).await;
        process.go_on();
        first.await.expect("answered").is(200).says("/name", name);
        get().await.is(200).says("/name", name);
    }
}
