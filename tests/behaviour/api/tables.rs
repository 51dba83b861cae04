//! Ways to change rows that are easily forgotten: upserts,
//! replaced rows, emptied tables, changed ids.

use serde_json::json;

use crate::harness::soon::{SOON, nothing_waits};
use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(an_emptied_table_is_seen),
        story!(an_upsert_is_seen),
        story!(a_replaced_row_is_seen_where_it_was_and_where_it_is),
        story!(a_changed_id_is_seen),
        story!(several_statements_in_one_transaction_are_seen_together),
        story!(three_thousand_rows_in_one_transaction_are_seen),
        story!(statements_within_statements_are_seen),
        story!(what_triggers_of_others_write_at_the_commit_is_seen),
        story!(an_update_that_changes_nothing_harms_nothing),
    ]
}

async fn an_emptied_table_is_seen(world: World) {
    let plio = world.plio_with_items(2).await;
    world.warm(&plio.path()).await;
    world.warm(&plio.user_path()).await;
    // SQLite has no TRUNCATE; a DELETE of everything is its.
    world.sql(if world.is_postgres() { "TRUNCATE question" } else { "DELETE FROM question" }).await;
    world
        .sql(if world.is_postgres() {
            "TRUNCATE organization_user"
        } else {
            "DELETE FROM organization_user"
        })
        .await;
    world.deliver_pending().await;
    let emptied = world.right(&plio.path()).await.is(200);
    emptied.says("/items/0/details", json!({})).says("/created_by/organizations", json!([]));
    world.right(&plio.user_path()).await.says("/organizations", json!([]));
    world.kept(&plio.path()).await;

    if world.is_postgres() {
        world.sql("TRUNCATE plio CASCADE").await;
        world.deliver_pending().await;
        world.get(&plio.path()).await.is(404);
        world.get(&plio.by_uuid()).await.is(404);
    }
}

async fn an_upsert_is_seen(world: World) {
    let (a, b) = (world.plio_with_items(1).await, world.plio_with_items(0).await);
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
    world.deliver_pending().await;
    world.right(&a.path()).await.says("/items", json!([]));
    world.right(&b.path()).await.lists("/items", &[moved]);
}

async fn a_replaced_row_is_seen_where_it_was_and_where_it_is(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(0).await);
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let moved = a.items[0];
    let new =
        format!("INTO item (id, plio_id, type, time) VALUES ({moved}, {}, 'question', 5)", b.id);
    if world.is_postgres() {
        world
            .sql(format!("BEGIN; DELETE FROM item WHERE id = {moved}; INSERT {new}; COMMIT"))
            .await;
    } else {
        world.sql(format!("INSERT OR REPLACE {new}")).await;
    }
    world.deliver_pending().await;
    world.right(&a.path()).await.lists("/items", &a.items[1..]);
    world.right(&b.path()).await.lists("/items", &[moved]);
}

async fn a_changed_id_is_seen(world: World) {
    let plio = world.plio_with_items(0).await;
    let new = plio.id + 1_000;
    world.warm(&plio.path()).await;
    world.get(&format!("/plios/{new}")).await.is(404);
    world.sql(format!("UPDATE plio SET id = {new} WHERE id = {}", plio.id)).await;
    world.deliver_pending().await;
    world.get(&plio.path()).await.is(404);
    world.right(&format!("/plios/{new}")).await.is(200);
    world.right(&plio.by_uuid()).await.is(200).says("/id", new);
}

async fn several_statements_in_one_transaction_are_seen_together(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE item SET plio_id = {} WHERE id = {}", b.id, a.items[0])).await;
    tx.run(format!("UPDATE item SET plio_id = {} WHERE id = {}", a.id, b.items[0])).await;
    tx.run(format!("DELETE FROM question WHERE id = {}", b.questions[1])).await;
    tx.run("UPDATE organization SET name = 'new organization'").await;
    world.get(&a.path()).await.ok().hit();
    tx.commit().await;
    for plio in [&a, &b] {
        world.entry_is_gone_or_says(&plio.key(), "new organization").await;
        world
            .right(&plio.path())
            .await
            .says("/created_by/organizations/0/name", "new organization");
    }
    nothing_waits(&world, SOON).await;
}

