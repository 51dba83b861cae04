//! What the user sees when something is wrong: the whole text, for every mistake there is.

mod capacity;
mod graph;
mod keys;
mod list_settings;
mod lists;
mod names;
mod near;
mod of;
mod others;
mod shape;
mod values;

use cache_schema::Schema;

/// The file has mistakes, and this is what is said about them.
#[track_caller]
fn shows(toml: &str, text: &str) {
    let toml = toml.trim_start_matches('\n');
    let diagnostics = Schema::parse("cache.toml", toml).expect_err("it has mistakes").to_string();
    let text = text.trim_matches('\n');
    assert!(diagnostics == text, "said:\n{diagnostics}\n\nexpected:\n{text}");
}
