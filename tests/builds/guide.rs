//! `docs/GUIDE.md` as a program.

use std::fs;

use crate::{build_dir, cargo, root, run};

#[test]
fn the_guide_builds_and_prints_what_it_says() {
    let guide = fs::read_to_string(root().join("docs/GUIDE.md")).expect("read the guide");
    let blog = build_dir("guide");
    fs::create_dir_all(blog.join("src")).expect("create src");
    let _ = fs::remove_file(blog.join("blog.db"));

    // What a reader gets from the registry is taken from here.
    let published = "cache-runtime = { version = \"0.1\",";
    let manifest = block(&guide, "toml Cargo.toml");
    assert!(
        manifest.contains(published),
        "the guide's manifest no longer says {published}"
    );
    let local = format!(
        "cache-runtime = {{ path = \"{}\",",
        root().join("cache-runtime").display()
    );
    let manifest = manifest.replace(published, &local) + "\n[workspace]\n";
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
