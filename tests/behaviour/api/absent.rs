//! "No such row" is cached like a value, and a created row removes it like a write.

use serde_json::json;

use crate::harness::{Story, World, story};

const ID: i64 = 4_711;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_missing_plio_is_cached_and_its_creation_is_seen),
        story!(a_missing_uuid_is_cached_and_its_creation_is_seen),
        story!(a_missing_user_is_cached_and_its_creation_is_seen),
        story!(a_deleted_and_recreated_plio_is_seen),
    ]
}

async fn a_missing_plio_is_cached_and_its_creation_is_seen(world: World) {
    let user = world.user().await;
    // A plio could have been left out for lack of it.
    world.deliver_pending().await;
    let path = format!("/plios/{ID}");
    world.get(&path).await.is(404).miss();
    world.get(&path).await.is(404).hit().expect_problem(&[404]);
    assert_eq!(world.events.loads("plio"), 1);

    world
        .sql(format!("INSERT INTO plio (id, name, created_by_id) VALUES ({ID}, 'born', {user})"))
        .await;
    world.deliver_pending().await;

    world.entry_is_gone_or_says(&format!("plio_{ID}"), "born").await;
    world.get(&path).await.is(200).miss().says("/name", "born");
    world.kept(&path).await;
}

async fn a_missing_uuid_is_cached_and_its_creation_is_seen(world: World) {
    let user = world.user().await;
    let path = "/plios/by-uuid/abcdefghij";
    world.get(path).await.is(404).miss();
    world.get(path).await.is(404).hit().expect_problem(&[404]);

    world
        .sql(format!(
            "INSERT INTO plio (uuid, name, created_by_id) VALUES ('abcdefghij', 'born', {user})"
        ))
        .await;
    world.deliver_pending().await;

    world.get(path).await.is(200).miss().says("/name", "born");
    world.kept(path).await;
}

async fn a_missing_user_is_cached_and_its_creation_is_seen(world: World) {
    let path = format!("/users/{ID}");
    world.get(&path).await.is(404).miss();
    world.get(&path).await.is(404).hit();
    world.sql(format!(r#"INSERT INTO "user" (id, email) VALUES ({ID}, 'born@example.org')"#)).await;
    world.deliver_pending().await;
    world.get(&path).await.is(200).miss().says("/email", "born@example.org");
}

async fn a_deleted_and_recreated_plio_is_seen(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await;
    world.delete(&plio.path()).await.is(204);
    world.get(&plio.path()).await.is(404);
    world.get(&plio.path()).await.is(404).hit();
    world
        .sql(format!(
            "INSERT INTO plio (id, name, created_by_id) VALUES ({}, 'reborn', {})",
            plio.id, plio.user
        ))
        .await;
    world.deliver_pending().await;
    world.get(&plio.path()).await.is(200).says("/name", "reborn").says("/items", json!([]));
}
