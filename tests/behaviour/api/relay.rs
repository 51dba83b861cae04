//! The relay itself: several at once, how late it is, what it
//! keeps, what it survives, and when it ends.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cache_runtime::{Builder, Cache, Event, Schema};
use example_app::{Db, SCHEMA};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;

use crate::harness::soon::{A_PASS, SOON, Soon, nothing_waits, sees_soon};
use crate::harness::{Plio, Seen, Story, World, story};

/// How the connections of a relay are called that a story is about.
const NAME: &str = "the relay";

pub fn stories() -> Vec<Story> {
    vec![
        story!(three_relays_in_a_storm_of_plain_sql).on_redis(),
        story!(a_row_that_waited_says_how_long).without_relay("a row is to wait"),
        story!(delivered_rows_are_purged_and_waiting_ones_are_not)
            .without_relay("each row is to be delivered by the relay that it looks at"),
        story!(a_relay_survives_its_connections)
            .without_relay("another relay would do what it cannot")
            .on_postgres()
            .alone(),
        story!(a_relay_ends_with_its_cache).without_relay("in the end nobody is left to deliver"),
    ]
}

async fn three_relays_in_a_storm_of_plain_sql(world: World) {
    let plios = world.plios_of_one_creator(4, 2).await;
    let mut apps = Vec::new();
    for _ in 0..3 {
        let app = match world.db() {
            Db::Postgres(pool) => {
                let pool = named(pool);
                world.app_with(|builder| builder.outbox(&pool).relay(true)).await
            }
            Db::Sqlite(_) => world.relaying_app().await,
        };
        apps.push(app);
    }
    let mut storm = JoinSet::new();
    for writer in 0..3_usize {
        let (world, plios) = (world.clone(), plios.clone());
        storm.spawn(async move { write_all_over(&world, &plios, writer).await });
    }
    for app in apps.clone() {
        let plios = plios.clone();
        storm.spawn(async move {
            for _ in 0..40 {
                for plio in &plios {
                    app.get(&plio.path()).await.is(200);
                }
            }
        });
    }
    while let Some(told) = storm.join_next().await {
        told.expect("no writer and no reader fails");
    }
    nothing_waits(&world, SOON).await;
    for app in apps.iter().chain([&*world]) {
        for plio in &plios {
            world.right_from(app, &plio.path()).await.is(200);
        }
        let away = app.events.count(|seen| *seen == Seen::StoreAway);
        assert_eq!(away, 0, "the store was never in trouble");
    }

    if world.is_postgres() {
        // What a connection counts is known at the latest when it is closed.
        drop(apps);
        no_connections(&world).await;
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(world.number(deadlocks).await, 0, "deadlocks");
    }
}

async fn write_all_over(world: &World, plios: &[Plio], writer: usize) {
    let mut random = fastrand::Rng::with_seed(writer as u64);
    for round in 0..40 {
        let plio = &plios[random.usize(..plios.len())];
        // Each writer has items of its own to move: they do
        // not wait for each other crosswise.
        let moved = plios[writer].items[random.usize(..2)];
        let sql = match random.u8(..3) {
            0 => format!("UPDATE item SET plio_id = {} WHERE id = {moved}", plio.id),
            1 => format!("UPDATE video SET title = '{writer}, {round}' WHERE id = {}", plio.video),
            _ => format!("UPDATE item SET time = {round} WHERE plio_id = {}", plio.id),
        };
        world.sql(sql).await;
    }
}

async fn a_row_that_waited_says_how_long(world: World) {
    const WAITED: Duration = Duration::from_millis(300);
    let plio = world.plio_with_items(0).await;
    let lags = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lags);
    let cache =
        example_app::cache_builder(world.db().clone()).relay(false).on_event(move |event| {
            if let Event::Delivered { rows, lag } = event {
                told.lock().expect("no panic").push((*rows, *lag));
            }
        });
    let cache = cache.build().await.expect("built");

    let written = Instant::now();
    let old = format!("UPDATE video SET title = 'new' WHERE id = {}", plio.video);
    world.sql(old).await;
    tokio::time::sleep(WAITED).await;
    world.sql("UPDATE organization SET name = 'new'").await;
    assert_eq!(cache.deliver_pending().await.expect("drained"), 2);
    let lags = lags.lock().expect("no panic").clone();
    let [(2, lag)] = lags[..] else {
        panic!("delivered were {lags:?}");
    };
    assert!(
        // A clock of SQLite's counts milliseconds.
        lag + Duration::from_millis(2) >= WAITED
            && lag <= written.elapsed() + Duration::from_millis(2),
        "the oldest row waited {lag:?}, of {:?}",
        written.elapsed()
    );
}

