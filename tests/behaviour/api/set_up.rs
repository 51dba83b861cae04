//! What is installed in the database: refused when it is not right,
//! noticed when it no longer is, and brought back.

use cache_runtime::Error;
use example_app::{Db, SCHEMA};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::harness::soon::{SOON, nothing_waits, sees_soon};
use crate::harness::{App, Plio, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_cache_is_refused_where_its_triggers_are_not),
        story!(a_dropped_trigger_is_noticed),
        story!(a_table_made_anew_is_noticed),
        story!(a_table_put_in_anothers_place_is_noticed),
        story!(installing_again_changes_nothing),
        story!(installing_removes_what_an_older_file_had),
        story!(the_text_of_the_migration_installs_the_same),
        story!(uninstalling_leaves_nothing),
        story!(a_condition_that_the_triggers_would_judge_otherwise_is_refused).on_postgres(),
        story!(a_role_without_rights_on_the_outbox_is_reported).on_postgres(),
        story!(two_copies_of_the_service_in_one_database)
            .without_relay("rows are to wait")
            .on_postgres(),
    ]
}

async fn a_cache_is_refused_where_its_triggers_are_not(world: World) {
    assert!(build(world.db()).await.is_ok());
    let table = |sql: &str| match world.is_postgres() {
        true => sql.replace("{on}", " ON video"),
        false => sql.replace("{on}", ""),
    };
    let mut troubles = vec![
        table("DROP TRIGGER cache_outbox_video_update{on}"),
        "UPDATE cache_outbox_stamp SET stamp = 'of another cache.toml'".to_owned(),
        "DELETE FROM cache_outbox_stamp".to_owned(),
        "DROP TABLE cache_outbox_stamp".to_owned(),
        "DROP TABLE cache_outbox".to_owned(),
    ];
    if world.is_postgres() {
        for how in ["DISABLE", "ENABLE REPLICA"] {
            troubles.push(format!("ALTER TABLE video {how} TRIGGER cache_outbox_video_update"));
        }
        troubles.push("ALTER TABLE video DISABLE TRIGGER ALL".to_owned());
    }
    for trouble in troubles {
        world.sql(trouble.clone()).await;
        let Err(error) = build(world.db()).await else {
            panic!("a cache is built after {trouble}");
        };
        assert!(error.is_set_up(), "{trouble}: {error}");
        assert!(error.to_string().contains("SCHEMA.install"), "{trouble}: {error}");
        install(world.db()).await;
        build(world.db()).await.expect("mended");
    }
    uninstall(world.db()).await;
    let error = build(world.db()).await.expect_err("there is no outbox");
    assert!(error.is_set_up() && error.to_string().contains("SCHEMA.install"), "{error}");
}

async fn a_dropped_trigger_is_noticed(world: World) {
    let drop = match world.is_postgres() {
        true => "DROP TRIGGER cache_outbox_video_update ON video",
        false => "DROP TRIGGER cache_outbox_video_update",
    };
    unreported_writes_are_seen(world, drop).await;
}

/// As a migration does that changes what ALTER TABLE cannot.
async fn a_table_made_anew_is_noticed(world: World) {
    let anew = "CREATE TABLE video_new AS SELECT * FROM video; DROP TABLE video{cascade}; ALTER TABLE video_new RENAME TO video";
    let cascade = if world.is_postgres() { " CASCADE" } else { "" };
    let keys = if world.is_postgres() { "" } else { "PRAGMA foreign_keys = off; " };
    let anew = format!("{keys}{}", anew.replace("{cascade}", cascade));
    unreported_writes_are_seen(world, &anew).await;
}

/// The old one stays, with the triggers.
async fn a_table_put_in_anothers_place_is_noticed(world: World) {
    let anew =
        "ALTER TABLE video RENAME TO video_old; CREATE TABLE video AS SELECT * FROM video_old";
    unreported_writes_are_seen(world, anew).await;
}

