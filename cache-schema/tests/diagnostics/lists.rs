//! Lists: of what, by what, and over which path.

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
pub(crate) fn list_shows(list: &str, expected: &str) {
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
fn via_the_key_itself() {
    list_shows(
        r#"
[list.feed]
of = "article"
by = ["follow.follower_id"]
via = "follow.follower_id"
"#,
        r#"
error: there is no path from `article` to `follow`
  --> cache.toml:13:7
   |
13 | via = "follow.follower_id"
   |       ^^^^^^^^^^^^^^^^^^^^ this is the key itself: a path begins with another reference
   |
   = help: name a reference between the two in `via`, or remove it

1 error in cache.toml
"#,
    );
}

#[test]
fn a_list_of_what_is_not_cached_and_has_two_columns() {
    list_shows(
        r#"
[model.like]
id = ["user_id", "article_id"]
[list.likes]
of = "like"
by = ["user_id"]
"#,
        r#"
error: a list of `like`, which is not cached
  --> cache.toml:13:6
   |
10 | [model.like]
   |        ---- it has no `key`
...
13 | of = "like"
   |      ^^^^^^ has no values that could be listed
   |
   = help: cache it: key = "like_{user_id}_{article_id}" in [model.like]

1 error in cache.toml
"#,
    );
}
