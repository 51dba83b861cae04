//! The process that commits: when the commit has returned, nothing near is from before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use example_app::Plio;
use serde_json::{Value, json};

use super::near::{LONG, near, process};
use crate::harness::Proxy;
use crate::harness::soon::nothing_waits;
use crate::harness::{Story, World, story};

const WRITES: i64 = 60;

pub fn stories() -> Vec<Story> {
    [
        story!(nothing_near_is_from_before_a_commit),
        story!(nothing_near_is_from_before_a_commit_that_another_delivered)
            .without_relay("its own would tell it")
            .own_redis(),
        story!(nothing_near_is_from_before_a_commit_that_another_delivered_unheard)
            .without_relay("its own would find out")
            .own_redis(),
        story!(readers_of_what_is_near_never_see_less),
    ]
    .map(Story::with_near)
    .into()
}

async fn nothing_near_is_from_before_a_commit(world: World) {
    let (a, b) = (world.plio_with_items(2).await, world.plio_with_items(1).await);
    let (video, image) = (world.video().await, world.image().await);
    let organization = world.organization("another").await;
    world.deliver_pending().await;
    let writes: Vec<(String, Value)> = vec![
        (a.path(), json!({"name": "1"})),
        (a.path(), json!({"video": video})),
        (a.path(), json!({"created_by": b.user})),
        (a.path(), json!({"created_by": a.user})),
        (format!("/videos/{video}"), json!({"title": "2"})),
        (format!("/items/{}", a.items[0]), json!({"time": 9})),
        (format!("/items/{}", a.items[0]), json!({"plio": b.id})),
        (format!("/questions/{}", a.questions[1]), json!({"text": "3"})),
        (format!("/questions/{}", a.questions[1]), json!({"image": image})),
        (format!("/questions/{}", a.questions[1]), json!({"item": b.items[0]})),
        (format!("/images/{image}"), json!({"alt_text": "4"})),
        (a.user_path(), json!({"first_name": "5"})),
        (format!("/organizations/{}", a.organization), json!({"name": "6"})),
        (format!("/organization-users/{}", a.membership), json!({"role": "7"})),
        (format!("/organization-users/{}", a.membership), json!({"organization": organization})),
        (format!("/videos/{video}"), Value::Null),
        (format!("/items/{}", a.items[0]), Value::Null),
        (format!("/organizations/{organization}"), Value::Null),
        (a.path(), Value::Null),
    ];
    let paths = [a.path(), a.by_uuid(), a.user_path(), b.path(), b.by_uuid()];
    for (path, change) in writes {
        for path in &paths {
            near(&world, path).await;
        }
        match change {
            Value::Null => world.delete(&path).await.ok(),
            change => world.patch(&path, change).await.is(200),
        };
        for path in &paths {
            world.right(path).await;
        }
    }
    // Statements of any kind.
    near(&world, &b.path()).await;
    let mut tx = world.begin().await;
    tx.run("UPDATE video SET title = 'by a statement'").await;
    tx.commit().await;
    world.right(&b.path()).await.says("/video/title", "by a statement");
}

async fn nothing_near_is_from_before_a_commit_that_another_delivered(world: World) {
    another_delivers(&world, true).await;
}

/// What the other's delivery tells does not come in time.
async fn nothing_near_is_from_before_a_commit_that_another_delivered_unheard(world: World) {
    another_delivers(&world, false).await;
}

async fn another_delivers(world: &World, is_heard: bool) {
    let plio = world.plio_with_items(1).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let app = process(world, &proxy.redis_url(), LONG).await;
    let other = world.plio_with_items(1).await;
    world.deliver_pending().await;
    for plio in [&plio, &other] {
        near(&app, &plio.path()).await;
    }
    let hold = app.events.hold_after_commit();
    let writes = app.patch_meanwhile(&format!("/videos/{}", plio.video), json!({"title": "new"}));
    hold.reached().await;
    if !is_heard {
        proxy.freeze_answers();
    }
    let _relay = world.relaying_app().await;
    nothing_waits(world, Duration::from_secs(10)).await;

    hold.release();
    writes.await.expect("answered").is(200);
    world.right_from(&app, &plio.path()).await.says("/video/title", "new");
    if is_heard {
        let answer = app.get(&other.path()).await;
        assert_eq!(answer.tier(), "near", "what nobody wrote to is forgotten");
    }
}

async fn readers_of_what_is_near_never_see_less(world: World) {
    let plio = world.plio_with_items(1).await;
    world.patch(&plio.path(), json!({"name": "0"})).await.is(200);
    let (committed, over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let nears = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..3)
        .map(|reader| {
            let (cache, id) = (world.cache.clone(), plio.id);
            let (committed, over, nears) = (committed.clone(), over.clone(), nears.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let least = committed.load(Ordering::SeqCst);
                    let (name, status) = if reader == 0 {
                        let json = Plio::fetch_json(&cache, id).await.expect("JSON");
                        let text = json.value.expect("a plio");
                        let plio: Value = serde_json::from_slice(text.bytes()).expect("JSON");
                        (plio["name"].as_str().expect("a name").to_owned(), json.status)
                    } else {
                        let plio = Plio::fetch(&cache, id).await.expect("an answer");
                        (plio.value.expect("a plio").name.clone(), plio.status)
                    };
                    let said: i64 = name.parse().expect("a number");
                    assert!(
                        said >= least,
                        "wrong answer: {said} after {least} was committed ({status})"
                    );
                    nears.fetch_add(usize::from(status.tier == "near"), Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for write in 1..=WRITES {
        let change = json!({"name": write.to_string()});
        world.patch(&plio.path(), change).await.is(200);
        committed.store(write, Ordering::SeqCst);
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        let read = reader.await;
        read.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
    }
    let nears = nears.load(Ordering::SeqCst);
    println!("{nears} answers were near");
    assert!(nears > 0, "some answers are near");
}
