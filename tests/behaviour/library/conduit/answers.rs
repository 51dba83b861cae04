//! What Conduit answers (`tests/apps/conduit`): stored JSON in an envelope, without what is hidden.

use cache_runtime::{Fetched, Json};
use conduit::{Article, Thread};

use super::{Process, Town, id};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![story!(whoever_answers_the_ids_are_not_in_it), story!(what_is_hidden_still_invalidates)]
}

/// The answer to a request for the article, and for what is said below it: the text and the `ETag`.
async fn answers((cache, _): &Process) -> [(String, String); 2] {
    let article = Article::fetch_json_by_slug(cache, "engines").await.expect("it can be read");
    let thread = Thread::fetch_json(cache, id(11)).await.expect("it can be read");
    [article.wrap("article"), thread].map(|fetched: Fetched<Json>| {
        let json = fetched.value.expect("it is there");
        (String::from_utf8_lossy(json.bytes()).into_owned(), json.etag())
    })
}

async fn whoever_answers_the_ids_are_not_in_it(town: Town) {
    let first = answers(&town.processes[0]).await;
    let [article, thread] = &first;
    let expected = r#"{"article":{"slug":"engines","title":"On engines","author":{"username":"Ada","bio":""},"tags":["brass","steam"],"favorites":1}}"#;
    assert_eq!(article.0, expected, "wrong answer");
    let expected = r#"{"comments":[{"id":2,"body":"Second!","author":"Ada"},{"id":1,"body":"First!","author":"Grace"}]}"#;
    assert_eq!(thread.0, expected, "wrong answer");
    // Loaded, stored, near.
    for process in town.processes.iter().cycle().take(6) {
        assert_eq!(answers(process).await, first, "wrong answer");
    }
    let (cache, _) = &town.processes[0];
    let article = Article::get(cache, id(11)).await.expect("it can be read").expect("it is there");
    assert_eq!((article.id, article.author.id), (id(11), id(1)));
}

/// Each write is found by an id that no answer has.
async fn what_is_hidden_still_invalidates(town: Town) {
    for (write, article, thread) in [
        ("UPDATE \"user\" SET bio = 'a countess' WHERE id = {1}", "\"bio\":\"a countess\"", "Ada"),
        ("UPDATE \"user\" SET username = 'Jane' WHERE id = {1}", "\"Jane\"", "\"author\":\"Jane\""),
        ("UPDATE article SET author_id = {2} WHERE id = {11}", "\"Grace\"", "Second!"),
        ("UPDATE comment SET body = 'Last!' WHERE author_id = {1}", "\"Grace\"", "Last!"),
        ("UPDATE comment SET author_id = {3} WHERE id = 1", "\"Grace\"", "Edsger"),
    ] {
        let before = answers(&town.processes[0]).await;
        answers(&town.processes[1]).await;
        town.sql(write).await;
        town.told().await;
        let after = answers(&town.processes[0]).await;
        assert!(after[0].0.contains(article), "wrong answer after {write}: {after:?}");
        assert!(after[1].0.contains(thread), "wrong answer after {write}: {after:?}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.0 == after.0, before.1 == after.1, "the tag is of the text");
        }
        assert_eq!(answers(&town.processes[1]).await, after, "wrong answer after {write}");
    }
}
