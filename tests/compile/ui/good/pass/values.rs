//! What a Plio's key and tags are, to the letter.
#![deny(warnings)]

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::__private::{Codec, Policy};
use cache_runtime::{Cached, Dialect, Lookup, Rows, Tags};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Image {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
struct Membership {
    #[cached(column = "organization_id")]
    id: i64,
    name: String,
}

#[derive(Cached, Serialize, Deserialize)]
struct User {
    id: i64,
    #[cached(embeds = "organization-user")]
    organizations: Vec<Membership>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Question {
    id: i64,
    image_id: Option<i64>,
    image: Option<Image>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Item {
    id: i64,
    details: Option<Box<Question>>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video_id: Option<i64>,
    video: Option<Video>,
    created_by: Arc<User>,
    items: Vec<Item>,
}

fn main() {
    assert_eq!(Plio::key(7), "app:plio_7");
    assert_eq!(Plio::key(i64::MIN), "app:plio_-9223372036854775808");
    assert_eq!(tags(&plio()), [
        "image#id=50",
        "item#plio_id=7",
        "organization#id=60",
        "organization#id=61",
        "organization-user#user_id=3",
        "plio#id=7",
        "question#item_id=20",
        "question#item_id=21",
        "user#id=3",
        "video#id=5",
    ]);

    // The rows that are not there yet count as well.
    let bare = Plio {
        video_id: None,
        video: None,
        items: Vec::new(),
        created_by: Arc::new(User { id: 3, organizations: Vec::new() }),
        ..plio()
    };
    assert_eq!(tags(&bare), [
        "item#plio_id=7",
        "organization-user#user_id=3",
        "plio#id=7",
        "user#id=3",
    ]);

    // A reference whose row is missing: it may come.
    let dangling = Plio { video: None, ..plio() };
    assert!(tags(&dangling).contains(&"video#id=5".to_owned()));

    // Containers are seen through.
    assert_eq!(tags(&Some(Arc::new(Box::new(vec![plio()])))), tags(&plio()));
    assert_eq!(Option::<Vec<Plio>>::MODEL, "plio");
    assert_eq!(Option::<Vec<Plio>>::SHAPE, Plio::SHAPE);
    assert_eq!(Membership::MODEL, "organization-user");

    assert_eq!(plio().id(), 7);
    assert_eq!(Plio::POLICY, Policy {
        ttl: Duration::from_secs(300),
        jitter: 10,
        negative_ttl: Duration::from_secs(30),
        codec: Codec::Json,
        max_value: 1_000_000,
        max_tags: 10_000,
        strict: false,
        grace: Duration::ZERO,
        load_timeout: Duration::from_secs(30),
        lease: Duration::ZERO,
        near: None,
        refresh: false,
        verify: 0,
        number: 5,
    });

    // Nothing that a uuid may hold can meet another key.
    let by_uuid = PlioLookup::Uuid("a_b/ü".to_owned());
    assert_eq!(key(|key| by_uuid.write_key(key)), "app:plio_by_uuid_a%5Fb%2F%C3%BC");
    let mut tags = Tags::of(Dialect::Postgres);
    by_uuid.tag(&mut tags);
    Plio::id_tag(&7, &mut tags);
    assert_eq!(texts(tags), ["plio#id=7", "plio#uuid=a_b/ü"]);
}

fn plio() -> Plio {
    let membership = |id| Membership { id, name: "Avanti".to_owned() };
    let question = Question { id: 30, image_id: Some(50), image: Some(Image { id: 50 }) };
    Plio {
        id: 7,
        uuid: "abc".to_owned(),
        video_id: Some(5),
        video: Some(Video { id: 5 }),
        created_by: Arc::new(User { id: 3, organizations: vec![membership(60), membership(61)] }),
        items: vec![Item { id: 20, details: Some(Box::new(question)) }, Item { id: 21, details: None }],
    }
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    texts(tags)
}

fn texts(tags: Tags) -> Vec<String> {
    tags.finish().iter().map(ToString::to_string).collect()
}

fn key(write: impl FnOnce(&mut cache_runtime::__private::KeyWriter)) -> String {
    let mut key = cache_runtime::__private::KeyWriter::default();
    write(&mut key);
    key.finish()
}
