//! `docs/guide/first-steps.md` as a program, `docs/WORKSPACE.md` as three, and the
//! code of every other page of the guide as a crate.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::{build_dir, cargo, root, run};

#[test]
fn the_guide_builds_and_prints_what_it_says() {
    let guide =
        fs::read_to_string(root().join("docs/guide/first-steps.md")).expect("read the page");
    let blog = build_dir("guide");
    fs::create_dir_all(blog.join("src")).expect("create src");
    let _ = fs::remove_file(blog.join("blog.db"));

    let manifest = local(&block(&guide, "toml Cargo.toml")) + "\n[workspace]\n";
    fs::write(blog.join("Cargo.toml"), manifest).expect("write");
    fs::copy(root().join("Cargo.lock"), blog.join("Cargo.lock")).expect("copy the lock file");
    fs::write(blog.join("cache.toml"), block(&guide, "toml cache.toml")).expect("write");
    fs::write(blog.join("src/main.rs"), block(&guide, "rust src/main.rs")).expect("write");

    let output = run(cargo(&["run", "--quiet"])
        .current_dir(&blog)
        .env("CARGO_TARGET_DIR", blog.join("target")));
    let promised = block(&guide, "console");
    let (_, promised) = promised.split_once("$ cargo run\n").expect("the guide shows a run");
    assert_eq!(String::from_utf8_lossy(&output.stdout), promised);
}

#[test]
fn the_workspace_builds_and_prints_what_it_says() {
    let page = fs::read_to_string(root().join("docs/WORKSPACE.md")).expect("read the page");
    let shop = build_dir("workspace");
    let _ = fs::remove_file(shop.join("shop.db"));
    let infos = page.lines().filter_map(|line| line.strip_prefix("```"));
    for info in infos.filter(|info| info.contains(' ')) {
        let file = shop.join(info.split(' ').nth(1).expect("a path"));
        fs::create_dir_all(file.parent().expect("in the folder")).expect("create the folder");
        fs::write(file, local(&block(&page, info))).expect("write");
    }
    fs::copy(root().join("Cargo.lock"), shop.join("Cargo.lock")).expect("copy the lock file");

    let promised = block(&page, "console");
    let mut runs = promised.split("$ cargo ").skip(1).peekable();
    assert!(runs.peek().is_some(), "the page shows runs");
    for shown in runs {
        let (arguments, promised) = shown.split_once('\n').expect("a line");
        let arguments: Vec<&str> = arguments.split(' ').chain(["--quiet"]).collect();
        let output = run(cargo(&arguments)
            .current_dir(&shop)
            .env("CARGO_TARGET_DIR", build_dir("guide").join("target")));
        assert_eq!(String::from_utf8_lossy(&output.stdout), promised);
    }
}

/// What a page leaves out of its code, before what is in
/// `tests/compile/builds/guide/` for that page.
const PRELUDE: &str = "\
#![allow(dead_code, unused_imports, unused_variables)]

use std::sync::Arc;

use cache_runtime::*;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Sqlite, SqlitePool};
";

/// Blocks of these kinds are what the crate of a page is made of: its file, its
/// items, and bodies of functions that have a cache.
const FILE: &str = "toml cache.toml";
const ITEMS: &str = "rust";

/// Items that rustdoc leaves alone: the front page of the crate.
const FRONT: &str = "rust,ignore";
const BODY: &str = "rust body";

#[test]
fn the_code_of_every_page_of_the_guide_compiles() {
    let pages = build_dir("guide-pages");
    let mut members = Vec::new();
    let mut files = vec![root().join("README.md"), root().join("cache-runtime/README.md")];
    let guide = fs::read_dir(root().join("docs/guide")).expect("the guide");
    files.extend(guide.map(|entry| entry.expect("a page").path()));
    files.retain(|file| file.extension().is_some_and(|it| it == "md"));
    files.retain(|file| !file.ends_with("first-steps.md"));
    for file in files {
        let page = fs::read_to_string(&file).expect("read the page");
        let kinds: Vec<&str> = blocks(&page).into_iter().map(|(info, _)| info).collect();
        let unknown =
            kinds.iter().find(|it| it.starts_with("rust") && ![ITEMS, FRONT, BODY].contains(*it));
        assert_eq!(unknown, None, "in {}", file.display());
        if [FILE, ITEMS, FRONT, BODY].iter().any(|kind| kinds.contains(kind)) {
            let name = member(&pages, &file, &page);
            assert!(!members.contains(&name), "two pages are called {name}");
            members.push(name);
        }
    }
    assert!(members.len() > 5, "the pages have code: {members:?}");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    fs::write(pages.join("Cargo.toml"), manifest).expect("write");
    fs::copy(root().join("Cargo.lock"), pages.join("Cargo.lock")).expect("copy the lock file");
    run(cargo(&["check", "--quiet", "--workspace"])
        .current_dir(&pages)
        .env("CARGO_TARGET_DIR", build_dir("guide").join("target")));
}

/// Makes the crate of a page. Returns its name.
fn member(pages: &Path, file: &Path, page: &str) -> String {
    let stem = file.file_stem().expect("a name").to_string_lossy();
    let name = match file.ends_with("cache-runtime/README.md") {
        true => "page-front".to_owned(),
        false => format!("page-{}", stem.to_lowercase()),
    };
    let source = pages.join(&name).join("src");
    fs::create_dir_all(&source).expect("create src");
    let manifest = format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"

[dependencies]
axum = {{ version = "0.8", default-features = false }}
cache-runtime = {{ version = "0.1", features = ["axum", "metrics", "postgres", "redis", "sqlite", "uuid"] }}
serde = {{ version = "1", features = ["derive", "rc"] }}
sqlx = {{ version = "0.9", default-features = false, features = ["runtime-tokio", "postgres", "sqlite", "derive", "uuid"] }}
uuid = "1"
"#
    );
    fs::write(pages.join(&name).join("Cargo.toml"), local(&manifest)).expect("write");

    let prelude = root().join(format!("tests/compile/builds/guide/{name}.rs"));
    let prelude = fs::read_to_string(prelude).unwrap_or_default();
    let mut code = format!("{PRELUDE}\n{prelude}\n");
    if !page.contains("static SCHEMA") {
        code += "static SCHEMA: Schema = cache_runtime::schema!();\n";
    }
    let mut schema = String::new();
    for (number, (info, text)) in blocks(page).into_iter().enumerate() {
        match info {
            FILE => schema += &text,
            ITEMS | FRONT => code += &text,
            BODY => write!(
                code,
                "async fn body_{number}(cache: Cache<SqlitePool>) -> Result<(), BoxError> {{\n{text}Ok(())\n}}\n"
            )
            .expect("a text"),
            _ => {}
        }
    }
    fs::write(pages.join(&name).join("cache.toml"), schema).expect("write");
    fs::write(source.join("lib.rs"), code).expect("write");
    name
}

/// What a reader gets from the registry is taken from here.
fn local(text: &str) -> String {
    let runtime = root().join("cache-runtime");
    text.replace(
        "cache-runtime = { version = \"0.1\",",
        &format!("cache-runtime = {{ path = \"{}\",", runtime.display()),
    )
}

/// All blocks with this info string, one after another.
fn block(page: &str, info: &str) -> String {
    let blocks = blocks(page).into_iter();
    let text: String = blocks.filter(|(of, _)| *of == info).map(|(_, text)| text).collect();
    assert!(!text.is_empty(), "the page has no ```{info} block");
    text
}

/// Every block: its info string, and its lines.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let (mut blocks, mut lines) = (Vec::new(), page.lines());
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            blocks.push((info, text.map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}
