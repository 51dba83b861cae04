//! The document at `/api/v1/openapi.json` and the service held
//! against each other, and requests drawn from it.

mod document;
mod draw;
mod fuzz;

use std::collections::BTreeSet;

use document::Document;
use serde_json::json;

use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(the_document_has_every_route_and_no_other).in_memory(),
        story!(the_document_is_whole).in_memory(),
        story!(whatever_is_asked_the_document_says_what_is_answered),
        story!(mangled_requests_harm_nobody).in_memory(),
    ]
}

use fuzz::{mangled_requests_harm_nobody, whatever_is_asked_the_document_says_what_is_answered};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

async fn the_document_has_every_route_and_no_other(world: World) {
    let document = Document::of(&world).await;
    let documented: BTreeSet<&str> = document.operations().iter().map(|it| it.path).collect();

    // axum tells nobody its routes but who debugs; and has two of its own.
    let router = format!("{:?}", example_app::app(world.cache.clone()));
    let routes = router.split('"').filter(|it| it.starts_with('/') && !it.contains("__private"));
    let routes: BTreeSet<&str> =
        routes.map(|it| it.trim_end_matches('/')).filter(|it| !it.is_empty()).collect();
    assert_eq!(routes, documented);

    for path in documented {
        let operations = document.operations();
        let has = |method: &str| {
            let mut those = operations.iter().filter(|it| it.path == path);
            those.any(|it| it.method.eq_ignore_ascii_case(method))
        };
        for slash in ["", "/"] {
            let plio = world.plio_with_items(1).await;
            let row = plio.row(path.split('/').nth(3).unwrap_or_default());
            let here = path.replace("{id}", &row.to_string()).replace("{uuid}", &plio.uuid);
            for method in METHODS {
                let request = world.request_anywhere(method, &format!("{here}{slash}"));
                let answer = world.send(request.json(&json!(1))).await;
                match has(method) {
                    true => assert!(![404, 405].contains(&answer.status), "{answer:?}"),
                    false => drop(answer.expect_problem(&[405])),
                }
            }
        }
    }
}

async fn the_document_is_whole(world: World) {
    let document = Document::of(&world).await;
    assert_eq!(document.0["openapi"], "3.1.0");
    document.is_whole();
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        let id = &operation.says["operationId"];
        assert!(ids.insert(id.to_string()), "{id} is twice there");
        for parameter in operation.path.split('{').skip(1) {
            let name = parameter.split('}').next().unwrap_or_default();
            let mut said = operation.parameters();
            assert!(said.any(|it| it["name"] == name && it["in"] == "path"), "{id} has no {name}");
        }
        for (status, answer) in operation.says["responses"].as_object().into_iter().flatten() {
            let answer = document.resolve(answer);
            let is_problem = !answer["content"]["application/problem+json"].is_null();
            assert_eq!(is_problem, status >= &"400".to_owned(), "{id} {status}");
        }
    }
}
