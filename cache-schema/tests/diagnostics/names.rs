//! What names stand for.

use crate::shows;

#[test]
fn model_names_are_kebab_case() {
    shows(
        r#"
[model.OrganizationUser]
[model."2nd"]
"#,
        r#"
error: `OrganizationUser` cannot be the name of a model
 --> cache.toml:1:8
  |
1 | [model.OrganizationUser]
  |        ^^^^^^^^^^^^^^^^ names of models are in kebab-case
  |
  = help: write [model.organization-user]

error: `2nd` cannot be the name of a model
 --> cache.toml:2:8
  |
2 | [model."2nd"]
  |        ^^^^^ names of models are in kebab-case
  |
  = help: use small letters and digits, words joined by `-`: [model.organization-user]

2 errors in cache.toml
"#,
    );
}

#[test]
fn tables_columns_and_the_outbox_are_identifiers() {
    shows(
        r#"
[outbox]
table = "cache-outbox"
[model.video]
table = "a.b.c"
id = "i d"
[model.plio]
references = { "video-id" = "video" }
ignores = ["2nd"]
"#,
        r#"
error: `cache-outbox` cannot be the name of the outbox
 --> cache.toml:2:9
  |
2 | table = "cache-outbox"
  |         ^^^^^^^^^^^^^^ not an SQL identifier
  |
  = help: use letters, digits and `_`, not beginning with a digit

error: `a.b.c` cannot be the name of a table
 --> cache.toml:4:9
  |
4 | table = "a.b.c"
  |         ^^^^^^^ not an SQL identifier
  |
  = help: write "table" or "schema.table", of letters, digits and `_`

error: `i d` cannot be the name of a column
 --> cache.toml:5:6
  |
5 | id = "i d"
  |      ^^^^^ not an SQL identifier
  |
  = help: use letters, digits and `_`, not beginning with a digit

error: `video-id` cannot be the name of a column
 --> cache.toml:7:16
  |
7 | references = { "video-id" = "video" }
  |                ^^^^^^^^^^ not an SQL identifier
  |
  = help: use letters, digits and `_`, not beginning with a digit

error: `2nd` cannot be the name of a column
 --> cache.toml:8:12
  |
8 | ignores = ["2nd"]
  |            ^^^^^ not an SQL identifier
  |
  = help: use letters, digits and `_`, not beginning with a digit

5 errors in cache.toml
"#,
    );
}

#[test]
fn two_models_of_one_table() {
    shows(
        r#"
[model.organization-user]
[model.member]
table = "organization_user"
"#,
        r#"
error: two models have the table `organization_user`
 --> cache.toml:3:9
  |
1 | [model.organization-user]
  |        ----------------- the table of `organization-user`
2 | [model.member]
3 | table = "organization_user"
  |         ^^^^^^^^^^^^^^^^^^^ the table of `member`
  |
  = help: for another value of the same rows write `of = "organization-user"` instead

1 error in cache.toml
"#,
    );
}

#[test]
fn a_name_too_long_for_its_triggers() {
    shows(
        r#"
[model.a-name-that-only-somebody-who-likes-long-names-would-choose]
"#,
        r#"
error: the name `a-name-that-only-somebody-who-likes-long-names-would-choose` is too long
 --> cache.toml:1:8
  |
1 | [model.a-name-that-only-somebody-who-likes-long-names-would-choose]
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a trigger would be called `cache_outbox_a_name_that_only_somebody_who_likes_long_names_would_choose_truncate`: 81 characters
  |
  = help: PostgreSQL's names have up to 63: shorten the model's name (its `table` can stay), or the outbox's

1 error in cache.toml
"#,
    );
}

