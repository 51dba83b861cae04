//! The SQL. That databases understand it is tested elsewhere; here is what it says.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test -p cache-schema --test triggers`, then
//! read the difference.

use std::fs;
use std::path::Path;

use cache_schema::{Change, ColumnsOf, Dialect, Schema, Triggers};

const PLIO: &str = include_str!("golden/plio.toml");

#[track_caller]
fn triggers(text: &str, dialect: Dialect) -> Triggers {
    match Schema::parse("cache.toml", text) {
        Ok(schema) => schema.triggers(dialect),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

#[track_caller]
fn is_golden(file: &str, dialect: Dialect) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let triggers = triggers(PLIO, dialect);
    let tables = triggers.tables.iter().flat_map(|table| {
        let made = table.triggers.iter().map(|trigger| &trigger.sql);
        table.function.iter().chain(made)
    });
    let rendered: String = triggers
        .outbox
        .iter()
        .chain(&triggers.checks)
        .chain(&triggers.types)
        .chain(tables)
        .chain([&triggers.removal, &triggers.spellings])
        .filter(|sql| !sql.is_empty())
        .map(|sql| format!("{sql};\n\n"))
        .collect();
    assert!(rendered.is_ascii(), "a database of another encoding may not have such a letter");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &rendered).expect("the golden file is writable");
    }
    let golden = fs::read_to_string(&path).expect("the golden file is there");
    assert!(rendered == golden, "{} differs; rendered:\n{rendered}", path.display());
}

#[test]
fn postgres() {
    is_golden("postgres.sql", Dialect::Postgres);
}

#[test]
fn sqlite() {
    is_golden("sqlite.sql", Dialect::Sqlite);
}

/// All that one model's triggers say.
fn sql(text: &str, dialect: Dialect) -> String {
    let tables = triggers(text, dialect).tables.into_iter();
    let statements = tables.flat_map(|table| {
        let made = table.triggers.into_iter().map(|trigger| trigger.sql);
        table.function.into_iter().chain(made)
    });
    statements.collect::<Vec<_>>().join("\n")
}

const IGNORES: &str = "[model.user]\nkey = \"user_{id}\"\nignores = [\"last_login\", \"seen\"]\n";

#[test]
fn ignored_columns_do_not_count_on_postgres() {
    let sql = sql(IGNORES, Dialect::Postgres);
    let row = |rows: &str| {
        format!(
            "SELECT {rows}.\"id\"::text COLLATE \"C\", jsonb_populate_record({rows}, '{{\"last_login\":null,\"seen\":null}}')::text COLLATE \"C\" \
             AS \"the row\" FROM {rows}"
        )
    };
    let (old, new) = (row("cache_toml_old"), row("cache_toml_new"));
    assert!(sql.contains(&format!("({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})")), "{sql}");
}

/// SQLite compares the columns that count. Only the database knows them.
#[test]
fn ignored_columns_are_left_out_by_the_database_on_sqlite() {
    let tables = triggers(IGNORES, Dialect::Sqlite).tables;
    let all = tables.iter().flat_map(|table| &table.triggers);
    let (open, others): (Vec<_>, Vec<_>) = all.partition(|it| it.columns_of.is_some());
    assert_eq!(open.len(), 1);
    assert!(
        open[0]
            .sql
            .contains("AFTER UPDATE ON \"user\" FOR EACH ROW\nWHEN ({old}) IS NOT ({new})\n"),
        "{}",
        open[0].sql
    );
    let ignores = vec!["last_login".to_owned(), "seen".to_owned()];
    assert_eq!(open[0].columns_of, Some(ColumnsOf { table: "user".to_owned(), ignores }));
    assert!(others.into_iter().all(|trigger| !trigger.sql.contains('{')));
}

/// An item is only passed through: its moves count, its text does not.
const PASSED: &str = "[model.plio]\nkey = \"plio_{id}\"\ndepends-on = [\"question\"]\n\
    [model.item]\nreferences = { plio_id = \"plio\" }\n\
    [model.question]\nreferences = { item_id = \"item\" }\n";

#[test]
fn links_are_compared() {
    let postgres = sql(PASSED, Dialect::Postgres);
    let values = |rows: &str| {
        format!(
            "SELECT {rows}.\"id\"::text COLLATE \"C\", {rows}.\"plio_id\"::text COLLATE \"C\" FROM {rows}"
        )
    };
    let (old, new) = (values("cache_toml_old"), values("cache_toml_new"));
    assert!(
        postgres.contains(&format!("({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})")),
        "{postgres}"
    );

    let sqlite = sql(PASSED, Dialect::Sqlite);
    assert!(!sqlite.contains("CREATE TRIGGER \"cache_outbox_item_update\""), "{sqlite}");
    assert!(
        sqlite.contains(
            "CREATE TRIGGER \"cache_outbox_item_link\" AFTER UPDATE ON \"item\" FOR EACH ROW\n\
             WHEN OLD.\"id\" COLLATE BINARY IS NOT NEW.\"id\" OR OLD.\"plio_id\" COLLATE BINARY IS NOT NEW.\"plio_id\"\n"
        ),
        "{sqlite}"
    );
}

