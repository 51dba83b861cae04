//! What columns hold, beside integers and plain texts: a tag says the same whoever writes it, a
//! change is a change in whatever type, and what has several texts for one value is refused.

use cache_runtime::Cache;
use ledger::{Base, SCHEMA};

use super::bank::{Bank, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_json_column_changes_beside_an_ignored_one).on_postgres(),
        story!(a_changed_float_is_a_change_whatever_the_writer_has_set).on_postgres(),
        story!(a_tag_does_not_depend_on_the_settings_of_who_writes).on_postgres(),
        story!(ids_with_several_texts_are_refused).on_postgres(),
        story!(ids_with_one_text_are_taken).on_postgres(),
        story!(a_type_that_changes_later_is_refused_too).on_postgres(),
        story!(the_collation_of_one_column_is_not_that_of_another).on_postgres(),
        story!(an_ignored_column_that_cannot_be_left_out_is_refused).on_postgres(),
        story!(collations_that_call_texts_equal_are_refused).on_sqlite(),
        story!(a_column_that_came_later_counts),
        story!(generated_columns_are_references_and_lookups_too),
        story!(one_and_one_point_naught_are_two_texts).on_sqlite(),
    ]
}

/// `note` ignores `views`, so that the rest of its row is compared.
async fn is_reported<DB: Base>(bank: &Bank<DB>, write: &str, tags: &[&str]) {
    let last = bank.last_outbox_row().await;
    bank.sql(write).await;
    assert_eq!(bank.tags_after(last).await, tags, "{write}");
}

const NOTE: [&str; 2] = ["note#id=n", "note#slug=slug"];

