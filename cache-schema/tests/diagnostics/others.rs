//! What is not a mistake, and what a diagnostic tells besides its text.

use cache_schema::{Position, Schema};

#[test]
fn an_empty_file_is_fine() {
    let schema = Schema::parse("cache.toml", "").expect("no models are no mistake");
    assert_eq!(schema.models().count(), 0);
    assert_eq!(schema.settings, cache_schema::Settings::default());
}

#[test]
fn a_model_that_nobody_references_is_fine() {
    assert!(Schema::parse("cache.toml", "[model.plio]").is_ok());
}

#[test]
fn keys_that_cannot_meet_are_fine() {
    let text = r#"
        [model.user]
        key = "user_{id}"
        lookup = ["uuid", "email"]
        [model.user-by-day]
        id = ["user", "day"]
        key = "user_{user}_{day}"
    "#;
    assert!(Schema::parse("cache.toml", text).is_ok());
}

/// One mistake is one message: what depends on the broken part is left alone.
#[test]
fn a_broken_reference_is_not_also_a_missing_path() {
    let text = "[model.video]\n[model.plio]\nreferences = { video_id = 3 }\ndepends-on = [\"video\"]\nvia = { video = \"video_id\" }\n";
    let diagnostics = Schema::parse("cache.toml", text).expect_err("3 is not a model");
    assert_eq!(diagnostics.iter().count(), 1, "{diagnostics}");
}

#[test]
fn a_diagnostic_says_where_and_in_which_model() {
    let text = "[model.video]\n\n[model.plio]\nreferences = { video_id = \"vidoe\" }\n";
    let diagnostics = Schema::parse("schema/cache.toml", text).expect_err("vidoe");
    let diagnostic = diagnostics.into_iter().next().expect("one");
    assert_eq!(diagnostic.message, "unknown model `vidoe`");
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `video`?"));
    assert_eq!(diagnostic.position, Position { line: 4, column: 27 });
    assert_eq!(diagnostic.model.as_deref(), Some("plio"));
    assert!(diagnostic.to_string().contains("--> schema/cache.toml:4:27"));
}
