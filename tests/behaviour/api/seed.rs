//! 1 to 9: what the cache was asked to do first. A retrieve creates
//! an entry, a write removes or re-creates it.

use serde_json::{Value, json};

use crate::harness::{Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(s1_a_retrieve_creates_the_plios_entry),
        story!(s2_a_created_plio_is_cached_at_once)
            .without_relay("one that delivers the same rows removes what the write has stored"),
        story!(s2_an_updated_plio_is_cached_anew_at_once)
            .without_relay("one that delivers the same rows removes what the write has stored"),
        story!(s2_a_deleted_plio_is_gone),
        story!(s3_video_writes_remove_the_plio),
        story!(s4_item_writes_remove_the_plio),
        story!(s5_question_writes_remove_the_plio),
        story!(s6_user_writes_remove_the_plio),
        story!(s7_a_retrieve_creates_the_users_entry),
        story!(s8_user_writes_create_the_users_entry_anew)
            .without_relay("one that delivers the same rows removes what the write has stored"),
        story!(s8_membership_writes_create_the_users_entry_anew),
        story!(s9_an_organization_write_removes_the_user),
    ]
}

async fn s1_a_retrieve_creates_the_plios_entry(world: World) {
    let plio = world.plio_with_items(2).await;
    world.entry_is_gone(&plio.key()).await;

    let first = world.get(&plio.path()).await.ok().miss();
    world.entry_exists(&plio.key()).await;
    let second = world.get(&plio.path()).await.ok().hit();

    let store = if world.has_redis() { "redis" } else { "memory" };
    let tiers = [store, if world.has_near() { "near" } else { store }];
    assert!(tiers.contains(&second.tier()), "{}", second.tier());
    assert_eq!(second.body, first.body, "a hit says what the load said");
    assert_eq!(world.events.loads_of(&plio.key()), 1);
    second
        .says("/id", plio.id)
        .says("/uuid", plio.uuid.clone())
        .says("/name", "old name")
        .says("/video/id", plio.video)
        .says("/created_by/id", plio.user)
        .says("/created_by/organizations", json!([membership(&world, &plio).await]))
        .lists("/items", &plio.items)
        .says("/items/1/plio", plio.id)
        .says("/items/1/details/id", plio.questions[1])
        .says("/items/1/details/item", plio.items[1])
        .says("/items/1/details/image/id", plio.images[1]);
}

async fn s2_a_created_plio_is_cached_at_once(world: World) {
    let (user, video) = (world.user().await, world.video().await);
    world.deliver_pending().await;

    let made = world
        .post("/plios", json!({"name": "new", "video": video, "created_by": user}))
        .await
        .is(201);
    let id = made.id();
    let uuid = made.at("/uuid").as_str().unwrap_or_default().to_owned();
    assert!(
        uuid.len() == 10 && uuid.chars().all(|letter| letter.is_ascii_lowercase()),
        "the uuid is {uuid:?}"
    );
    assert!(
        made.location.as_deref().unwrap_or_default().ends_with(&format!("/plios/{id}")),
        "{:?}",
        made.location
    );

    world.entry_exists(&format!("plio_{id}")).await;
    let read = world
        .get(&format!("/plios/{id}"))
        .await
        .ok()
        .hit()
        .says("/name", "new")
        .says("/video/id", video);
    assert_eq!(read.body, made.body, "the answer to a write shows the new state");
    world.right(&format!("/plios/{id}")).await;
}

async fn s2_an_updated_plio_is_cached_anew_at_once(world: World) {
    let plio = world.plio_with_items(2).await;
    world.warm(&plio.path()).await.says("/name", "old name");

    let change = json!({"name": "new name", "is_public": false, "config": {"skip": [1, null, "two"]}, "video": null});
    let changed = world.patch(&plio.path(), change).await.is(200).says("/name", "new name");

    world.entry_exists(&plio.key()).await;
    world.entry_is_gone_or_says(&plio.key(), "new name").await;
    let read = world.get(&plio.path()).await.ok().hit();
    assert_eq!(read.body, changed.body, "the answer to a write shows the new state");
    read.says("/is_public", false)
        .says("/config/skip/2", "two")
        .says("/video", Value::Null)
        .lists("/items", &plio.items);
    world.right(&plio.path()).await;
}

async fn s2_a_deleted_plio_is_gone(world: World) {
    let plio = world.plio_with_items(2).await;
    world.warm(&plio.path()).await;
    world.warm(&plio.by_uuid()).await;

    world.delete(&plio.path()).await.is(204);
    world.entry_is_gone(&plio.key()).await;
    world.get(&plio.path()).await.is(404);
    world.get(&plio.by_uuid()).await.is(404);
    world.delete(&plio.path()).await.is(404);
}

