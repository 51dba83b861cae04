//! 16, 18 and 19, and what else only happens when several do something at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::soon::{SOON, nothing_waits};
use crate::harness::{Answer, App, Plio, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(s16_a_fill_that_overlaps_a_write_is_not_stored),
        story!(s16_a_fill_that_overlaps_a_write_to_what_it_embeds_is_not_stored),
        story!(s16_a_load_of_no_such_row_that_overlaps_its_creation_is_not_stored),
        story!(s16_a_late_joiner_is_not_answered_with_an_old_load),
        story!(s16_a_joiner_who_comes_after_the_fill_is_not_answered_with_it),
        story!(s16_a_writer_is_answered_with_its_own_write),
        story!(s16_a_list_that_overlaps_a_write_stores_nothing_old),
        story!(s16_two_processes_fence_each_other).on_redis(),
        story!(s18_two_concurrent_movers_of_one_item),
        story!(s19_a_hundred_readers_of_a_cold_plio_load_it_once),
        story!(s19_a_hundred_readers_by_uuid_load_it_once),
        story!(s19_a_hundred_readers_of_a_cold_list_load_it_once),
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

pub async fn s16_a_fill_that_overlaps_a_write_is_not_stored(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await; // it has read the old value

    let change = json!({"meta": {"note": "new"}});
    world.patch(&format!("/items/{}", plio.items[0]), change).await.is(200);
    // A relay that is late with the same rows would refuse the next fill as well.
    world.settled().await;
    hold.release();

    // Who asked before the write may be told what was right then.
    answered(reader).await.ok();
    world.entry_is_gone_or_says(&plio.key(), r#""note":"new""#).await;
    world.get(&plio.path()).await.ok().says("/items/0/meta/note", "new");
    world.kept(&plio.path()).await;
    let fills: Vec<Seen> =
        world.events.seen().into_iter().filter(|seen| is_fill_of(seen, &plio.key())).collect();
    assert_eq!(fills, [Seen::Filled(plio.key(), false), Seen::Filled(plio.key(), true)]);
}

pub async fn s16_a_fill_that_overlaps_a_write_to_what_it_embeds_is_not_stored(world: World) {
    // Each of these reaches the plio over another path, and one after the other.
    let plio = world.plio_with_items(1).await;
    let writes = [
        (format!("/videos/{}", plio.video), "title", "/video/title"),
        (format!("/questions/{}", plio.questions[0]), "text", "/items/0/details/text"),
        (format!("/images/{}", plio.images[0]), "alt_text", "/items/0/details/image/alt_text"),
        (
            format!("/organization-users/{}", plio.membership),
            "role",
            "/created_by/organizations/0/role",
        ),
        (
            format!("/organizations/{}", plio.organization),
            "name",
            "/created_by/organizations/0/name",
        ),
        (plio.user_path(), "first_name", "/created_by/first_name"),
    ];
    for (row, column, pointer) in writes {
        let hold = world.events.hold_after_load(&plio.key());
        let reader = world.get_meanwhile(&plio.path());
        hold.reached().await;

        let fresh =
            if column == "role" { "super-admin".to_owned() } else { format!("fresh {column}") };
        let mut change = json!({});
        change[column] = json!(fresh);
        world.patch(&row, change).await.is(200);
        hold.release();

        answered(reader).await.ok();
        world.entry_is_gone_or_says(&plio.key(), &fresh).await;
        world.get(&plio.path()).await.ok().says(pointer, fresh);
        world.right(&plio.path()).await;

        // The next round begins with a cold plio again.
        world.sql(format!("UPDATE plio SET status = status WHERE id = {}", plio.id)).await;
        world.deliver_pending().await;
    }
}

async fn s16_a_load_of_no_such_row_that_overlaps_its_creation_is_not_stored(world: World) {
    let user = world.user().await;
    world.deliver_pending().await;
    let id = 4_711;
    let (path, key) = (format!("/plios/{id}"), format!("plio_{id}"));
    let hold = world.events.hold_after_load(&key);
    let reader = world.get_meanwhile(&path);
    hold.reached().await; // it has seen that there is no such row

    let mut tx = world.begin().await;
    tx.run(format!("INSERT INTO plio (id, name, created_by_id) VALUES ({id}, 'born', {user})"))
        .await;
    tx.commit().await;
    hold.release();

    answered(reader).await;
    world.get(&path).await.is(200).says("/name", "born");
    world.kept(&path).await;
}

pub async fn s16_a_late_joiner_is_not_answered_with_an_old_load(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let first = world.get_meanwhile(&plio.path());
    hold.reached().await;

    world.patch(&format!("/videos/{}", plio.video), json!({"title": "new title"})).await.is(200);
    // A relay that is late with the same rows would have it loaded once more.
    world.settled().await;
    // They come after the commit, while the old load is still on its way.
    let asked = world.requests();
    let late: Vec<_> = (0..10).map(|_| world.get_meanwhile(&plio.path())).collect();
    world.asked(asked + late.len()).await;
    let misses = |seen: &Seen| matches!(seen, Seen::Miss(key) if *key == plio.key());
    while world.events.count(misses) <= late.len()
        && late.iter().any(|reader| !reader.is_finished())
    {
        tokio::task::yield_now().await;
    }
    hold.release();

    answered(first).await.ok();
    for reader in late {
        answered(reader).await.ok().says("/video/title", "new title");
    }
    assert_eq!(
        world.events.loads_of(&plio.key()),
        2,
        "those who came late loaded it once, together"
    );
    world.kept(&plio.path()).await;
}

/// The store took the value, and then the row was written: that it
/// was stored says nothing to who comes now.
async fn s16_a_joiner_who_comes_after_the_fill_is_not_answered_with_it(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_fill(&plio.key());
    let first = world.get_meanwhile(&plio.path());
    hold.reached().await; // stored, and on its way to the readers

    let change = json!({"title": "new title"});
    world.patch(&format!("/videos/{}", plio.video), change).await.is(200);
    world.entry_is_gone(&plio.key()).await;
    world.events.forget();
    let late = world.get_meanwhile(&plio.path());
    let missed = |seen: &Seen| matches!(seen, Seen::Miss(key) if *key == plio.key());
    world.events.wait_for("the late reader's miss", missed).await;
    tokio::task::yield_now().await;
    hold.release();

    answered(first).await.ok();
    answered(late).await.ok().says("/video/title", "new title");
    world.right(&plio.path()).await;
}

async fn s16_a_writer_is_answered_with_its_own_write(world: World) {
    let plio = world.plio_with_items(1).await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await;
    world.events.forget();

    // Its answer is read through the cache as well, where the old load is still on its way.
    let writer = world.patch_meanwhile(&plio.path(), json!({"name": "new name"}));
    world.events.wait_for_invalidation().await;
    hold.release();

    answered(writer).await.is(200).says("/name", "new name");
    answered(reader).await.ok();
    world.right(&plio.path()).await.says("/name", "new name");
}

async fn s16_a_list_that_overlaps_a_write_stores_nothing_old(world: World) {
    let plios = world.plios_of_one_creator(3, 1).await;
    let hold = world.events.hold_after_load(&plios[0].key());
    let reader = world.get_meanwhile("/plios");
    hold.reached().await;

    world
        .patch(&format!("/videos/{}", plios[1].video), json!({"title": "new title"}))
        .await
        .is(200);
    hold.release();

    answered(reader).await.ok();
    for plio in &plios {
        world.right(&plio.path()).await;
    }
    world.get(&plios[1].path()).await.ok().says("/video/title", "new title");
    world.right("/plios").await;
}

async fn s16_two_processes_fence_each_other(world: World) {
    let plio = world.plio_with_items(1).await;
    let other = world.another_app().await;
    let hold = world.events.hold_after_load(&plio.key());
    let reader = world.get_meanwhile(&plio.path());
    hold.reached().await;

    other.patch(&format!("/videos/{}", plio.video), json!({"title": "new title"})).await.is(200);
    hold.release();

    answered(reader).await.ok();
    other.get(&plio.path()).await.ok().says("/video/title", "new title");
    world.kept(&plio.path()).await;
    world.kept_from(&other, &plio.path()).await;
}

pub async fn s18_two_concurrent_movers_of_one_item(world: World) {
    let plios = [
        world.plio_with_items(1).await,
        world.plio_with_items(1).await,
        world.plio_with_items(1).await,
    ];
    let moved = plios[0].items[0];
    let path = format!("/items/{moved}");
    for round in 0..30 {
        let home = world.number(format!("SELECT plio_id FROM item WHERE id = {moved}")).await;
        let others: Vec<&Plio> = plios.iter().filter(|plio| plio.id != home).collect();
        for plio in &plios {
            world.get(&plio.path()).await.ok();
        }

        // Two movers, and readers who fill what they find on the way.
        let movers = [
            world.patch_meanwhile(&path, json!({"plio": others[0].id})),
            world.patch_meanwhile(&path, json!({"plio": others[1].id})),
        ];
        let readers: Vec<_> =
            plios.iter().chain(&plios).map(|plio| world.get_meanwhile(&plio.path())).collect();
        for mover in movers {
            answered(mover).await.is(200);
        }
        for reader in readers {
            answered(reader).await.ok();
        }

        for (plio, letter) in plios.iter().zip(["A", "B", "C"]) {
            let right = world
                .numbers(format!("SELECT id FROM item WHERE plio_id = {} ORDER BY id", plio.id))
                .await;
            let mut shown = world.get(&plio.path()).await.ok().ids("/items");
            shown.sort_unstable();
            assert_eq!(
                shown, right,
                "wrong answer: in round {round}, {letter} shows other items than it has"
            );
        }
    }
    for plio in &plios {
        world.right(&plio.path()).await;
    }
}

async fn s19_a_hundred_readers_of_a_cold_plio_load_it_once(world: World) {
    let plio = world.plio_with_items(3).await;
    let answers = a_hundred_at_once(&world, &plio.path(), &plio.key()).await;
    for answer in &answers {
        assert_eq!(answer.body, answers[0].body, "all are told the same");
    }
    assert_eq!(world.events.loads_of(&plio.key()), 1);
    assert_eq!(world.events.loads("plio"), 1);
    assert_eq!(world.events.loads("user"), 1, "its creator too");
    world.kept(&plio.path()).await;
}

async fn s19_a_hundred_readers_by_uuid_load_it_once(world: World) {
    let plio = world.plio_with_items(3).await;
    let answers = a_hundred_at_once(&world, &plio.by_uuid(), &plio.key()).await;
    for answer in answers {
        answer.says("/id", plio.id).lists("/items", &plio.items);
    }
    assert_eq!(world.events.loads_of(&plio.key()), 1);
    assert_eq!(world.events.loads("plio"), 2, "once the uuid, once the plio");
    world.kept(&plio.by_uuid()).await;
}

async fn s19_a_hundred_readers_of_a_cold_list_load_it_once(world: World) {
    let plios = world.plios_of_one_creator(10, 2).await;
    a_hundred_at_once(&world, "/plios", &plios[0].key()).await;
    for plio in &plios {
        assert_eq!(world.events.loads_of(&plio.key()), 1, "{}", plio.key());
        world.kept(&plio.path()).await;
    }
}

/// A hundred readers, all under way before the first load of this key goes on.
async fn a_hundred_at_once(world: &World, path: &str, key: &str) -> Vec<Answer> {
    let (hold, asked) = (world.events.hold_before_load(key), world.requests());
    let readers: Vec<_> = (0..100).map(|_| world.get_meanwhile(path)).collect();
    hold.reached().await;
    world.asked(asked + readers.len()).await;
    hold.release();
    let mut answers = Vec::new();
    for reader in readers {
        answers.push(answered(reader).await.is(200));
    }
    answers
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

fn is_fill_of(seen: &Seen, key: &str) -> bool {
    matches!(seen, Seen::Filled(filled, _) if filled == key)
}

/// What a request that went on meanwhile was answered; its panic is the story's.
async fn answered(request: tokio::task::JoinHandle<Answer>) -> Answer {
    request.await.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
}
