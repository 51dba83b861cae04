//! 20: Redis stopped, frozen or killed in mid-run, and back again with its
//! old memory. Each story has a Redis of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::soon::{FIRST, RETURN, SOON, Soon, nothing_waits};
use crate::harness::{App, Plio, Seen, Story, World, story};

/// What a user usually waits while the store is away; see [`FIRST`].
const MEDIAN: Duration = Duration::from_millis(500);

pub fn stories() -> Vec<Story> {
    [
        story!(s20_redis_stopped_and_back_with_its_old_memory),
        story!(s20_redis_frozen_and_thawed),
        story!(s20_redis_frozen_when_a_write_comes_first),
        story!(s20_redis_killed_and_back_with_an_older_memory),
        story!(s20_redis_killed_unnoticed_and_back_with_an_older_memory),
        story!(s20_redis_emptied_behind_the_apps_back),
        story!(s20_a_fill_sent_to_a_frozen_redis_leaves_nothing_old_behind),
        story!(s20_a_write_under_way_when_redis_freezes),
        story!(s20_the_app_starts_without_redis),
        story!(s20_a_hundred_readers_while_redis_is_away),
        story!(s20_another_process_is_right_after_the_return),
        story!(s20_reads_never_show_less_while_redis_comes_and_goes),
    ]
    .map(Story::own_redis)
    .into()
}

async fn s20_redis_stopped_and_back_with_its_old_memory(world: World) {
    let plios = warm_plios(&world).await;
    world.redis().stop();

    serves_well(&world, &plios).await;
    write_everything(&world, &plios).await;

    assert!(world.redis().wrote_down("old name"), "the old memory is old");
    world.redis().start_again();
    comes_back_right(&world, &plios).await;
}

async fn s20_redis_frozen_and_thawed(world: World) {
    let plios = warm_plios(&world).await;
    world.redis().freeze();

    serves_well(&world, &plios).await;
    write_everything(&world, &plios).await;

    world.redis().thaw();
    comes_back_right(&world, &plios).await;
}

async fn s20_redis_frozen_when_a_write_comes_first(world: World) {
    let plios = warm_plios(&world).await;
    world.redis().freeze();

    // The write is the first to notice: committed, so it answers
    // so, and what is read next is right.
    let change = json!({"title": "while frozen"});
    world.patch(&format!("/videos/{}", plios[0].video), change).await.is(200).within(FIRST);
    world.right(&plios[0].path()).await.is(200).within(FIRST).says("/video/title", "while frozen");
    assert!(world.waiting_rows().await > 0, "its reports wait");

    world.redis().thaw();
    comes_back_right(&world, &plios).await;
}

async fn s20_redis_killed_and_back_with_an_older_memory(world: World) {
    let plios = warm_plios(&world).await;
    world.redis_command("SAVE").await;
    // These are invalidated, and Redis forgets that they were.
    write_everything(&world, &plios).await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }
    world.redis().kill();

    serves_well(&world, &plios).await;

    assert!(world.redis().wrote_down("old name"), "the old memory is old");
    world.redis().start_again();
    comes_back_right(&world, &plios).await;
}

async fn s20_redis_killed_unnoticed_and_back_with_an_older_memory(world: World) {
    let plios = warm_plios(&world).await;
    world.redis_command("SAVE").await;
    write_everything(&world, &plios).await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }

    // Nobody asks the app for anything meanwhile, so nothing but the broken connection tells it.
    world.redis().kill();
    assert!(world.redis().wrote_down("old name"), "the old memory is old");
    world.redis().start_again();

    for plio in &plios {
        world.right(&plio.path()).await.is(200).within(FIRST).says("/name", "new name");
    }
    comes_back_right(&world, &plios).await;
}

async fn s20_redis_emptied_behind_the_apps_back(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await;

    // The fence of this write goes with everything else: that must not look like "no fence".
    world.patch(&format!("/videos/{}", plio.video), json!({"title": "new title"})).await.is(200);
    world.redis_command("FLUSHALL").await;
    hold.release();

    reader.await.expect("answered").ok();
    world.get(&plio.path()).await.ok().says("/video/title", "new title");
    world.right(&plio.path()).await;
    until_hit(&world, &plio).await;
}

async fn s20_a_fill_sent_to_a_frozen_redis_leaves_nothing_old_behind(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await; // it has the old value, and a token of before

    world.redis().freeze();
    let writer =
        world.patch_meanwhile(&format!("/videos/{}", plio.video), json!({"title": "new title"}));
    hold.release(); // the fill waits in the frozen server's inbox, as does the invalidation
    writer.await.expect("answered").is(200).within(FIRST);
    reader.await.expect("answered").is(200);
    world.right(&plio.path()).await.is(200).says("/video/title", "new title");

    world.redis().thaw();
    comes_back_right(&world, std::slice::from_ref(&plio)).await;
}

