//! Structs that a `macro_rules!` makes: what comes from its caller and what comes from itself meet in
//! one impl.
#![deny(warnings)]

use cache_runtime::{Cached, Dependencies, Dialect, Rows, Tags, tag};
use serde::{Deserialize, Serialize};

macro_rules! row {
    ($(#[$attribute:meta])* $name:ident, $($fields:tt)*) => {
        #[allow(dead_code)]
        #[derive(Cached, Serialize, Deserialize)]
        $(#[$attribute])*
        struct $name {
            id: i64,
            $($fields)*
        }
    };
}

/// A type that came through a macro is still the type.
macro_rules! typed {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        row!($name, $($field: $ty),*);
    };
}

row!(Video,);
typed!(Playlist { intro_id: Option<i64>, intro: Option<Video> });
row!(Page, r#type: i64, short_name: String);
row!(#[cached(dependencies("organization"))] Invoice, addressee: i64);

impl Dependencies for Invoice {
    fn dependencies(&self, tags: &mut Tags) {
        tags.add(tag!("organization#id"), &self.addressee);
    }
}

fn main() {
    let playlist = Playlist { id: 1, intro_id: None, intro: Some(Video { id: 2 }) };
    assert_eq!(tags(&playlist), ["playlist#id=1", "video#id=2"]);
    assert_eq!(tags(&Invoice { id: 1, addressee: 3 }), ["invoice#id=1", "organization#id=3"]);
    assert_eq!(Page::key(1), "app:page_1");
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    tags.finish().iter().map(ToString::to_string).collect()
}