/// Rows and links have rows of their own, in one statement.
#[test]
fn one_insert_reports_rows_and_links() {
    let both = format!(
        "{PASSED}[model.list]\nkey = \"list_{{id}}\"\nreferences = {{ item_id = \"item\" }}\ndepends-on = [\"item\"]\n"
    );
    let tables = triggers(&both, Dialect::Postgres).tables;
    let item = tables.iter().find(|table| table.name == "item").expect("watched");
    let update = item.function[0]
        .split("'UPDATE' THEN")
        .nth(1)
        .and_then(|rest| rest.split("ELSE").next())
        .expect("a branch");
    assert_eq!(update.matches("INSERT INTO").count(), 1, "{update}");
    assert_eq!(update.matches("\n    UNION\n").count(), 1, "{update}");
}

/// Found absent by a query with a condition, it may appear by any change.
#[test]
fn a_lookup_is_told_of_any_change() {
    let text = "[model.user]\nkey = \"user_{id}\"\nlookup = [\"email\"]\n";
    let schema = Schema::parse("cache.toml", text).expect("right");
    let reports = schema.reports("user").into_iter();
    let reports: Vec<_> = reports.map(|it| (it.tag.to_string(), it.on)).collect();
    let (id, email) = ("user#id".to_owned(), "user#email".to_owned());
    assert_eq!(reports, [(id, Change::Row), (email, Change::Row)]);
}

#[test]
fn composite_ids_and_sql_schemas() {
    let text = "[model.video]\ntable = \"media.video\"\nid = [\"tenant\", \"id\"]\nkey = \"video_{tenant}_{id}\"\n";
    let postgres = sql(text, Dialect::Postgres);
    assert!(
        postgres.contains("'video#tenant,id=' || r.\"tenant\" || ',' || r.\"id\""),
        "{postgres}"
    );
    assert!(postgres.contains("ON \"media\".\"video\""), "{postgres}");
    assert!(postgres.contains("VALUES ('video#*')"), "{postgres}");

    // A trigger of SQLite lives in its table's database, and names only what is there.
    let sqlite = sql(text, Dialect::Sqlite);
    assert!(
        sqlite.contains(
            "CREATE TRIGGER \"media\".\"cache_outbox_video_insert\" AFTER INSERT ON \"video\""
        ),
        "{sqlite}"
    );
    assert!(
        sqlite.contains("\"video\".\"tenant\" = NEW.\"tenant\" AND \"video\".\"id\" = NEW.\"id\""),
        "{sqlite}"
    );
}

/// `INSERT OR REPLACE` may delete by any unique column; the file knows the lookups.
#[test]
fn a_replaced_row_is_found_by_its_lookups_too() {
    let sql = sql("[model.user]\nkey = \"user_{id}\"\nlookup = [\"email\"]\n", Dialect::Sqlite);
    assert!(
        sql.contains("WHERE (\"user\".\"id\" = NEW.\"id\" OR \"user\".\"email\" = NEW.\"email\")"),
        "{sql}"
    );
}

#[test]
fn a_model_that_nothing_is_built_from_has_no_triggers() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        assert!(triggers("[model.log]", dialect).tables.is_empty());
    }
}

#[test]
fn the_outbox_may_have_another_name() {
    let sql =
        sql("[outbox]\ntable = \"changes\"\n[model.a-b]\nkey = \"a_{id}\"", Dialect::Postgres);
    assert!(
        sql.contains("INSERT INTO \"changes\" (tag)") && sql.contains("\"changes_a_b_insert\""),
        "{sql}"
    );
    assert!(!sql.contains("cache_outbox"), "{sql}");
}

#[test]
fn the_stamp_changes_with_any_statement() {
    let fingerprint = |text: &str, dialect| triggers(text, dialect).fingerprint;
    let plio = fingerprint(PLIO, Dialect::Postgres);
    assert_eq!(plio, fingerprint(PLIO, Dialect::Postgres));
    assert_eq!(plio.len(), 16);
    assert_ne!(plio, fingerprint(PLIO, Dialect::Sqlite));
    assert_ne!(plio, fingerprint(&PLIO.replace("plio_id", "parent_id"), Dialect::Postgres));
    // Nothing but what is left to the database differs.
    assert_ne!(
        fingerprint(IGNORES, Dialect::Sqlite),
        fingerprint(&IGNORES.replace("seen", "visits"), Dialect::Sqlite)
    );
    // How long a value lives is not the database's business.
    assert_eq!(plio, fingerprint(&PLIO.replace("1h", "2h"), Dialect::Postgres));
    let served = PLIO.replace(
        "key = \"plio_{id}\"",
        "key = \"plio_{id}\"\nnear = { entries = 9 }\ngrace = \"1m\"\nload-timeout = \"1s\"\n\
         lease = \"1s\"\non-write = \"refresh\"\nverify = 0.5",
    );
    assert_ne!(PLIO, served);
    assert_eq!(plio, fingerprint(&served, Dialect::Postgres), "nor how it is served");
}
