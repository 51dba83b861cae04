//! Wrong requests: each is told in a sentence what is wrong, none is
//! the server's fault, none changes anything.

use serde_json::{Value, json};

use crate::harness::{NOUNS, Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(wrong_ids_are_4xx),
        story!(wrong_bodies_are_4xx),
        story!(wrong_values_are_4xx),
        story!(dangling_references_name_the_field_and_the_id),
        story!(taken_names_are_conflicts),
        story!(wrong_routes_methods_and_types_are_4xx),
        story!(an_oversize_body_is_413),
    ]
}

const CLIENT_ERRORS: [u16; 7] = [400, 404, 405, 409, 413, 415, 422];

async fn wrong_ids_are_4xx(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    let ids = [
        "abc",
        "-1",
        "0",
        "99999999999999999999",
        "9223372036854775808",
        "9223372036854775807",
        "1.5",
        "1e3",
        "%00",
        "%FF",
        "1%00",
        "%20",
        "1%2F2",
        "0x1",
        "%F0%9F%92%A9",
        "1;DROP TABLE plio",
        "'",
        "NaN",
        "null",
    ];
    for noun in NOUNS {
        for id in ids {
            let path = format!("/{noun}/{id}");
            world.get(&path).await.expect_problem(&[400, 404]);
            world.delete(&path).await.expect_problem(&[400, 404]);
            world.patch(&path, json!({})).await.expect_problem(&[400, 404]);
        }
        world.get(&format!("/{noun}/abc")).await.expect_problem(&[400]);
        world.get(&format!("/{noun}/999999")).await.expect_problem(&[404]);
        world.patch(&format!("/{noun}/999999"), json!({})).await.expect_problem(&[404]);
        world.delete(&format!("/{noun}/999999")).await.expect_problem(&[404]);
    }
    let long = "x".repeat(5_000);
    for uuid in ["%00", "%FF", "abc%00def", "'", "%F0%9F%92%A9", "..", "a%2Fb", long.as_str()] {
        let answer = world.get(&format!("/plios/by-uuid/{uuid}")).await;
        if uuid != ".." {
            answer.expect_problem(&[400, 404]);
        }
    }
    for id in ["abc", "-1", "99999999999999999999"] {
        world.post(&format!("/plios/{id}/duplicate"), json!({})).await.expect_problem(&[400, 404]);
    }
    unharmed(&world, &plio, before).await;
}

async fn wrong_bodies_are_4xx(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    let deep = "[".repeat(100_000);
    let deep_config = format!(r#"{{"config": {}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let bodies = [
        "",
        " ",
        "{",
        "}",
        "{\"name\"",
        "{\"name\":}",
        "nonsense",
        "{'name': 'x'}",
        "\u{feff}{}",
        "{} {}",
        "{\"name\": \"\\ud800\"}",
        "{\"config\": NaN}",
        "{\"config\": 1e999}",
        "{\"name\": \"x\",}",
        &deep,
        &deep_config,
        "\"\\u0000\"",
    ];
    for noun in NOUNS {
        let row = format!("/{noun}/{}", plio.row(noun));
        for body in bodies {
            for (method, path) in [("POST", format!("/{noun}")), ("PATCH", row.clone())] {
                let request = world
                    .request(method, &path)
                    .header("content-type", "application/json")
                    .body(body.to_owned());
                world.send(request).await.expect_problem(&[400, 422]);
            }
        }
        for body in [json!([]), json!("text"), json!(1), json!(null), json!([{}])] {
            world.post(&format!("/{noun}"), body.clone()).await.expect_problem(&[400, 422]);
            world.patch(&row, body).await.expect_problem(&[400, 422]);
        }
        let bytes = world
            .request("POST", &format!("/{noun}"))
            .header("content-type", "application/json")
            .body(vec![0xff, 0xfe, 0x00]);
        world.send(bytes).await.expect_problem(&[400, 422]);
    }
    unharmed(&world, &plio, before).await;
}

