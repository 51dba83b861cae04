//! Processes that are killed with `kill -9` at every point of the write path, while they hold a
//! fill, and in the middle of a relay's pass.

use std::time::{Duration, Instant};

use crate::harness::service::{
    ALL_DELIVERED, BEFORE_COMMIT, COMMITTED, DELIVERED, Doomed, INVALIDATED, LOADED, Point,
};
use crate::harness::soon::{SOON, WINDOW, nothing_waits};
use crate::harness::{App, Plio, Seen, Story, World, story};

/// More than a delivery takes at a time.
const MANY: usize = 6000;
/// [`WINDOW`], and the delivery of so many takes its time.
const WINDOW_OF_MANY: Duration = Duration::from_secs(5);

pub fn stories() -> Vec<Story> {
    [
        story!(a_writer_killed_before_its_commit_changes_nothing),
        story!(a_writer_killed_when_it_has_committed_starts_again)
            .without_relay("nobody is to make up for the writer before it starts again"),
        story!(a_writer_killed_when_it_has_committed_is_made_up_for_by_another)
            .without_relay("it measures another process, which relays"),
        story!(a_reader_killed_while_it_holds_a_fill_leaves_nothing_behind),
        story!(a_relay_killed_in_the_middle_of_its_pass_is_made_up_for_by_another)
            .without_relay("nobody else is to deliver before it is killed"),
    ]
    .map(Story::on_redis)
    .into()
}

async fn a_writer_killed_before_its_commit_changes_nothing(world: World) {
    let plios = two_plios(&world).await;
    warm(&world, &plios).await;
    let mut writer = Doomed::writer(&world, &writes(&plios, "new"), BEFORE_COMMIT).await;
    writer.reached().await;
    writer.kill();

    for plio in &plios {
        world.kept(&plio.path()).await.says("/name", "old name");
    }
    assert_eq!(world.waiting_rows().await, 0, "nothing was written");
    // And nobody is in the way of the next.
    world.sql(format!("UPDATE plio SET name = 'next' WHERE id = {}", plios[0].id)).await;
    world.deliver_pending().await;
    world.right(&plios[0].path()).await.says("/name", "next");
}

async fn a_writer_killed_when_it_has_committed_starts_again(world: World) {
    let plios = two_plios(&world).await;
    for (round, point) in [COMMITTED, INVALIDATED, DELIVERED, ALL_DELIVERED].into_iter().enumerate()
    {
        let name = format!("round {round}");
        killed_at(&world, &plios, &writes(&plios, &name), point).await;
        let stale = match point {
            COMMITTED => 2,
            INVALIDATED => 1,
            _ => 0,
        };
        // The first row is in the first batch, the second in the last.
        for plio in &plios[2 - stale..] {
            let old = world.get(&plio.path()).await.ok().hit();
            assert_ne!(old.at("/name"), name.as_str(), "nobody has invalidated it");
        }

        let again = world.app_with(|builder| builder).await;
        nothing_waits(&world, SOON).await;
        for plio in &plios {
            for app in [&again, &*world] {
                world.right_from(app, &plio.path()).await.says("/name", name.as_str());
            }
        }
    }
}

async fn a_writer_killed_when_it_has_committed_is_made_up_for_by_another(world: World) {
    let other = world.relaying_app().await;
    let plios = two_plios(&world).await;
    let mut longest = Duration::ZERO;
    for round in 0..5 {
        let name = format!("few, {round}");
        let one = &plios[..1];
        let write = format!("UPDATE plio SET name = '{name}' WHERE id = {}", one[0].id);
        let committed = killed_at(&world, one, &write, COMMITTED).await;
        longest = longest.max(until_right(&other, one, &name, committed, WINDOW).await);
    }
    println!("what a killed writer left stale was right after {longest:?} at most");
    for (round, point) in [COMMITTED, INVALIDATED, DELIVERED].into_iter().enumerate() {
        let name = format!("many, {round}");
        let committed = killed_at(&world, &plios, &writes(&plios, &name), point).await;
        until_right(&other, &plios, &name, committed, WINDOW_OF_MANY).await;
    }
}

async fn a_reader_killed_while_it_holds_a_fill_leaves_nothing_behind(world: World) {
    let plio = world.plio_with_items(1).await;
    let mut reader = Doomed::reader(&world, plio.id, LOADED).await;
    reader.reached().await; // it has the old value, and a token of before
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE plio SET name = 'new' WHERE id = {}", plio.id)).await;
    tx.commit().await;
    reader.kill();

    world.entry_is_gone(&plio.key()).await;
    world.right(&plio.path()).await.miss().says("/name", "new");
    world.kept(&plio.path()).await;
}

async fn a_relay_killed_in_the_middle_of_its_pass_is_made_up_for_by_another(world: World) {
    let plios = two_plios(&world).await;
    warm(&world, &plios).await;
    let mut relay = Doomed::relay(&world, INVALIDATED).await;
    world.sql(writes(&plios, "new")).await;
    relay.reached().await;
    relay.kill();
    assert!(world.waiting_rows().await as usize > MANY, "nothing is marked");
    world.get(&plios[1].path()).await.hit().says("/name", "old name");

    let began = Instant::now();
    let other = world.relaying_app().await;
    until_right(&other, &plios, "new", began, WINDOW_OF_MANY).await;
    other.events.wait_for("idle", |seen| *seen == Seen::Idle).await;
    nothing_waits(&world, SOON).await;
}

/// Two plios with nothing in common but that they are warm and then written, one in
/// the first batch of a delivery and one in the last.
async fn two_plios(world: &World) -> [Plio; 2] {
    [world.plio_with_items(1).await, world.plio_with_items(1).await]
}

async fn warm(world: &World, plios: &[Plio]) {
    for plio in plios {
        world.warm(&plio.path()).await;
    }
}

fn writes(plios: &[Plio; 2], name: &str) -> String {
    format!(
        "UPDATE plio SET name = '{name}' WHERE id = {first};
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
           INSERT INTO image (url, alt_text) SELECT 'https://example.org/i', 'one of many' FROM n;
         UPDATE plio SET name = '{name}' WHERE id = {last};",
        first = plios[0].id,
        last = plios[1].id,
    )
}

/// Warms the plios; then a process writes them and is killed at this point. When it stood there.
async fn killed_at(world: &World, plios: &[Plio], write: &str, point: Point) -> Instant {
    warm(world, plios).await;
    let mut writer = Doomed::writer(world, write, point).await;
    writer.reached().await;
    let reached = Instant::now();
    writer.kill();
    reached
}

/// Until all are right, and never old again once they were; how long that took.
async fn until_right(
    app: &App,
    plios: &[Plio],
    name: &str,
    since: Instant,
    window: Duration,
) -> Duration {
    let mut took = Duration::ZERO;
    for plio in plios {
        while app.get(&plio.path()).await.ok().at("/name") != name {
            assert!(
                since.elapsed() < window,
                "wrong answer: {} is old after {window:?}",
                plio.path()
            );
        }
        took = since.elapsed();
    }
    for plio in plios {
        app.get(&plio.path()).await.says("/name", name);
    }
    took
}