async fn a_json_column_changes_beside_an_ignored_one<DB: Base>(bank: Bank<DB>) {
    bank.sql("ALTER TABLE note ADD extra json, ADD more jsonb").await;
    for json in [
        r#"{"a":"x\u0000y"}"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":2,"b":1}"#,
        r#"{"a":2, "b":1}"#,
        r#"{"a":2,"a":2}"#,
        "1.0",
        "1.00",
    ] {
        let write = format!("UPDATE note SET extra = '{json}', views = views + 1");
        is_reported(&bank, &write, &NOTE).await;
        is_reported(&bank, &write, &[]).await;
    }
    is_reported(&bank, r#"UPDATE note SET more = '{"a":1.0}'"#, &NOTE).await;
    is_reported(&bank, r#"UPDATE note SET more = '{"a":1.00}'"#, &NOTE).await;
}

async fn a_changed_float_is_a_change_whatever_the_writer_has_set<DB: Base>(bank: Bank<DB>) {
    bank.sql("ALTER TABLE note ADD weight float8 DEFAULT 0.1, ADD at timestamptz DEFAULT now(), ADD spans interval")
        .await;
    let setting =
        "SET extra_float_digits = 0; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard';";
    for write in [
        "UPDATE note SET weight = 0.1::float8 + 1e-17 + 2e-17",
        "UPDATE note SET at = at + interval '1 microsecond'",
        "UPDATE note SET spans = '1 day'",
        "UPDATE note SET spans = '24 hours'",
    ] {
        is_reported(&bank, &format!("{setting} {write}; RESET ALL"), &NOTE).await;
    }
}

async fn a_tag_does_not_depend_on_the_settings_of_who_writes<DB: Base>(bank: Bank<DB>) {
    let alter = "ALTER TABLE page ALTER id TYPE timestamptz USING '2026-01-02 03:04:05+00'";
    bank.sql(alter).await;
    bank.sql("INSERT INTO page (id, text) VALUES ('2026-01-02 03:04:05+00', 'x')").await;
    for setting in [
        "SET TimeZone = 'America/New_York'",
        "SET DateStyle = 'SQL, DMY'",
        "SET TimeZone = 'Asia/Kolkata'",
    ] {
        let write = format!("{setting}; UPDATE page SET text = text || '.'; RESET ALL");
        is_reported(&bank, &write, &["page#id=2026-01-02 03:04:05+00"]).await;
    }
    bank.sql("DELETE FROM page; ALTER TABLE page ALTER id TYPE bytea USING 'x'").await;
    is_reported(
        &bank,
        "SET bytea_output = 'escape'; INSERT INTO page (id, text) VALUES ('a', 'x'); RESET ALL",
        &["page#id=\\x61"],
    )
    .await;
}

/// The type of `note.id`.
async fn refused_as<DB: Base>(bank: &Bank<DB>, set_up: &str, ty: &str) -> Option<String> {
    bank.sql("DELETE FROM note").await;
    bank.sql(format!(
        "{set_up} ALTER TABLE note ALTER id TYPE {ty} USING NULL::{ty}; UPDATE cache_outbox_stamp SET stamp = 'another'"
    ))
    .await;
    let installed = SCHEMA.install(bank.pool()).await;
    installed.err().map(|error| error.to_string())
}

async fn ids_with_several_texts_are_refused<DB: Base>(bank: Bank<DB>) {
    bank.sql(
        "CREATE EXTENSION citext; CREATE DOMAIN email AS citext; CREATE DOMAIN price AS numeric;
         CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    )
    .await;
    for ty in [
        "citext",
        "email",
        "char(5)",
        "numeric",
        "price",
        "float8",
        "interval",
        "jsonb",
        "text COLLATE any_case",
    ] {
        let cast = ty.split(' ').next().unwrap_or(ty);
        bank.sql("DELETE FROM note").await;
        bank.sql(format!(
            "ALTER TABLE note ALTER id TYPE {ty} USING NULL::{cast}; UPDATE cache_outbox_stamp SET stamp = 'another'"
        ))
        .await;
        let error = SCHEMA.install(bank.pool()).await.expect_err(ty).to_string();
        assert!(
            error.contains("the id of note") && error.contains("help: use a type with one text"),
            "{ty}: {error}"
        );
    }
    assert!(refused_as(&bank, "", "text").await.is_none(), "as it was");
    // A lookup may be spelt in several ways; a reference may not.
    bank.sql("ALTER TABLE note ALTER slug TYPE citext; ALTER TABLE entry ALTER account_id TYPE citext; UPDATE cache_outbox_stamp SET stamp = 'another'")
        .await;
    let error = SCHEMA.install(bank.pool()).await.expect_err("refused").to_string();
    assert!(error.contains("a reference of entry") && !error.contains("slug"), "{error}");
}

async fn ids_with_one_text_are_taken<DB: Base>(bank: Bank<DB>) {
    bank.sql("CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE DOMAIN short AS varchar(9) CHECK (value <> '')")
        .await;
    for ty in [
        "bigint",
        "smallint",
        "uuid",
        "varchar(20)",
        "numeric(10,2)",
        "date",
        "timestamptz",
        "bytea",
        "boolean",
        "mood",
        "short",
    ] {
        assert_eq!(refused_as(&bank, "", ty).await, None, "{ty}");
    }
}

/// Texts of ids are not equal because slugs would be, nor do two collations clash.
async fn the_collation_of_one_column_is_not_that_of_another<DB: Base>(bank: Bank<DB>) {
    bank.sql(
        "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         ALTER TABLE note ALTER slug TYPE text COLLATE any_case",
    )
    .await;
    for of_id in ["\"C\"", "\"und-x-icu\"", "\"default\""] {
        bank.sql(format!("DELETE FROM note; ALTER TABLE note ALTER id TYPE text COLLATE {of_id}"))
            .await;
        is_reported(
            &bank,
            "INSERT INTO note (id, slug, text) VALUES ('k', 's', 'x'), ('K', 't', 'x')",
            &["note#id=K", "note#id=k", "note#slug=s", "note#slug=t"],
        )
        .await;
        is_reported(
            &bank,
            "UPDATE note SET text = 'new'",
            &["note#id=K", "note#id=k", "note#slug=s", "note#slug=t"],
        )
        .await;
        is_reported(
            &bank,
            "UPDATE note SET slug = 'S' WHERE id = 'k'",
            &["note#id=k", "note#slug=S", "note#slug=s"],
        )
        .await;
    }
}

/// The triggers are as they were.
async fn a_type_that_changes_later_is_refused_too<DB: Base>(bank: Bank<DB>) {
    bank.sql("ALTER TABLE entry ALTER account_id TYPE char(5)").await;
    let error = SCHEMA.install(bank.pool()).await.expect_err("refused").to_string();
    assert!(error.contains("a reference of entry"), "{error}");
    let cache = Cache::builder(bank.pool().clone(), &SCHEMA).outbox(bank.pool());
    let error = cache.build().await.expect_err("refused");
    assert!(error.is_set_up() && error.to_string().contains("a reference of entry"), "{error}");
    bank.sql("ALTER TABLE entry ALTER account_id TYPE text").await;
    SCHEMA.install(bank.pool()).await.expect("as it was");
}

async fn an_ignored_column_that_cannot_be_left_out_is_refused<DB: Base>(bank: Bank<DB>) {
    bank.sql(
        "CREATE DOMAIN counted AS bigint NOT NULL; ALTER TABLE note ALTER views TYPE counted;
         UPDATE cache_outbox_stamp SET stamp = 'another'",
    )
    .await;
    let error = SCHEMA.install(bank.pool()).await.expect_err("refused").to_string();
    assert!(
        error.contains("an ignored column of note")
            && error.contains("help: put the condition on the column"),
        "{error}"
    );
}

async fn collations_that_call_texts_equal_are_refused<DB: Base>(bank: Bank<DB>) {
    let note = |id: &str| {
        format!(
            "DROP TABLE note; CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL {id}, slug TEXT COLLATE NOCASE, text TEXT,
               views INTEGER)"
        )
    };
    for collation in ["NOCASE", "RTRIM"] {
        bank.sql(note(&format!("COLLATE {collation}"))).await;
        let error = SCHEMA.install(bank.pool()).await.expect_err(collation).to_string();
        assert!(
            error.contains(&format!("the id of note, note.id, has the collation {collation}")),
            "{error}"
        );
        let error = SCHEMA.migration(bank.pool()).await.expect_err(collation);
        assert!(error.to_string().contains("the id of note"), "{error}");
    }
    bank.sql(note("COLLATE BINARY")).await;
    SCHEMA.install(bank.pool()).await.expect("it fits");
    let left =
        bank.number("SELECT count(*) FROM sqlite_master WHERE name = 'cache_outbox_collation'");
    assert_eq!(left.await, 0);
}

/// On SQLite after `install`, on PostgreSQL at once.
async fn a_column_that_came_later_counts<DB: Base>(bank: Bank<DB>) {
    bank.sql("ALTER TABLE note ADD COLUMN extra TEXT").await;
    SCHEMA.install(bank.pool()).await.expect("installed");
    is_reported(&bank, "UPDATE note SET extra = 'new'", &NOTE).await;
    is_reported(&bank, "UPDATE note SET extra = 'new', views = 9", &[]).await;
}

async fn generated_columns_are_references_and_lookups_too<DB: Base>(bank: Bank<DB>) {
    let generated = match bank.is_postgres() {
        true => "bigint GENERATED ALWAYS AS (id * 10) STORED",
        false => "INTEGER GENERATED ALWAYS AS (id * 10) VIRTUAL",
    };
    bank.sql(format!(
        "DROP TABLE volume; CREATE TABLE volume (id BIGINT PRIMARY KEY, title TEXT, shelf_id {generated})"
    ))
    .await;
    let slug = match bank.is_postgres() {
        true => "text GENERATED ALWAYS AS (lower(text)) STORED",
        false => "TEXT GENERATED ALWAYS AS (lower(text)) STORED",
    };
    bank.sql(format!(
        "DROP TABLE note; CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL, views BIGINT DEFAULT 0,
           slug {slug})"
    ))
    .await;
    SCHEMA.install(bank.pool()).await.expect("installed");
    is_reported(&bank, "INSERT INTO volume (id, title) VALUES (1, 'x')", &["volume#shelf_id=10"])
        .await;
    is_reported(&bank, "UPDATE volume SET id = 2", &["volume#shelf_id=10", "volume#shelf_id=20"])
        .await;
    is_reported(
        &bank,
        "INSERT INTO note (id, text) VALUES ('n', 'ONE')",
        &["note#id=n", "note#slug=one"],
    )
    .await;
    is_reported(
        &bank,
        "UPDATE note SET text = 'TWO'",
        &["note#id=n", "note#slug=one", "note#slug=two"],
    )
    .await;
    is_reported(&bank, "UPDATE note SET views = 5", &[]).await;
}

async fn one_and_one_point_naught_are_two_texts<DB: Base>(bank: Bank<DB>) {
    bank.sql("ALTER TABLE note ADD COLUMN any_type").await;
    SCHEMA.install(bank.pool()).await.expect("installed");
    is_reported(&bank, "UPDATE note SET any_type = 1", &NOTE).await;
    is_reported(&bank, "UPDATE note SET any_type = 1.0", &NOTE).await;
    is_reported(&bank, "UPDATE note SET any_type = 1.0", &[]).await;
    is_reported(&bank, "UPDATE note SET any_type = '1.0'", &NOTE).await;
}
