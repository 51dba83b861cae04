//! Syntax, keys and types.

use crate::shows;

/// Nothing else is said about a file that is not TOML.
#[test]
fn syntax_errors_all_at_once() {
    shows(
        r#"
[cache]
ttl =
[model.plio
key = "plio_{id}"
"#,
        r#"
error: this is not TOML: string values must be quoted
 --> cache.toml:2:6
  |
2 | ttl =
  |      ^ expected literal string

error: this is not TOML: unclosed table
 --> cache.toml:3:12
  |
3 | [model.plio
  |            ^ expected `]`

2 errors in cache.toml
"#,
    );
}

#[test]
fn what_the_end_cuts_off_is_missing_in_the_last_line() {
    shows(
        "[model.plio]\nkey = \"\"\"plio\n_{id}\n",
        r#"
error: this is not TOML: invalid multi-line basic string
 --> cache.toml:3:6
  |
3 | _{id}
  |      ^ expected `"`

1 error in cache.toml
"#,
    );
    let cut = cache_schema::Schema::parse("cache.toml", "a = \"\"\"b\n").expect_err("not whole");
    let places: Vec<String> = cut.iter().map(|it| it.position.to_string()).collect();
    assert_eq!(places, ["1:9"]);
}

#[test]
fn duplicate_keys_are_syntax_errors() {
    shows(
        r#"
[model.plio]
[model.plio]
"#,
        r#"
error: this is not TOML: duplicate key
 --> cache.toml:2:8
  |
2 | [model.plio]
  |        ^^^^

1 error in cache.toml
"#,
    );
}

#[test]
fn unknown_tables_and_keys() {
    shows(
        r#"
[models.plio]
[cache]
jiter = "10%"
[model.plio]
depends_on = ["video"]
colour = "red"
"#,
        r#"
error: unknown key `models`
 --> cache.toml:1:2
  |
1 | [models.plio]
  |  ^^^^^^ the file has no such key
  |
  = help: did you mean `model`?

error: unknown key `jiter`
 --> cache.toml:3:1
  |
3 | jiter = "10%"
  | ^^^^^ [cache] has no such key
  |
  = help: did you mean `jitter`?

error: unknown key `depends_on`
 --> cache.toml:5:1
  |
5 | depends_on = ["video"]
  | ^^^^^^^^^^ a model has no such key
  |
  = help: did you mean `depends-on`?

error: unknown key `colour`
 --> cache.toml:6:1
  |
6 | colour = "red"
  | ^^^^^^ a model has no such key
  |
  = help: the keys here are `of`, `table`, `id`, `key`, `version`, `ttl`, `jitter`, `negative-ttl`, `codec`, `max-value`, `max-tags`, `grace`, `load-timeout`, `lease`, `near`, `on-write`, `verify`, `consistency`, `lookup`, `references`, `depends-on`, `via`, `ignores`

4 errors in cache.toml
"#,
    );
}

#[test]
fn wrong_types() {
    shows(
        r#"
[cache]
ttl = 300
[model]
video = "video"
[model.plio]
key = ["plio_{id}"]
depends-on = "video"
references = ["video_id"]
lookup = [1]
"#,
        r#"
error: `ttl` is of the wrong type
 --> cache.toml:2:7
  |
2 | ttl = 300
  |       ^^^ this is an integer
  |
  = help: write integers with units (d, h, m, s, ms) in a string, such as "90s" or "1h30m"

error: `model.video` is of the wrong type
 --> cache.toml:4:9
  |
4 | video = "video"
  |         ^^^^^^^ this is a string
  |
  = help: write [model.video]

error: `key` is of the wrong type
 --> cache.toml:6:7
  |
6 | key = ["plio_{id}"]
  |       ^^^^^^^^^^^^^ this is an array
  |
  = help: write a template, such as "plio_{id}"

error: `depends-on` is of the wrong type
 --> cache.toml:7:14
  |
7 | depends-on = "video"
  |              ^^^^^^^ this is a string
  |
  = help: write an array of models, such as ["video"]

error: `references` is of the wrong type
 --> cache.toml:8:14
  |
8 | references = ["video_id"]
  |              ^^^^^^^^^^^^ this is an array
  |
  = help: write a table of columns and models, such as { video_id = "video" }

error: `lookup` is of the wrong type
 --> cache.toml:9:11
  |
9 | lookup = [1]
  |           ^ this is an integer
  |
  = help: write an array of columns, such as ["id"]

6 errors in cache.toml
"#,
    );
}

#[test]
fn empty_arrays() {
    shows(
        r#"
[model.user]
[model.plio]
id = []
references = { created_by_id = "user" }
depends-on = ["user"]
via = { user = [] }
"#,
        r#"
error: `id` is empty
 --> cache.toml:3:6
  |
3 | id = []
  |      ^^ a row is known by at least one column
  |
  = help: write a column, such as "id", or several, such as ["tenant", "id"]

error: `via` names no reference for `user`
 --> cache.toml:6:16
  |
6 | via = { user = [] }
  |                ^^ this is empty
  |
  = help: write a reference, such as "created_by_id" or "item.plio_id", or an array of them

2 errors in cache.toml
"#,
    );
}

#[test]
fn listed_twice() {
    shows(
        r#"
[model.video]
[model.plio]
key = "plio_{id}"
references = { video_id = "video" }
depends-on = ["video", "video"]
ignores = ["seen", "seen"]
lookup = ["uuid", "uuid"]
"#,
        r#"
error: `video` is listed twice in `depends-on`
 --> cache.toml:5:24
  |
5 | depends-on = ["video", "video"]
  |               -------  ^^^^^^^ listed again
  |               |
  |               first listed here
  |
  = help: remove one of them

error: `seen` is listed twice in `ignores`
 --> cache.toml:6:20
  |
6 | ignores = ["seen", "seen"]
  |            ------  ^^^^^^ listed again
  |            |
  |            first listed here
  |
  = help: remove one of them

error: `uuid` is listed twice in `lookup`
 --> cache.toml:7:19
  |
7 | lookup = ["uuid", "uuid"]
  |           ------  ^^^^^^ listed again
  |           |
  |           first listed here
  |
  = help: remove one of them

3 errors in cache.toml
"#,
    );
}

#[test]
fn keys_that_need_a_key() {
    shows(
        r#"
[model.plio]
ttl = "1h"
jitter = "5%"
negative-ttl = "10s"
codec = "json"
lookup = ["uuid"]
"#,
        r#"
error: `ttl` on a model that is not cached
 --> cache.toml:2:1
  |
2 | ttl = "1h"
  | ^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `jitter` on a model that is not cached
 --> cache.toml:3:1
  |
3 | jitter = "5%"
  | ^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `negative-ttl` on a model that is not cached
 --> cache.toml:4:1
  |
4 | negative-ttl = "10s"
  | ^^^^^^^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `codec` on a model that is not cached
 --> cache.toml:5:1
  |
5 | codec = "json"
  | ^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `lookup` on a model that is not cached
 --> cache.toml:6:1
  |
6 | lookup = ["uuid"]
  | ^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

5 errors in cache.toml
"#,
    );
}