async fn s3_video_writes_remove_the_plio(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await.says("/video/title", "old title");

    // One that no plio has yet changes no plio.
    let video = world
        .post("/videos", json!({"url": "https://example.org/w", "title": "second"}))
        .await
        .is(201)
        .id();
    world.get(&plio.path()).await.hit();
    world.patch(&plio.path(), json!({"video": video})).await.is(200).says("/video/title", "second");
    world.right(&plio.path()).await.says("/video/id", video);

    world.warm(&plio.path()).await;
    world
        .patch(&format!("/videos/{video}"), json!({"title": "third", "duration": 61}))
        .await
        .is(200)
        .says("/title", "third");
    removed(&world, &plio, "third").await.says("/video/title", "third").says("/video/duration", 61);

    world.warm(&plio.path()).await;
    world.delete(&format!("/videos/{video}")).await.is(204);
    removed(&world, &plio, r#""video":null"#).await.says("/video", Value::Null);
}

async fn s4_item_writes_remove_the_plio(world: World) {
    let plio = world.plio_with_items(0).await;
    // An empty list is a fact too: the row that is not there yet removes it.
    world.warm(&plio.path()).await.says("/items", json!([]));

    let new = json!({"plio": plio.id, "type": "question", "time": 12.5, "meta": {"source": "new"}});
    let item = world.post("/items", new).await.is(201).says("/time", 12.5).id();
    removed(&world, &plio, "source")
        .await
        .lists("/items", &[item])
        .says("/items/0/details", json!({}));

    world.warm(&plio.path()).await;
    world.patch(&format!("/items/{item}"), json!({"meta": {"source": "changed"}})).await.is(200);
    removed(&world, &plio, "changed").await.says("/items/0/meta/source", "changed");

    world.warm(&plio.path()).await;
    world.delete(&format!("/items/{item}")).await.is(204);
    removed(&world, &plio, r#""items":[]"#).await.says("/items", json!([]));
}

async fn s5_question_writes_remove_the_plio(world: World) {
    let plio = world.plio_with_items(0).await;
    let item = world.item(plio.id, 3).await;
    world.deliver_pending().await;
    world.warm(&plio.path()).await.says("/items/0/details", json!({}));

    let new = json!({"item": item, "type": "mcq", "text": "how new", "options": ["a", "b"], "correct_answer": 1});
    let question = world.post("/questions", new).await.is(201).id();
    removed(&world, &plio, "how new")
        .await
        .says("/items/0/details/id", question)
        .says("/items/0/details/correct_answer", 1);

    world.warm(&plio.path()).await;
    let change = json!({"text": "how changed", "has_char_limit": true, "max_char_limit": 100});
    world.patch(&format!("/questions/{question}"), change).await.is(200);
    removed(&world, &plio, "how changed").await.says("/items/0/details/max_char_limit", 100);

    world.warm(&plio.path()).await;
    world.delete(&format!("/questions/{question}")).await.is(204);
    removed(&world, &plio, r#""details":{}"#).await.says("/items/0/details", json!({}));
}

async fn s6_user_writes_remove_the_plio(world: World) {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await.says("/created_by/first_name", "old first name");

    let new = json!({"email": "second@example.org", "first_name": "second", "status": "approved"});
    let user = world.post("/users", new).await.is(201).says("/organizations", json!([])).id();
    world.get(&plio.path()).await.hit();
    world
        .patch(&plio.path(), json!({"created_by": user}))
        .await
        .is(200)
        .says("/created_by/first_name", "second");

    world.warm(&plio.path()).await;
    world
        .patch(&format!("/users/{user}"), json!({"first_name": "third"}))
        .await
        .is(200)
        .says("/first_name", "third");
    removed(&world, &plio, "third").await.says("/created_by/first_name", "third");

    // Whoever made a plio stays; a user without one can go.
    world.delete(&format!("/users/{user}")).await.expect_problem(&[409]);
    world.warm(&plio.path()).await;
    world.patch(&plio.path(), json!({"created_by": plio.user})).await.is(200);
    world.delete(&format!("/users/{user}")).await.is(204);
    world.get(&format!("/users/{user}")).await.is(404);
    world.right(&plio.path()).await.says("/created_by/id", plio.user);
}

async fn s7_a_retrieve_creates_the_users_entry(world: World) {
    let plio = world.plio_with_items(0).await;
    world.entry_is_gone(&plio.user_key()).await;

    let first = world.get(&plio.user_path()).await.ok().miss();
    world.entry_exists(&plio.user_key()).await;
    let second = world.get(&plio.user_path()).await.ok().hit();
    assert_eq!(second.body, first.body, "a hit says what the load said");
    second.says("/id", plio.user).says("/organizations", json!([membership(&world, &plio).await]));
    assert_eq!(world.events.loads_of(&plio.user_key()), 1);

    // A plio that is loaded later takes the user that is there.
    world.get(&plio.path()).await.ok().miss().says("/created_by/id", plio.user);
    assert_eq!(world.events.loads_of(&plio.user_key()), 1);
}

async fn s8_user_writes_create_the_users_entry_anew(world: World) {
    let new = json!({"email": "new@example.org", "first_name": "new", "mobile": "+91 1234", "config": {"tour": true}});
    let made = world.post("/users", new).await.is(201);
    let (path, key) = (format!("/users/{}", made.id()), format!("user_{}", made.id()));
    world.entry_exists(&key).await;
    assert_eq!(world.get(&path).await.ok().hit().body, made.body);

    let changed =
        world.patch(&path, json!({"first_name": "changed", "mobile": null})).await.is(200);
    world.entry_exists(&key).await;
    world.entry_is_gone_or_says(&key, "changed").await;
    let read = world
        .get(&path)
        .await
        .ok()
        .hit()
        .says("/first_name", "changed")
        .says("/mobile", Value::Null);
    assert_eq!(read.body, changed.body, "the answer to a write shows the new state");

    world.delete(&path).await.is(204);
    world.entry_is_gone(&key).await;
    world.get(&path).await.is(404);
}

async fn s8_membership_writes_create_the_users_entry_anew(world: World) {
    let (user, organization) = (world.user().await, world.organization("guild").await);
    world.deliver_pending().await;
    let (path, key) = (format!("/users/{user}"), format!("user_{user}"));
    world.warm(&path).await.says("/organizations", json!([]));

    let new =
        json!({"user": user, "organization": organization, "role": "org-admin", "is_owner": true});
    let membership =
        world.post("/organization-users", new).await.is(201).says("/role", "org-admin").id();
    world.entry_is_gone_or_says(&key, "org-admin").await;
    world
        .right(&path)
        .await
        .says("/organizations/0/id", organization)
        .says("/organizations/0/role", "org-admin");
    world.get(&path).await.hit();

    world
        .patch(&format!("/organization-users/{membership}"), json!({"role": "org-view"}))
        .await
        .is(200);
    world.entry_is_gone_or_says(&key, "org-view").await;
    world.right(&path).await.says("/organizations/0/role", "org-view");
    world.get(&path).await.hit();

    world.delete(&format!("/organization-users/{membership}")).await.is(204);
    world.entry_is_gone_or_says(&key, r#""organizations":[]"#).await;
    world.right(&path).await.says("/organizations", json!([]));
    world.get(&path).await.hit();
}

async fn s9_an_organization_write_removes_the_user(world: World) {
    let plio = world.plio_with_items(0).await;
    world.warm(&plio.user_path()).await.says("/organizations/0/name", "old organization");

    let other = world
        .post("/organizations", json!({"name": "other", "shortcode": "other"}))
        .await
        .is(201)
        .id();
    world.get(&plio.user_path()).await.hit();
    world.patch(&format!("/organizations/{other}"), json!({"name": "still another"})).await.is(200);
    world.get(&plio.user_path()).await.hit();

    let path = format!("/organizations/{}", plio.organization);
    world
        .patch(&path, json!({"name": "new organization"}))
        .await
        .is(200)
        .says("/name", "new organization");
    world.entry_is_gone_or_says(&plio.user_key(), "new organization").await;
    world
        .get(&plio.user_path())
        .await
        .ok()
        .miss()
        .says("/organizations/0/name", "new organization");
    world.kept(&plio.user_path()).await;

    world.delete(&path).await.is(204);
    world.entry_is_gone_or_says(&plio.user_key(), r#""organizations":[]"#).await;
    world.get(&plio.user_path()).await.ok().miss().says("/organizations", json!([]));
}

/// What a user's or plio's answer shows of a fixture's membership.
async fn membership(world: &World, plio: &Plio) -> Value {
    let organization = world.get(&format!("/organizations/{}", plio.organization)).await.ok();
    json!({
        "id": plio.organization,
        "name": organization.at("/name"),
        "shortcode": organization.at("/shortcode"),
        "role": "org-admin",
    })
}

/// The entry is gone, or fresh already; what the next read answers, which is the database's truth.
async fn removed(world: &World, plio: &Plio, fresh: &str) -> crate::harness::Answer {
    world.entry_is_gone_or_says(&plio.key(), fresh).await;
    let answer = world.get(&plio.path()).await.ok().miss();
    world.kept(&plio.path()).await;
    answer
}
