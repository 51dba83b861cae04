//! Another value of the same rows.

use crate::shows;

#[test]
fn of_an_unknown_model() {
    shows(
        r#"
[model.article]
[model.thread]
of = "artcle"
key = "thread_{slug}"
"#,
        r#"
error: unknown model `artcle`
 --> cache.toml:3:6
  |
3 | of = "artcle"
  |      ^^^^^^^^ no such model in this file
  |
  = help: did you mean `article`?

1 error in cache.toml
"#,
    );
}

#[test]
fn of_another_value() {
    shows(
        r#"
[model.article]
[model.thread]
of = "article"
key = "thread_{id}"
[model.summary]
of = "thread"
key = "summary_{id}"
[model.self]
of = "self"
key = "self_{id}"
"#,
        r#"
error: `thread` has no rows of its own
 --> cache.toml:6:6
  |
6 | of = "thread"
  |      ^^^^^^^^ not a model with rows
  |
  = help: name the model of the rows: of = "article"

error: `self` would be another value of itself
 --> cache.toml:9:6
  |
9 | of = "self"
  |      ^^^^^^ not a model with rows
  |
  = help: name the model whose rows it is made of, or remove `of`

2 errors in cache.toml
"#,
    );
}

#[test]
fn it_says_nothing_of_the_rows_and_has_a_key() {
    shows(
        r#"
[model.article]
[model.thread]
of = "article"
table = "articles"
id = "slug"
"#,
        r#"
error: `thread` has no `key`
 --> cache.toml:2:8
  |
2 | [model.thread]
  |        ^^^^^^ another value of rows that are known already
3 | of = "article"
  |      --------- these
  |
  = help: cache it: key = "thread_{id}"; or remove it

error: `table` on another value of `article`
 --> cache.toml:4:1
  |
1 | [model.article]
  |        ------- which is said here
...
4 | table = "articles"
  | ^^^^^ says what the rows are
  |
  = help: move it to [model.article], or remove it

error: `id` on another value of `article`
 --> cache.toml:5:1
  |
1 | [model.article]
  |        ------- which is said here
...
5 | id = "slug"
  | ^^ says what the rows are
  |
  = help: move it to [model.article], or remove it

3 errors in cache.toml
"#,
    );
}

#[test]
fn a_reference_is_to_rows() {
    shows(
        r#"
[model.article]
[model.thread]
of = "article"
key = "thread_{id}"
depends-on = ["comment"]
[model.comment]
references = { article_id = "thread" }
"#,
        r#"
error: `thread` has no rows of its own
 --> cache.toml:7:29
  |
7 | references = { article_id = "thread" }
  |                             ^^^^^^^^ another value of `article`
  |
  = help: name the model of the rows, `article`: that reaches every value of them

1 error in cache.toml
"#,
    );
}

#[test]
fn it_is_beside_the_others_and_not_in_them() {
    shows(
        r#"
[model.article]
key = "article_{id}"
depends-on = ["thread"]
[model.thread]
of = "article"
key = "thread_{id}"
depends-on = ["article"]
"#,
        r#"
error: `article` cannot depend on `thread`
 --> cache.toml:3:15
  |
3 | depends-on = ["thread"]
  |               ^^^^^^^^ another value of the same rows
  |
  = help: remove it, and name what that value depends on, if this one has it as well

error: `thread` cannot depend on `article`
 --> cache.toml:7:15
  |
7 | depends-on = ["article"]
  |               ^^^^^^^^^ the rows that it is made of anyway
  |
  = help: remove it

2 errors in cache.toml
"#,
    );
}

#[test]
fn a_table_under_two_names() {
    shows(
        r#"
[model.article]
[model.thread]
table = "public.article"
[model.Article]
table = "Public.Article"
[model.other]
table = "other.article"
"#,
        r#"
error: `article` and `public.article` may be one table
 --> cache.toml:3:9
  |
1 | [model.article]
  |        ------- the table of `article`
2 | [model.thread]
3 | table = "public.article"
  |         ^^^^^^^^^^^^^^^^ the table of `thread`
  |
  = help: for another value of the same rows write `of = "article"` instead
          if they are two tables, write both with their schemas

error: `Article` cannot be the name of a model
 --> cache.toml:4:8
  |
4 | [model.Article]
  |        ^^^^^^^ names of models are in kebab-case
  |
  = help: write [model.article]

error: `article` and `Public.Article` may be one table
 --> cache.toml:5:9
  |
1 | [model.article]
  |        ------- the table of `article`
...
5 | table = "Public.Article"
  |         ^^^^^^^^^^^^^^^^ the table of `Article`
  |
  = help: for another value of the same rows write `of = "article"` instead
          if they are two tables, write both with their schemas

error: `article` and `other.article` may be one table
 --> cache.toml:7:9
  |
1 | [model.article]
  |        ------- the table of `article`
...
7 | table = "other.article"
  |         ^^^^^^^^^^^^^^^ the table of `other`
  |
  = help: for another value of the same rows write `of = "article"` instead
          if they are two tables, write both with their schemas

4 errors in cache.toml
"#,
    );
}
