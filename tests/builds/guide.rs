//! `docs/guide/first-steps.md` as a program, and `docs/WORKSPACE.md` as three.

use std::fs;

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
    let (_, promised) = promised
        .split_once("$ cargo run\n")
        .expect("the guide shows a run");
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

/// What a reader gets from the registry is taken from here.
fn local(text: &str) -> String {
    let runtime = root().join("cache-runtime");
    text.replace(
        "cache-runtime = { version = \"0.1\",",
        &format!("cache-runtime = {{ path = \"{}\",", runtime.display()),
    )
}

/// All blocks with this info string, one after another.
fn block(guide: &str, info: &str) -> String {
    let mut text = String::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(info) {
            for line in lines.by_ref().take_while(|line| *line != "```") {
                text += line;
                text.push('\n');
            }
        }
    }
    assert!(!text.is_empty(), "the guide has no ```{info} block");
    text
}
