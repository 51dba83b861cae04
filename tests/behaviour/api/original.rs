//! 10 to 15 and 17: what the system this one replaces gets wrong.

use serde_json::{Value, json};

use crate::harness::soon::{SOON, nothing_waits};
use crate::harness::{Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(s10_an_organization_rename_reaches_the_plios),
        story!(s11_a_membership_added_or_removed_reaches_the_plios),
        story!(s11_a_membership_given_to_another_user_reaches_the_plios_of_both),
        story!(s12_an_images_new_alt_text_reaches_the_plio),
        story!(s12_an_image_given_or_taken_reaches_the_plio),
        story!(s13_an_item_moved_between_plios_refreshes_both),
        story!(s13_a_question_moved_between_items_refreshes_both_plios),
        story!(s13_an_item_moved_by_plain_sql_refreshes_both),
        story!(s14_a_bulk_update_by_plain_sql_is_seen),
        story!(s14_a_bulk_update_is_seen_after_a_drain)
            .without_relay("nothing but the drain is to deliver"),
        story!(s14_a_bulk_insert_by_plain_sql_is_seen),
        story!(s14_three_thousand_rows_at_once_are_seen),
        story!(s15_a_rolled_back_write_invalidates_nothing),
        story!(s15_a_refused_request_invalidates_nothing),
        story!(s15_a_reader_before_the_commit_leaves_nothing_old_behind),
        story!(s15_a_reader_before_a_commit_elsewhere_leaves_nothing_old_behind),
        story!(s17_a_deleted_video_leaves_its_plios),
    ]
}

pub async fn s10_an_organization_rename_reaches_the_plios(world: World) {
    let plios = world.plios_of_one_creator(3, 1).await;
    let user = plios[0].user_path();
    for plio in &plios {
        world.warm(&plio.path()).await.says("/created_by/organizations/0/name", "old organization");
    }
    world.warm(&user).await.says("/organizations/0/name", "old organization");

    let path = format!("/organizations/{}", plios[0].organization);
    world.patch(&path, json!({"name": "new organization", "shortcode": "fresh"})).await.is(200);

    for plio in &plios {
        world.entry_is_gone_or_says(&plio.key(), "new organization").await;
        world
            .get(&plio.path())
            .await
            .ok()
            .says("/created_by/organizations/0/name", "new organization");
        world.kept(&plio.path()).await.says("/created_by/organizations/0/shortcode", "fresh");
    }
    world.right(&user).await.says("/organizations/0/name", "new organization");
}

