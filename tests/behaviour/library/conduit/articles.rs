//! Articles and what is said below them: what is loaded, what reaches it, and that nothing else
//! does.

use std::sync::Arc;

use conduit::{Article, Db, Favorite, Follow, Thread, User, UserName};
use fastrand::Rng;
use sqlx::AssertSqlSafe;

use super::{Town, id};
use crate::harness::Story;
use crate::harness::soon::{PATIENCE, Soon};

pub fn stories() -> Vec<Story> {
    vec![
        story!(an_article_is_loaded_by_what_it_declares),
        story!(a_name_is_one_in_whatever_letters),
        story!(a_write_reaches_what_is_built_from_it_and_nothing_else)
            .without_relay("a row that two deliver invalidates twice"),
        story!(who_looks_is_a_row_or_none),
        story!(an_article_is_of_one_moment).on_postgres(),
        story!(who_comes_later_is_seen).on_postgres(),
        story!(a_thousand_writes_by_two_processes),
    ]
}

const ROUNDS: usize = 1000;

impl Town {
    async fn article(&self) -> Arc<Article> {
        let article = Article::get(self.cache(), id(11)).await;
        article.expect("it can be read").expect("it is there")
    }

    async fn thread(&self) -> Vec<String> {
        let thread = Thread::get(self.cache(), id(11)).await.expect("it can be read");
        let comments = &thread.expect("it is there").comments;
        comments.iter().map(|it| format!("{}: {}", it.author.0, it.body)).collect()
    }

    /// Whether the article, and what is said below it, are still cached.
    async fn are_hits(&self) -> (bool, bool) {
        let article = Article::fetch(self.cache(), id(11)).await.expect("it can be read");
        let thread = Thread::fetch(self.cache(), id(11)).await.expect("it can be read");
        let is_hit = |status: String| status.ends_with("; hit");
        (is_hit(article.status.to_string()), is_hit(thread.status.to_string()))
    }
}

