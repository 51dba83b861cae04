//! Lists.

use crate::shows;

/// Whose lists they are.
const MODELS: &str = r#"
[model.user]
key = "user_{id}"
[model.article]
key = "article_{id}"
references = { author_id = "user" }
[model.article-tag]
references = { article_id = "article" }
[model.follow]
references = { follower_id = "user", followed_id = "user" }
"#;

#[track_caller]
fn list_shows(list: &str, expected: &str) {
    shows(&format!("{MODELS}{}", list.trim_start_matches('\n')), expected);
}

#[test]
fn a_list_of_nothing_and_by_nothing() {
    list_shows(
        r#"
[list.articles]
order = ["id"]
"#,
        r#"
error: the list `articles` does not say by what
  --> cache.toml:10:7
   |
10 | [list.articles]
   |       ^^^^^^^^ it has no `by`
   |
   = help: write an array of columns, such as ["created_by_id"] or ["article-tag.tag"]; or by = [], for one list of all rows

error: the list `articles` does not say of what
  --> cache.toml:10:7
   |
10 | [list.articles]
   |       ^^^^^^^^ it has no `of`
   |
   = help: name the model whose values it lists: of = "plio"

2 errors in cache.toml
"#,
    );
}

#[test]
fn a_list_of_an_unknown_model() {
    list_shows(
        r#"
[list.articles]
of = "artcle"
by = []
"#,
        r#"
error: unknown model `artcle`
  --> cache.toml:11:6
   |
11 | of = "artcle"
   |      ^^^^^^^^ no such model in this file
   |
   = help: did you mean `article`?

1 error in cache.toml
"#,
    );
}

#[test]
fn a_list_of_what_is_not_cached() {
    list_shows(
        r#"
[list.tags]
of = "article-tag"
by = ["article_id"]
"#,
        r#"
error: a list of `article-tag`, which is not cached
  --> cache.toml:11:6
   |
 6 | [model.article-tag]
   |        ----------- it has no `key`
...
11 | of = "article-tag"
   |      ^^^^^^^^^^^^^ has no values that could be listed
   |
   = help: cache it: key = "article_tag_{id}" in [model.article-tag]

1 error in cache.toml
"#,
    );
}

#[test]
fn by_a_column_of_an_unknown_model() {
    list_shows(
        r#"
[list.by-tag]
of = "article"
by = ["article-tags.tag"]
"#,
        r#"
error: unknown model `article-tags`
  --> cache.toml:12:7
   |
12 | by = ["article-tags.tag"]
   |       ^^^^^^^^^^^^^^^^^^ no such model in this file
   |
   = help: did you mean `article-tag`?

1 error in cache.toml
"#,
    );
}

#[test]
fn by_columns_of_two_other_models() {
    list_shows(
        r#"
[list.mixed]
of = "article"
by = ["article-tag.tag", "follow.follower_id"]
"#,
        r#"
error: the key of a list has columns of two other models
  --> cache.toml:12:26
   |
12 | by = ["article-tag.tag", "follow.follower_id"]
   |       -----------------  ^^^^^^^^^^^^^^^^^^^^ a column of `follow`
   |       |
   |       a column of `article-tag`
   |
   = help: a list runs over one path: leave one of them out

1 error in cache.toml
"#,
    );
}

#[test]
fn by_two_columns_of_one_name() {
    list_shows(
        r#"
[list.mixed]
of = "article"
by = ["tag", "article-tag.tag"]
"#,
        r#"
error: two columns of the key are called `tag`
  --> cache.toml:12:14
   |
12 | by = ["tag", "article-tag.tag"]
   |       -----  ^^^^^^^^^^^^^^^^^ again
   |       |
   |       first here
   |
   = help: a list's function takes each by its name: leave one of them out

1 error in cache.toml
"#,
    );
}

#[test]
fn by_what_is_not_connected() {
    list_shows(
        r#"
[model.weather]
[list.by-weather]
of = "article"
by = ["weather.day"]
"#,
        r#"
error: there is no path from `article` to `weather`
  --> cache.toml:13:7
   |
13 | by = ["weather.day"]
   |       ^^^^^^^^^^^^^ no references lead there
   |
   = help: declare the column that holds the other's id: references of `weather`, or of `article`

1 error in cache.toml
"#,
    );
}

