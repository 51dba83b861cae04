//! Lists: their order, conditions, keys, names and settings.

use crate::lists::list_shows;

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
fn ordered_as_sql_is() {
    list_shows(
        r#"
[list.articles]
of = "article"
by = []
order = ["created_at desc"]
"#,
        r#"
error: `created_at desc` is no column to order by
  --> cache.toml:13:10
   |
13 | order = ["created_at desc"]
   |          ^^^^^^^^^^^^^^^^^ more than a name
   |
   = help: write "created_at", or "-created_at" where it descends

1 error in cache.toml
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
