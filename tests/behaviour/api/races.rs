//! 16, 18 and 19, and what else only happens when several do something at once.

use serde_json::json;

use crate::harness::{Answer, Plio, Seen, Story, World, story};

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

fn is_fill_of(seen: &Seen, key: &str) -> bool {
    matches!(seen, Seen::Filled(filled, _) if filled == key)
}

/// What a request that went on meanwhile was answered; its panic is the story's.
pub async fn answered(request: tokio::task::JoinHandle<Answer>) -> Answer {
    request.await.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
}