#[test]
fn over_an_ambiguous_path() {
    list_shows(
        r#"
[list.near]
of = "article"
by = ["follow.kind"]
"#,
        r#"
error: the path from `article` to `follow` is ambiguous
  --> cache.toml:12:7
   |
12 | by = ["follow.kind"]
   |       ^^^^^^^^^^^^^ several shortest paths
   |
   = help: say which:
           via = "follow.follower_id"  # article.author_id → user ← follow.follower_id
           via = "follow.followed_id"  # article.author_id → user ← follow.followed_id

1 error in cache.toml
"#,
    );
}

#[test]
fn via_what_is_no_reference() {
    list_shows(
        r#"
[list.feed]
of = "article"
by = ["follow.follower_id"]
via = "follow.folowed_id"
"#,
        r#"
error: `follow.folowed_id` is not a reference
  --> cache.toml:13:7
   |
13 | via = "follow.folowed_id"
   |       ^^^^^^^^^^^^^^^^^^^ no model has it in its `references`
   |
   = help: did you mean `follow.followed_id`?

1 error in cache.toml
"#,
    );
}

#[test]
fn via_without_a_path() {
    list_shows(
        r#"
[list.by-author]
of = "article"
by = ["author_id"]
via = "author_id"
"#,
        r#"
error: `via` on the list `by-author`, which has no path
  --> cache.toml:13:7
   |
13 | via = "author_id"
   |       ^^^^^^^^^^^ the rows that it lists have its key
   |
   = help: remove it; or name the column of another model in `by`: ["article-tag.tag"]

1 error in cache.toml
"#,
    );
}

#[test]
fn ordered_by_another_models_column_and_by_one_twice() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
order = ["-user.name", "title", "-title"]
"#,
        r#"
error: a list cannot be ordered by another model's column
  --> cache.toml:13:10
   |
13 | order = ["-user.name", "title", "-title"]
   |          ^^^^^^^^^^^^ a column of `user`
   |
   = help: name a column of `article`

error: the list is ordered by `title` twice
  --> cache.toml:13:33
   |
13 | order = ["-user.name", "title", "-title"]
   |                        -------  ^^^^^^^^ again
   |                        |
   |                        first here
   |
   = help: remove one of them

2 errors in cache.toml
"#,
    );
}

#[test]
fn a_limit_of_zero() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
limit = 0
"#,
        r#"
error: `limit` is zero
  --> cache.toml:13:9
   |
13 | limit = 0
   |         ^ no id would be kept
   |
   = help: write a positive integer, such as 10000

1 error in cache.toml
"#,
    );
}

#[test]
fn compared_with_no_constant() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
"#,
        r#"
error: `code` is compared with no constant
  --> cache.toml:13:18
   |
13 | where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
   |                  ^^^^^^^^^^^^^^^^^^^^ no column holds an integer as large
   |
   = help: write a text, an integer, true or false; or { null = true }

error: `name` is compared with no constant
  --> cache.toml:13:47
   |
13 | where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
   |                                               ^^^^^^^^^ no column holds a text with a NUL
   |
   = help: write a text, an integer, true or false; or { null = true }

error: `score` is compared with no constant
  --> cache.toml:13:66
   |
13 | where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
   |                                                                  ^^^ this is a float
   |
   = help: write a text, an integer, true or false; or { null = true }

error: `tags` is compared with no constant
  --> cache.toml:13:78
   |
13 | where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
   |                                                                              ^^^^^ this is an array
   |
   = help: write a text, an integer, true or false; or { null = true }

error: `gone` is compared with no constant
  --> cache.toml:13:92
   |
13 | where = { code = 99999999999999999999, name = "a\u0000", score = 1.5, tags = ["a"], gone = { nul = true } }
   |                                                                                            ^^^^^^^^^^^^^^ this is a table
   |
   = help: write a text, an integer, true or false; or { null = true }

5 errors in cache.toml
"#,
    );
}

#[test]
fn a_condition_on_another_models_column() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
where = { "user.name" = "Ada" }
"#,
        r#"
error: a list cannot have a condition on another model's column
  --> cache.toml:13:11
   |