async fn three_thousand_rows_in_one_transaction_are_seen(world: World) {
    let plios = world.plios_of_one_creator(3, 1).await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }
    let thousand = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)";
    let mut tx = world.begin().await;
    tx.run(format!(
        "{thousand} INSERT INTO item (plio_id, type, time) SELECT plio.id, 'bulk', n.n FROM plio, n"
    ))
    .await;
    tx.run(
        "INSERT INTO question (item_id, text) SELECT id, 'bulk text' FROM item WHERE type = 'bulk'",
    )
    .await;
    tx.commit().await;
    nothing_waits(&world, SOON).await;
    for plio in &plios {
        world.right(&plio.path()).await.says("/items/999/details/text", "bulk text");
    }
    let mut tx = world.begin().await;
    tx.run("UPDATE question SET text = 'new text'").await;
    tx.commit().await;
    for plio in &plios {
        world.get(&plio.path()).await.ok().says("/items/999/details/text", "new text");
    }
    nothing_waits(&world, SOON).await;
}

async fn statements_within_statements_are_seen(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    world.warm(&a.path()).await;
    world.warm(&b.path()).await;
    let moved = (a.items[0], b.items[0]);
    let statement = if world.is_postgres() {
        format!(
            "MERGE INTO item USING (VALUES ({}, {}), ({}, {})) AS moved(id, home) ON moved.id = item.id
             WHEN MATCHED THEN UPDATE SET plio_id = moved.home",
            moved.0, b.id, moved.1, a.id
        )
    } else {
        format!(
            "UPDATE item SET plio_id = moved.home FROM (SELECT {} AS id, {} AS home UNION ALL SELECT {}, {}) AS moved
             WHERE item.id = moved.id",
            moved.0, b.id, moved.1, a.id
        )
    };
    world.sql(statement).await;
    world.deliver_pending().await;
    world.right(&a.path()).await.is(200);
    let shown = world.get(&b.path()).await.ids("/items");
    assert!(shown.contains(&moved.0) && !shown.contains(&moved.1), "wrong answer: {shown:?}");

    if world.is_postgres() {
        world
            .sql(format!(
                "WITH gone AS (DELETE FROM question WHERE item_id = {} RETURNING id),
                      renamed AS (UPDATE video SET title = 'new title' WHERE id = {})
                 INSERT INTO item (plio_id, type, time) SELECT {}, 'new', 900 FROM gone",
                a.items[1], a.video, a.id
            ))
            .await;
        world.deliver_pending().await;
        let answer = world.right(&a.path()).await.says("/video/title", "new title");
        assert!(answer.text.contains("\"new\""), "wrong answer: {}", answer.text);
    }
}

/// A deferred trigger of the application's own writes after the
/// last statement, in the commit itself.
async fn what_triggers_of_others_write_at_the_commit_is_seen(world: World) {
    let plio = world.plio_with_items(1).await;
    let rename = "UPDATE plio SET name = 'renamed by a trigger'";
    if world.is_postgres() {
        world
            .sql(format!(
                "CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {rename}; RETURN NULL; END $$;
                 CREATE CONSTRAINT TRIGGER rename AFTER UPDATE ON image DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION rename()"
            ))
            .await;
    } else {
        world.sql(format!("CREATE TRIGGER rename AFTER UPDATE ON image BEGIN {rename}; END")).await;
    }
    world.warm(&plio.path()).await.says("/name", "old name");
    world.patch(&format!("/images/{}", plio.images[0]), json!({"alt_text": "new"})).await.is(200);
    world.right(&plio.path()).await.says("/name", "renamed by a trigger");

    world.warm(&plio.path()).await;
    let image = world.image().await;
    world.sql(rename.replace("a trigger", "hand")).await;
    world.deliver_pending().await;
    world.warm(&plio.path()).await.says("/name", "renamed by hand");
    world.patch(&format!("/images/{image}"), json!({"alt_text": "new"})).await.is(200);
    world.right(&plio.path()).await.says("/name", "renamed by a trigger");
}

async fn an_update_that_changes_nothing_harms_nothing(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = world.warm(&plio.path()).await;
    world.sql("UPDATE item SET time = time").await;
    world.sql("DELETE FROM plio WHERE id = -1").await;
    world.deliver_pending().await;
    assert_eq!(world.right(&plio.path()).await.ok().body, before.body);
    world.kept(&plio.path()).await;
}
