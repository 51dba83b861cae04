//! Two references to one model, both declared in `via`.
#![deny(warnings)]

use std::sync::Arc;

use cache_runtime::{Cached, Dialect, Rows, Tags};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
struct Membership {
    organization_id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct User {
    id: i64,
    #[cached(embeds = "organization-user")]
    organizations: Vec<Membership>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Review {
    id: i64,
    written_by_id: i64,
    written_by: Arc<User>,
    checked_by_id: Option<i64>,
    checked_by: Option<Arc<User>>,
}

/// Without the columns: the rows say who they are.
#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "review")]
struct ReviewOfRows {
    id: i64,
    written_by: Arc<User>,
    checked_by: Option<Arc<User>>,
}

fn main() {
    let user = |id: i64| Arc::new(User { id, organizations: vec![Membership { organization_id: id * 10 }] });
    let review = Review {
        id: 1,
        written_by_id: 2,
        written_by: user(2),
        checked_by_id: Some(3),
        checked_by: Some(user(3)),
    };
    assert_eq!(tags(&review), [
        "organization#id=20",
        "organization#id=30",
        "organization-user#user_id=2",
        "organization-user#user_id=3",
        "review#id=1",
        "user#id=2",
        "user#id=3",
    ]);
    let of_rows = ReviewOfRows { id: 1, written_by: user(2), checked_by: Some(user(3)) };
    assert_eq!(tags(&of_rows), tags(&review));
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    tags.finish().iter().map(ToString::to_string).collect()
}