async fn s20_a_write_under_way_when_redis_freezes(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await;
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE video SET title = 'new title' WHERE id = {}", plio.video)).await;
    world.redis().freeze();
    let began = Instant::now();
    tx.commit().await;
    assert!(began.elapsed() < FIRST, "the commit took {:?}", began.elapsed());

    world.right(&plio.path()).await.is(200).within(FIRST).says("/video/title", "new title");
    world.redis().thaw();
    comes_back_right(&world, std::slice::from_ref(&plio)).await;
}

async fn s20_the_app_starts_without_redis(world: World) {
    let plios = warm_plios(&world).await;
    world.redis().stop();
    let other = world.another_app().await;
    for plio in &plios {
        world.right_from(&other, &plio.path()).await.is(200).within(FIRST);
    }
    other
        .patch(&plios[0].path(), json!({"name": "new name"}))
        .await
        .is(200)
        .within(FIRST)
        .says("/name", "new name");
    world.redis().start_again();
    let soon = Soon::within(RETURN);
    while !world
        .right_from(&other, &plios[0].path())
        .await
        .is(200)
        .says("/name", "new name")
        .is_hit()
    {
        soon.at_once_or("no hit since the first start of Redis");
    }
}

async fn s20_a_hundred_readers_while_redis_is_away(world: World) {
    let plios = warm_plios(&world).await;
    world.redis().freeze();
    world.get(&plios[0].path()).await.ok().within(FIRST);
    world.events.forget();

    let readers: Vec<_> = (0..100).map(|_| world.get_meanwhile(&plios[0].path())).collect();
    let mut took: Vec<Duration> = Vec::new();
    for reader in readers {
        took.push(reader.await.expect("answered").is(200).says("/name", "old name").took);
    }
    took.sort_unstable();
    assert!(took[99] < FIRST, "the slowest took {:?}", took[99]);
    // Who comes while a load is under way waits for the next: two or three of them, not a hundred.
    let loads = world.events.loads_of(&plios[0].key());
    assert!(loads <= 20, "a hundred readers loaded it {loads} times");
    world.redis().thaw();
}

async fn s20_another_process_is_right_after_the_return(world: World) {
    let plios = warm_plios(&world).await;
    let other = world.another_app().await;
    for plio in &plios {
        other.get(&plio.path()).await.ok().hit();
    }
    world.redis().freeze();
    write_everything(&world, &plios).await;
    world.events.forget();
    world.redis().thaw();

    // From the moment on at which the writer has delivered what
    // waited, the other serves nothing old.
    back(&world).await;
    for plio in &plios {
        world.right_from(&other, &plio.path()).await.is(200).says("/name", "new name");
    }
}

async fn s20_reads_never_show_less_while_redis_comes_and_goes(world: World) {
    let plio = world.plio_with_items(1).await;
    world.sql(format!("UPDATE video SET title = '0' WHERE id = {}", plio.video)).await;
    world.deliver_pending().await;
    let (committed, over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut everybody = JoinSet::new();
    for _ in 0..3 {
        let (app, path): (App, String) = ((*world).clone(), plio.path());
        let (committed, over) = (Arc::clone(&committed), Arc::clone(&over));
        everybody.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let floor = committed.load(Ordering::SeqCst);
                let answer = app.get(&path).await.is(200).within(FIRST);
                let shown: i64 = answer
                    .at("/video/title")
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .expect("a number");
                let status = answer.cache_status.as_deref().unwrap_or_default();
                assert!(
                    shown >= floor,
                    "wrong answer: {shown} after {floor} was committed ({status})"
                );
            }
        });
    }
    let (app, path) = ((*world).clone(), format!("/videos/{}", plio.video));
    let (count, done) = (Arc::clone(&committed), Arc::clone(&over));
    everybody.spawn(async move {
        while !done.load(Ordering::SeqCst) {
            let next = count.load(Ordering::SeqCst) + 1;
            app.patch(&path, json!({"title": next.to_string()})).await.is(200).within(FIRST);
            count.store(next, Ordering::SeqCst);
        }
    });

    for round in 0..4 {
        more_writes(&committed).await;
        world.events.forget();
        match round % 2 {
            0 => world.redis().freeze(),
            _ => world.redis().kill(),
        }
        away(&world).await;
        more_writes(&committed).await;
        world.events.forget();
        match round % 2 {
            0 => world.redis().thaw(),
            _ => world.redis().start_again(),
        }
        back(&world).await;
    }
    more_writes(&committed).await;
    over.store(true, Ordering::SeqCst);
    while let Some(done) = everybody.join_next().await {
        done.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
    }
    comes_back_right(&world, std::slice::from_ref(&plio)).await;
}