13 | where = { "user.name" = "Ada" }
   |           ^^^^^^^^^^^ a column of `user`
   |
   = help: name a column of `article`

1 error in cache.toml
"#,
    );
}

#[test]
fn a_key_that_lacks_what_it_is_by() {
    list_shows(
        r#"
[list.by-author]
of = "article"
by = ["author_id"]
key = "by_author_{author}"
[list.all]
of = "article"
by = []
key = "all_{id}"
"#,
        r#"
error: unknown column `author` in the key
  --> cache.toml:13:18
   |
13 | key = "by_author_{author}"
   |                  ^^^^^^^^ not in `by` of `by-author`
   |
   = help: a key is made of {author_id}

error: unknown column `id` in the key
  --> cache.toml:17:12
   |
17 | key = "all_{id}"
   |            ^^^^ not in `by` of `all`
   |
   = help: there is one list of all rows: its key has no column

2 errors in cache.toml
"#,
    );
}

#[test]
fn two_lists_with_one_key() {
    list_shows(
        r#"
[list.by-author]
of = "article"
by = ["author_id"]
key = "list_{author_id}"
[list.by-tag]
of = "article"
by = ["article-tag.tag"]
key = "list_{tag}"
"#,
        r#"
error: keys of `by-author` and `by-tag` can collide
  --> cache.toml:17:7
   |
13 | key = "list_{author_id}"
   |       ------------------ and so could `list_{author_id}`
...
17 | key = "list_{tag}"
   |       ^^^^^^^^^^^^ `list_{tag}` could be `list_1`
   |
   = help: begin each key with a word of its own, such as the model's name and `_`

1 error in cache.toml
"#,
    );
}

#[test]
fn a_list_with_the_name_of_a_getter() {
    list_shows(
        r#"
[list.get-many]
of = "article"
by = []
[list.By_Author]
of = "article"
by = ["author_id"]
"#,
        r#"
error: a list cannot be called `get-many`
  --> cache.toml:10:7
   |
10 | [list.get-many]
   |       ^^^^^^^^ its values are read by a function `get_many` already
   |
   = help: give it the name of what is in it, such as [list.plios-of-user]

error: `By_Author` cannot be the name of a list
  --> cache.toml:13:7
   |
13 | [list.By_Author]
   |       ^^^^^^^^^ names of lists are in kebab-case
   |
   = help: write [list.by-author]

2 errors in cache.toml
"#,
    );
}

#[test]
fn a_list_whose_default_key_meets_a_models() {
    list_shows(
        r#"
[list.article]
of = "article"
by = ["author_id"]
"#,
        r#"
error: two keys of `article` can collide
  --> cache.toml:10:7
   |
 4 | key = "article_{id}"
   |       -------------- and so could `article_{id}`
...
10 | [list.article]
   |       ^^^^^^^ `article_{author_id}` could be `article_1`
   |
   = help: begin each key with a word of its own, such as the model's name and `_`

1 error in cache.toml
"#,
    );
}

#[test]
fn what_a_strict_list_cannot_have() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
consistency = "strict"
near = { entries = 10 }
lease = "1s"
"#,
        r#"
error: `near` on a list that is strict
  --> cache.toml:14:1
   |
14 | near = { entries = 10 }
   | ^^^^ what a process remembers cannot be linearizable
   |
   = help: remove it, or `consistency = "strict"`

error: `lease` on a list that is strict
  --> cache.toml:15:1
   |
15 | lease = "1s"
   | ^^^^^ what another process loads may not be stored: nobody should wait for it
   |
   = help: remove it, or `consistency = "strict"`

2 errors in cache.toml
"#,
    );
}

#[test]
fn an_unknown_key() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
order-by = ["id"]
"#,
        r#"
error: unknown key `order-by`
  --> cache.toml:13:1
   |
13 | order-by = ["id"]
   | ^^^^^^^^ a list has no such key
   |
   = help: the keys here are `of`, `by`, `via`, `order`, `where`, `limit`, `key`, `ttl`, `jitter`, `codec`, `max-value`, `max-tags`, `grace`, `load-timeout`, `lease`, `near`, `on-write`, `verify`, `consistency`

1 error in cache.toml
"#,
    );
}
