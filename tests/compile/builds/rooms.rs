//! The rooms of a crate, a file and its folder each: a file imports its own room and those above it
//! in the table of `docs/ARCHITECTURE.md`, and no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::root;

/// The crates that have a table.
const CRATES: [&str; 2] = ["cache-schema", "cache-runtime"];

/// The whole, and what looks at private parts of it.
const OUTSIDE: [&str; 2] = ["lib", "fuzzing"];

/// Each file's text, or what it imports; a file is named as its module: `read/model`.
type Files<T> = BTreeMap<String, T>;

fn sources(of: &str) -> Files<String> {
    let source = root().join(of).join("src");
    let (mut files, mut folders) = (Files::new(), vec![source.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let file = path.strip_prefix(&source).expect("below it");
                let file = file.with_extension("").display().to_string();
                files.insert(file, fs::read_to_string(path).expect("a text"));
            }
        }
    }
    files.retain(|file, _| !OUTSIDE.contains(&&**file));
    files
}

/// The rooms, from the one that imports no other.
fn table(of: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the page");
    let (_, section) = page.split_once(&format!("\n### In `{of}`\n")).expect("it has the section");
    let (_, table) = section
        .split_once("\n| room | the one sentence |\n| --- | --- |\n")
        .expect("it has the table");
    let rooms = table.lines().map_while(|row| row.strip_prefix("| `"));
    rooms.map(|row| row.split_once('`').expect("a room").0.to_owned()).collect()
}

