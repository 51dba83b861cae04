//! A list over a path is read by several statements, all of which see one moment.

use conduit::Article;

use super::lists::numbered;
use super::{Town, id};
use crate::harness::Story;
use crate::harness::soon::{PATIENCE, Soon};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_feed_is_of_one_moment)
            .on_postgres()
            .without_relay("it would tell what is not told"),
    ]
}

/// While what leads to a feed is read already, and its articles are not, Edsger follows Grace.
/// Nobody is told of that, when she writes through the cache. So either both are seen, or neither
/// is.
async fn a_feed_is_of_one_moment(town: Town) {
    let town = town.with_articles().await;
    let cache = town.cache();
    town.sql("DELETE FROM follow WHERE followed_id = {1}").await;
    town.told().await;
    let mut writer = town.sql.begin().await;
    writer.run("LOCK TABLE article").await;
    let reader = tokio::spawn({
        let cache = cache.clone();
        async move { Article::feed(&cache, id(3)).ids().await }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let soon = Soon::within(PATIENCE);
    while town.sql.number(waits).await == 0 {
        soon.or("it does not read the articles").await;
    }
    writer.run(town.spelt("INSERT INTO follow VALUES ({3}, {2})")).await;
    writer.commit().await;
    reader.await.expect("no panic").expect("it can be read");

    town.write(0, "UPDATE article SET created_at = 20 WHERE id = {13}").await;
    let feed = async || Article::feed(cache, id(3)).ids().await.expect("it can be read");
    assert_eq!(feed().await, numbered(&[]), "as it was before both");
    town.told().await;
    assert_eq!(feed().await, numbered(&[13, 14]));
}
