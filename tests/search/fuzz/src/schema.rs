//! Any text as `cache.toml`.

use std::collections::HashMap;

use cache_schema::{Diagnostics, Dialect, Position, Schema, TagColumns};

/// Reads a text as `cache.toml`: it is resolved or refused, each the same way every time. What is
/// refused says where, inside the text. What is resolved can be used: everything that may be asked
/// has an answer, and a value registers nothing that no write reports.
pub fn schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let [first, second] = [(); 2].map(|()| Schema::parse("cache.toml", text));
    match (first, second) {
        (Ok(schema), Ok(again)) => {
            assert_eq!(schema.settings, again.settings);
            assert!(schema.models().eq(again.models()), "the models differ");
            answers(&schema);
            triggers(&schema);
        }
        (Err(why), Err(again)) => {
            assert_eq!(messages(&why), messages(&again));
            refused(text, &why);
        }
        _ => panic!("resolved once, and refused once"),
    }
}

fn messages(why: &Diagnostics) -> Vec<(&str, Position)> {
    why.iter().map(|one| (one.message.as_str(), one.position)).collect()
}

fn refused(text: &str, why: &Diagnostics) {
    assert!(why.iter().next().is_some(), "refused for nothing");
    let lines: Vec<&str> = text.split('\n').collect();
    for diagnostic in why {
        let position = diagnostic.position;
        let line = lines.get(position.line - 1);
        let line = line.unwrap_or_else(|| panic!("{position} is beyond {} lines", lines.len()));
        let columns = line.chars().count() + 1;
        assert!(
            (1..=columns).contains(&position.column),
            "{position} is beyond a line of {columns} columns"
        );
    }
    // Some of them, as it takes longest.
    for diagnostic in why.iter().take(3) {
        let position = diagnostic.position;
        let shown = diagnostic.to_string();
        assert!(
            shown.contains(&format!("cache.toml:{position}")),
            "another place than {position}:\n{shown}"
        );
    }
}

fn answers(schema: &Schema) {
    // `reach` names each way through the dependencies, and there
    // may be more than anybody could look at.
    if ways(schema) > 1000 {
        return;
    }
    let names = || schema.models().map(|model| model.name.as_str());
    let reports: HashMap<_, _> = names().map(|it| (it, schema.reports(it))).collect();
    let reach: HashMap<_, _> = names().map(|it| (it, schema.reach(it))).collect();
    let is_reported = |tag: &TagColumns| {
        let reports = &reports[tag.model.as_str()];
        reports.iter().any(|report| report.tag == *tag)
    };
    for model in schema.models() {
        let name = model.name.as_str();
        assert_eq!(schema.model(name), Some(model));
        assert!(schema.locate_model(name).is_some());
        for reference in &model.references {
            assert!(!schema.at(reference.position).is_empty());
        }
        for hop in schema.hops_from(name) {
            assert!(is_reported(&hop.tag(schema)), "no write reports {hop}");
        }
        for need in schema.needs(name) {
            assert!(is_reported(&need), "no write reports {need}");
            let reached = || reach[need.model.as_str()].iter().map(|it| &it.model);
            assert!(
                model.cached.is_none() || reached().any(|it| it == name),
                "`{name}` needs {need}, but no write to it reaches it"
            );
        }
        for reach in &reach[name] {
            assert!(reach.to_string().starts_with(&reach.model));
        }
    }
    for tag in schema.strict_tags() {
        assert!(is_reported(&tag), "no write reports {tag}, which is strict");
    }
}

/// In how many ways dependencies lead on from some model, over those of its dependencies.
fn ways(schema: &Schema) -> usize {
    fn from<'a>(name: &'a str, schema: &'a Schema, known: &mut HashMap<&'a str, usize>) -> usize {
        if let Some(ways) = known.get(name) {
            return *ways;
        }
        let mut ways = 0_usize;
        for it in schema.model(name).iter().flat_map(|it| &it.depends_on) {
            let on = from(&it.model, schema, known).saturating_add(1);
            ways = ways.saturating_add(on.saturating_mul(it.paths.len()));
        }
        known.insert(name, ways);
        ways
    }
    let mut known = HashMap::new();
    let ways = schema.models().map(|it| from(&it.name, schema, &mut known));
    ways.fold(0, usize::saturating_add)
}

fn triggers(schema: &Schema) {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let triggers = schema.triggers(dialect);
        assert_eq!(triggers, schema.triggers(dialect));
        let all = triggers.tables.iter().flat_map(|table| &table.triggers);
        let mut names: Vec<&str> = all.map(|trigger| &*trigger.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "two triggers of a name");
        // PostgreSQL would cut longer ones.
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
    }
}
