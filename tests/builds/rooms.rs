//! The rooms of the runtime: each imports its own files and the rooms above it in the table of `docs/ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// Each row's rooms.
fn rows() -> Vec<BTreeSet<String>> {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("read the page");
    let (_, table) = page
        .split_once("| room | the one sentence |\n")
        .expect("the page has the table");
    let rows = table
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("| "));
    rows.map(|row| {
        let rooms = row.split(" | ").next().expect("a cell").split(", ");
        rooms
            .map(|room| room.trim_matches('`').to_owned())
            .collect()
    })
    .collect()
}

/// What is wrong: `store/redis.rs imports read`.
fn wrong(rows: &[BTreeSet<String>], imports: &[(String, String)]) -> Vec<String> {
    let row = |room: &str| rows.iter().position(|rooms| rooms.contains(room));
    let is_wrong = |(file, imported): &&(String, String)| {
        let room = file.split(['/', '.']).next().expect("a room");
        match (row(room), row(imported)) {
            (Some(of), Some(of_imported)) => of_imported > of,
            _ => true,
        }
    };
    let wrong = imports.iter().filter(is_wrong);
    wrong
        .map(|(file, imported)| format!("{file} imports {imported}"))
        .collect()
}

/// Each file with each of the crate's rooms that it names in code.
fn imports(source: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files(source) {
        let file = path.strip_prefix(source).expect("below it");
        let file = file.to_str().expect("a text").to_owned();
        // It is the whole, and what looks at private parts of it.
        if ["lib.rs", "fuzzing.rs"].contains(&&*file) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("read");
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for part in line.split("crate::").skip(1) {
                let is_name = |c: char| c.is_alphanumeric() || c == '_';
                let room = part.split(|c| !is_name(c)).next().expect("a name");
                found.push((file.clone(), room.to_owned()));
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    files
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect()
}

#[test]
fn a_room_imports_only_what_is_above_it() {
    let (rows, imports) = (rows(), imports(&root().join("cache-runtime/src")));
    assert!(rows.len() > 5 && imports.len() > 100, "{rows:?}");
    let wrong = wrong(&rows, &imports);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let rooms: BTreeSet<&str> = imports
        .iter()
        .map(|(file, _)| file.split(['/', '.']).next().expect("a room"))
        .collect();
    let named: BTreeSet<&str> = rows.iter().flatten().map(String::as_str).collect();
    assert!(
        rooms.is_subset(&named),
        "{rooms:?} are not all in {named:?}"
    );
}

#[test]
fn an_arrow_the_wrong_way_is_found() {
    let rows = rows();
    for (file, imported) in [
        ("store/redis.rs", "read"),
        ("error.rs", "mechanism"),
        ("value/entry.rs", "outbox"),
        ("local/near.rs", "nowhere"),
    ] {
        let import = [(file.to_owned(), imported.to_owned())];
        assert_eq!(
            wrong(&rows, &import),
            [format!("{file} imports {imported}")]
        );
    }
    for (file, imported) in [
        ("store/redis.rs", "store"),
        ("outbox.rs", "model"),
        ("read.rs", "write"),
    ] {
        let import = [(file.to_owned(), imported.to_owned())];
        assert!(wrong(&rows, &import).is_empty(), "{import:?}");
    }
}
