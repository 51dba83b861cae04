//! Stories on Plio's graph: what depends on what, and what is said about it.

use cache_schema::{Change, Consistency, Dialect, Direction, Schema};

const PLIO: &str = r#"
[model.image]
[model.video]
[model.organization]
[model.organization-user]
references = { user_id = "user", organization_id = "organization" }

[model.user]
key = "user_{id}"
depends-on = ["organization", "organization-user"]

[model.plio]
key = "plio_{id}"
lookup = ["uuid"]
references = { video_id = "video", created_by_id = "user" }
depends-on = ["video", "item", "question", "user"]

[model.item]
references = { plio_id = "plio" }

[model.question]
references = { item_id = "item", image_id = "image" }
depends-on = ["image"]
"#;

#[track_caller]
fn schema(text: &str) -> Schema {
    match Schema::parse("cache.toml", text) {
        Ok(schema) => schema,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn strings(items: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// The paths of a model's dependency.
fn paths(schema: &Schema, model: &str, dependency: &str) -> Vec<String> {
    let model = schema.model(model).expect("a model");
    let dependency = model.depends_on.iter().find(|known| known.model == dependency);
    strings(&dependency.expect("a dependency").paths)
}

/// The tags a write yields; those that only link changes yield in brackets.
fn reports(schema: &Schema, model: &str) -> Vec<String> {
    let reports = schema.reports(model).into_iter().map(|report| match report.on {
        Change::Row => report.tag.to_string(),
        Change::Link => format!("({})", report.tag),
    });
    reports.collect()
}

#[test]
fn paths_are_the_shortest_over_references_in_both_directions() {
    let plio = schema(PLIO);
    assert_eq!(paths(&plio, "plio", "video"), ["plio.video_id → video"]);
    assert_eq!(paths(&plio, "plio", "item"), ["plio ← item.plio_id"]);
    assert_eq!(paths(&plio, "plio", "question"), ["plio ← item.plio_id ← question.item_id"]);
    assert_eq!(
        paths(&plio, "user", "organization"),
        ["user ← organization-user.user_id, .organization_id → organization"]
    );

    let hop = &plio.model("plio").expect("a model").depends_on[1].paths[0].hops[0];
    assert_eq!((hop.from.as_str(), hop.to.as_str()), ("plio", "item"));
    assert_eq!((hop.direction, &hop.columns), (Direction::Reverse, &vec!["plio_id".to_owned()]));
}

#[test]
fn a_value_needs_the_tags_of_all_its_paths() {
    let plio = schema(PLIO);
    assert_eq!(strings(plio.needs("user")), ["organization#id", "organization-user#user_id"]);
    assert_eq!(
        strings(plio.needs("plio")),
        [
            "image#id",
            "item#plio_id",
            "organization#id",
            "organization-user#user_id",
            "question#item_id",
            "user#id",
            "video#id",
        ]
    );
    assert_eq!(strings(plio.needs("question")), ["image#id"], "it is part of what embeds it");
    assert!(plio.needs("video").is_empty());
    assert!(plio.needs("nobody").is_empty());
}

#[test]
fn a_row_registers_the_hops_that_leave_it_on_anybodys_path() {
    let plio = schema(PLIO);
    let hops = |model: &str| strings(plio.hops_from(model));
    assert_eq!(hops("plio"), [".video_id → video", " ← item.plio_id", ".created_by_id → user"]);
    assert_eq!(hops("item"), [" ← question.item_id"]);
    assert_eq!(hops("question"), [".image_id → image"]);
    assert_eq!(hops("user"), [" ← organization-user.user_id"]);
    assert!(hops("video").is_empty());
}

#[test]
fn a_write_reports_what_paths_and_keys_use() {
    let plio = schema(PLIO);
    assert_eq!(reports(&plio, "plio"), ["plio#id", "plio#uuid"]);
    assert_eq!(reports(&plio, "item"), ["item#plio_id"]);
    assert_eq!(reports(&plio, "question"), ["question#item_id"]);
    assert_eq!(reports(&plio, "user"), ["user#id"]);
    assert_eq!(reports(&plio, "organization-user"), ["organization-user#user_id"]);
}

#[test]
fn a_write_reaches_through_dependencies_of_dependencies() {
    let plio = schema(PLIO);
    let reach = |model: &str| strings(plio.reach(model));
    assert_eq!(reach("image"), ["plio ← item.plio_id ← question.item_id, .image_id → image"]);
    assert_eq!(reach("user"), ["user", "plio.created_by_id → user"]);
    assert_eq!(
        reach("organization"),
        [
            "user ← organization-user.user_id, .organization_id → organization",
            "plio.created_by_id → user ← organization-user.user_id, .organization_id → organization",
        ]
    );
    assert_eq!(reach("plio"), ["plio"]);
}

/// Without `item` in `depends-on` a plio does not show items, but still finds its questions by
/// them: only a move of an item matters.
#[test]
fn a_model_that_is_only_passed_through_reports_its_moves() {
    let plio = schema(&PLIO.replace("\"item\", \"question\"", "\"question\""));
    assert_eq!(reports(&plio, "item"), ["(item#plio_id)"]);
    assert_eq!(plio.link_columns("item"), ["id", "plio_id"]);
    let reach = plio.reach("item");
    assert_eq!(strings(&reach), ["plio ← item.plio_id"]);
    assert_eq!(reach[0].on, Change::Link);
    assert!(strings(plio.needs("plio")).contains(&"item#plio_id".to_owned()));
}

/// Without `[model.item]` nothing leads from a plio to its questions.
#[test]
fn removing_a_model_shows_what_hung_on_it() {
    let text = PLIO
        .replace("[model.item]\nreferences = { plio_id = \"plio\" }\n", "")
        .replace("item_id = \"item\", ", "")
        .replace("\"item\", ", "");
    let diagnostics = Schema::parse("cache.toml", &text).expect_err("question hung on it");
    let messages: Vec<String> = diagnostics.iter().map(|found| found.message.clone()).collect();
    assert_eq!(messages, ["there is no path from `plio` to `question`"]);
}

#[test]
fn link_columns_are_those_that_paths_and_lookups_use() {
    let plio = schema(PLIO);
    assert_eq!(plio.link_columns("plio"), ["id", "video_id", "created_by_id", "uuid"]);
    assert_eq!(plio.link_columns("organization-user"), ["id", "user_id", "organization_id"]);
    assert_eq!(plio.link_columns("video"), ["id"]);
}

#[test]
fn via_chooses_among_several() {
    let text = |via: &str| {
        format!(
            "[model.user]\n[model.plio]\nkey = \"plio_{{id}}\"\ndepends-on = [\"user\"]\nvia = {{ user = {via} }}\n\
             references = {{ created_by_id = \"user\", updated_by_id = \"user\" }}\n\
             [model.item]\nreferences = {{ plio_id = \"plio\", author_id = \"user\" }}"
        )
    };
    let over = |via: &str| paths(&schema(&text(via)), "plio", "user");
    assert_eq!(over("\"updated_by_id\""), ["plio.updated_by_id → user"]);
    assert_eq!(over("\"plio.updated_by_id\""), ["plio.updated_by_id → user"]);
    // The shortest that contains the reference, though shorter ones do not.
    assert_eq!(over("\"item.author_id\""), ["plio ← item.plio_id, .author_id → user"]);
    assert_eq!(
        over("[\"updated_by_id\", \"item.plio_id\", \"item.author_id\"]"),
        ["plio.updated_by_id → user", "plio ← item.plio_id, .author_id → user"],
        "each path once"
    );
}

/// The way to c over a.b_id would have to pass through b twice.
#[test]
fn paths_do_not_meet_themselves() {
    let text = "[model.b]\nreferences = { c_id = \"c\" }\ndepends-on = [\"c\"]\nvia = { c = \"a.b_id\" }\n\
                [model.c]\n[model.a]\nreferences = { b_id = \"b\" }";
    let diagnostics = Schema::parse("cache.toml", text).expect_err("a is a dead end");
    assert_eq!(
        diagnostics.iter().next().expect("one").message,
        "no path from `b` to `c` runs over `a.b_id`"
    );
}

/// Twenty models that all reference each other: a search of all routes would not end.
#[test]
fn a_dense_graph_is_answered_at_once() {
    let mut text = String::new();
    for model in 0..20 {
        let references =
            (0..model).map(|other| format!("m{other}_id = \"m{other}\"")).collect::<Vec<_>>();
        text += &format!("[model.m{model}]\nreferences = {{ {} }}\n", references.join(", "));
    }
    text += "[model.leaf]\nreferences = { m5_id = \"m5\" }\n";
    text += "[model.start]\nreferences = { m0_id = \"m0\" }\ndepends-on = [\"m19\"]\n";

    let start = schema(&text);
    assert_eq!(paths(&start, "start", "m19"), ["start.m0_id → m0 ← m19.m0_id"]);
    let over_leaf = format!("{text}via = {{ m19 = \"leaf.m5_id\" }}");
    assert!(Schema::parse("cache.toml", &over_leaf).is_err(), "a leaf is on no path");
}

/// A ladder of forty rungs: at each of them a route may go on or across, and one over the last rung
/// is the longest there is.
#[test]
fn the_long_way_round_is_found_at_once() {
    let mut text = String::from("[model.a0]\nreferences = { b_id = \"b0\" }\n[model.b0]\n");
    for rung in 1..40 {
        let before = rung - 1;
        text += &format!(
            "[model.a{rung}]\nreferences = {{ a_id = \"a{before}\", b_id = \"b{rung}\" }}\n\
             [model.b{rung}]\nreferences = {{ b_id = \"b{before}\" }}\n"
        );
    }
    text += "[model.start]\nreferences = { a_id = \"a0\" }\ndepends-on = [\"b0\"]\n\
             via = { b0 = \"a39.b_id\" }\n";
    let ladder = schema(&text);
    let [path] = &ladder.model("start").expect("it is there").depends_on[0].paths[..] else {
        panic!("one path");
    };
    assert_eq!(path.hops.len(), 1 + 39 + 1 + 39);
}

#[test]
fn composite_ids_and_references() {
    let text = "[model.video]\nid = [\"tenant\", \"id\"]\nkey = \"video_{tenant}_{id}\"\n\
                depends-on = [\"subtitle\"]\n\
                [model.plio]\nkey = \"plio_{id}\"\nreferences = { \"tenant, video_id\" = \"video\" }\n\
                depends-on = [\"video\"]\n\
                [model.subtitle]\nreferences = { \"tenant,video_id\" = \"video\" }";
    let videos = schema(text);
    assert_eq!(paths(&videos, "plio", "video"), ["plio.tenant,video_id → video"]);
    assert_eq!(strings(videos.needs("plio")), ["subtitle#tenant,video_id", "video#tenant,id"]);
    assert_eq!(reports(&videos, "subtitle"), ["subtitle#tenant,video_id"]);
}

#[test]
fn places_in_the_file() {
    let schema = schema(PLIO);
    let names: Vec<&str> = schema.models().map(|model| model.name.as_str()).collect();
    assert_eq!(names[..3], ["image", "video", "organization"], "in the order of the file");
    assert_eq!(schema.locate_model("user").as_deref(), Some("cache.toml:8:8 | [model.user]"));
    let reference = &schema.model("question").expect("a model").references[0];
    assert_eq!(
        schema.at(reference.position),
        "cache.toml:22:16 | references = { item_id = \"item\", image_id = \"image\" }"
    );
}

/// A strict value may embed others: they are strict with it, and so is every tag of theirs.
#[test]
fn what_a_strict_model_is_built_from_is_strict_as_well() {
    let strict =
        PLIO.replace("key = \"user_{id}\"", "key = \"user_{id}\"\nconsistency = \"strict\"");
    assert_eq!(
        strings(schema(&strict).strict_tags()),
        ["organization#id", "organization-user#user_id", "user#id"]
    );
    let strict =
        PLIO.replace("key = \"plio_{id}\"", "key = \"plio_{id}\"\nconsistency = \"strict\"");
    let strict = schema(&strict);
    let user = strict.model("user").and_then(|user| user.cached.as_ref());
    assert_eq!(user.map(|policy| policy.consistency), Some(Consistency::Strict));
    assert_eq!(
        strings(strict.strict_tags()),
        [
            "image#id",
            "item#plio_id",
            "organization#id",
            "organization-user#user_id",
            "plio#id",
            "plio#uuid",
            "question#item_id",
            "user#id",
            "video#id"
        ]
    );
    assert!(schema(PLIO).strict_tags().is_empty());
}

const CONDUIT: &str = r#"
[model.user]
[model.article]
key = "article_{id}"
lookup = ["slug"]
references = { author_id = "user" }
depends-on = ["user"]

[model.thread]
of = "article"
key = "thread_{id}"
lookup = ["title"]
depends-on = ["comment", "user"]
via = { user = "comment.author_id" }

[model.comment]
references = { article_id = "article", author_id = "user" }
"#;

#[test]
fn another_value_of_the_same_rows_has_its_own_dependencies() {
    let conduit = schema(CONDUIT);
    assert_eq!(strings(conduit.needs("article")), ["user#id"]);
    assert_eq!(strings(conduit.needs("thread")), ["comment#article_id", "user#id"]);
    assert_eq!(
        paths(&conduit, "thread", "user"),
        ["article ← comment.article_id, .author_id → user"]
    );
    let thread = conduit.model("thread").expect("a model");
    assert_eq!((thread.table.as_str(), thread.rows()), ("article", "article"));
    assert_eq!(strings(&thread.id), ["id"]);
}

#[test]
fn the_rows_are_reported_once_for_all_their_values() {
    let conduit = schema(CONDUIT);
    let all = ["article#id", "article#slug", "article#title"];
    assert_eq!(reports(&conduit, "article"), all);
    assert_eq!(reports(&conduit, "thread"), all, "they are the same rows");
    assert_eq!(conduit.link_columns("article"), ["id", "author_id", "slug", "title"]);
    assert_eq!(strings(conduit.reach("article")), ["article", "thread"]);
    assert_eq!(strings(conduit.reach("comment")), ["thread ← comment.article_id"]);

    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let tables = conduit.triggers(dialect).tables;
        let tables: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(tables, ["user", "article", "comment"]);
    }
}

/// An article's id is the id of its text as well; a column may be a reference in any number of
/// paths, alone and together with others.
#[test]
fn a_column_is_a_reference_in_any_number_of_paths() {
    let file = schema(
        r#"
[model.tenant]
[model.user]
id = ["tenant", "id"]
[model.plio]
key = "plio_{id}"
references = { tenant = "tenant", "tenant, author" = "user", "tenant, editor" = "user", id = "text" }
depends-on = ["tenant", "user", "text"]
via = { user = ["tenant, author", "tenant, editor"] }
[model.text]
key = "text_{id}"
depends-on = ["tenant"]
"#,
    );
    assert_eq!(
        paths(&file, "plio", "user"),
        ["plio.tenant,author → user", "plio.tenant,editor → user"]
    );
    assert_eq!(paths(&file, "plio", "text"), ["plio.id → text"]);
    assert_eq!(paths(&file, "text", "tenant"), ["text ← plio.id, .tenant → tenant"]);
    assert_eq!(reports(&file, "plio"), ["plio#id"]);
    assert_eq!(file.link_columns("plio"), ["id", "tenant", "author", "editor"]);
}
