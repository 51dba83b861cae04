//! What others do to the service: a table in the outbox's place, an
//! observer that panics, a database attached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cache_runtime::__private::{Table, Trigger, Triggers};
use cache_runtime::{Event, Schema};
use example_app::{Db, Plio, SCHEMA};

use crate::harness::soon::{SOON, Soon, sees_soon};
use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_temporary_table_does_not_pass_for_the_outbox).on_postgres(),
        story!(a_relay_survives_an_observer_that_panics)
            .without_relay("another relay would deliver in its place")
            .in_memory(),
        story!(a_trigger_in_an_attached_database_is_refused).on_sqlite(),
    ]
}

async fn a_temporary_table_does_not_pass_for_the_outbox(world: World) {
    let plio = world.plio_with_items(0).await;
    let app = world.relaying_app().await;
    app.warm(&plio.path()).await;
    let rows = world.outbox_rows().await;
    // Roles are the server's, which other stories share.
    let role = format!("editor_{:016x}", fastrand::u64(..));
    world.sql(format!("CREATE ROLE {role}; GRANT SELECT, UPDATE ON video TO {role}")).await;

    let mut tx = world.begin_elsewhere().await;
    for sql in [
        format!("SET LOCAL ROLE {role}"),
        "CREATE TEMP TABLE cache_outbox (tag text, writer bigint) ON COMMIT DROP".to_owned(),
        format!("UPDATE video SET title = 'by the role' WHERE id = {}", plio.video),
        "DO $$ BEGIN
           ASSERT NOT EXISTS (SELECT FROM pg_temp.cache_outbox), 'wrong answer: reported to nobody';
         END $$"
            .to_owned(),
    ] {
        tx.run(sql).await;
    }
    tx.commit().await;
    assert_eq!(world.outbox_rows().await, rows + 1, "wrong answer: rows");
    let answer = sees_soon(&world, &app, &plio.path(), SOON).await;
    answer.says("/video/title", "by the role");
    world.sql(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

async fn a_relay_survives_an_observer_that_panics(world: World) {
    let plio = world.plio_with_items(0).await;
    let panics = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&panics);
    let cache = example_app::cache_builder(world.db().clone())
        .on_event(move |event| {
            if matches!(event, Event::Delivered { .. }) {
                count.fetch_add(1, Ordering::SeqCst);
                panic!("the observer does not like deliveries");
            }
        })
        .build()
        .await
        .expect("built");
    for round in 1..4 {
        let name = format!("new name {round}");
        let before = Plio::get(&cache, plio.id).await.expect("read");
        assert_ne!(before.expect("there").name, name);
        world.sql(format!("UPDATE plio SET name = '{name}' WHERE id = {}", plio.id)).await;
        let soon = Soon::within(SOON);
        loop {
            let read = Plio::get(&cache, plio.id).await.expect("read");
            if read.expect("there").name == name && panics.load(Ordering::SeqCst) >= round {
                break;
            }
            soon.or("wrong answer: the relay has delivered nothing").await;
        }
    }
}

async fn a_trigger_in_an_attached_database_is_refused(world: World) {
    let Db::Sqlite(pool) = world.db() else {
        panic!("told on SQLite only");
    };
    let attached = Trigger {
        name: "cache_outbox_video_insert",
        sql: r#"CREATE TRIGGER "aux"."cache_outbox_video_insert" AFTER INSERT ON "video" BEGIN SELECT 1; END"#,
        columns_of: None,
    };
    let tables: &'static [Table] = Box::leak(Box::new([Table {
        name: "aux.video",
        function: &[],
        triggers: Box::leak(Box::new([attached])),
    }]));
    let schema: &'static Schema = Box::leak(Box::new(Schema {
        sqlite: Triggers {
            fingerprint: "of tables in two databases",
            tables,
            exact: &[],
            ..SCHEMA.sqlite
        },
        ..SCHEMA
    }));
    let error = schema.install(pool).await.expect_err("refused").to_string();
    assert!(error.contains("into another database"), "{error}");
    let as_before = example_app::cache_builder(world.db().clone());
    as_before.build().await.expect("nothing was installed");
}