/// While a cache is in use this SQL takes the triggers of `video` away.
async fn unreported_writes_are_seen(world: World, trouble: &str) {
    let plio = world.plio_with_items(1).await;
    let app = world.relaying_app().await;
    app.warm(&plio.path()).await.says("/video/title", "old title");
    app.events.forget();

    world.sql(trouble).await;
    retitle(&world, &plio, "unreported").await;
    is_away(&app).await;
    let answer = sees_soon(&world, &app, &plio.path(), SOON).await;
    assert!(answer.is_bypass(), "nothing is cached: {:?}", answer.cache_status);
    retitle(&world, &plio, "unreported again").await;
    let answer = world.right_from(&app, &plio.path()).await;
    answer.says("/video/title", "unreported again");

    install(world.db()).await;
    app.events.wait_for("the store is back", |seen| *seen == Seen::StoreBack).await;
    let answer = world.right_from(&app, &plio.path()).await;
    answer.says("/video/title", "unreported again");
    app.warm(&plio.path()).await;
    retitle(&world, &plio, "reported").await;
    sees_soon(&world, &app, &plio.path(), SOON).await;
}

async fn is_away(app: &App) {
    let away = |seen: &Seen| *seen == Seen::StoreAway;
    app.events.wait_for("the store is taken out of use", away).await;
}

async fn installing_again_changes_nothing(world: World) {
    let (before, identity) = (installed(&world).await, identity(&world).await);
    assert!(before.len() > 10, "{before:?}");
    install(world.db()).await;
    assert_eq!(installed(&world).await, before);
    assert_eq!(self::identity(&world).await, identity);
}

async fn installing_removes_what_an_older_file_had(world: World) {
    let before = installed(&world).await;
    world.sql("CREATE TABLE badge (id integer)").await;
    let older = match world.is_postgres() {
        true => {
            r#"CREATE FUNCTION cache_outbox_badge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO "cache_outbox" (tag) VALUES ('badge#*'); RETURN NULL; END $$;
               CREATE TRIGGER cache_outbox_badge_insert AFTER INSERT ON badge
                 FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_badge()"#
        }
        false => {
            r#"CREATE TRIGGER cache_outbox_badge_insert AFTER INSERT ON badge BEGIN
                 INSERT INTO "cache_outbox" (tag) SELECT 'badge#id=' || NEW.id; END"#
        }
    };
    world.sql(older).await;
    world.sql("UPDATE cache_outbox_stamp SET stamp = 'older'").await;
    install(world.db()).await;
    assert_eq!(installed(&world).await, before);
    world.sql("INSERT INTO badge VALUES (1)").await;
    assert_eq!(world.waiting_rows().await, 0, "nobody reports it");
    build(world.db()).await.expect("it fits");
}

async fn the_text_of_the_migration_installs_the_same(world: World) {
    let before = installed(&world).await;
    // In a database that has triggers, in one without, and a second time.
    world.sql(migration(world.db()).await).await;
    assert_eq!(installed(&world).await, before);
    build(world.db()).await.expect("it fits");

    uninstall(world.db()).await;
    let text = migration(world.db()).await;
    for time in ["once", "twice"] {
        world.sql(text.clone()).await;
        assert_eq!(installed(&world).await, before, "{time}");
        build(world.db()).await.expect("it fits");
    }
    let identity = identity(&world).await;
    install(world.db()).await;
    assert_eq!(self::identity(&world).await, identity, "there was nothing to do");
}

async fn uninstalling_leaves_nothing(world: World) {
    uninstall(world.db()).await;
    assert_eq!(installed(&world).await, vec![]);
    let left = match world.is_postgres() {
        true => {
            "SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'cache_outbox%')
                  + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'cache_outbox%')
                  + (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cache_outbox%')"
        }
        false => {
            "SELECT count(*) FROM sqlite_master WHERE name LIKE 'cache_outbox%' OR sql LIKE '%cache_outbox%'"
        }
    };
    assert_eq!(world.number(left).await, 0);
    // Nobody misses them.
    world.video().await;
    uninstall(world.db()).await;
}

