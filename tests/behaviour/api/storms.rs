//! Many who write and read for a while, and clients that hang up meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::races::answered;
use crate::harness::soon::{SOON, nothing_waits};
use crate::harness::{App, Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_read_after_a_commit_never_shows_less),
        // What is near there hears of it a moment later.
        story!(a_read_of_another_process_after_a_commit_never_shows_less).on_redis().without_near(),
        story!(a_storm_of_writers_and_readers_ends_right),
        story!(a_reader_who_hangs_up_leaves_the_load_to_the_others),
        story!(a_writer_who_hangs_up_leaves_nothing_old_behind),
        story!(a_commit_that_nobody_waits_for_leaves_nothing_old_behind),
        story!(a_failed_load_is_not_stored_and_not_shared_with_those_who_come_later)
            .without_relay("a table is away for a moment, and its triggers with it"),
    ]
}

async fn a_read_after_a_commit_never_shows_less(world: World) {
    let reader = (*world).clone();
    never_shows_less(world, vec![reader]).await;
}

async fn a_read_of_another_process_after_a_commit_never_shows_less(world: World) {
    let others = vec![world.another_app().await, world.another_app().await];
    never_shows_less(world, others).await;
}

/// A writer counts up; a read that begins after the answer to a
/// write shows that write or a later one.
async fn never_shows_less(world: World, apps: Vec<App>) {
    const WRITES: i64 = 150;
    let plio = world.plio_with_items(1).await;
    world.sql(format!("UPDATE organization SET name = '0' WHERE id = {}", plio.organization)).await;
    world.sql(format!("UPDATE video SET title = '0' WHERE id = {}", plio.video)).await;
    world.deliver_pending().await;
    let (committed, over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));

    let mut readers = JoinSet::new();
    for app in apps.iter().cycle().take(4) {
        let (app, path, committed, over) =
            (app.clone(), plio.path(), Arc::clone(&committed), Arc::clone(&over));
        readers.spawn(async move {
            let mut reads = 0;
            while !over.load(Ordering::SeqCst) {
                let floor = committed.load(Ordering::SeqCst);
                let answer = app.get(&path).await.ok();
                for pointer in ["/video/title", "/created_by/organizations/0/name"] {
                    let shown: i64 = answer
                        .at(pointer)
                        .as_str()
                        .and_then(|text| text.parse().ok())
                        .expect("a number");
                    let status = answer.cache_status.as_deref().unwrap_or_default();
                    assert!(
                        shown >= floor,
                        "wrong answer: {pointer} is {shown} after {floor} was committed ({status})"
                    );
                }
                reads += 1;
            }
            reads
        });
    }
    for count in 1..=WRITES {
        world
            .patch(&format!("/videos/{}", plio.video), json!({"title": count.to_string()}))
            .await
            .is(200);
        world
            .patch(
                &format!("/organizations/{}", plio.organization),
                json!({"name": count.to_string()}),
            )
            .await
            .is(200);
        committed.store(count, Ordering::SeqCst);
    }
    over.store(true, Ordering::SeqCst);
    while let Some(reads) = readers.join_next().await {
        let reads = reads.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
        assert!(reads > 0, "a reader has read");
    }
    world.right(&plio.path()).await;
}

