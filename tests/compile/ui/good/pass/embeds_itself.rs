//! A tree in one table, by each name that a struct has for itself.
#![deny(warnings)]

use cache_runtime::{Cached, Dialect, Rows, Tags};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Category {
    id: i64,
    parent_id: Option<i64>,
    children: Vec<Category>,
    favourite: Option<Box<Self>>,
    others: Vec<crate::Category>,
}

/// Not named like its model.
#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "category")]
struct Tree {
    id: i64,
    parent_id: Option<i64>,
    parent: Option<Box<Self>>,
    branches: Vec<Tree>,
}

fn main() {
    let leaf = |id| Category {
        id,
        parent_id: Some(1),
        children: Vec::new(),
        favourite: None,
        others: Vec::new(),
    };
    let category = Category {
        children: vec![leaf(2), leaf(3)],
        favourite: Some(Box::new(leaf(4))),
        others: vec![leaf(5)],
        ..leaf(1)
    };
    let ids = [1, 2, 3, 4, 5].map(|id| format!("category#id={id}"));
    assert_eq!(tags(&category), ids);

    let bud = |id| Tree { id, parent_id: None, parent: None, branches: Vec::new() };
    let tree = Tree { parent: Some(Box::new(bud(2))), branches: vec![bud(3)], ..bud(1) };
    assert_eq!(tags(&tree), ids[..3]);
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    tags.finish().iter().map(ToString::to_string).collect()
}