async fn wrong_values_are_4xx(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    for (noun, wrong) in wrong_values() {
        let (row, said) = (format!("/{noun}/{}", plio.row(noun)), wrong.to_string());
        let answer = world.patch(&row, wrong.clone()).await;
        assert!(
            CLIENT_ERRORS.contains(&answer.status),
            "{row} {said}: {} {}",
            answer.status,
            answer.text
        );
        let field =
            wrong.as_object().and_then(|object| object.keys().next()).cloned().unwrap_or_default();
        let detail = answer.at("/detail").as_str().unwrap_or_default().to_owned();
        assert!(
            field.contains('\0') || detail.contains(&field),
            "{row} {said}: {detail:?} does not name the field"
        );
        answer.expect_problem(&[400, 422]);

        // The same wrong value among right ones, in a new row.
        let mut new = new_row(&plio, noun);
        for (name, value) in wrong.as_object().into_iter().flatten() {
            new[name] = value.clone();
        }
        let answer = world.post(&format!("/{noun}"), new).await;
        assert!(
            CLIENT_ERRORS.contains(&answer.status),
            "POST /{noun} {said}: {} {}",
            answer.status,
            answer.text
        );
        answer.expect_problem(&[400, 422]);
    }
    too_large_numbers_are_4xx(&world, &plio).await;
    // Nothing at all is too little for a new row, and the sentence says what is missing.
    for noun in ["plios", "users", "items", "questions", "organizations", "organization-users"] {
        world.post(&format!("/{noun}"), json!({})).await.expect_problem(&[422]);
    }
    // But enough for a change.
    world.patch(&plio.path(), json!({})).await.is(200);
    unharmed(&world, &plio, before).await;
}

fn wrong_values() -> Vec<(&'static str, Value)> {
    vec![
        ("plios", json!({"name": 1})),
        ("plios", json!({"name": null})),
        ("plios", json!({"name": "NUL \u{0} inside"})),
        ("plios", json!({"is_public": "yes"})),
        ("plios", json!({"is_public": 1})),
        ("plios", json!({"video": "1"})),
        ("plios", json!({"video": 1.5})),
        ("plios", json!({"video": -1})),
        ("plios", json!({"video": {"id": 1}})),
        ("plios", json!({"created_by": null})),
        ("plios", json!({"created_by": [1]})),
        ("plios", json!({"config": {"a\u{0}b": 1}})),
        ("plios", json!({"config": {"deep": ["NUL \u{0}"]}})),
        ("plios", json!({"nonsense": 1})),
        ("plios", json!({"id": 5})),
        ("plios", json!({"created_at": "2020-01-01T00:00:00Z"})),
        ("plios", json!({"items": []})),
        ("plios", json!({"name\u{0}": "x"})),
        ("users", json!({"email": null})),
        ("users", json!({"email": 5})),
        ("users", json!({"mobile": 5})),
        ("users", json!({"first_name": ["x"]})),
        ("users", json!({"organizations": []})),
        ("videos", json!({"url": null})),
        ("videos", json!({"duration": "long"})),
        ("videos", json!({"title": {"en": "x"}})),
        ("videos", json!({"url": "\u{0}"})),
        ("images", json!({"alt_text": 1})),
        ("images", json!({"url": ["x"]})),
        ("items", json!({"plio": null})),
        ("items", json!({"plio": "x"})),
        ("items", json!({"time": "soon"})),
        ("items", json!({"time": true})),
        ("items", json!({"meta": {"x": "\u{0}"}})),
        ("items", json!({"details": {}})),
        ("questions", json!({"item": null})),
        ("questions", json!({"survey": "no"})),
        ("questions", json!({"image": "x"})),
        ("questions", json!({"max_char_limit": 1.5})),
        ("questions", json!({"max_char_limit": "many"})),
        ("questions", json!({"text": "\u{0}"})),
        ("organizations", json!({"name": null})),
        ("organizations", json!({"shortcode": 1})),
        ("organization-users", json!({"user": "x"})),
        ("organization-users", json!({"role": 5})),
        ("organization-users", json!({"is_owner": "x"})),
        ("organization-users", json!({"organization": null})),
    ]
}

