//! `POST /plios/{id}/duplicate`: a copy that shares nothing with its original but the creator.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{Story, World, story, without};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_duplicate_has_the_content_and_ids_of_its_own)
            .without_relay("one that delivers the same rows removes what the write has stored"),
        story!(a_duplicate_and_its_original_do_not_leak_into_each_other),
        story!(an_empty_plio_and_a_bare_one_are_duplicated),
        story!(a_missing_plio_is_not_duplicated),
    ]
}

/// What differs from copy to copy.
const OWN: [&str; 6] = ["id", "uuid", "plio", "item", "created_at", "updated_at"];

async fn a_duplicate_has_the_content_and_ids_of_its_own(world: World) {
    let plio = world.plio_with_items(5).await;
    // Not in the order of their ids, one without a question, one
    // question without an image, two items at once.
    world.sql(format!("UPDATE item SET time = 100 - id % 7 WHERE plio_id = {}", plio.id)).await;
    world
        .sql(format!(
            "UPDATE item SET time = 95 WHERE id IN ({}, {})",
            plio.items[0], plio.items[3]
        ))
        .await;
    world.sql(format!("DELETE FROM question WHERE id = {}", plio.questions[1])).await;
    world
        .sql(format!("UPDATE question SET image_id = NULL WHERE id = {}", plio.questions[2]))
        .await;
    for (n, question) in plio.questions.iter().enumerate() {
        world.sql(format!("UPDATE question SET text = 'text {n}', correct_answer = '{n}' WHERE id = {question}")).await;
    }
    world
        .sql(format!("UPDATE image SET alt_text = 'of the last' WHERE id = {}", plio.images[4]))
        .await;
    world.deliver_pending().await;
    let original = world.warm(&plio.path()).await;

    let copy = world.post(&format!("{}/duplicate", plio.path()), json!({})).await.is(201);
    assert_eq!(
        without_creator(&copy.body),
        without_creator(&original.body),
        "the content is the same"
    );
    copy.clone().says("/created_by/id", plio.user);
    assert_ne!(copy.at("/uuid"), original.at("/uuid"));

    let (theirs, ours) = (ids(&copy.body), ids(&original.body));
    assert_eq!(theirs.len(), ours.len());
    assert!(theirs.is_disjoint(&ours), "they share rows: {theirs:?}, {ours:?}");

    let path = format!("/plios/{}", copy.id());
    world.get(&path).await.ok().hit();
    assert_eq!(world.right(&path).await.body, copy.body);
    world.kept(&plio.path()).await;
}

async fn a_duplicate_and_its_original_do_not_leak_into_each_other(world: World) {
    let plio = world.plio_with_items(2).await;
    let copy = world.post(&format!("{}/duplicate", plio.path()), json!({})).await.is(201);
    let (copy_path, copy_item) = (format!("/plios/{}", copy.id()), copy.ids("/items")[0]);
    let copy_video = copy.at("/video/id").clone();

    world.warm(&copy_path).await;
    world
        .patch(&format!("/items/{}", plio.items[0]), json!({"meta": {"note": "original only"}}))
        .await
        .is(200);
    world
        .patch(&format!("/videos/{}", plio.video), json!({"title": "original only"}))
        .await
        .is(200);
    world
        .patch(&format!("/images/{}", plio.images[0]), json!({"alt_text": "original only"}))
        .await
        .is(200);
    world
        .patch(&format!("/questions/{}", plio.questions[0]), json!({"text": "original only"}))
        .await
        .is(200);
    world.get(&copy_path).await.ok().hit();
    assert!(
        !world.right(&copy_path).await.text.contains("original only"),
        "wrong answer: the original leaks into the copy"
    );

    world.warm(&plio.path()).await;
    world
        .patch(&format!("/items/{copy_item}"), json!({"meta": {"note": "copy only"}}))
        .await
        .is(200);
    world.patch(&format!("/videos/{copy_video}"), json!({"title": "copy only"})).await.is(200);
    world.patch(&copy_path, json!({"name": "copy only"})).await.is(200);
    world.get(&plio.path()).await.ok().hit();
    assert!(
        !world.right(&plio.path()).await.text.contains("copy only"),
        "wrong answer: the copy leaks into the original"
    );
    world
        .right(&copy_path)
        .await
        .says("/name", "copy only")
        .says("/items/0/meta/note", "copy only")
        .says("/video/title", "copy only");

    // The original's end is not the copy's.
    world.delete(&plio.path()).await.is(204);
    world.get(&copy_path).await.ok().hit();
    world.right(&copy_path).await.is(200);
}

async fn an_empty_plio_and_a_bare_one_are_duplicated(world: World) {
    let empty = world.plio_with_items(0).await;
    world
        .post(&format!("{}/duplicate", empty.path()), json!({}))
        .await
        .is(201)
        .says("/items", json!([]));

    let bare =
        world.post("/plios", json!({"name": "bare", "created_by": empty.user})).await.is(201).id();
    let copy = world
        .post(&format!("/plios/{bare}/duplicate"), json!({}))
        .await
        .is(201)
        .says("/video", Value::Null);
    world.right(&format!("/plios/{}", copy.id())).await.says("/name", "bare");
}

async fn a_missing_plio_is_not_duplicated(world: World) {
    world.post("/plios/999999/duplicate", json!({})).await.expect_problem(&[404]);
    world.get("/plios").await.ok().says("", json!([]));
}

fn without_creator(plio: &Value) -> Value {
    let mut plio = without(plio, &OWN);
    plio["created_by"] = Value::Null;
    plio
}

/// The rows a plio is made of, other than its creator's.
fn ids(plio: &Value) -> HashSet<(&'static str, i64)> {
    let mut ids = HashSet::new();
    let mut add = |table: &'static str, row: &Value| {
        ids.extend(row["id"].as_i64().map(|id| (table, id)));
    };
    add("plio", plio);
    add("video", &plio["video"]);
    for item in plio["items"].as_array().into_iter().flatten() {
        add("item", item);
        add("question", &item["details"]);
        add("image", &item["details"]["image"]);
    }
    ids
}
