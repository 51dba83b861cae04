//! Deletes and their cascades, which are the database's doing: no handler says them.

use serde_json::{Value, json};

use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_plio_deleted_by_plain_sql_is_gone_with_all_it_had),
        story!(all_plios_deleted_at_once_are_gone),
        story!(a_deleted_item_takes_its_question_along),
        story!(a_deleted_organization_takes_its_memberships_along),
        story!(a_deleted_user_is_gone_with_the_memberships),
        story!(images_deleted_at_once_leave_their_questions),
    ]
}

async fn a_plio_deleted_by_plain_sql_is_gone_with_all_it_had(world: World) {
    let (plio, other) = (world.plio_with_items(2).await, world.plio_with_items(2).await);
    world.warm(&plio.path()).await;
    world.warm(&plio.by_uuid()).await;
    world.warm(&other.path()).await;

    world.sql(format!("DELETE FROM plio WHERE id = {}", plio.id)).await;
    world.deliver_pending().await;

    world.entry_is_gone(&plio.key()).await;
    world.get(&plio.path()).await.is(404);
    world.get(&plio.by_uuid()).await.is(404);
    world.get(&format!("/items/{}", plio.items[0])).await.is(404);
    world.get(&format!("/questions/{}", plio.questions[0])).await.is(404);
    world.get(&format!("/videos/{}", plio.video)).await.is(200);
    world.get(&other.path()).await.ok().hit();
}

async fn all_plios_deleted_at_once_are_gone(world: World) {
    let plios = world.plios_of_one_creator(5, 2).await;
    for plio in &plios {
        world.warm(&plio.path()).await;
    }
    world.sql("DELETE FROM plio").await;
    world.deliver_pending().await;
    for plio in &plios {
        world.entry_is_gone(&plio.key()).await;
        world.get(&plio.path()).await.is(404);
    }
    world.get("/plios").await.ok().says("", json!([]));
    // The creator may go now.
    world.delete(&plios[0].user_path()).await.is(204);
}

async fn a_deleted_item_takes_its_question_along(world: World) {
    let plio = world.plio_with_items(2).await;
    world.warm(&plio.path()).await;
    world.delete(&format!("/items/{}", plio.items[0])).await.is(204);
    world.get(&plio.path()).await.ok().miss().lists("/items", &plio.items[1..]);
    world.get(&format!("/questions/{}", plio.questions[0])).await.is(404);
    world.kept(&plio.path()).await;
}

async fn a_deleted_organization_takes_its_memberships_along(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await.lists("/created_by/organizations", &[plio.organization]);
    world.warm(&plio.user_path()).await;

    world.sql(format!("DELETE FROM organization WHERE id = {}", plio.organization)).await;
    world.deliver_pending().await;

    world.get(&plio.path()).await.ok().miss().says("/created_by/organizations", json!([]));
    world.right(&plio.user_path()).await.says("/organizations", json!([]));
    world.get(&format!("/organization-users/{}", plio.membership)).await.is(404);
}

async fn a_deleted_user_is_gone_with_the_memberships(world: World) {
    let (user, organization, membership) = world.user_with_organization().await;
    world.deliver_pending().await;
    let path = format!("/users/{user}");
    world.warm(&path).await.lists("/organizations", &[organization]);

    world.delete(&path).await.is(204);

    world.entry_is_gone(&format!("user_{user}")).await;
    world.get(&path).await.is(404);
    world.get(&format!("/organization-users/{membership}")).await.is(404);
    world.get(&format!("/organizations/{organization}")).await.is(200);
}

async fn images_deleted_at_once_leave_their_questions(world: World) {
    let plio = world.plio_with_items(3).await;
    world.warm(&plio.path()).await;
    world.sql("DELETE FROM image").await;
    world.deliver_pending().await;
    world
        .get(&plio.path())
        .await
        .ok()
        .miss()
        .says("/items/0/details/image", Value::Null)
        .says("/items/2/details/image", Value::Null);
    world.kept(&plio.path()).await;
}