async fn a_storm_of_writers_and_readers_ends_right(world: World) {
    let plios = Arc::new(world.plios_of_one_creator(4, 2).await);
    let items: Arc<Vec<i64>> = Arc::new(plios.iter().flat_map(|plio| plio.items.clone()).collect());
    let mut everybody = JoinSet::new();
    for writer in 0..4 {
        let (world, plios, items) = (world.clone(), Arc::clone(&plios), Arc::clone(&items));
        everybody.spawn(async move {
            for round in 0..25 {
                let (plio, item) =
                    (&plios[fastrand::usize(..plios.len())], items[fastrand::usize(..items.len())]);
                let text = format!("{writer}/{round}");
                let (path, change) = match fastrand::u8(..7) {
                    0 => (plio.path(), json!({"name": text})),
                    1 => (format!("/items/{item}"), json!({"plio": plio.id})),
                    2 => (format!("/videos/{}", plio.video), json!({"title": text})),
                    3 => (format!("/images/{}", plio.images[0]), json!({"alt_text": text})),
                    4 => (format!("/questions/{}", plio.questions[0]), json!({"item": item})),
                    5 => (format!("/organizations/{}", plio.organization), json!({"name": text})),
                    _ => (plio.user_path(), json!({"first_name": text})),
                };
                world.patch(&path, change).await.is(200);
            }
        });
    }
    for _ in 0..4 {
        let (app, paths) = ((*world).clone(), plios_paths(&plios));
        everybody.spawn(async move {
            for _ in 0..75 {
                app.get(&paths[fastrand::usize(..paths.len())]).await.ok();
            }
        });
    }
    while let Some(done) = everybody.join_next().await {
        done.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
    }
    for path in plios_paths(&plios) {
        world.right(&path).await;
    }
    nothing_waits(&world, SOON).await;
}

fn plios_paths(plios: &[Plio]) -> Vec<String> {
    plios.iter().map(Plio::path).chain([plios[0].user_path(), "/plios".to_owned()]).collect()
}

async fn a_failed_load_is_not_stored_and_not_shared_with_those_who_come_later(world: World) {
    let plio = world.plio_with_items(1).await;
    world.sql("ALTER TABLE video RENAME TO video_away").await;
    let failed = world.get(&plio.path()).await;
    assert!(failed.status >= 500, "{} {}", failed.status, failed.text);
    world.sql("ALTER TABLE video_away RENAME TO video").await;
    world.entry_is_gone(&plio.key()).await;
    world.right(&plio.path()).await.ok();
    world.kept(&plio.path()).await;
}

async fn a_reader_who_hangs_up_leaves_the_load_to_the_others(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let (first, asked) = (world.get_meanwhile(&plio.path()), world.requests());
    hold.reached().await;
    let others: Vec<_> = (0..5).map(|_| world.get_meanwhile(&plio.path())).collect();
    world.asked(asked + others.len()).await;
    first.abort();
    assert!(first.await.is_err(), "it has hung up");
    hold.release();
    for reader in others {
        answered(reader).await.is(200).says("/name", "old name");
    }
    assert_eq!(world.events.loads_of(&plio.key()), 1);
    world.kept(&plio.path()).await;
}

async fn a_writer_who_hangs_up_leaves_nothing_old_behind(world: World) {
    let plio = world.plio_with_items(1).await;
    for round in 0..60 {
        world.get(&plio.path()).await.ok();
        let (app, video) = ((*world).clone(), format!("/videos/{}", plio.video));
        let writer =
            async move { app.patch(&video, json!({"title": format!("round {round}")})).await };
        // Somewhere between the request's arrival and the answer.
        let patience = Duration::from_micros(fastrand::u64(0..8_000));
        let _ = tokio::time::timeout(patience, writer).await;
        world.becomes_right(&plio.path()).await;
    }
    // The last one may still be under way.
    let last = json!({"title": "last"});
    let video = format!("/videos/{}", plio.video);
    world.patch(&video, last).await.is(200);
    world.becomes_right(&plio.path()).await;
}

async fn a_commit_that_nobody_waits_for_leaves_nothing_old_behind(world: World) {
    let plio = world.plio_with_items(1).await;
    for round in 0..60 {
        world.get(&plio.path()).await.ok();
        let mut tx = world.begin().await;
        tx.run(format!("UPDATE video SET title = 'round {round}' WHERE id = {}", plio.video)).await;
        let commit = tokio::spawn(tx.commit());
        for _ in 0..fastrand::u8(..20) {
            tokio::task::yield_now().await;
        }
        commit.abort();
        world.becomes_right(&plio.path()).await;
    }
    // The writes are all over when another one gets its turn.
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE video SET title = 'last' WHERE id = {}", plio.video)).await;
    tx.commit().await;
    world.right(&plio.path()).await.says("/video/title", "last");
}