pub async fn s11_a_membership_added_or_removed_reaches_the_plios(world: World) {
    let plio = world.plio_with_items(1).await;
    let second = world.organization("second").await;
    let organizations = "/created_by/organizations";
    world.warm(&plio.path()).await.lists(organizations, &[plio.organization]);

    let new = json!({"user": plio.user, "organization": second, "role": "org-view"});
    let membership = world.post("/organization-users", new).await.is(201).id();
    world.entry_is_gone_or_says(&plio.key(), "second").await;
    world.right(&plio.path()).await.lists(organizations, &[plio.organization, second]);

    world.warm(&plio.path()).await;
    let path = format!("/organization-users/{membership}");
    world.patch(&path, json!({"role": "super-admin"})).await.is(200);
    world.entry_is_gone_or_says(&plio.key(), "super-admin").await;
    world.right(&plio.path()).await.says("/created_by/organizations/1/role", "super-admin");

    world.warm(&plio.path()).await;
    world.delete(&path).await.is(204);
    world.right(&plio.path()).await.lists(organizations, &[plio.organization]);

    // The last one too: then there is no row left to be told by.
    world.warm(&plio.path()).await;
    world.delete(&format!("/organization-users/{}", plio.membership)).await.is(204);
    world.entry_is_gone_or_says(&plio.key(), r#""organizations":[]"#).await;
    world.right(&plio.path()).await.says(organizations, json!([]));
}

async fn s11_a_membership_given_to_another_user_reaches_the_plios_of_both(world: World) {
    let (a, b) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let organizations = "/created_by/organizations";
    world.warm(&a.path()).await.lists(organizations, &[a.organization]);
    world.warm(&b.path()).await.lists(organizations, &[b.organization]);

    world
        .patch(&format!("/organization-users/{}", a.membership), json!({"user": b.user}))
        .await
        .is(200);

    world.right(&a.path()).await.says(organizations, json!([]));
    let both = world.right(&b.path()).await.ids(organizations);
    assert!(
        both.contains(&a.organization) && both.contains(&b.organization),
        "wrong answer: {both:?}"
    );
}

pub async fn s12_an_images_new_alt_text_reaches_the_plio(world: World) {
    let plio = world.plio_with_items(2).await;
    let alt_text = "/items/1/details/image/alt_text";
    world.warm(&plio.path()).await.says(alt_text, "old alt text");

    let change = json!({"alt_text": "new alt text"});
    world
        .patch(&format!("/images/{}", plio.images[1]), change)
        .await
        .is(200)
        .says("/alt_text", "new alt text");

    world.entry_is_gone_or_says(&plio.key(), "new alt text").await;
    world.get(&plio.path()).await.ok().miss().says(alt_text, "new alt text");
    world.kept(&plio.path()).await.says("/items/0/details/image/alt_text", "old alt text");
}

async fn s12_an_image_given_or_taken_reaches_the_plio(world: World) {
    let plio = world.plio_with_items(1).await;
    let (question, image) = (format!("/questions/{}", plio.questions[0]), "/items/0/details/image");
    world.warm(&plio.path()).await.says("/items/0/details/image/id", plio.images[0]);

    // Deleted: the database takes it from the question, and nobody asked for that in so many words.
    world.delete(&format!("/images/{}", plio.images[0])).await.is(204);
    world.right(&plio.path()).await.says(image, Value::Null);
    world.get(&question).await.ok().says("/image", Value::Null);

    let new = json!({"url": "https://example.org/new", "alt_text": "newest"});
    let other = world.post("/images", new).await.is(201).id();
    world.warm(&plio.path()).await;
    world.patch(&question, json!({"image": other})).await.is(200).says("/image", other);
    world.right(&plio.path()).await.says("/items/0/details/image/alt_text", "newest");

    world.warm(&plio.path()).await;
    world.patch(&question, json!({"image": null})).await.is(200);
    world.right(&plio.path()).await.says(image, Value::Null);
}

pub async fn s13_an_item_moved_between_plios_refreshes_both(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    let moved = a.items[1];
    warm_both(&world, &a, &b).await;

    world
        .patch(&format!("/items/{moved}"), json!({"plio": b.id, "time": 100}))
        .await
        .is(200)
        .says("/plio", b.id);

    world.get(&a.path()).await.ok().lists("/items", &[a.items[0]]);
    world.get(&b.path()).await.ok().lists("/items", &[b.items[0], b.items[1], moved]);
    world.kept(&a.path()).await;
    world.kept(&b.path()).await;

    // What the moved one carries reaches its new home.
    world
        .patch(&format!("/images/{}", a.images[1]), json!({"alt_text": "moved along"}))
        .await
        .is(200);
    world.right(&b.path()).await.miss().says("/items/2/details/image/alt_text", "moved along");
    world.right(&a.path()).await;
}

pub async fn s13_a_question_moved_between_items_refreshes_both_plios(world: World) {
    let (a, b) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let bare = world.item(b.id, 100).await;
    world.deliver_pending().await;
    world.warm(&a.path()).await.says("/items/0/details/id", a.questions[0]);
    world.warm(&b.path()).await.says("/items/1/details", json!({}));

    world
        .patch(&format!("/questions/{}", a.questions[0]), json!({"item": bare}))
        .await
        .is(200)
        .says("/item", bare);

    world.get(&a.path()).await.ok().says("/items/0/details", json!({}));
    world.get(&b.path()).await.ok().says("/items/1/details/id", a.questions[0]);
    world.kept(&a.path()).await;
    world.kept(&b.path()).await;

    // Within one plio as well.
    let own = b.items[0];
    world.delete(&format!("/questions/{}", b.questions[0])).await.is(204);
    world.warm(&b.path()).await;
    world.patch(&format!("/questions/{}", a.questions[0]), json!({"item": own})).await.is(200);
    world
        .right(&b.path())
        .await
        .says("/items/0/details/id", a.questions[0])
        .says("/items/1/details", json!({}));
}

pub async fn s13_an_item_moved_by_plain_sql_refreshes_both(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    let moved = a.items[1];
    warm_both(&world, &a, &b).await;

    world.sql(format!("UPDATE item SET plio_id = {}, time = 100 WHERE id = {moved}", b.id)).await;
    world.deliver_pending().await;

    world.get(&a.path()).await.ok().lists("/items", &[a.items[0]]);
    world.get(&b.path()).await.ok().lists("/items", &[b.items[0], b.items[1], moved]);
}

pub async fn s14_a_bulk_update_by_plain_sql_is_seen(world: World) {
    let plios = warm_plios(&world, 5).await;
    world.sql(r#"UPDATE item SET meta = '{"note": "bulk"}'"#).await;
    world.sql("UPDATE video SET title = 'bulk title'").await;

    world.deliver_pending().await;

    for plio in &plios {
        world.entry_is_gone_or_says(&plio.key(), "bulk").await;
        world
            .right(&plio.path())
            .await
            .says("/items/0/meta/note", "bulk")
            .says("/video/title", "bulk title");
    }
    nothing_waits(&world, SOON).await;
}

pub async fn s14_a_bulk_update_is_seen_after_a_drain(world: World) {
    let plios = warm_plios(&world, 5).await;
    world.sql("UPDATE question SET text = 'bulk text'").await;
    world.sql(r#"UPDATE "user" SET first_name = 'bulk first name'"#).await;
    assert!(world.waiting_rows().await > 0, "the statements are reported");

    assert!(world.deliver_pending().await > 0, "there was something to deliver");
    assert_eq!(world.deliver_pending().await, 0, "and it is delivered once");

    for plio in &plios {
        world.entry_is_gone_or_says(&plio.key(), "bulk text").await;
        world
            .right(&plio.path())
            .await
            .says("/items/0/details/text", "bulk text")
            .says("/created_by/first_name", "bulk first name");
        world.right(&plio.user_path()).await.says("/first_name", "bulk first name");
    }
}

async fn s14_a_bulk_insert_by_plain_sql_is_seen(world: World) {
    let plios = warm_plios(&world, 5).await;
    world.sql("INSERT INTO item (plio_id, type, time) SELECT id, 'bulk', 1000 FROM plio").await;
    world.sql("INSERT INTO question (item_id, type, text) SELECT id, 'bulk', 'bulk text' FROM item WHERE type = 'bulk'").await;

    world.deliver_pending().await;

    for plio in &plios {
        world
            .right(&plio.path())
            .await
            .says("/items/2/type", "bulk")
            .says("/items/2/details/text", "bulk text");
    }
}

async fn s14_three_thousand_rows_at_once_are_seen(world: World) {
    let plios = warm_plios(&world, 30).await;
    let hundred = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)";
    world.sql(format!("{hundred} INSERT INTO item (plio_id, type, time) SELECT plio.id, 'bulk', 1000 + n.n FROM plio, n")).await;
    world.deliver_pending().await;
    nothing_waits(&world, SOON).await;
    for plio in &plios {
        let items = world.right(&plio.path()).await.ids("/items").len();
        assert_eq!(items, 102, "wrong answer: {} has {items} items", plio.path());
        world.warm(&plio.path()).await;
    }

    // Three thousand questions on as many items: as many tags, none of them on a plio's own row.
    world.sql("INSERT INTO question (item_id, type, text) SELECT id, 'bulk', 'one of many' FROM item WHERE type = 'bulk'").await;
    world.deliver_pending().await;
    for plio in &plios {
        world.right(&plio.path()).await.says("/items/101/details/text", "one of many");
    }
}

async fn s15_a_rolled_back_write_invalidates_nothing(world: World) {
    let plio = world.plio_with_items(2).await;
    let before = world.warm(&plio.path()).await;
    let rows = world.outbox_rows().await;

    let mut tx = world.begin().await;
    tx.run(format!("UPDATE plio SET name = 'phantom' WHERE id = {}", plio.id)).await;
    tx.run(format!("DELETE FROM item WHERE plio_id = {}", plio.id)).await;
    tx.run("UPDATE organization SET name = 'phantom'").await;
    tx.rollback().await;
    assert_eq!(
        world.get(&plio.path()).await.ok().hit().body,
        before.body,
        "wrong answer: a phantom"
    );

    // Dropped is rolled back.
    let mut tx = world.begin().await;
    tx.run(format!("UPDATE plio SET name = 'phantom' WHERE id = {}", plio.id)).await;
    drop(tx);
    let mut tx = world.begin_elsewhere().await;
    tx.run(format!("UPDATE plio SET name = 'phantom' WHERE id = {}", plio.id)).await;
    tx.rollback().await;

    assert_eq!(world.deliver_pending().await, 0, "there is nothing to deliver");
    assert_eq!(world.outbox_rows().await, rows, "the reports went with the writes");
    assert_eq!(
        world.get(&plio.path()).await.ok().hit().body,
        before.body,
        "wrong answer: a phantom"
    );
    world.right(&plio.path()).await;
}

async fn s15_a_refused_request_invalidates_nothing(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await;
    let rows = world.outbox_rows().await;

    world
        .patch(&plio.path(), json!({"name": "phantom", "video": 999_999}))
        .await
        .expect_problem(&[422]);
    world
        .patch(&format!("/items/{}", plio.items[0]), json!({"plio": 999_999}))
        .await
        .expect_problem(&[422]);
    world.delete(&plio.user_path()).await.expect_problem(&[409]);

    world.get(&plio.path()).await.ok().hit().says("/name", "old name");
    assert_eq!(world.outbox_rows().await, rows, "the reports went with the writes");
}

pub async fn s15_a_reader_before_the_commit_leaves_nothing_old_behind(world: World) {
    let plio = world.plio_with_items(1).await;

    let mut tx = world.begin().await;
    tx.run(format!("UPDATE plio SET name = 'new name' WHERE id = {}", plio.id)).await;
    tx.run(format!("UPDATE question SET text = 'new text' WHERE id = {}", plio.questions[0])).await;
    // The old name is right as yet, and stored.
    world.get(&plio.path()).await.ok().miss().says("/name", "old name");
    world.get(&plio.path()).await.ok().hit().says("/name", "old name");
    tx.commit().await;

    world.entry_is_gone_or_says(&plio.key(), "new name").await;
    world
        .get(&plio.path())
        .await
        .ok()
        .says("/name", "new name")
        .says("/items/0/details/text", "new text");
    world.kept(&plio.path()).await;
}

async fn s15_a_reader_before_a_commit_elsewhere_leaves_nothing_old_behind(world: World) {
    let plio = world.plio_with_items(1).await;

    let mut tx = world.begin_elsewhere().await;
    tx.run(format!("UPDATE video SET title = 'new title' WHERE id = {}", plio.video)).await;
    world.get(&plio.path()).await.ok().miss().says("/video/title", "old title");
    // A drain in the meantime finds nothing, and must not take the report for delivered.
    assert_eq!(world.deliver_pending().await, 0);
    tx.commit().await;

    world.deliver_pending().await;
    world.get(&plio.path()).await.ok().miss().says("/video/title", "new title");
}

pub async fn s17_a_deleted_video_leaves_its_plios(world: World) {
    let (a, b) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    world.patch(&b.path(), json!({"video": a.video})).await.is(200).says("/video/id", a.video);
    world.warm(&a.path()).await.says("/video/id", a.video);
    world.warm(&b.path()).await.says("/video/id", a.video);

    world.delete(&format!("/videos/{}", a.video)).await.is(204);

    for plio in [&a, &b] {
        world.entry_is_gone_or_says(&plio.key(), r#""video":null"#).await;
        world.get(&plio.path()).await.ok().miss().says("/video", Value::Null);
        world.kept(&plio.path()).await;
    }
}

async fn warm_both(world: &World, a: &Plio, b: &Plio) {
    world.warm(&a.path()).await.lists("/items", &a.items);
    world.warm(&b.path()).await.lists("/items", &b.items);
}

async fn warm_plios(world: &World, plios: usize) -> Vec<Plio> {
    let plios = world.plios_of_one_creator(plios, 2).await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }
    plios
}
