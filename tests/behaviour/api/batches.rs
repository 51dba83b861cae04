//! Batches of which some values are near, some far, some nowhere, and some do not exist.

use cache_runtime::Answer;
use example_app::User;

use crate::harness::soon::{SOON, Soon};
use crate::harness::{App, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![story!(a_batch_from_near_far_and_the_source_is_in_order).with_near().on_redis()]
}

/// Where a value of a batch is to come from.
const NEAR: &str = "near; hit";
const FAR: &str = "redis; hit";
const LOADED: &str = "redis; fwd=miss; stored";
const JOINED: &str = "redis; fwd=miss; stored; collapsed";

async fn a_batch_from_near_far_and_the_source_is_in_order(world: World) {
    let mut users = Vec::new();
    for _ in 0..6 {
        users.push(world.user().await);
    }
    world.deliver_pending().await;
    let [near, near_too, far, far_too, new, new_too] = users[..] else {
        unreachable!("six of them");
    };
    let (gone_near, gone_far, gone) = (1_000_001, 1_000_002, 1_000_003);
    let another = world.another_app().await;
    User::get_many(&another.cache, &[far, far_too, gone_far]).await.expect("users");
    are_near(&world, &[near, near_too, gone_near]).await;
    world.events.forget();

    let batch = [
        (new, LOADED),
        (near, NEAR),
        (gone, LOADED),
        (far, FAR),
        (gone_far, FAR),
        (new, JOINED),
        (near_too, NEAR),
        (gone_near, NEAR),
        (new_too, LOADED),
        (near, NEAR),
        (far, FAR),
        (gone, JOINED),
        (far_too, FAR),
    ];
    let ids = batch.map(|(id, _)| id);
    let fetched = User::fetch_many(&world.cache, &ids).await.expect("users");
    assert_eq!(fetched.len(), ids.len(), "wrong answer");
    for ((id, from), user) in batch.into_iter().zip(&fetched) {
        let said = user.value.as_ref().map(|user| user.id);
        assert_eq!(said, users.contains(&id).then_some(id), "wrong answer");
        assert_eq!(user.status.to_string(), from, "{id}");
    }
    let loading = |seen: &Seen| matches!(seen, Seen::Loading(..));
    let keys = [new, gone, new_too].map(|id| format!("user_{id}"));
    let once = Seen::Loading("user", keys.to_vec());
    assert_eq!(world.events.count(loading), 1, "one load");
    assert_eq!(world.events.count(|seen| *seen == once), 1, "each id once");

    // Now all of them are near.
    are_near(&world, &ids).await;
}

/// Reads until all of these are answered without the store.
async fn are_near(app: &App, ids: &[i64]) {
    let soon = Soon::within(SOON);
    loop {
        let fetched = User::fetch_many(&app.cache, ids).await.expect("users");
        let is_near = |answer, tier| answer == Answer::Hit && tier == "near";
        if fetched.iter().all(|user| is_near(user.status.answer, user.status.tier)) {
            return;
        }
        soon.or(format!("{fetched:?}")).await;
    }
}
