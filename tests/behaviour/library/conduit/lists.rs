//! Lists of articles: which ids are in them, in which order, and how they are read.

use cache_runtime::{IfNoneMatch, Json};
use conduit::{Article, Db, UserName};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Town, id};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_list_is_read_by_pages),
        story!(beyond_its_limit_the_database_is_asked),
        story!(a_page_is_an_answer_with_a_tag_of_all_that_is_in_it),
        story!(a_list_within_a_transaction_is_as_that_sees_it),
    ]
}

/// What a reader sees of all lists: of all articles, of four authors, of three tags, of what three
/// users like, and of what is new for these.
macro_rules! lists {
    ($reader:expr) => {{
        let mut lists = Vec::new();
        lists.push(Article::articles($reader).ids().await.expect("it can be read"));
        for author in 1..=4 {
            let list = Article::articles_by_author($reader, id(author));
            lists.push(list.ids().await.expect("it can be read"));
        }
        for name in NAMES {
            let list = Article::articles_of($reader, UserName(name.to_owned()));
            lists.push(list.ids().await.expect("it can be read"));
        }
        for tag in TAGS {
            let list = Article::articles_by_tag($reader, tag);
            lists.push(list.ids().await.expect("it can be read"));
        }
        for user in 1..=3 {
            let list = Article::favorites($reader, id(user));
            lists.push(list.ids().await.expect("it can be read"));
        }
        for user in 1..=3 {
            let list = Article::feed($reader, id(user));
            lists.push(list.ids().await.expect("it can be read"));
        }
        lists
    }};
}

pub(super) use lists;

/// As somebody types them.
pub const NAMES: [&str; 3] = ["Ada", "ADA", "grace"];

pub const TAGS: [&str; 3] = ["steam", "brass", "iron"];

/// The names of the articles with these numbers.
pub fn numbered(numbers: &[u128]) -> Vec<Uuid> {
    numbers.iter().copied().map(id).collect()
}

impl Town {
    /// Six articles in all, the newest of the highest number: three by Ada, two by Grace, and a
    /// draft of hers.
    pub async fn with_articles(self) -> Town {
        self.sql(
            "UPDATE article SET created_at = 11 WHERE id = {11}; UPDATE article SET created_at = 12 WHERE id = {12};
             INSERT INTO article (id, slug, title, author_id, created_at, is_draft) VALUES
               ({13}, 'bugs', 'On bugs', {2}, 13, FALSE), ({14}, 'ships', 'On ships', {2}, 14, FALSE),
               ({15}, 'notes', 'Notes', {1}, 15, FALSE), ({16}, 'draft', 'A draft', {2}, 16, TRUE);
             INSERT INTO article_tag VALUES ({13}, 'steam'), ({16}, 'steam');
             INSERT INTO favorite VALUES ({2}, {14}), ({1}, {14});
             INSERT INTO follow VALUES ({3}, {1}), ({3}, {4})",
        )
        .await;
        self.told().await;
        self
    }
}

async fn a_list_is_read_by_pages(town: Town) {
    let town = town.with_articles().await;
    let cache = town.cache();
    let by_ada = || Article::articles_by_author(cache, id(1));
    for _ in ["loaded", "stored"] {
        assert_eq!(by_ada().ids().await.expect("it can be read"), numbered(&[15, 12, 11]));
        assert_eq!(by_ada().count().await.expect("it can be read"), 3);
        let page = by_ada().page(1, 1).await.expect("it can be read");
        assert_eq!(page.iter().map(|it| &*it.title).collect::<Vec<_>>(), ["On looms"]);
        let after = by_ada().after(id(15), 10).await.expect("it can be read");
        assert_eq!(after.iter().map(|it| it.id).collect::<Vec<_>>(), numbered(&[12, 11]));
        assert!(by_ada().page(3, 10).await.expect("it can be read").is_empty());
        assert!(by_ada().page(1000, usize::MAX).await.expect("it can be read").is_empty());
        assert!(by_ada().page(0, 0).await.expect("it can be read").is_empty());
        assert!(by_ada().after(id(11), 10).await.expect("it can be read").is_empty());
        let gone = by_ada().after(id(13), 10).await.expect_err("that is by Grace");
        assert!(gone.is_not_listed(), "{gone}");
    }
    let [_, process] = &town.processes;
    let mut before = process.1.loads("articles-by-author");
    for list in [numbered(&[14, 13]), Vec::new(), Vec::new()] {
        let author = id(if list.is_empty() { 3 } else { 2 });
        let listed = Article::articles_by_author(&process.0, author).ids().await;
        assert_eq!(listed.expect("it can be read"), list);
        before += 1;
    }
    assert_eq!(process.1.loads("articles-by-author"), before - 1, "that there is none is stored");
    assert_eq!(
        lists!(cache),
        [
            numbered(&[15, 14, 13, 12, 11]),
            numbered(&[15, 12, 11]),
            numbered(&[14, 13]),
            vec![],
            vec![],
            numbered(&[15, 12, 11]),
            numbered(&[15, 12, 11]),
            numbered(&[14, 13]),
            numbered(&[13, 11]),
            numbered(&[11]),
            vec![],
            numbered(&[14]),
            numbered(&[14, 11]),
            vec![],
            vec![],
            vec![],
            numbered(&[15, 12, 11]),
        ]
    );
}