async fn too_large_numbers_are_4xx(world: &World, plio: &Plio) {
    let too_big = "9223372036854775808";
    for (noun, body) in [
        ("plios", format!(r#"{{"video": {too_big}}}"#)),
        ("plios", format!(r#"{{"created_by": -{too_big}0}}"#)),
        ("items", format!(r#"{{"plio": {too_big}}}"#)),
        ("questions", format!(r#"{{"max_char_limit": {too_big}}}"#)),
        ("items", r#"{"time": 1e999}"#.to_owned()),
        ("videos", r#"{"duration": -1e999}"#.to_owned()),
    ] {
        let row = format!("/{noun}/{}", plio.row(noun));
        let request =
            world.request("PATCH", &row).header("content-type", "application/json").body(body);
        world.send(request).await.expect_problem(&[400, 422]);
    }
}

async fn dangling_references_name_the_field_and_the_id(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    for (noun, field) in [
        ("plios", "video"),
        ("plios", "created_by"),
        ("items", "plio"),
        ("questions", "item"),
        ("questions", "image"),
        ("organization-users", "user"),
        ("organization-users", "organization"),
    ] {
        let mut new = new_row(&plio, noun);
        new[field] = json!(987_654);
        let mut change = json!({});
        change[field] = json!(987_654);
        let row = format!("/{noun}/{}", plio.row(noun));
        for answer in [world.post(&format!("/{noun}"), new).await, world.patch(&row, change).await]
        {
            let detail = answer.at("/detail").as_str().unwrap_or_default().to_owned();
            answer.expect_problem(&[422]);
            assert!(
                detail.contains(field) && detail.contains("987654"),
                "{noun}.{field}: {detail:?}"
            );
        }
    }
    unharmed(&world, &plio, before).await;
}

async fn taken_names_are_conflicts(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let user = world.get(&plio.user_path()).await.ok();
    let organization = world.get(&format!("/organizations/{}", plio.organization)).await.ok();
    let before = all(&world).await;

    let mail = json!({"email": user.at("/email")});
    world.post("/users", mail.clone()).await.expect_problem(&[409]);
    world.patch(&other.user_path(), mail).await.expect_problem(&[409]);
    let code = json!({"name": "x", "shortcode": organization.at("/shortcode")});
    world.post("/organizations", code.clone()).await.expect_problem(&[409]);
    world
        .patch(&format!("/organizations/{}", other.organization), code)
        .await
        .expect_problem(&[409]);
    let member = json!({"user": plio.user, "organization": plio.organization, "role": "org-view"});
    world.post("/organization-users", member).await.expect_problem(&[409]);
    world.delete(&plio.user_path()).await.expect_problem(&[409]);
    unharmed(&world, &plio, before).await;
}

async fn wrong_routes_methods_and_types_are_4xx(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/nonsense",
        "/api/v2/plios",
        "/api/v1/plios/1/nonsense",
        "/%00",
        "/api/v1/plios//1",
    ] {
        world.send(world.request_anywhere("GET", path)).await.expect_problem(&[404]);
    }
    for (method, path) in [
        ("PUT", plio.path()),
        ("POST", plio.path()),
        ("DELETE", "/plios".to_owned()),
        ("PATCH", "/videos".to_owned()),
        ("GET", format!("{}/duplicate", plio.path())),
        ("DELETE", plio.by_uuid()),
    ] {
        world.send(world.request(method, &path)).await.expect_problem(&[405]);
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        for (method, path) in [("POST", "/videos".to_owned()), ("PATCH", plio.path())] {
            let request = world
                .request(method, &path)
                .header("content-type", content_type)
                .body(r#"{"url": "x"}"#);
            world.send(request).await.expect_problem(&[415]);
        }
    }
    world
        .send(world.request("POST", "/videos").body(r#"{"url": "x"}"#))
        .await
        .expect_problem(&[415]);
    let healthy = world.send(world.request_anywhere("GET", "/healthz")).await;
    assert_eq!(healthy.status, 200);
    unharmed(&world, &plio, before).await;
}

async fn an_oversize_body_is_413(world: World) {
    let plio = world.plio_with_items(1).await;
    let before = all(&world).await;
    let big = "x".repeat(1_100_000);
    world.post("/videos", json!({"url": big})).await.expect_problem(&[413]);
    world.patch(&plio.path(), json!({"name": big})).await.expect_problem(&[413]);
    unharmed(&world, &plio, before).await;
    // Large is not too large.
    let note = "x".repeat(500_000);
    world
        .patch(&plio.path(), json!({"config": {"note": note}}))
        .await
        .is(200)
        .says("/config/note", note.clone());
    world.kept(&plio.path()).await.says("/config/note", note);
}

/// A body that would make a new row.
fn new_row(plio: &Plio, noun: &str) -> Value {
    match noun {
        "plios" => json!({"name": "unborn", "created_by": plio.user}),
        "users" => json!({"email": "unborn@example.org"}),
        "videos" => json!({"url": "https://example.org/unborn", "title": "unborn"}),
        "images" => json!({"url": "https://example.org/unborn", "alt_text": "unborn"}),
        "items" => json!({"plio": plio.id, "type": "question", "time": 1}),
        "questions" => json!({"item": plio.items[0], "type": "mcq", "text": "unborn"}),
        "organizations" => json!({"name": "unborn", "shortcode": "unborn"}),
        _ => json!({"user": plio.user, "organization": plio.organization, "role": "org-view"}),
    }
}

/// Everything there is.
async fn all(world: &World) -> Vec<Value> {
    let mut lists = Vec::new();
    for noun in NOUNS {
        lists.push(world.truth(&format!("/{noun}")).await.ok().body);
    }
    lists
}

/// Nothing has changed, but for the time of the last change of what was
/// changed by nothing; and the app still serves.
async fn unharmed(world: &World, plio: &Plio, before: Vec<Value>) {
    for (now, before) in all(world).await.iter().zip(&before) {
        let now = crate::harness::without(now, &["updated_at"]);
        assert_eq!(
            now,
            crate::harness::without(before, &["updated_at"]),
            "a wrong request changed something"
        );
    }
    world.right(&plio.path()).await.is(200);
}
