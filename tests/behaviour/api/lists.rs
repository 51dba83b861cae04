//! Lists: in order of the ids, by pages, and through the cache where the rows are cached.

use serde_json::json;

use crate::harness::{NOUNS, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_list_has_pages),
        story!(a_list_loads_the_cold_ones_at_once_and_the_warm_ones_not),
        story!(a_list_is_never_stale),
        story!(a_cached_list_moves_with_what_is_in_it),
    ]
}

async fn a_list_has_pages(world: World) {
    let plios = world.plios_of_one_creator(5, 1).await;
    let ids: Vec<i64> = plios.iter().map(|plio| plio.id).collect();
    world.right("/plios").await.is(200).lists("", &ids);
    world.right("/plios?limit=2").await.is(200).lists("", &ids[..2]);
    world.right("/plios?limit=2&offset=1").await.is(200).lists("", &ids[1..3]);
    world.right("/plios?offset=4").await.is(200).lists("", &ids[4..]);
    world.right("/plios?offset=5").await.is(200).lists("", &[]);
    world.right("/plios/?limit=1").await.is(200).lists("", &ids[..1]);
    for noun in &NOUNS[1..] {
        let all = world.right(&format!("/{noun}")).await.is(200).ids("");
        assert!(!all.is_empty() && all.is_sorted(), "{noun}: {all:?}");
        let page = world.get(&format!("/{noun}?limit=1&offset={}", all.len() - 1)).await.is(200);
        page.lists("", &all[all.len() - 1..]);
    }
    for bad in
        ["limit=-1", "limit=abc", "offset=-1", "offset=1.5", "limit=99999999999999999999", "limit="]
    {
        world.get(&format!("/plios?{bad}")).await.expect_problem(&[400]);
        world.get(&format!("/items?{bad}")).await.expect_problem(&[400]);
    }
}

async fn a_list_loads_the_cold_ones_at_once_and_the_warm_ones_not(world: World) {
    let plios = world.plios_of_one_creator(20, 1).await;
    world.warm(&plios[3].path()).await;
    world.events.forget();

    world.get("/plios").await.ok().miss();
    assert_eq!(world.events.loads("plio"), 1, "one load for the nineteen");
    assert_eq!(world.events.loads_of(&plios[3].key()), 0, "and not for the warm one");
    world.get("/plios").await.ok().hit();
    assert_eq!(world.events.loads("plio"), 1);

    for plio in &plios {
        world.entry_exists(&plio.key()).await;
        world.kept(&plio.path()).await;
    }
}

async fn a_list_is_never_stale(world: World) {
    let plios = world.plios_of_one_creator(3, 1).await;
    world.get("/plios").await.ok();
    world.get("/users").await.ok();

    world
        .patch(&format!("/videos/{}", plios[1].video), json!({"title": "new title"}))
        .await
        .is(200);
    world
        .right("/plios")
        .await
        .says("/1/video/title", "new title")
        .says("/0/video/title", "old title");
    world
        .patch(
            &format!("/organizations/{}", plios[0].organization),
            json!({"name": "new organization"}),
        )
        .await
        .is(200);
    world.right("/plios").await.says("/2/created_by/organizations/0/name", "new organization");
    world.right("/users").await.says("/0/organizations/0/name", "new organization");
    world.delete(&plios[0].path()).await.is(204);
    world.right("/plios").await.lists("", &[plios[1].id, plios[2].id]);
}

async fn a_cached_list_moves_with_what_is_in_it(world: World) {
    let plios = world.plios_of_one_creator(3, 1).await;
    let [one, two, three] = [plios[0].id, plios[1].id, plios[2].id];
    let of_user = format!("/users/{}/plios", plios[0].user);
    let of_organization = format!("/organizations/{}/plios", plios[0].organization);
    let (published, other) = ("/plios/published", world.user().await);
    for path in [&of_user, &of_organization] {
        world.right(path).await.is(200).lists("", &[three, two, one]);
        world.kept(path).await;
    }
    world.right(&format!("{of_user}?limit=1&offset=1")).await.lists("", &[two]);
    world.right(&format!("{of_user}?offset=3")).await.lists("", &[]);
    world.right(published).await.lists("", &[]);
    world.right(&format!("/users/{other}/plios")).await.lists("", &[]);
    world.get(&format!("{of_user}?limit=0")).await.expect_problem(&[400]);

    world.patch(&plios[1].path(), json!({"status": "published"})).await.is(200);
    world.right(published).await.lists("", &[two]);
    world.patch(&plios[1].path(), json!({"name": "a new name"})).await.is(200);
    world.right(published).await.lists("", &[two]).says("/0/name", "a new name");
    world.patch(&plios[1].path(), json!({"is_public": false})).await.is(200);
    world.right(published).await.lists("", &[]);

    world.patch(&plios[0].path(), json!({"created_by": other})).await.is(200);
    world.right(&of_user).await.lists("", &[three, two]);
    world.right(&of_organization).await.lists("", &[three, two]);
    world.right(&format!("/users/{other}/plios")).await.lists("", &[one]);
    let organization = plios[0].organization;
    let membership = json!({"user": other, "organization": organization, "role": "member"});
    world.post("/organization-users", membership).await.is(201);
    world.right(&of_organization).await.lists("", &[three, two, one]);
    world.delete(&plios[1].path()).await.is(204);
    world.right(&of_user).await.lists("", &[three]);
    world.right(&of_organization).await.lists("", &[three, one]);
}
