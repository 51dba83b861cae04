//! Two values of the same rows: a comment reaches the thread, and not the article beside it. What a
//! path passes through needs nothing in the structs of values that do not go there.
#![deny(warnings)]

use cache_runtime::{Cached, Dependencies, Dialect, Rows, Tags, tag};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Article {
    id: i64,
    slug: String,
}

/// Without an id: no value asks which comments these are.
#[derive(Cached, Serialize, Deserialize)]
struct Comment {
    text: String,
}

#[derive(Cached, Serialize, Deserialize)]
struct Thread {
    id: i64,
    slug: String,
    comments: Vec<Comment>,
}

/// The hook names what is behind the article, which has its column.
#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("comment"))]
struct Digest {
    id: i64,
    article_id: i64,
    comments: usize,
}

impl Dependencies for Digest {
    fn dependencies(&self, tags: &mut Tags) {
        tags.add(tag!("comment#article_id"), &self.article_id);
    }
}

fn main() {
    let article = Article { id: 1, slug: "a".to_owned() };
    assert_eq!(tags(&article), ["article#id=1"]);
    let thread = Thread { id: 1, slug: "a".to_owned(), comments: Vec::new() };
    assert_eq!(tags(&thread), ["article#id=1", "comment#article_id=1"]);
    let digest = Digest { id: 1, article_id: 2, comments: 3 };
    assert_eq!(tags(&digest), ["article#id=2", "comment#article_id=2", "digest#id=1"]);

    assert_eq!((Article::key(1), Thread::key(1)), ("app:article_1".into(), "app:thread_1".into()));
    assert_eq!((Article::MODEL, Thread::MODEL), ("article", "thread"));
}

/// What its value registers.
fn tags<T: Cached>(value: &T) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres).built_from(T::NEEDS);
    value.tags(&mut tags);
    tags.finish().iter().map(ToString::to_string).collect()
}
