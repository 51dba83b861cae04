use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Category {
    id: i64,
    #[serde(default)]
    parent: Option<Box<Category>>,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Account {
    id: i64,
    #[sqlx(flatten)]
    rest: String,
}

fn main() {}
