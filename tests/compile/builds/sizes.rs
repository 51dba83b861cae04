//! No file is longer than one reads at a time, and no comment is wider than a page.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// The folders that are looked into.
const FOLDERS: &[&str] =
    &["benches", "cache-derive", "cache-runtime", "cache-schema", "example-app", "tests"];
/// Lines of a file.
const LONGEST: usize = 400;
/// Columns of a comment.
const WIDEST: usize = 100;

#[test]
fn no_file_is_too_long_and_no_comment_too_wide() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        find(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "the files are found: {files:?}");
    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a text");
        let name = file.strip_prefix(root()).expect("below it").display();
        let lines = text.lines().count();
        if lines > LONGEST {
            wrong.push(format!("{name} has {lines} lines"));
        }
        wrong.extend(too_wide(&text).map(|line| format!("{name}:{line} is a wide comment")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every file of Rust below this folder, but what is built, what the derive has written, and the
/// cases of `ui/`, whose lines the compiler's messages name.
fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let is_of_cases = folder.parent().is_some_and(|it| it.ends_with("tests/compile/ui"));
    let is_written = folder.ends_with("tests/compile/expansions");
    if folder.ends_with("target") || is_of_cases || is_written {
        return;
    }
    for entry in fs::read_dir(folder).expect("read the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// The numbers of the lines that are comments and too wide. Rows of tables and addresses cannot be
/// broken, and code in a comment is as wide as code.
fn too_wide(text: &str) -> impl Iterator<Item = usize> {
    let mut is_code = false;
    let is_too_wide = move |line: &str| {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            is_code = false;
            return false;
        };
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        is_code ^= comment.starts_with("```");
        let may_be_wide = is_code || comment.starts_with('|') || comment.contains("://");
        line.chars().count() > WIDEST && !may_be_wide
    };
    let lines: Vec<bool> = text.lines().map(is_too_wide).collect();
    (1..).zip(lines).filter(|(_, is)| *is).map(|(number, _)| number)
}

#[test]
fn a_wide_comment_is_found() {
    let wide = "x".repeat(WIDEST);
    let text = format!(
        "// {wide}\nlet text = \"{wide}\"; // {wide}\n    /// {wide}\n//! | {wide} |\n\
         // https://{wide}\n/// ```\n/// {wide}\n/// ```\n/// {wide}\n"
    );
    assert_eq!(too_wide(&text).collect::<Vec<_>>(), [1, 3, 9]);
}