/// The path to what is misspelt is not missed as well.
#[test]
fn unknown_models() {
    shows(
        r#"
[model.video]
[model.user]
[model.plio]
references = { video_id = "vidoe", owner_id = "owner" }
depends-on = ["usr", "image"]
"#,
        r#"
error: unknown model `vidoe`
 --> cache.toml:4:27
  |
4 | references = { video_id = "vidoe", owner_id = "owner" }
  |                           ^^^^^^^ no such model in this file
  |
  = help: did you mean `video`?

error: unknown model `owner`
 --> cache.toml:4:47
  |
4 | references = { video_id = "vidoe", owner_id = "owner" }
  |                                               ^^^^^^^ no such model in this file
  |
  = help: declare it: [model.owner]

error: unknown model `usr`
 --> cache.toml:5:15
  |
5 | depends-on = ["usr", "image"]
  |               ^^^^^ no such model in this file
  |
  = help: did you mean `user`?

error: unknown model `image`
 --> cache.toml:5:22
  |
5 | depends-on = ["usr", "image"]
  |                      ^^^^^^^ no such model in this file
  |
  = help: declare it: [model.image]

4 errors in cache.toml
"#,
    );
}

#[test]
fn as_many_columns_as_the_id() {
    shows(
        r#"
[model.video]
id = ["tenant", "id"]
[model.user]
[model.plio]
references = { video_id = "video", "tenant, user_id" = "user" }
"#,
        r#"
error: the reference has 1 column, the id of `video` has 2
 --> cache.toml:5:16
  |
1 | [model.video]
  |        ----- its id is (tenant, id)
...
5 | references = { video_id = "video", "tenant, user_id" = "user" }
  |                ^^^^^^^^ 1 column
  |
  = help: name 2 columns of `plio`, in the order of (tenant, id)

error: the reference has 2 columns, the id of `user` has 1
 --> cache.toml:5:36
  |
3 | [model.user]
  |        ---- its id is (id)
4 | [model.plio]
5 | references = { video_id = "video", "tenant, user_id" = "user" }
  |                                    ^^^^^^^^^^^^^^^^^ 2 columns
  |
  = help: name 1 column of `plio`, in the order of (id)

2 errors in cache.toml
"#,
    );
}

#[test]
fn a_column_twice_in_a_reference() {
    shows(
        r#"
[model.video]
id = ["tenant", "id"]
[model.plio]
references = { "tenant, tenant" = "video", "a, b" = "video", "a,b" = "video" }
"#,
        r#"
error: `tenant` is listed twice in a reference
 --> cache.toml:4:16
  |
4 | references = { "tenant, tenant" = "video", "a, b" = "video", "a,b" = "video" }
  |                ^^^^^^^^^^^^^^^^ listed twice
  |
  = help: name each column once

error: two references over the same columns
 --> cache.toml:4:62
  |
4 | references = { "tenant, tenant" = "video", "a, b" = "video", "a,b" = "video" }
  |                                            ------ first here ^^^^^ again
  |
  = help: remove one of them

2 errors in cache.toml
"#,
    );
}

#[test]
fn ignores_what_something_hangs_on() {
    shows(
        r#"
[model.video]
[model.plio]
key = "plio_{id}"
lookup = ["uuid"]
references = { video_id = "video" }
ignores = ["id", "video_id", "uuid", "seen"]
"#,
        r#"
error: `id` cannot be ignored
 --> cache.toml:6:12
  |
6 | ignores = ["id", "video_id", "uuid", "seen"]
  |            ^^^^ part of the id
  |
  = help: remove it from `ignores`

error: `video_id` cannot be ignored
 --> cache.toml:6:18
  |
6 | ignores = ["id", "video_id", "uuid", "seen"]
  |                  ^^^^^^^^^^ a reference: a path may run over it
  |
  = help: remove it from `ignores`

error: `uuid` cannot be ignored
 --> cache.toml:6:30
  |
6 | ignores = ["id", "video_id", "uuid", "seen"]
  |                              ^^^^^^ values are got by it: it is in `lookup`
  |
  = help: remove it from `ignores`

3 errors in cache.toml
"#,
    );
}

#[test]
fn lookup_by_the_id() {
    shows(
        r#"
[model.plio]
key = "plio_{id}"
lookup = ["id"]
"#,
        r#"
error: `id` is the id of `plio`
 --> cache.toml:3:11
  |
3 | lookup = ["id"]
  |           ^^^^ values are got by it already
  |
  = help: remove it; `lookup` is for other unique columns

1 error in cache.toml
"#,
    );
}
