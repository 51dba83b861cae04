//! What moves rows in lists, and that nothing else does.

use cache_runtime::Verdict;
use conduit::{Article, UserName};
use fastrand::Rng;
use uuid::Uuid;

use super::lists::{NAMES, TAGS, lists, numbered};
use super::{Town, id};
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, Story, Without};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_write_reaches_the_lists_that_it_moves_and_no_others)
            .without_relay("a row that two deliver invalidates twice"),
        story!(a_row_that_moves_is_where_it_is_and_nowhere_else),
        story!(more_than_a_list_keeps_leads_to_it).without_relay("it counts loads"),
        story!(a_load_that_a_write_overlaps_is_not_kept).without_relay("it counts loads"),
        story!(a_strict_list_is_as_it_is_from_the_commit_on),
        story!(an_emptied_table_leaves_a_strict_list_at_once).on_postgres(),
        story!(a_list_is_invalidated_by_hand),
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

/// SQLite knows no TRUNCATE.
async fn an_emptied_table_leaves_a_strict_list_at_once(town: Town) {
    let town = town.with_articles().await;
    let (cache, events) = &town.processes[0];
    let likes = async || Article::likes(cache, id(2)).ids().await.expect("it can be read");
    let is_stored =
        |seen: &Seen| matches!(seen, Seen::Filled(key, true) if key.starts_with("likes"));
    let soon = Soon::within(PATIENCE);
    while events.count(is_stored) == 0 {
        likes().await;
        soon.or("it is not stored").await;
    }
    let (before, after) = (events.hold_before_commit(), events.hold_after_commit());
    tokio::join!(town.write(0, "TRUNCATE favorite"), async {
        before.reached().await;
        before.release();
        after.reached().await;
        assert_eq!(likes().await, numbered(&[]), "a wrong answer after TRUNCATE");
        after.release();
    });
}

/// Nobody reports what is written while the triggers are off.
async fn a_list_is_invalidated_by_hand(town: Town) {
    let town = town.with_articles().await;
    let cache = town.cache();
    let (_, events) = &town.processes[0];
    let by_ada = || Article::articles_by_author(cache, id(1));
    by_ada().ids().await.expect("it can be read");
    by_ada().invalidate().await.expect("invalidated");
    events.forget();
    by_ada().ids().await.expect("it can be read");
    assert_eq!(events.loads("articles-by-author"), 1);
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
        let write = match random.u8(0..11) {
            0 => format!("UPDATE article SET created_at = {} WHERE id = {{{article}}}", random.u8(..)),
            1 => format!("UPDATE article SET is_draft = NOT is_draft WHERE id = {{{article}}}"),
            2 => format!("UPDATE article SET author_id = {{{author}}} WHERE id = {{{article}}}"),
            3 => format!("INSERT INTO article_tag VALUES ({{{article}}}, '{tag}') ON CONFLICT DO NOTHING"),
            4 => format!("DELETE FROM article_tag WHERE article_id = {{{article}}}"),
            5 => format!("INSERT INTO favorite VALUES ({{{user}}}, {{{article}}}) ON CONFLICT DO NOTHING"),
            6 => format!("DELETE FROM favorite WHERE user_id = {{{user}}}"),
            7 => format!("INSERT INTO follow VALUES ({{{user}}}, {{{author}}}) ON CONFLICT DO NOTHING"),
            9 => format!(
                "UPDATE \"user\" SET username = 'x {round}' WHERE username = 'Ada';
                 UPDATE \"user\" SET username = 'ADA' WHERE id = {{{author}}}"
            ),
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
            // Who shows the token of the commit sees it in the other process as well.
            _ => {
                let token = town.write(writer, &write).await;
                let (other, _) = &town.processes[other];
                let (here, there) = (lists!(&town.processes[writer].0), other.at_least(token));
                assert_eq!(lists!(&there), here, "wrong answer after {write}");
            }
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