/// The code: without comments, and without the module of tests, which ends a file.
fn code(text: &str) -> String {
    let (code, _) = text.split_once("#[cfg(test)]\nmod ").unwrap_or((text, ""));
    let lines = code.lines().map(str::trim_start);
    lines.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Names, and what is between them, sign by sign but for `::`.
fn tokens(code: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_name(first) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// All paths of a tree of them, `a::{b, c::d}`; what is left begins after it.
fn paths<'a>(tokens: &mut &[&'a str], before: &[&'a str], found: &mut Vec<Vec<&'a str>>) {
    let mut path = before.to_vec();
    while let [name, rest @ ..] = *tokens {
        *tokens = rest;
        if *name == "{" {
            while let [next, rest @ ..] = *tokens {
                match *next {
                    "}" => return *tokens = rest,
                    "," => *tokens = rest,
                    _ => paths(tokens, &path, found),
                }
            }
        }
        path.push(name);
        match *tokens {
            ["::", rest @ ..] => *tokens = rest,
            _ => break,
        }
    }
    found.push(path);
}

/// The files that a file names, in `use` or elsewhere, by a path from `crate`, `super` or a module
/// that it declares. A name that is no file's is the nearest file's above it, or nobody's: `lib`.
fn imports(files: &Files<String>) -> Files<BTreeSet<String>> {
    let of = |(file, text): (&String, &String)| {
        let code = code(text);
        let tokens = tokens(&code);
        let declared = tokens.windows(2).filter(|pair| pair[0] == "mod");
        let declared: BTreeSet<&str> = declared.map(|pair| pair[1]).collect();
        let begins = |name: &str| ["crate", "super"].contains(&name) || declared.contains(name);
        let mut found = Vec::new();
        for at in 0..tokens.len() {
            // Not the end of a path, nor the `crate` of `pub(in crate::x)`.
            let is_continued = at > 0 && ["::", ".", "mod", "in"].contains(&tokens[at - 1]);
            if begins(tokens[at]) && tokens.get(at + 1) == Some(&"::") && !is_continued {
                paths(&mut &tokens[at..], &[], &mut found);
            }
        }
        let imports = found.iter().map(|path| imported(files, file, path));
        let imports = imports.filter(|imported| imported != file).collect();
        (file.clone(), imports)
    };
    files.iter().map(of).collect()
}

fn imported(files: &Files<String>, file: &str, path: &[&str]) -> String {
    let mut at: Vec<&str> = file.split('/').collect();
    for name in path {
        match *name {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            name => at.push(name),
        }
    }
    while !at.is_empty() && !files.contains_key(&at.join("/")) {
        at.pop();
    }
    match at.is_empty() {
        true => "lib".to_owned(),
        false => at.join("/"),
    }
}

/// What imports a room that is not above its own: `schema imports read/model`.
fn wrong(table: &[String], imports: &Files<BTreeSet<String>>) -> Vec<String> {
    let row = |file: &str| {
        let (room, _) = file.split_once('/').unwrap_or((file, ""));
        table.iter().position(|it| it == room)
    };
    let arrows =
        imports.iter().flat_map(|(file, imported)| imported.iter().map(move |it| (file, it)));
    arrows
        .filter(|(file, imported)| row(imported).is_none() || row(imported) > row(file))
        .map(|(file, imported)| format!("{file} imports {imported}"))
        .collect()
}

/// The files from which a way of imports leads back to them.
fn in_circles(imports: &Files<BTreeSet<String>>) -> Vec<&str> {
    let leads_back = |file: &&String| {
        let (mut reached, mut ahead) = (BTreeSet::new(), vec![*file]);
        while let Some(next) = ahead.pop() {
            let new = imports.get(next).into_iter().flatten();
            ahead.extend(new.filter(|it| reached.insert(*it)));
        }
        reached.contains(*file)
    };
    imports.keys().filter(leads_back).map(String::as_str).collect()
}

#[test]
fn a_file_imports_only_what_is_above_its_room() {
    for of in CRATES {
        let (table, files) = (table(of), sources(of));
        let imports = imports(&files);
        let found = imports.values().flatten().count();
        assert!(found > 50, "they are found: {imports:#?}");
        let wrong = wrong(&table, &imports);
        assert!(wrong.is_empty(), "{of}: {wrong:#?}");
        let rooms: BTreeSet<&str> =
            files.keys().filter_map(|file| file.split('/').next()).collect();
        let named: BTreeSet<&str> = table.iter().map(String::as_str).collect();
        assert_eq!(rooms, named, "the table names the rooms of {of}");
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for of in CRATES {
        let imports = imports(&sources(of));
        let circles = in_circles(&imports);
        assert!(circles.is_empty(), "{of}: {circles:#?} of {imports:#?}");
    }
}

fn made_up(files: &[(&str, &str)]) -> Files<BTreeSet<String>> {
    let files = files.iter();
    let files = files.map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    imports(&files.collect())
}

#[test]
fn a_wrong_arrow_is_found() {
    let table = ["low", "high", "top"].map(str::to_owned);
    for text in [
        "use crate::high;",
        "use crate::high::Thing;",
        "pub(crate) use crate::{\n    diagnostic,\n    high::{Other, Thing},\n};",
        "use super::super::high;",
        "fn f() { crate::high::f() }",
    ] {
        let low = [("high", ""), ("low", ""), ("low/inner", text), ("top", "")];
        let wrong = wrong(&table, &made_up(&low));
        assert!(wrong.contains(&"low/inner imports high".to_owned()), "{text}");
    }
    let nobodys = made_up(&[("low", "use crate::Thing;")]);
    assert_eq!(wrong(&table, &nobodys), ["low imports lib"]);

    let right = made_up(&[
        ("low", "mod inner;\n"),
        ("low/inner", "//! crate::top\nuse std::fmt;\nuse super::Thing;"),
        ("high", "use crate::low::inner::{self, Thing};\n    // crate::top::x"),
        ("top", "use crate::{high, low};\n#[cfg(test)]\nmod tests {\n    use crate::none;\n}"),
    ]);
    assert!(wrong(&table, &right).is_empty(), "{right:#?}");
    assert_eq!(right["high"], BTreeSet::from(["low/inner".to_owned()]));
    assert_eq!(right["top"].len(), 2);
}

#[test]
fn a_circle_is_found() {
    let child = made_up(&[
        ("room", "mod child;\nfn f() { child::f() }"),
        ("room/child", "use super::{Thing, sibling::g};"),
        ("room/sibling", ""),
    ]);
    assert_eq!(in_circles(&child), ["room", "room/child"]);

    let three = made_up(&[
        ("a", "use crate::b::Thing;"),
        ("b", "use crate::c;"),
        ("c", "use crate::{a, d};"),
        ("d", ""),
    ]);
    assert_eq!(in_circles(&three), ["a", "b", "c"]);
}
