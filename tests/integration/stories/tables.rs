//! Ways to change rows that are easily forgotten: upserts, replaced rows, emptied tables, changed ids.

use serde_json::json;

use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(an_emptied_table_is_seen),
        story!(an_upsert_is_seen),
        story!(a_replaced_row_is_seen_where_it_was_and_where_it_is),
        story!(a_changed_id_is_seen),
        story!(several_statements_in_one_transaction_are_seen_together),
        story!(an_update_that_changes_nothing_harms_nothing),
    ]
}

async fn an_emptied_table_is_seen(world: World) {
    let plio = world.plio_with_items(2).await;
    world.warm(&plio.path()).await;
    world.warm(&plio.user_path()).await;
    // SQLite has no TRUNCATE; a DELETE of everything is its.
    world
        .sql(if world.is_postgres() {
            "TRUNCATE question"
        } else {
            "DELETE FROM question"
        })
        .await;
    world
        .sql(if world.is_postgres() {
            "TRUNCATE organization_user"
        } else {
            "DELETE FROM organization_user"
        })
        .await;
    world.drain().await;
    let emptied = world.right(&plio.path()).await.is(200);
    emptied
        .says("/items/0/details", json!({}))
        .says("/created_by/organizations", json!([]));
    world
        .right(&plio.user_path())
        .await
        .says("/organizations", json!([]));
    world.right(&plio.path()).await.hit();

    if world.is_postgres() {
        world.sql("TRUNCATE plio CASCADE").await;
        world.drain().await;
        world.get(&plio.path()).await.is(404);
        world.get(&plio.by_uuid()).await.is(404);
    }
}

async fn an_upsert_is_seen(world: World) {
    let (a, b) = (
        world.plio_with_items(1).await,
        world.plio_with_items(0).await,
    );
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let moved = a.items[0];
    world
        .sql(format!(
            "INSERT INTO item (id, plio_id, type, time) VALUES ({moved}, {}, 'question', 5)
             ON CONFLICT (id) DO UPDATE SET plio_id = excluded.plio_id, time = excluded.time",
            b.id
        ))
        .await;
    world.drain().await;
    world.right(&a.path()).await.says("/items", json!([]));
    world.right(&b.path()).await.lists("/items", &[moved]);
}

async fn a_replaced_row_is_seen_where_it_was_and_where_it_is(world: World) {
    let (a, b) = (
        world.plio_with_items(2).await,
        world.plio_with_items(0).await,
    );
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let moved = a.items[0];
    let new = format!(
        "INTO item (id, plio_id, type, time) VALUES ({moved}, {}, 'question', 5)",
        b.id
    );
    if world.is_postgres() {
        world
            .sql(format!(
                "BEGIN; DELETE FROM item WHERE id = {moved}; INSERT {new}; COMMIT"
            ))
            .await;
    } else {
        world.sql(format!("INSERT OR REPLACE {new}")).await;
    }
    world.drain().await;
    world.right(&a.path()).await.lists("/items", &a.items[1..]);
    world.right(&b.path()).await.lists("/items", &[moved]);
}

async fn a_changed_id_is_seen(world: World) {
    let plio = world.plio_with_items(0).await;
    let new = plio.id + 1_000;
    world.warm(&plio.path()).await;
    world.get(&format!("/plios/{new}")).await.is(404);
    world
        .sql(format!("UPDATE plio SET id = {new} WHERE id = {}", plio.id))
        .await;
    world.drain().await;
    world.get(&plio.path()).await.is(404);
    world.right(&format!("/plios/{new}")).await.is(200);
    world.right(&plio.by_uuid()).await.is(200).says("/id", new);
}

async fn several_statements_in_one_transaction_are_seen_together(world: World) {
    let (a, b) = (
        world.plio_with_items(2).await,
        world.plio_with_items(2).await,
    );
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let mut tx = world.begin().await;
    tx.run(format!(
        "UPDATE item SET plio_id = {} WHERE id = {}",
        b.id, a.items[0]
    ))
    .await;
    tx.run(format!(
        "UPDATE item SET plio_id = {} WHERE id = {}",
        a.id, b.items[0]
    ))
    .await;
    tx.run(format!(
        "DELETE FROM question WHERE id = {}",
        b.questions[1]
    ))
    .await;
    tx.run("UPDATE organization SET name = 'new organization'")
        .await;
    world.get(&a.path()).await.ok().hit();
    tx.commit().await;
    for plio in [&a, &b] {
        world
            .entry_is_gone_or_says(&plio.key(), "new organization")
            .await;
        world
            .right(&plio.path())
            .await
            .says("/created_by/organizations/0/name", "new organization");
    }
    assert_eq!(world.waiting_rows().await, 0, "all is delivered");
}

async fn an_update_that_changes_nothing_harms_nothing(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = world.warm(&plio.path()).await;
    world.sql("UPDATE item SET time = time").await;
    world.sql("DELETE FROM plio WHERE id = -1").await;
    world.drain().await;
    assert_eq!(world.right(&plio.path()).await.ok().body, before.body);
    world.right(&plio.path()).await.hit();
}
