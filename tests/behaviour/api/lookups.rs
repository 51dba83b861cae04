//! `GET /plios/by-uuid/{uuid}`: a plio by another unique column.

use serde_json::json;

use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_plio_is_found_by_its_uuid_and_hits),
        story!(a_write_reaches_what_is_read_by_uuid),
        story!(a_changed_uuid_is_followed),
        story!(uuids_that_change_hands_are_followed),
    ]
}

async fn a_plio_is_found_by_its_uuid_and_hits(world: World) {
    let plio = world.plio_with_items(1).await;
    let by_id = world.get(&plio.path()).await.ok();
    world.get(&plio.by_uuid()).await.ok();
    let by_uuid = world.get(&plio.by_uuid()).await.ok().hit();
    assert_eq!(by_uuid.body, by_id.body);
    assert_eq!(world.events.loads_of(&plio.key()), 1, "both ways share one entry");
}

async fn a_write_reaches_what_is_read_by_uuid(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.by_uuid()).await;
    world
        .patch(&format!("/images/{}", plio.images[0]), json!({"alt_text": "new alt text"}))
        .await
        .is(200);
    world.right(&plio.by_uuid()).await.says("/items/0/details/image/alt_text", "new alt text");
    world.patch(&plio.path(), json!({"name": "new name"})).await.is(200);
    world.right(&plio.by_uuid()).await.says("/name", "new name");
}

async fn a_changed_uuid_is_followed(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.by_uuid()).await;
    world.get("/plios/by-uuid/newnewnewn").await.is(404);

    world.sql(format!("UPDATE plio SET uuid = 'newnewnewn' WHERE id = {}", plio.id)).await;
    world.deliver_pending().await;

    world.get(&plio.by_uuid()).await.is(404);
    world
        .right("/plios/by-uuid/newnewnewn")
        .await
        .is(200)
        .says("/id", plio.id)
        .says("/uuid", "newnewnewn");
    world.right(&plio.path()).await.says("/uuid", "newnewnewn");
}

async fn uuids_that_change_hands_are_followed(world: World) {
    let (a, b) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    world.warm(&a.by_uuid()).await.says("/id", a.id);
    world.warm(&b.by_uuid()).await.says("/id", b.id);
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE plio SET uuid = 'inbetween' WHERE id = {}", a.id)).await;
    tx.run(format!("UPDATE plio SET uuid = '{}' WHERE id = {}", a.uuid, b.id)).await;
    tx.run(format!("UPDATE plio SET uuid = '{}' WHERE id = {}", b.uuid, a.id)).await;
    tx.commit().await;
    world.right(&a.by_uuid()).await.says("/id", b.id);
    world.right(&b.by_uuid()).await.says("/id", a.id);
}