async fn delivered_rows_are_purged_and_waiting_ones_are_not(world: World) {
    const ROWS: usize = 2_500;
    let hour_ago = match world.is_postgres() {
        true => "now() - interval '1 hour'",
        false => "(julianday('now') - 2440587.5) * 86400 - 3600",
    };
    // Every hundredth waits, and is as old.
    world
        .sql(format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS})
             INSERT INTO cache_outbox (tag, created_at, delivered_at)
             SELECT 'ghost#id=' || n, {hour_ago}, CASE WHEN n % 100 > 0 THEN {hour_ago} END FROM n"
        ))
        .await;
    let schema = Box::leak(Box::new(Schema { retention: Duration::from_millis(100), ..SCHEMA }));
    let app = world.app_with(|_| builder(world.db(), schema).relay(true)).await;
    let soon = Soon::within(SOON);
    while world.outbox_rows().await > 0 {
        soon.or("old rows are not purged").await;
    }
    for waiting in (100..=ROWS).step_by(100) {
        let tag = format!("ghost#id={waiting}");
        let told = |seen: &Seen| matches!(seen, Seen::Invalidated(tags) if tags.contains(&tag));
        assert_eq!(app.events.count(told), 1, "{tag} was delivered");
    }

    // With the retention of cache.toml they stay.
    drop(app);
    let app = world.relaying_app().await;
    world.plio_with_items(0).await;
    app.events.forget();
    app.events.wait_for("a look", |seen| *seen == Seen::Idle).await;
    assert!(world.outbox_rows().await > 0, "delivered lately");
}

async fn a_relay_survives_its_connections(world: World) {
    let Db::Postgres(pool) = world.db() else {
        panic!("told on PostgreSQL only");
    };
    let plio = world.plio_with_items(0).await;
    let pool = named(pool);
    let mut app = world.app_with(|builder| builder.outbox(&pool).relay(true)).await;
    if !world.has_redis() {
        app = app.hearing_of_others();
    }
    for round in 0..4 {
        app.warm(&plio.path()).await;
        app.events.forget();
        app.events.wait_for("a look", |seen| *seen == Seen::Idle).await;
        let killed = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = '{NAME}' AND datname = current_database()"
        );
        assert_eq!(world.number(killed).await, 2, "the relay's and the listener's");
        let title = format!("round {round}");
        world.sql(format!("UPDATE video SET title = '{title}' WHERE id = {}", plio.video)).await;
        let answer = sees_soon(&world, &app, &plio.path(), A_PASS).await;
        answer.says("/video/title", title);
        nothing_waits(&world, SOON).await;
    }
    assert_eq!(app.events.count(|seen| *seen == Seen::StoreAway), 0);
}

async fn a_relay_ends_with_its_cache(world: World) {
    let alive = Arc::new(());
    let watched = Arc::downgrade(&alive);
    let mut builder = example_app::cache_builder(world.db().clone()).on_event(move |_| {
        let _ = &alive;
    });
    if let Db::Postgres(pool) = world.db() {
        builder = builder.outbox(&named(pool));
    }
    let cache: Cache<Db> = builder.relay(true).build().await.expect("built");
    if world.is_postgres() {
        let soon = Soon::within(SOON);
        while connections(&world).await < 2 {
            soon.or("the relay has not connected").await;
        }
    }
    drop(cache);
    let soon = Soon::within(SOON);
    while watched.upgrade().is_some() {
        soon.or("the relay holds the cache").await;
    }
    if world.is_postgres() {
        no_connections(&world).await;
    }
    // Nobody is left to deliver.
    world.user_with_organization().await;
    assert!(world.waiting_rows().await > 0, "its rows wait");
}

fn builder(db: &Db, schema: &'static Schema) -> Builder<Db> {
    let builder = Cache::builder(db.clone(), schema);
    match db {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    }
}

/// A pool of the same database; connections like its own are called [`NAME`].
fn named(pool: &PgPool) -> PgPool {
    let options = (*pool.connect_options()).clone().application_name(NAME);
    PgPoolOptions::new().connect_lazy_with(options)
}

async fn connections(world: &World) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{NAME}' AND datname = current_database()"
    );
    world.number(sql).await
}

async fn no_connections(world: &World) {
    let soon = Soon::within(SOON);
    while connections(world).await > 0 {
        soon.or("connections of a relay are open").await;
    }
}
