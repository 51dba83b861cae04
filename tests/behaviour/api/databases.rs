//! Databases that are not what the service would like: read-only, full, of
//! another encoding, with rows that cannot be read.

use cache_runtime::MemoryStore;
use example_app::{Db, SCHEMA};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::harness::{App, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_read_only_database_is_read).in_memory(),
        story!(a_full_database_is_read).on_sqlite(),
        story!(a_latin_1_database_has_no_emoji).on_postgres(),
        story!(a_row_that_cannot_be_read_is_one_answer),
        story!(a_time_beyond_time_is_one_answer).on_postgres(),
    ]
}

async fn a_read_only_database_is_read(world: World) {
    let plio = world.plio_with_items(1).await;
    let app = read_only(&world).await;
    for _ in ["loaded", "stored"] {
        app.get(&plio.path()).await.is(200);
        app.get("/videos").await.is(200);
    }
    let video = format!("/videos/{}", plio.video);
    for answer in [
        app.patch(&plio.path(), json!({"name": "x"})).await,
        app.patch(&video, json!({"title": "x"})).await,
        app.post("/videos", json!({"url": "https://example.org"})).await,
        app.post(&format!("{}/duplicate", plio.path()), json!({})).await,
        app.delete(&format!("/items/{}", plio.items[0])).await,
    ] {
        answer.expect_problem(&[503]);
    }
    // What is wrong with a request is wrong all the same.
    let wrong = app.patch(&video, json!({"title": 1})).await;
    wrong.expect_problem(&[422]);
}

/// An app whose database has become read-only.
async fn read_only(world: &World) -> App {
    if !world.is_postgres() {
        let url = format!("{}?mode=ro", world.database_url());
        let db = Db::connect(&url).await.expect("it can be read");
        return app_on(db).await;
    }
    let app = world.app_with(|builder| builder).await;
    world
        .sql(
            "DO $$ BEGIN
                 EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
                 PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid();
             END $$",
        )
        .await;
    app
}

async fn a_full_database_is_read(world: World) {
    let plio = world.plio_with_items(1).await;
    let pages = world.number("PRAGMA page_count").await;
    let options: SqliteConnectOptions = world.database_url().parse().expect("an address");
    let options = options.pragma("max_page_count", pages.to_string());
    let pool = SqlitePoolOptions::new().connect_with(options).await;
    let app = app_on(Db::Sqlite(pool.expect("open"))).await;

    let large = json!({"text": "x".repeat(500_000)});
    let question = format!("/questions/{}", plio.questions[0]);
    app.patch(&question, large).await.expect_problem(&[503]);
    app.get(&plio.path()).await.is(200).says("/items/0/details/text", "old text");
}

async fn a_latin_1_database_has_no_emoji(world: World) {
    let name = format!("latin_{:016x}", fastrand::u64(..));
    let template = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    world.sql(format!("CREATE DATABASE {name} {template}")).await;
    let (server, _) = world.database_url().rsplit_once('/').expect("an address");
    let db = Db::connect(&format!("{server}/{name}")).await.expect("connect");
    db.migrate().await.expect("migrate");
    db.seed().await.expect("seed");
    let app = app_on(db).await;

    for text in ["naïve", "ÿ"] {
        let body = json!({"name": text, "config": {text: text}});
        app.patch("/plios/1", body).await.is(200).says("/name", text);
    }
    for text in ["😀", "☃", "Ā"] {
        for body in
            [json!({"name": text}), json!({"config": {"x": [text]}}), json!({"config": {text: 1}})]
        {
            app.patch("/plios/1", body.clone()).await.expect_problem(&[422]);
            let mut new = json!({"created_by": 1});
            new.as_object_mut().expect("an object").extend(body.as_object().expect("one").clone());
            app.post("/plios", new).await.expect_problem(&[422]);
        }
        app.get(&format!("/plios/by-uuid/{text}")).await.expect_problem(&[404]);
    }
    app.get("/plios/1").await.is(200).says("/name", "ÿ");
}

async fn a_row_that_cannot_be_read_is_one_answer(world: World) {
    let (bad, good) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let image = bad.images[0];
    if world.is_postgres() {
        world.sql("ALTER TABLE image ALTER alt_text DROP NOT NULL").await;
        world.sql(format!("UPDATE image SET alt_text = NULL WHERE id = {image}")).await;
    } else {
        world.sql(format!("UPDATE image SET created_at = 'never' WHERE id = {image}")).await;
    }
    for _ in ["loaded", "stored"] {
        world.get(&format!("/images/{image}")).await.expect_problem(&[500]);
        world.get(&format!("/images/{}", good.images[0])).await.is(200);
        world.get(&bad.path()).await.expect_problem(&[500]);
        world.get(&good.path()).await.is(200);
    }
    // The API cannot read it, and can delete it.
    world.delete(&format!("/images/{image}")).await.is(204);
    world.right(&bad.path()).await.is(200);
}

/// chrono ends before PostgreSQL's `infinity` does, with a panic.
async fn a_time_beyond_time_is_one_answer(world: World) {
    let (bad, good) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let image = bad.images[0];
    world.sql(format!("UPDATE image SET created_at = 'infinity' WHERE id = {image}")).await;
    world.get(&format!("/images/{image}")).await.expect_problem(&[500]);
    world.get(&bad.path()).await.expect_problem(&[500]);
    world.get(&good.path()).await.is(200);
    let mended = json!({"alt_text": "x"});
    world.patch(&format!("/images/{}", good.images[0]), mended).await.is(200);
}

async fn app_on(db: Db) -> App {
    App::serve(example_app::cache_builder(db).store(MemoryStore::new(&SCHEMA))).await
}
