//! Paths and cycles.

use crate::shows;

#[test]
fn no_path() {
    shows(
        r#"
[model.video]
id = ["tenant", "id"]
[model.plio]
depends-on = ["video"]
"#,
        r#"
error: there is no path from `plio` to `video`
 --> cache.toml:4:15
  |
4 | depends-on = ["video"]
  |               ^^^^^^^ no references lead there
  |
  = help: declare the column that holds the other's id, such as
          [model.plio] references = { "tenant, id" = "video" }
          [model.video] references = { plio_id = "plio" }

1 error in cache.toml
"#,
    );
}

#[test]
fn ambiguous() {
    shows(
        r#"
[model.user]
[model.plio]
references = { created_by_id = "user", updated_by_id = "user" }
depends-on = ["user"]
"#,
        r#"
error: the path from `plio` to `user` is ambiguous
 --> cache.toml:4:15
  |
4 | depends-on = ["user"]
  |               ^^^^^^ several shortest paths
  |
  = help: say which:
          via = { user = "created_by_id" }  # plio.created_by_id → user
          via = { user = "updated_by_id" }  # plio.updated_by_id → user
          via = { user = ["created_by_id", "updated_by_id"] }  # all of them

1 error in cache.toml
"#,
    );
}

#[test]
fn ambiguous_over_other_models() {
    shows(
        r#"
[model.plio]
depends-on = ["tag"]
[model.plio-tag]
references = { plio_id = "plio", tag_id = "tag" }
[model.tag-of-plio]
references = { plio_id = "plio", tag_id = "tag" }
[model.tag]
"#,
        r#"
error: the path from `plio` to `tag` is ambiguous
 --> cache.toml:2:15
  |
2 | depends-on = ["tag"]
  |               ^^^^^ several shortest paths
  |
  = help: say which:
          via = { tag = "plio-tag.plio_id" }  # plio ← plio-tag.plio_id, .tag_id → tag
          via = { tag = "tag-of-plio.plio_id" }  # plio ← tag-of-plio.plio_id, .tag_id → tag
          via = { tag = ["plio-tag.plio_id", "tag-of-plio.plio_id"] }  # all of them

1 error in cache.toml
"#,
    );
}

#[test]
fn ambiguous_though_via_is_given() {
    shows(
        r#"
[model.plio]
depends-on = ["question"]
via = { question = "item.plio_id" }
[model.item]
references = { plio_id = "plio" }
[model.question]
references = { item_id = "item", copied_from_item_id = "item" }
"#,
        r#"
error: the path from `plio` to `question` over `item.plio_id` is ambiguous
 --> cache.toml:3:20
  |
3 | via = { question = "item.plio_id" }
  |                    ^^^^^^^^^^^^^^ several shortest paths
  |
  = help: say which:
          via = { question = "question.item_id" }  # plio ← item.plio_id ← question.item_id
          via = { question = "question.copied_from_item_id" }  # plio ← item.plio_id ← question.copied_from_item_id
          via = { question = ["question.item_id", "question.copied_from_item_id"] }  # all of them

1 error in cache.toml
"#,
    );
}

#[test]
fn via_without_dependency() {
    shows(
        r#"
[model.video]
[model.plio]
references = { video_id = "video" }
depends-on = ["video"]
via = { vidoe = "video_id", item = "video_id" }
"#,
        r#"
error: `via` names `vidoe`, which `plio` does not depend on
 --> cache.toml:5:9
  |
5 | via = { vidoe = "video_id", item = "video_id" }
  |         ^^^^^ not in `depends-on`
  |
  = help: did you mean `video`?

error: `via` names `item`, which `plio` does not depend on
 --> cache.toml:5:29
  |
5 | via = { vidoe = "video_id", item = "video_id" }
  |                             ^^^^ not in `depends-on`
  |
  = help: remove it, or add the model to `depends-on`

2 errors in cache.toml
"#,
    );
}

#[test]
fn via_without_reference() {
    shows(
        r#"
[model.video]
[model.item]
[model.plio]
references = { video_id = "video" }
depends-on = ["video"]
via = { video = ["vidoe_id", "name", "itme.video_id", "item.video_id"] }
"#,
        r#"
error: `vidoe_id` is not a reference
 --> cache.toml:6:18
  |
6 | via = { video = ["vidoe_id", "name", "itme.video_id", "item.video_id"] }
  |                  ^^^^^^^^^^ not in the `references` of `plio`
  |
  = help: did you mean `video_id`?

error: `name` is not a reference
 --> cache.toml:6:30
  |
6 | via = { video = ["vidoe_id", "name", "itme.video_id", "item.video_id"] }
  |                              ^^^^^^ not in the `references` of `plio`
  |
  = help: the references of `plio` are `video_id`; name another model's as "model.column"

error: unknown model `itme`
 --> cache.toml:6:38
  |
6 | via = { video = ["vidoe_id", "name", "itme.video_id", "item.video_id"] }
  |                                      ^^^^^^^^^^^^^^^ no such model in this file
  |
  = help: did you mean `item`?

error: `item.video_id` is not a reference
 --> cache.toml:6:55
  |
6 | via = { video = ["vidoe_id", "name", "itme.video_id", "item.video_id"] }
  |                                                       ^^^^^^^^^^^^^^^ not in the `references` of `item`
  |
  = help: `item` has no references; name another model's as "model.column"

4 errors in cache.toml
"#,
    );
}

#[test]
fn via_on_no_path() {
    shows(
        r#"
[model.video]
[model.user]
[model.plio]
references = { video_id = "video", created_by_id = "user" }
depends-on = ["video"]
via = { video = "created_by_id" }
"#,
        r#"
error: no path from `plio` to `video` runs over `created_by_id`
 --> cache.toml:6:17
  |
5 | depends-on = ["video"]
  |               ------- the path to this one
6 | via = { video = "created_by_id" }
  |                 ^^^^^^^^^^^^^^^ leads elsewhere
  |
  = help: name a reference between the two, or remove the entry

1 error in cache.toml
"#,
    );
}

#[test]
fn cycle() {
    shows(
        r#"
[model.plio]
references = { created_by_id = "user" }
depends-on = ["user"]
[model.user]
references = { organization_id = "organization" }
depends-on = ["organization"]
[model.organization]
references = { newest_plio_id = "plio" }
depends-on = ["plio"]
via = { plio = "newest_plio_id" }
"#,
        r#"
error: a value would be built from itself
 --> cache.toml:9:15
  |
3 | depends-on = ["user"]
  |               ------ part of the cycle
...
6 | depends-on = ["organization"]
  |               -------------- part of the cycle
...
9 | depends-on = ["plio"]
  |               ^^^^^^ closes the cycle
  |
  = help: plio → user → organization → plio: remove one of these dependencies

1 error in cache.toml
"#,
    );
}

#[test]
fn depends_on_itself() {
    shows(
        r#"
[model.comment]
references = { parent_id = "comment" }
depends-on = ["comment"]
"#,
        r#"
error: a value would be built from itself
 --> cache.toml:3:15
  |
3 | depends-on = ["comment"]
  |               ^^^^^^^^^ the model itself
  |
  = help: comment → comment: remove it

1 error in cache.toml
"#,
    );
}