async fn warm_plios(world: &World) -> Vec<Plio> {
    let plios = world.plios_of_one_creator(3, 2).await;
    for plio in &plios {
        world.warm(&plio.path()).await.says("/name", "old name");
    }
    world.warm(&plios[0].user_path()).await;
    plios
}

/// While Redis is away: every answer is right, a success, and quick.
async fn serves_well(world: &World, plios: &[Plio]) {
    world.right(&plios[0].path()).await.is(200).within(FIRST);
    let video = format!("/videos/{}", plios[0].video);
    world.patch(&video, json!({"title": "while away"})).await.is(200).within(FIRST);

    let mut took = Vec::new();
    for round in 0..10 {
        let title = format!("while away, {round}");
        took.push(world.patch(&video, json!({"title": title})).await.is(200).took);
        let plio = &plios[round % plios.len()];
        took.push(world.right(&plio.path()).await.is(200).took);
        world.right(&plios[0].path()).await.is(200).says("/video/title", title);
    }
    took.sort_unstable();
    assert!(
        took[took.len() / 2] < MEDIAN,
        "half of the answers took longer than {:?}",
        took[took.len() / 2]
    );
    assert!(
        world.right(&plios[0].path()).await.is_bypass(),
        "Cache-Status says that the store is not asked"
    );
    world.right(&plios[0].by_uuid()).await.is(200);
    world.right(&plios[0].user_path()).await.is(200);
    world.right("/plios").await.is(200);
    world.right("/plios/999999").await.is(404);
}

/// Changes every plio, through the app and by plain SQL.
async fn write_everything(world: &World, plios: &[Plio]) {
    for plio in plios {
        world
            .patch(&plio.path(), json!({"name": "new name"}))
            .await
            .is(200)
            .within(FIRST)
            .says("/name", "new name");
        let change = json!({"title": "new title"});
        world.patch(&format!("/videos/{}", plio.video), change).await.is(200).within(FIRST);
        world
            .right(&plio.path())
            .await
            .is(200)
            .says("/name", "new name")
            .says("/video/title", "new title");
    }
    let moved = json!({"plio": plios[1].id});
    world.patch(&format!("/items/{}", plios[0].items[0]), moved).await.is(200);
    world
        .patch(
            &format!("/organizations/{}", plios[0].organization),
            json!({"name": "new organization"}),
        )
        .await
        .is(200);
    world.sql("UPDATE question SET text = 'new text'").await;
    world.patch(&plios[0].user_path(), json!({"first_name": "new first name"})).await.is(200);
}

/// Once Redis is there again: every answer is right from the first on, and before long it is a hit.
async fn comes_back_right(world: &World, plios: &[Plio]) {
    for plio in plios {
        until_hit(world, plio).await;
        world.right(&plio.by_uuid()).await.is(200);
        world.right(&plio.user_path()).await.is(200);
    }
    // And it is a cache again, that is told of writes.
    let plio = &plios[0];
    world
        .patch(&format!("/videos/{}", plio.video), json!({"title": "after the return"}))
        .await
        .is(200);
    world.entry_is_gone_or_says(&plio.key(), "after the return").await;
    world.right(&plio.path()).await.says("/video/title", "after the return");
    world.kept(&plio.path()).await;
    nothing_waits(world, SOON).await;
}

async fn until_hit(world: &World, plio: &Plio) {
    let soon = Soon::within(RETURN);
    while !world.right(&plio.path()).await.is(200).within(FIRST).is_hit() {
        soon.at_once_or(format_args!("{} is no hit since the return of Redis", plio.path()));
    }
}

async fn away(world: &World) {
    world.events.wait_for("the store is away", |seen| *seen == Seen::StoreAway).await;
}

async fn back(world: &World) {
    world.events.wait_for("the store is back", |seen| *seen == Seen::StoreBack).await;
}

async fn more_writes(committed: &AtomicI64) {
    let (from, soon) = (committed.load(Ordering::SeqCst), Soon::within(RETURN));
    while committed.load(Ordering::SeqCst) < from + 20 {
        soon.or("the writer stands still").await;
    }
}
