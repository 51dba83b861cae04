//! What is stored and not answered: `#[cached(hidden)]`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, Cached, Event, Json, Verdict};
use serde::{Deserialize, Serialize};

use crate::source::{SCHEMA, Source, served};

/// Near, and every hit is verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Label {
    #[cached(hidden)]
    id: i64,
    text: String,
    weight: f32,
    #[cached(hidden)]
    note: Option<String>,
}

fn label() -> Label {
    let note = Some("{\"text\":\"nobody's\"}".to_owned());
    Label { id: 1, text: "\"id\":\u{7}".to_owned(), weight: 0.1, note }
}

#[tokio::test]
async fn whoever_answers_the_answer_is_the_same() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let hears = said.clone();
    let cache = Cache::builder(Source(label()), &SCHEMA).without_outbox();
    let cache = cache.on_event(move |event| {
        if let Event::Verified { tier, verdict, .. } = event {
            hears.lock().expect("well").push(((*tier).to_owned(), *verdict));
        }
    });
    let cache = cache.build().await.expect("built");
    let expected = Json::shown(&label()).expect("JSON");
    assert_eq!(expected.bytes(), r#"{"text":"\"id\":\u0007","weight":0.1}"#);
    for status in ["memory; fwd=miss; stored", "near; hit", "near; hit"] {
        let fetched = Label::fetch_json(&cache, 1).await.expect("read");
        assert_eq!(fetched.status.to_string(), status);
        let json = fetched.value.expect("there");
        assert_eq!((json.bytes(), json.etag()), (expected.bytes(), expected.etag()));
        let whole = Label::get(&cache, 1).await.expect("read").expect("there");
        assert_eq!(*whole, label());
    }
    let far = Cache::builder(Source(label()), &SCHEMA).without_outbox().near(false);
    let far = far.build().await.expect("built");
    for status in ["memory; fwd=miss; stored", "memory; hit"] {
        let fetched = Label::fetch_json_many(&far, &[1]).await.expect("read").remove(0);
        assert_eq!(
            (fetched.status.to_string().as_str(), fetched.value.as_ref()),
            (status, Some(&expected))
        );
    }
    let verified = async {
        while said.lock().expect("well").len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), verified).await.expect("verified");
    let said = said.lock().expect("well").clone();
    assert!(said.iter().all(|(_, verdict)| *verdict == Verdict::Consistent), "{said:?}");
    assert!(said.iter().any(|(tier, _)| tier == "near"), "{said:?}");
}

fn is_odd(number: &Option<i64>) -> bool {
    number.is_some_and(|it| it % 2 != 0)
}

/// An odd owner is lost on the way, so that it is not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Parcel {
    #[cached(hidden)]
    id: i64,
    #[serde(default, skip_serializing_if = "is_odd")]
    owner_id: Option<i64>,
    weight: i64,
}

#[tokio::test]
async fn what_is_not_stored_is_answered_without_it_as_well() {
    let parcel = Parcel { id: 1, owner_id: Some(3), weight: 7 };
    let cache = Cache::builder(Source(parcel), &SCHEMA).without_outbox();
    let cache = cache.build().await.expect("built");
    for _ in 0..2 {
        let fetched = Parcel::fetch_json(&cache, 1).await.expect("read");
        assert_eq!(fetched.status.to_string(), "memory; fwd=miss");
        assert_eq!(fetched.value.expect("there").bytes(), r#"{"weight":7}"#);
    }
}

served!(Label, Parcel);
