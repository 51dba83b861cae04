//! `If-Match` and `If-None-Match` of writes: nobody overwrites what he has not seen.

use serde_json::{Value, json};

use crate::harness::{Answer, App, Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(only_the_state_that_is_meant_is_changed),
        story!(a_change_of_what_a_value_is_built_from_counts),
        story!(of_many_who_mean_one_state_one_wins),
        story!(a_state_is_compared_when_the_writers_before_are_done),
        story!(wrong_requests_are_wrong_whatever_they_mean),
    ]
}

/// Every noun, and a change of it.
fn rows(plio: &Plio) -> [(String, &'static str); 8] {
    [
        (plio.path(), "name"),
        (plio.user_path(), "first_name"),
        (format!("/videos/{}", plio.video), "title"),
        (format!("/images/{}", plio.images[0]), "alt_text"),
        (format!("/questions/{}", plio.questions[0]), "text"),
        (format!("/items/{}", plio.items[0]), "type"),
        (format!("/organizations/{}", plio.organization), "name"),
        (format!("/organization-users/{}", plio.membership), "role"),
    ]
}

async fn only_the_state_that_is_meant_is_changed(world: World) {
    let plio = world.plio_with_items(1).await;
    for (path, field) in rows(&plio) {
        let old = etag(&world.get(&path).await.is(200));
        let changed = patch_if(&world, &path, &old, json!({field: "new"})).await.is(200);
        let new = etag(&world.right(&path).await.says(field_of(field).as_str(), "new"));
        assert_eq!(etag(&changed), new, "wrong answer: another tag after {path}");
        assert_ne!(new, old, "wrong answer: another state has the same tag");

        let weak = format!("W/{new}");
        for wrong in [&old, &weak, "\"x\"", "", "nonsense", "W/*", new.trim_matches('"')] {
            let refused = patch_if(&world, &path, wrong, json!({field: "never"})).await;
            refused.expect_problem(&[412]);
            delete_if(&world, &path, wrong).await.expect_problem(&[412]);
        }
        for wrong in ["*", &new, &weak] {
            let request = world.request("PATCH", &path).header("if-none-match", wrong);
            let refused = world.send(request.json(&json!({field: "never"}))).await;
            refused.expect_problem(&[412]);
        }
        world.right(&path).await.says(field_of(field).as_str(), "new");

        let several = format!("\"x\", W/\"y\", {new}");
        for (round, right) in [several.as_str(), "*"].into_iter().enumerate() {
            let change = json!({field: format!("newer {round}")});
            patch_if(&world, &path, right, change).await.is(200);
        }
        let other = world.request("PATCH", &path).header("if-none-match", &old);
        world.send(other.json(&json!({field: "newest"}))).await.is(200);
    }
    // Whom others refer to is deleted last.
    for (path, _) in [&rows(&plio)[4..6], &rows(&plio)[..1], &rows(&plio)[7..]].concat() {
        let tag = etag(&world.get(&path).await.is(200));
        delete_if(&world, &path, &tag).await.is(204);
        world.get(&path).await.is(404);
    }
}

async fn a_change_of_what_a_value_is_built_from_counts(world: World) {
    let plio = world.plio_with_items(1).await;
    let old = etag(&world.warm(&plio.path()).await);
    let question = plio.questions[0];
    // Nobody tells the app, and what it has in its memory says that nothing has changed.
    world.sql(format!("UPDATE question SET text = 'new' WHERE id = {question}")).await;
    let refused = patch_if(&world, &plio.path(), &old, json!({"name": "never"})).await;
    refused.expect_problem(&[412]);
    world.becomes_right(&plio.path()).await;
    let new = etag(&world.get(&plio.path()).await.is(200));
    patch_if(&world, &plio.path(), &new, json!({"name": "new"})).await.is(200);
}

async fn of_many_who_mean_one_state_one_wins(world: World) {
    let plio = world.plio_with_items(1).await;
    let other = match world.has_redis() {
        true => world.another_app().await,
        false => world.app_with(|builder| builder).await,
    };
    for (path, field) in rows(&plio) {
        for round in 0..5 {
            let tag = etag(&world.truth(&path).await.is(200));
            let racers = (0..8).map(|racer| {
                let app: App = if racer % 2 == 0 { (*world).clone() } else { other.clone() };
                let change = json!({field: format!("round {round}, racer {racer}")});
                let (path, tag) = (path.clone(), tag.clone());
                tokio::spawn(async move { patch_if(&app, &path, &tag, change).await.status })
            });
            let mut statuses = Vec::new();
            for racer in racers.collect::<Vec<_>>() {
                statuses.push(racer.await.expect("an answer"));
            }
            statuses.sort_unstable();
            let one = [200, 412, 412, 412, 412, 412, 412, 412];
            assert_eq!(statuses, one, "wrong answer: of all who change {path} one wins");
        }
    }
}

async fn a_state_is_compared_when_the_writers_before_are_done(world: World) {
    let plio = world.plio_with_items(1).await;
    for (path, table, id, field) in [
        (plio.path(), "plio", plio.id, "name"),
        (format!("/videos/{}", plio.video), "video", plio.video, "title"),
    ] {
        let tag = etag(&world.get(&path).await.is(200));
        let mut elsewhere = world.begin_elsewhere().await;
        elsewhere.run(format!("UPDATE {table} SET {field} = 'theirs' WHERE id = {id}")).await;
        let requests = world.requests();
        let ours = tokio::spawn({
            let (world, path) = (world.clone(), path.clone());
            async move { patch_if(&world, &path, &tag, json!({field: "ours"})).await }
        });
        world.asked(requests + 1).await;
        elsewhere.commit().await;
        ours.await.expect("an answer").expect_problem(&[412]);
        let stored = format!("SELECT count(*) FROM {table} WHERE id = {id} AND {field} = 'theirs'");
        assert_eq!(world.number(stored).await, 1, "wrong answer: theirs is overwritten");
    }
}

async fn wrong_requests_are_wrong_whatever_they_mean(world: World) {
    let plio = world.plio_with_items(1).await;
    for if_match in ["*", "\"x\""] {
        let missing = patch_if(&world, "/plios/999999", if_match, json!({"name": "x"})).await;
        missing.expect_problem(&[404]);
        let wrong = patch_if(&world, &plio.path(), if_match, json!({"name": 1})).await;
        wrong.expect_problem(&[422]);
        delete_if(&world, "/videos/999999", if_match).await.expect_problem(&[404]);
    }
}

fn field_of(field: &str) -> String {
    format!("/{field}")
}

fn etag(answer: &Answer) -> String {
    let etag = answer.header("etag");
    assert!(!etag.is_empty(), "{} has no ETag", answer.what);
    etag.to_owned()
}

async fn patch_if(app: &App, path: &str, if_match: &str, change: Value) -> Answer {
    let request = app.request("PATCH", path).header("if-match", if_match);
    app.send(request.json(&change)).await
}

async fn delete_if(app: &App, path: &str, if_match: &str) -> Answer {
    app.send(app.request("DELETE", path).header("if-match", if_match)).await
}
