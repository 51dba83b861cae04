//! Key templates.

use crate::shows;

#[test]
fn unbalanced_braces() {
    shows(
        r#"
[model.plio]
key = "plio_{id"
[model.item]
key = "item_id}"
[model.user]
key = "user_{{id}}"
"#,
        r#"
error: unbalanced braces in the key
 --> cache.toml:2:13
  |
2 | key = "plio_{id"
  |             ^ this brace is never closed
  |
  = help: a column stands between braces, such as `{id}`; a literal cannot have any

error: unbalanced braces in the key
 --> cache.toml:4:15
  |
4 | key = "item_id}"
  |               ^ this brace closes nothing
  |
  = help: a column stands between braces, such as `{id}`; a literal cannot have any

error: unbalanced braces in the key
 --> cache.toml:6:13
  |
6 | key = "user_{{id}}"
  |             ^ this brace is never closed
  |
  = help: a column stands between braces, such as `{id}`; a literal cannot have any

error: unbalanced braces in the key
 --> cache.toml:6:18
  |
6 | key = "user_{{id}}"
  |                  ^ this brace closes nothing
  |
  = help: a column stands between braces, such as `{id}`; a literal cannot have any

4 errors in cache.toml
"#,
    );
}

#[test]
fn unknown_column() {
    shows(
        r#"
[model.plio]
key = "plio_{ids}"
[model.user]
id = ["tenant", "id"]
key = "user_{tenant}_{id}_{language}"
"#,
        r#"
error: unknown column `ids` in the key
 --> cache.toml:2:13
  |
2 | key = "plio_{ids}"
  |             ^^^^^ not in the id of `plio`
  |
  = help: did you mean `id`?

error: unknown column `language` in the key
 --> cache.toml:5:27
  |
5 | key = "user_{tenant}_{id}_{language}"
  |                           ^^^^^^^^^^ not in the id of `user`
  |
  = help: a key is made of {tenant}, {id}

2 errors in cache.toml
"#,
    );
}

#[test]
fn id_column_missing_or_twice() {
    shows(
        r#"
[model.plio]
id = ["tenant", "id"]
key = "plio_{id}"
[model.user]
key = "user_{id}_{id}"
"#,
        r#"
error: the key lacks the column `tenant`
 --> cache.toml:3:7
  |
3 | key = "plio_{id}"
  |       ^^^^^^^^^^^ two rows would have the same key
  |
  = help: name each of {tenant}, {id} once

error: the key names `id` more than once
 --> cache.toml:5:7
  |
5 | key = "user_{id}_{id}"
  |       ^^^^^^^^^^^^^^^^ once is enough
  |
  = help: name each of {id} once

2 errors in cache.toml
"#,
    );
}

/// A hyphen can be part of a value.
#[test]
fn nothing_between_two_columns() {
    shows(
        r#"
[model.plio]
id = ["tenant", "id"]
key = "plio_{tenant}-{id}"
"#,
        r#"
error: two columns in the key run into each other
 --> cache.toml:3:22
  |
3 | key = "plio_{tenant}-{id}"
  |                      ^^^^ nothing tells where the one before ends
  |
  = help: put `_` or `:` between them; letters, digits, `.`, `-` and `%` can be part of a value

1 error in cache.toml
"#,
    );
}

#[test]
fn characters() {
    shows(
        r#"
[cache]
prefix = "our app:"
[model.plio]
key = "plio {id}"
[model.user]
key = "usér_{id}"
"#,
        r#"
error: the prefix cannot contain ' '
 --> cache.toml:2:14
  |
2 | prefix = "our app:"
  |              ^ not a character of keys
  |
  = help: use printable ASCII without spaces and braces

error: a key cannot contain ' '
 --> cache.toml:4:12
  |
4 | key = "plio {id}"
  |            ^ not a printable ASCII character
  |
  = help: use letters, digits and punctuation; no spaces

error: a key cannot contain 'é'
 --> cache.toml:6:10
  |
6 | key = "usér_{id}"
  |          ^ not a printable ASCII character
  |
  = help: use letters, digits and punctuation; no spaces

3 errors in cache.toml
"#,
    );
}

#[test]
fn collision_of_two_models() {
    shows(
        r#"
[model.plio]
key = "p{id}"
[model.page]
key = "page{id}"
"#,
        r#"
error: keys of `plio` and `page` can collide
 --> cache.toml:4:7
  |
2 | key = "p{id}"
  |       ------- and so could `p{id}`
3 | [model.page]
4 | key = "page{id}"
  |       ^^^^^^^^^^ `page{id}` could be `page1`
  |
  = help: begin each key with a word of its own, such as the model's name and `_`

1 error in cache.toml
"#,
    );
}

#[test]
fn collision_with_a_lookup() {
    shows(
        r#"
[model.plio]
id = ["a", "b", "c", "d"]
key = "{a}_{b}_{c}_{d}"
[model.user]
key = "user:{id}"
lookup = ["uuid"]
"#,
        r#"
error: keys of `plio` and `user` can collide
 --> cache.toml:6:11
  |
3 | key = "{a}_{b}_{c}_{d}"
  |       ----------------- and so could `{a}_{b}_{c}_{d}`
...
6 | lookup = ["uuid"]
  |           ^^^^^^ `user_by_uuid_{uuid}` could be `user_by_uuid_1`
  |
  = help: begin each key with a word of its own, such as the model's name and `_`

1 error in cache.toml
"#,
    );
}

/// A tenant could be called "cache".
#[test]
fn reserved_for_the_runtime() {
    shows(
        r#"
[model.plio]
key = "cache:plio_{id}"
[model.user]
id = ["tenant", "id"]
key = "{tenant}:{id}"
"#,
        r#"
error: the key can start with `cache:`
 --> cache.toml:2:7
  |
2 | key = "cache:plio_{id}"
  |       ^^^^^^^^^^^^^^^^^ it could be `cache:plio_1`, reserved for the runtime
  |
  = help: begin it with another word, such as the model's name

error: the key can start with `cache:`
 --> cache.toml:5:7
  |
5 | key = "{tenant}:{id}"
  |       ^^^^^^^^^^^^^^^ it could be `cache:1`, reserved for the runtime
  |
  = help: begin it with another word, such as the model's name

2 errors in cache.toml
"#,
    );
}

#[test]
fn reserved_behind_a_prefix() {
    shows(
        r#"
[cache]
prefix = "cach"
[model.plio]
key = "e:{id}"
"#,
        r#"
error: the key can start with `cache:`
 --> cache.toml:4:7
  |
4 | key = "e:{id}"
  |       ^^^^^^^^ it could be `cache:1`, reserved for the runtime
  |
  = help: begin it with another word, such as the model's name

1 error in cache.toml
"#,
    );
}

#[test]
fn reserved_prefix() {
    shows(
        r#"
[cache]
prefix = "cache:app:"
[model.plio]
key = "plio_{id}"
"#,
        r#"
error: the prefix starts with `cache:`
 --> cache.toml:2:10
  |
2 | prefix = "cache:app:"
  |          ^^^^^^^^^^^^ reserved for the runtime
  |
  = help: start it with another word, such as "app:"

1 error in cache.toml
"#,
    );
}