async fn a_role_without_rights_on_the_outbox_is_reported(world: World) {
    let plio = world.plio_with_items(0).await;
    let app = world.relaying_app().await;
    app.warm(&plio.path()).await;
    // Roles are the server's, which other stories share.
    let role = format!("editor_{:016x}", fastrand::u64(..));
    world.sql(format!("CREATE ROLE {role}; GRANT SELECT, UPDATE ON video TO {role}")).await;
    let mut tx = world.begin_elsewhere().await;
    tx.run(format!("SET LOCAL ROLE {role}")).await;
    tx.run(format!("UPDATE video SET title = 'by the role' WHERE id = {}", plio.video)).await;
    tx.commit().await;
    let answer = sees_soon(&world, &app, &plio.path(), SOON).await;
    answer.says("/video/title", "by the role");
    world.sql(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// Each in a schema of its own.
async fn two_copies_of_the_service_in_one_database(world: World) {
    let Db::Postgres(pool) = world.db() else {
        panic!("told on PostgreSQL only");
    };
    world.sql("CREATE SCHEMA other").await;
    let other = Db::Postgres(with_path(pool, "other"));
    let both = Db::Postgres(with_path(pool, "other, public"));
    other.migrate().await.expect("migrated");
    build(&other).await.expect("it fits");

    // One's triggers do not stand in for the other's,
    world.sql("DROP TRIGGER cache_outbox_video_update ON other.video").await;
    build(world.db()).await.expect("it fits");
    let error = build(&other).await.expect_err("a trigger is missing");
    assert!(error.is_set_up(), "{error}");
    install(&other).await;
    world.sql("DROP TRIGGER cache_outbox_video_update ON public.video").await;
    build(&other).await.expect("it fits");
    assert!(build(world.db()).await.is_err(), "a trigger is missing");
    install(world.db()).await;

    // and what is done to one is not done to the other.
    world.sql("INSERT INTO other.video (url) VALUES ('x')").await;
    assert_eq!(world.waiting_rows().await, 0, "reported to the other");
    uninstall(&other).await;
    build(world.db()).await.expect("it fits");
    world.video().await;
    assert_eq!(world.waiting_rows().await, 1);
    // Tables of the one, and an outbox that is the other's.
    let error = build(&both).await.expect_err("other.video has no triggers");
    assert!(error.is_set_up(), "{error}");
    install(&both).await;
    build(&both).await.expect("it fits");
    world.deliver_pending().await;
    nothing_waits(&world, SOON).await;
}

fn with_path(pool: &PgPool, path: &str) -> PgPool {
    let options = (*pool.connect_options()).clone();
    PgPoolOptions::new().connect_lazy_with(options.options([("search_path", path)]))
}

async fn retitle(world: &World, plio: &Plio, title: &str) {
    let sql = format!("UPDATE video SET title = '{title}' WHERE id = {}", plio.video);
    world.sql(sql).await;
}

async fn build(db: &Db) -> Result<(), Error> {
    let builder = example_app::cache_builder(db.clone());
    builder.build().await.map(drop)
}

async fn install(db: &Db) {
    install_on(db).await.expect("installed");
}

async fn install_on(db: &Db) -> Result<(), sqlx::Error> {
    match db {
        Db::Sqlite(pool) => SCHEMA.install(pool).await,
        Db::Postgres(pool) => SCHEMA.install(pool).await,
    }
}

async fn uninstall(db: &Db) {
    match db {
        Db::Sqlite(pool) => SCHEMA.uninstall(pool).await,
        Db::Postgres(pool) => SCHEMA.uninstall(pool).await,
    }
    .expect("uninstalled");
}

async fn migration(db: &Db) -> String {
    match db {
        Db::Sqlite(pool) => SCHEMA.migration(pool).await,
        Db::Postgres(pool) => SCHEMA.migration(pool).await,
    }
    .expect("a text")
}

/// The triggers, and what they do.
async fn installed(world: &World) -> Vec<(String, String)> {
    match world.db() {
        Db::Sqlite(pool) => {
            let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%cache_outbox%' ORDER BY name";
            sqlx::query_as(sql).fetch_all(pool).await
        }
        Db::Postgres(pool) => {
            let sql = "SELECT pg_get_triggerdef(report.oid), prosrc FROM pg_trigger AS report
                 JOIN pg_proc ON pg_proc.oid = tgfoid WHERE prosrc LIKE '%cache_outbox%' ORDER BY 1";
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await
        }
    }
    .expect("a list")
}

async fn identity(world: &World) -> String {
    let sql = "SELECT identity FROM cache_outbox_stamp";
    match world.db() {
        Db::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
    }
    .expect("one row")
}

/// `published-plios` has `status = "published"`.
async fn a_condition_that_the_triggers_would_judge_otherwise_is_refused(world: World) {
    world.sql("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext").await;
    for (ty, refused) in [("ext.citext", true), ("text", false)] {
        let sql = format!(
            "ALTER TABLE plio ALTER status DROP DEFAULT, ALTER status TYPE {ty};
             UPDATE cache_outbox_stamp SET stamp = 'another'"
        );
        world.sql(sql).await;
        let error = install_on(world.db()).await.err().map(|error| error.to_string());
        assert_eq!(error.is_some(), refused, "{ty}: {error:?}");
        let error = error.unwrap_or_default();
        assert!(!refused || error.contains("a condition of the list published-plios"), "{error}");
    }
}
