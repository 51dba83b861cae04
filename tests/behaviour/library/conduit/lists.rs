//! Lists of articles: which ids are in them, in which order; what moves them, and that nothing else
//! does.

use cache_runtime::{IfNoneMatch, Json, Verdict};
use conduit::{Article, Db};
use fastrand::Rng;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Town, id};
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, Story, Without};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_list_is_read_by_pages),
        story!(beyond_its_limit_the_database_is_asked),
        story!(a_page_is_an_answer_with_a_tag_of_all_that_is_in_it),
        story!(a_write_reaches_the_lists_that_it_moves_and_no_others)
            .without_relay("a row that two deliver invalidates twice"),
        story!(a_row_that_moves_is_where_it_is_and_nowhere_else),
        story!(more_than_a_list_keeps_leads_to_it).without_relay("it counts loads"),
        story!(a_load_that_a_write_overlaps_is_not_kept).without_relay("it counts loads"),
        story!(a_list_within_a_transaction_is_as_that_sees_it),
        story!(a_strict_list_is_as_it_is_from_the_commit_on),
        story!(a_thousand_moves_by_two_processes),
    ]
}

/// Without what, and which stories notice.
pub fn mutants() -> Vec<(Without, Vec<Story>)> {
    let moves = || story!(a_row_that_moves_is_where_it_is_and_nowhere_else);
    let overlap = || story!(a_load_that_a_write_overlaps_is_not_kept);
    vec![
        (Without::OldKeys, vec![moves()]),
        (Without::OrderColumn, vec![moves()]),
        (Without::Fence, vec![overlap()]),
        (Without::Outbox, vec![moves(), overlap()]),
        (Without::Block, vec![story!(a_strict_list_is_as_it_is_from_the_commit_on)]),
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

const TAGS: [&str; 3] = ["steam", "brass", "iron"];

/// The names of the articles with these numbers.
pub(super) fn numbered(numbers: &[u128]) -> Vec<Uuid> {
    numbers.iter().copied().map(id).collect()
}

impl Town {
    /// Six articles in all, the newest of the highest number: three by Ada, two by Grace, and a
    /// draft of hers.
    pub(super) async fn with_articles(self) -> Town {
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

/// The lists that the writes are about: of Ada, of what is driven by steam, of what Grace likes, of
/// those whom Edsger follows; and of all articles.
const WATCHED: [&str; 5] =
    ["articles-by-author", "articles-by-tag", "favorites", "feed", "articles"];

/// The write; and whether it moves each of these.
const WRITES: &[(&str, [bool; 5])] = &[
    ("UPDATE article SET title = 'On machines' WHERE id = {11}", [false; 5]),
    ("UPDATE article SET slug = 'machines' WHERE id = {11}", [false; 5]),
    ("UPDATE \"user\" SET bio = 'a countess' WHERE id = {1}", [false; 5]),
    ("INSERT INTO comment VALUES (9, 'Ninth', FALSE, {11}, {3})", [false; 5]),
    // Its place: in all that it is in.
    ("UPDATE article SET created_at = 99 WHERE id = {11}", [true, true, true, true, true]),
    ("UPDATE article SET created_at = 98 WHERE id = {15}", [true, false, false, true, true]),
    ("UPDATE article SET created_at = 97 WHERE id = {13}", [false, true, false, false, true]),
    // Not that of a draft, which is in none, though a tag leads to it.
    ("UPDATE article SET created_at = 96 WHERE id = {16}", [false; 5]),
    ("UPDATE article SET is_draft = FALSE WHERE id = {16}", [false, true, false, false, true]),
    (
        "UPDATE article SET is_draft = TRUE WHERE id IN ({16}, {15})",
        [true, true, false, true, true],
    ),
    ("UPDATE article SET is_draft = TRUE WHERE id = {15}", [false; 5]),
    (
        "INSERT INTO article (id, slug, title, author_id, is_draft) VALUES ({20}, 'x', 'X', {1}, TRUE)",
        [false; 5],
    ),
    ("DELETE FROM article WHERE id = {20}", [false; 5]),
    (
        "INSERT INTO article (id, slug, title, author_id) VALUES ({21}, 'y', 'Y', {1})",
        [true, false, false, true, true],
    ),
    (
        "INSERT INTO article (id, slug, title, author_id) VALUES ({22}, 'z', 'Z', {3})",
        [false, false, false, false, true],
    ),
    // To another author: from the one list into the other.
    ("UPDATE article SET author_id = {4} WHERE id = {21}", [true, false, false, true, false]),
    ("UPDATE article SET author_id = {2} WHERE id = {21}", [false, false, false, true, false]),
    ("UPDATE article SET author_id = {3} WHERE id = {21}", [false; 5]),
    ("UPDATE article SET created_at = 94 WHERE id = {14}", [false, false, true, false, true]),
    ("INSERT INTO article_tag VALUES ({12}, 'steam')", [false, true, false, false, false]),
    (
        "UPDATE article_tag SET tag = 'iron' WHERE article_id = {12}",
        [false, true, false, false, false],
    ),
    ("UPDATE article_tag SET article_id = {14} WHERE article_id = {12}", [false; 5]),
    (
        "UPDATE article_tag SET tag = 'steam' WHERE article_id = {14}",
        [false, true, false, false, false],
    ),
    ("DELETE FROM article_tag WHERE article_id = {14}", [false, true, false, false, false]),
    ("INSERT INTO favorite VALUES ({3}, {12})", [false; 5]),
    ("UPDATE favorite SET user_id = {2} WHERE user_id = {3}", [false, false, true, false, false]),
    (
        "DELETE FROM favorite WHERE user_id = {2} AND article_id = {12}",
        [false, false, true, false, false],
    ),
    ("INSERT INTO follow VALUES ({2}, {1})", [false; 5]),
    ("INSERT INTO follow VALUES ({3}, {2})", [false, false, false, true, false]),
    (
        "DELETE FROM follow WHERE follower_id = {3} AND followed_id = {2}",
        [false, false, false, true, false],
    ),
    ("UPDATE article SET created_at = 95 WHERE id = {22}", [false, false, false, false, true]),
    ("DELETE FROM article WHERE id = {11}", [true, true, true, true, true]),
];

async fn a_write_reaches_the_lists_that_it_moves_and_no_others(town: Town) {
    let town = town.with_articles().await;
    let (cache, events) = &town.processes[0];
    let read = async || {
        let lists = [
            Article::articles_by_author(cache, id(1)).ids().await,
            Article::articles_by_tag(cache, "steam").ids().await,
            Article::favorites(cache, id(2)).ids().await,
            Article::feed(cache, id(3)).ids().await,
            Article::articles(cache).page(0, 3).await.map(|it| it.iter().map(|it| it.id).collect()),
        ];
        lists.map(|list: Result<Vec<Uuid>, _>| list.expect("it can be read"))
    };
    for (write, moves) in WRITES {
        read().await;
        town.sql(write).await;
        town.told().await;
        events.forget();
        read().await;
        assert_eq!(WATCHED.map(|list| events.loads(list) > 0), *moves, "after {write}");
        town.lists_are_as_in_the_database(0).await;
    }
}

/// From one list into another, and within one.
async fn a_row_that_moves_is_where_it_is_and_nowhere_else(town: Town) {
    let town = town.with_articles().await;
    for (write, by_ada, by_grace) in [
        ("UPDATE article SET slug = slug", [15, 12, 11].as_slice(), [14, 13].as_slice()),
        ("UPDATE article SET author_id = {2} WHERE id = {12}", &[15, 11], &[14, 13, 12]),
        ("UPDATE article SET created_at = 99 WHERE id = {11}", &[11, 15], &[14, 13, 12]),
        ("UPDATE article SET created_at = 0 WHERE id = {14}", &[11, 15], &[13, 12, 14]),
        (
            "UPDATE article SET author_id = {1}, is_draft = TRUE WHERE id = {13}",
            &[11, 15],
            &[12, 14],
        ),
    ] {
        town.sql(write).await;
        town.told().await;
        for (author, ids) in [(1, by_ada), (2, by_grace)] {
            let list = Article::articles_by_author(town.cache(), id(author)).ids().await;
            assert_eq!(
                list.expect("it can be read"),
                numbered(ids),
                "a wrong answer after {write}"
            );
        }
    }
}

/// A user follows more than the feed keeps ids: then it depends on all articles, and is right.
async fn more_than_a_list_keeps_leads_to_it(town: Town) {
    let town = town.with_articles().await;
    let (cache, events) = &town.processes[0];
    let feed = async || Article::feed(cache, id(3)).ids().await.expect("it can be read");
    town.sql("INSERT INTO follow VALUES ({3}, {2}), ({3}, {3})").await;
    town.told().await;
    assert_eq!(feed().await, numbered(&[15, 14, 13, 12, 11]));
    events.forget();
    feed().await;
    assert_eq!(events.loads("feed"), 0, "it is kept all the same");
    for number in [23, 24] {
        let author = number - 20;
        town.sql(&format!(
            "INSERT INTO article (id, slug, title, author_id, created_at)
             VALUES ({{{number}}}, 'new {number}', 'New', {{{author}}}, {number})"
        ))
        .await;
        town.told().await;
        assert_eq!(feed().await[0], id(number));
    }
}

/// Between the read of the database and the fill somebody writes what moves the list.
async fn a_load_that_a_write_overlaps_is_not_kept(town: Town) {
    let town = town.with_articles().await;
    let (cache, events) = &town.processes[0];
    for (write, ids) in [
        ("INSERT INTO follow VALUES ({3}, {2})", vec![15, 14, 13, 12, 11]),
        ("UPDATE article SET created_at = 20 WHERE id = {13}", vec![13, 15, 14, 12, 11]),
        ("UPDATE article SET author_id = {3} WHERE id = {14}", vec![13, 15, 12, 11]),
        ("DELETE FROM follow WHERE followed_id = {1}", vec![13]),
    ] {
        cache.clear().await.expect("cleared");
        let hold = events.hold_after_load(&format!("feed_{}", id(3)));
        let reader = tokio::spawn({
            let cache = cache.clone();
            async move { Article::feed(&cache, id(3)).ids().await }
        });
        hold.reached().await;
        town.sql(write).await;
        town.told().await;
        hold.release();
        reader.await.expect("no panic").expect("it can be read");
        let now = Article::feed(cache, id(3)).ids().await.expect("it can be read");
        assert_eq!(now, numbered(&ids), "a wrong answer after {write}");
    }
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

/// Between the commit and what it invalidates: nobody sees it as it was.
async fn a_strict_list_is_as_it_is_from_the_commit_on(town: Town) {
    let town = town.with_articles().await;
    let (cache, events) = &town.processes[0];
    let likes = async || Article::likes(cache, id(2)).ids().await.expect("it can be read");
    let is_stored =
        |seen: &Seen| matches!(seen, Seen::Filled(key, true) if key.starts_with("likes"));
    for (write, ids) in [
        ("INSERT INTO favorite VALUES ({2}, {15})", vec![15, 14, 11]),
        ("UPDATE article SET created_at = 0 WHERE id = {15}", vec![14, 11, 15]),
        ("DELETE FROM favorite WHERE article_id = {14}", vec![11, 15]),
    ] {
        events.forget();
        let soon = Soon::within(PATIENCE);
        while events.count(is_stored) == 0 {
            likes().await;
            soon.or("it is not stored").await;
        }
        let (before, after) = (events.hold_before_commit(), events.hold_after_commit());
        tokio::join!(town.write(0, write), async {
            before.reached().await;
            likes().await;
            before.release();
            after.reached().await;
            assert_eq!(likes().await, numbered(&ids), "a wrong answer after {write}");
            after.release();
        });
    }
}

impl Town {
    /// What this process reads, against what a transaction does.
    async fn lists_are_as_in_the_database(&self, process: usize) {
        let (cache, _) = &self.processes[process];
        let lists = lists!(cache);
        in_transaction!(self, process, tx => {
            assert_eq!(lists, lists!(&mut tx));
        });
    }
}

/// By turns they write what moves lists, and what does not. Who has written reads what it wrote at
/// once; the other, when it was told.
async fn a_thousand_moves_by_two_processes(town: Town) {
    let town = town.with_articles().await;
    let mut random = Rng::with_seed(0x0011_57ED);
    for round in 0..1000 {
        let (writer, other) = (round % 2, 1 - round % 2);
        let (article, author) = (random.u8(11..=16), random.u8(1..=4));
        let (user, tag) = (random.u8(1..=3), TAGS[random.usize(0..3)]);
        let write = match random.u8(0..10) {
            0 => format!("UPDATE article SET created_at = {} WHERE id = {{{article}}}", random.u8(..)),
            1 => format!("UPDATE article SET is_draft = NOT is_draft WHERE id = {{{article}}}"),
            2 => format!("UPDATE article SET author_id = {{{author}}} WHERE id = {{{article}}}"),
            3 => format!("INSERT INTO article_tag VALUES ({{{article}}}, '{tag}') ON CONFLICT DO NOTHING"),
            4 => format!("DELETE FROM article_tag WHERE article_id = {{{article}}}"),
            5 => format!("INSERT INTO favorite VALUES ({{{user}}}, {{{article}}}) ON CONFLICT DO NOTHING"),
            6 => format!("DELETE FROM favorite WHERE user_id = {{{user}}}"),
            7 => format!("INSERT INTO follow VALUES ({{{user}}}, {{{author}}}) ON CONFLICT DO NOTHING"),
            8 => format!("DELETE FROM follow WHERE followed_id = {{{author}}}"),
            _ => format!(
                "DELETE FROM article WHERE id = {{{article}}};
                 INSERT INTO article (id, slug, title, author_id, created_at) VALUES ({{{article}}}, 'slug {round}', 'Again', {{{author}}}, {round})"
            ),
        };
        town.told().await;
        match random.u8(0..4) {
            // As psql does: nobody knows before the relay does.
            0 => {
                town.sql(&write).await;
                town.told().await;
            }
            _ => town.write(writer, &write).await,
        }
        town.lists_are_as_in_the_database(writer).await;
        if random.u8(0..4) == 0 {
            town.told().await;
            town.lists_are_as_in_the_database(other).await;
        }
    }
    for (_, events) in &town.processes {
        let is = |found: Verdict| move |seen: &Seen| matches!(seen, Seen::Verified(_, _, verdict) if *verdict == found);
        events.wait_for("a list that is verified", is(Verdict::Consistent)).await;
        assert_eq!(events.count(is(Verdict::Inconsistent)), 0);
    }
}
