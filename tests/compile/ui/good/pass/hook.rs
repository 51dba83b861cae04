//! A value that does not carry the rows it was computed from says which they were.
#![deny(warnings)]

use cache_runtime::{Cached, Dependencies, Dialect, Rows, Tags, tag};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("organization"))]
struct Invoice {
    id: i64,
    address: String,
    addressee: i64,
}

impl Dependencies for Invoice {
    fn dependencies(&self, tags: &mut Tags) {
        tags.add(tag!("organization#id"), &self.addressee);
    }
}

fn main() {
    let invoice = Invoice { id: 1, address: "Pune".to_owned(), addressee: 4 };
    let mut tags = Tags::of(Dialect::Postgres);
    Some(invoice).tags(&mut tags);
    let tags: Vec<String> = tags.finish().iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["invoice#id=1", "organization#id=4"]);
}
