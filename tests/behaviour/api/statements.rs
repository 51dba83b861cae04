//! What a miss costs the database.

use serde_json::json;

use crate::harness::statements::counted;
use crate::harness::{Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    [
        story!(a_plio_is_loaded_in_as_many_statements_with_fifty_items_as_with_one),
        story!(ten_plios_are_loaded_in_as_many_statements_as_two),
        story!(a_plio_is_duplicated_in_as_many_statements_with_fifty_items_as_with_one),
        story!(a_hit_asks_the_database_nothing),
    ]
    .map(Story::alone)
    .map(|story| story.without_relay("its statements would be counted"))
    .into()
}

async fn a_plio_is_loaded_in_as_many_statements_with_fifty_items_as_with_one(world: World) {
    let (one, fifty) = (world.plio_with_items(1).await, world.plio_with_items(50).await);
    let (few, many) =
        (statements_of_a_miss(&world, &one).await, statements_of_a_miss(&world, &fifty).await);
    assert!(few > 0, "no statement is counted: has the app turned sqlx's log off?");
    assert_eq!(few, many, "with one item and with fifty");
}

async fn ten_plios_are_loaded_in_as_many_statements_as_two(world: World) {
    world.plios_of_one_creator(10, 3).await;
    let two = statements_of(&world, "/plios?limit=2").await;
    let ten = statements_of(&world, "/plios?limit=10").await;
    assert!(two > 0, "no statement is counted: has the app turned sqlx's log off?");
    assert_eq!(two, ten, "two plios and ten");
}

async fn a_plio_is_duplicated_in_as_many_statements_with_fifty_items_as_with_one(world: World) {
    let (one, fifty) = (world.plio_with_items(1).await, world.plio_with_items(50).await);
    let (few, many) = (
        statements_of_a_duplicate(&world, &one).await,
        statements_of_a_duplicate(&world, &fifty).await,
    );
    assert!(few > 0, "no statement is counted: has the app turned sqlx's log off?");
    assert_eq!(few, many, "with one item and with fifty");
}

async fn a_hit_asks_the_database_nothing(world: World) {
    let plio = world.plio_with_items(3).await;
    for path in [plio.path(), plio.by_uuid(), plio.user_path()] {
        world.warm(&path).await;
        let (_, count) = counted(world.get(&path)).await;
        assert_eq!(count, 0, "{path}");
    }
}

async fn statements_of_a_miss(world: &World, plio: &Plio) -> usize {
    let count = statements_of(world, &plio.path()).await;
    world.kept(&plio.path()).await.lists("/items", &plio.items);
    count
}

/// The fewest of five: a connection that the pool opens just then has statements of its own.
async fn statements_of_a_duplicate(world: &World, plio: &Plio) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..5 {
        let path = format!("{}/duplicate", plio.path());
        let (copy, count) = counted(world.post(&path, json!({}))).await;
        assert_eq!(copy.is(201).ids("/items").len(), plio.items.len());
        fewest = fewest.min(count);
    }
    fewest
}

/// The fewest of five cold reads, likewise.
async fn statements_of(world: &World, path: &str) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..5 {
        world.sql(r#"UPDATE plio SET status = status; UPDATE "user" SET status = status"#).await;
        world.deliver_pending().await;
        let (answer, count) = counted(world.get(path)).await;
        answer.ok();
        fewest = fewest.min(count);
    }
    fewest
}