async fn an_article_is_loaded_by_what_it_declares(town: Town) {
    let cache = town.cache();
    let article = town.article().await;
    assert_eq!(article.author.username.0, "Ada");
    assert_eq!(
        (&article.tags[..], article.favorites),
        (&["brass", "steam"].map(String::from)[..], 1)
    );
    assert_eq!(town.thread().await, ["Ada: Second!", "Grace: First!"]);
    let by_slug = Article::get_by_slug(cache, "engines").await.expect("it can be read");
    assert_eq!(by_slug, Some(article.clone()));

    // Several at once, one of them twice, and one that is not there.
    let ids = [12, 11, 404, 11].map(id);
    let many = Article::get_many(cache, &ids).await.expect("they can be read");
    let titles = many.iter().map(|it| it.as_ref().map(|it| it.title.as_str()));
    let titles: Vec<Option<&str>> = titles.collect();
    assert_eq!(titles, [Some("On looms"), Some("On engines"), None, Some("On engines")]);
    let looms = many[0].as_ref().expect("it is there");
    assert!(looms.tags.is_empty() && looms.favorites == 0, "{looms:?}");

    // Within a transaction as well, as that sees it.
    in_transaction!(town, 0, tx => {
        let sql = town.spelt("UPDATE article SET title = 'Within' WHERE id = {11}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.expect("written");
        let seen = Article::get(&mut tx, id(11)).await.expect("it can be read");
        assert_eq!(seen.expect("it is there").title, "Within");
        assert_eq!(town.article().await.title, "On engines", "it is not committed");
    });
}

async fn a_name_is_one_in_whatever_letters(town: Town) {
    let named = |name: &str| User::get_by_username(town.cache(), UserName(name.to_owned()));
    for name in ["Ada", "ADA", "ada"] {
        let user = named(name).await.expect("it can be read");
        assert_eq!(user.expect("it is there").id, id(1), "{name}");
    }
    assert_eq!(named("alan").await.expect("it can be read"), None);
    town.sql("INSERT INTO \"user\" (id, username) VALUES ({5}, 'Alan')").await;
    town.told().await;
    let user = named("alan").await.expect("it can be read");
    assert_eq!(user.expect("it is there").id, id(5));

    town.sql("UPDATE \"user\" SET username = 'Countess' WHERE id = {1}").await;
    town.told().await;
    for name in ["Ada", "ADA", "ada"] {
        assert_eq!(named(name).await.expect("it can be read"), None, "{name}");
    }
}

/// The write; whether it reaches the article, and the thread.
const WRITES: &[(&str, bool, bool)] = &[
    ("UPDATE \"user\" SET username = 'Countess' WHERE id = {1}", true, true),
    ("UPDATE \"user\" SET bio = 'an admiral' WHERE id = {2}", false, true),
    ("UPDATE \"user\" SET bio = 'a professor' WHERE id = {3}", false, false),
    ("INSERT INTO comment VALUES (3, 'Third!', FALSE, {11}, {3})", false, true),
    ("UPDATE \"user\" SET username = 'Wybe' WHERE id = {3}", false, true),
    ("INSERT INTO comment VALUES (4, 'There!', FALSE, {12}, {3})", false, false),
    ("UPDATE comment SET body = 'Here!', article_id = {11} WHERE id = 4", false, true),
    ("UPDATE comment SET is_gone = TRUE WHERE id = 4", false, true),
    ("DELETE FROM comment WHERE id = 1", false, true),
    ("INSERT INTO article_tag VALUES ({11}, 'iron')", true, false),
    ("INSERT INTO article_tag VALUES ({12}, 'iron')", false, false),
    ("UPDATE article_tag SET tag = 'steel' WHERE tag = 'iron'", true, false),
    ("UPDATE article_tag SET article_id = {12} WHERE tag = 'brass'", true, false),
    ("DELETE FROM article_tag WHERE article_id = {12}", false, false),
    ("INSERT INTO favorite VALUES ({3}, {11})", true, false),
    ("DELETE FROM favorite WHERE user_id = {3}", true, false),
    ("INSERT INTO favorite VALUES ({1}, {12})", false, false),
    ("UPDATE article SET slug = 'machines' WHERE id = {11}", true, true),
    ("UPDATE article SET title = 'On looms, again' WHERE id = {12}", false, false),
    ("UPDATE article SET author_id = {4} WHERE id = {11}", true, true),
    ("UPDATE \"user\" SET bio = 'a knight' WHERE id = {4}", true, false),
    ("INSERT INTO follow VALUES ({1}, {2})", false, false),
];

async fn a_write_reaches_what_is_built_from_it_and_nothing_else(town: Town) {
    for (write, article, thread) in WRITES {
        town.article().await;
        town.thread().await;
        town.sql(write).await;
        town.told().await;
        assert_eq!(town.are_hits().await, (!article, !thread), "after {write}");
        town.is_as_in_the_database(0).await;
    }
    assert_eq!(town.thread().await, ["Wybe: Third!", "Countess: Second!"]);

    let cache = town.cache();
    let by_slug = Article::get_by_slug(cache, "engines").await.expect("it can be read");
    assert_eq!(by_slug, None, "it is called machines by now");
    town.sql("DELETE FROM article WHERE id = {11}").await;
    town.told().await;
    assert_eq!(Article::get(cache, id(11)).await.expect("it can be read"), None);
    assert_eq!(Thread::get(cache, id(11)).await.expect("it can be read"), None);
}

/// Somebody writes between the statements of a load; which could see the one row and not the other.
async fn an_article_is_of_one_moment(town: Town) {
    let before = town.article().await;
    town.cache().invalidate::<Article>(id(11)).await.expect("invalidated");

    let mut writer = town.sql.begin().await;
    writer.run("LOCK TABLE article_tag").await;
    let cache = town.cache().clone();
    let reader = tokio::spawn(async move { Article::get(&cache, id(11)).await });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let soon = Soon::within(PATIENCE);
    while town.sql.number(waits).await == 0 {
        soon.or("it does not read the tags").await;
    }
    let write = "UPDATE article SET title = 'On machines' WHERE id = {11}; INSERT INTO article_tag VALUES ({11}, 'iron')";
    writer.run(town.spelt(write)).await;
    writer.commit().await;
    let article = reader.await.expect("no panic").expect("it can be read");
    assert_eq!(article, Some(before), "neither the title nor the tag");

    town.told().await;
    assert_eq!(town.article().await.tags, ["brass", "iron", "steam"]);
}

/// Without foreign keys there may be rows that refer to nobody, until somebody comes.
async fn who_comes_later_is_seen(town: Town) {
    town.sql(
        "ALTER TABLE article DROP CONSTRAINT article_author_id_fkey;
         ALTER TABLE comment DROP CONSTRAINT comment_author_id_fkey;
         UPDATE article SET author_id = {9} WHERE id = {12};
         INSERT INTO comment VALUES (9, 'Who?', FALSE, {11}, {9})",
    )
    .await;
    town.told().await;
    let cache = town.cache();
    for _ in ["loaded", "again"] {
        let article = Article::get(cache, id(12)).await.expect("it can be read");
        assert_eq!(article, None, "it is not without its author");
        let thread = Thread::get(cache, id(11)).await.expect_err("who has said that?");
        assert!(format!("{thread:?}").contains("user.username"), "{thread:?}");
    }
    town.sql("INSERT INTO \"user\" (id, username) VALUES ({9}, 'Me')").await;
    town.told().await;
    let article = Article::get(cache, id(12)).await.expect("it can be read");
    assert_eq!(article.expect("it is there").author.username.0, "Me");
    assert_eq!(town.thread().await[0], "Me: Who?");
}

async fn who_looks_is_a_row_or_none(town: Town) {
    let cache = town.cache();
    for (sql, is_one) in [
        ("SELECT 1", false),
        ("INSERT INTO favorite VALUES ({1}, {11}); INSERT INTO follow VALUES ({1}, {2})", true),
        ("DELETE FROM favorite WHERE user_id = {1}; DELETE FROM follow", false),
    ] {
        town.sql(sql).await;
        town.told().await;
        for _ in ["loaded", "stored"] {
            let favorite = Favorite::get(cache, (id(1), id(11))).await.expect("it can be read");
            let follow = Follow::get(cache, (id(1), id(2))).await.expect("it can be read");
            assert_eq!((favorite.is_some(), follow.is_some()), (is_one, is_one), "after {sql}");
        }
    }
}

impl Town {
    /// What this process reads, against what a transaction does.
    async fn is_as_in_the_database(&self, process: usize) {
        let (cache, _) = &self.processes[process];
        let ids = [11, 12].map(id);
        let slugs = ["engines", "looms", "machines"];
        let articles = Article::get_many(cache, &ids).await.expect("they can be read");
        let threads = Thread::get_many(cache, &ids).await.expect("they can be read");
        let mut by_slug = Vec::new();
        for slug in slugs {
            by_slug.push(Article::get_by_slug(cache, slug).await.expect("it can be read"));
        }
        in_transaction!(self, process, tx => {
            let now = Article::get_many(&mut tx, &ids).await.expect("they can be read");
            assert_eq!(articles, now);
            let now = Thread::get_many(&mut tx, &ids).await.expect("they can be read");
            assert_eq!(threads, now);
            for (slug, found) in slugs.iter().zip(by_slug) {
                let now = Article::get_by_slug(&mut tx, *slug).await.expect("it can be read");
                assert_eq!(found, now, "{slug}");
            }
        });
    }
}

/// By turns they write, in all places that a value is built from, slugs that move to and fro among
/// them. Who has written reads what it wrote at once; the other, when it was told.
async fn a_thousand_writes_by_two_processes(town: Town) {
    let mut random = Rng::with_seed(0xC0_4D);
    for round in 0..ROUNDS {
        let (writer, other) = (round % 2, 1 - round % 2);
        let (article, user) = (random.u8(11..=12), random.u8(1..=3));
        let write = match random.u8(0..9) {
            0 => format!("UPDATE article SET title = 'title {round}' WHERE id = {{{article}}}"),
            1 => "UPDATE article SET slug = CASE slug WHEN 'engines' THEN 'machines' ELSE 'engines' END WHERE slug IN ('engines', 'machines')".to_owned(),
            2 => format!("UPDATE \"user\" SET username = 'name {round}' WHERE id = {{{user}}}"),
            3 => format!("INSERT INTO comment VALUES ({}, 'text', FALSE, {{{article}}}, {{{user}}})", 100 + round),
            4 => format!("UPDATE comment SET article_id = {{{article}}}, is_gone = NOT is_gone WHERE id % 3 = {}", round % 3),
            5 => format!("DELETE FROM comment WHERE id % 2 = {}", round % 2),
            6 => format!("INSERT INTO article_tag VALUES ({{{article}}}, 'tag {round}')"),
            7 => format!("DELETE FROM article_tag WHERE article_id = {{{article}}}"),
            _ => format!("INSERT INTO favorite VALUES ({{{user}}}, {{{article}}}) ON CONFLICT DO NOTHING"),
        };
        // What others wrote before, it has heard of.
        town.told().await;
        match random.u8(0..4) {
            // As psql does: nobody knows before the relay does.
            0 => {
                town.sql(&write).await;
                town.told().await;
            }
            _ => drop(town.write(writer, &write).await),
        }
        town.is_as_in_the_database(writer).await;
        if random.u8(0..4) == 0 {
            town.told().await;
            town.is_as_in_the_database(other).await;
        }
    }
}