async fn beyond_its_limit_the_database_is_asked(town: Town) {
    let town = town.with_articles().await;
    let all = || Article::articles(town.cache());
    let ids = async |from, limit| {
        let page = all().page(from, limit).await.expect("it can be read");
        page.iter().map(|it| it.id).collect::<Vec<_>>()
    };
    for _ in ["loaded", "stored"] {
        assert_eq!(ids(0, 3).await, numbered(&[15, 14, 13]), "as many as are kept");
        assert_eq!(ids(1, 3).await, numbered(&[14, 13, 12]));
        assert_eq!(ids(4, 3).await, numbered(&[11]));
        assert_eq!(ids(5, 3).await, numbered(&[]));
        assert_eq!(all().count().await.expect("it can be read"), 5);
        assert_eq!(all().ids().await.expect("it can be read").len(), 5);
        for (before, after) in
            [(14, vec![13, 12]), (13, vec![12, 11]), (12, vec![11]), (11, vec![])]
        {
            let page = all().after(id(before), 2).await.expect("it can be read");
            let page: Vec<Uuid> = page.iter().map(|it| it.id).collect();
            assert_eq!(page, numbered(&after), "after {before}");
        }
        for not_there in [16, 99] {
            let error = all().after(id(not_there), 2).await.expect_err("a draft; nothing");
            assert!(error.is_not_listed(), "{error}");
        }
    }
    let status = all().fetch_json(0, 3).await.expect("it can be read").status.to_string();
    assert!(status.ends_with("; hit"), "{status}");
    let status = all().fetch_json(2, 3).await.expect("it can be read").status.to_string();
    assert!(status.ends_with("; fwd=bypass"), "{status}");
}

/// Of the articles in an answer, which has no ids.
fn slugs(page: &Json) -> Vec<String> {
    let articles: serde_json::Value = serde_json::from_slice(page.bytes()).expect("JSON");
    let articles = articles.as_array().expect("a page").iter();
    articles.map(|article| article["slug"].as_str().expect("a slug").to_owned()).collect()
}

async fn a_page_is_an_answer_with_a_tag_of_all_that_is_in_it(town: Town) {
    let town = town.with_articles().await;
    let page = async || {
        let page = Article::articles_by_author(town.cache(), id(1)).fetch_json(0, 2).await;
        page.expect("it can be read").value.expect("a page, be it empty")
    };
    let first = page().await;
    assert_eq!(slugs(&first), ["notes", "looms"]);
    assert_eq!(page().await.etag(), first.etag());

    town.sql("UPDATE \"user\" SET bio = 'a countess' WHERE id = {1}").await;
    town.told().await;
    let changed = page().await;
    assert_ne!(changed.etag(), first.etag(), "a value in it is another");
    let response = changed.respond(&IfNoneMatch::default());
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["etag"].to_str().expect("a tag"), changed.etag());

    let none = Article::articles_by_author(town.cache(), id(4)).fetch_json(0, 2).await;
    assert_eq!(none.expect("it can be read").value.expect("an empty one").bytes(), "[]");
    let after = Article::articles_by_author(town.cache(), id(1)).fetch_json_after(id(12), 2).await;
    let after = after.expect("it can be read").value.expect("a page");
    assert_eq!(slugs(&after), ["engines"]);
}

async fn a_list_within_a_transaction_is_as_that_sees_it(town: Town) {
    let town = town.with_articles().await;
    let cache = town.cache();
    in_transaction!(town, 0, tx => {
        let sql = town.spelt("UPDATE article SET author_id = {1} WHERE id = {14}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.expect("written");
        let by_ada = Article::articles_by_author(&mut tx, id(1)).page(0, 2).await;
        let by_ada: Vec<Uuid> = by_ada.expect("it can be read").iter().map(|it| it.id).collect();
        assert_eq!(by_ada, numbered(&[15, 14]));
        assert_eq!(Article::articles_by_author(&mut tx, id(1)).count().await.expect("it can"), 4);
        let after = Article::feed(&mut tx, id(3)).after(id(14), 1).await.expect("it can be read");
        assert_eq!(after[0].id, id(12));
        let error = Article::articles(&mut tx).after(id(99), 1).await.expect_err("nothing");
        assert!(error.is_not_listed(), "{error}");
        let outside = Article::articles_by_author(cache, id(1)).count().await;
        assert_eq!(outside.expect("it can be read"), 3, "it is not committed");
    });
    assert_eq!(Article::articles_by_author(cache, id(1)).count().await.expect("it can"), 4);
}

impl Town {
    /// What this process reads, against what a transaction does.
    pub async fn lists_are_as_in_the_database(&self, process: usize) {
        let (cache, _) = &self.processes[process];
        let lists = lists!(cache);
        in_transaction!(self, process, tx => {
            assert_eq!(lists, lists!(&mut tx));
        });
    }
}
