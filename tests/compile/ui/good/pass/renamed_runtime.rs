//! The runtime under another path, and none under its own.
#![deny(warnings)]

extern crate cache_runtime as renamed;

mod my {
    pub mod cache {
        pub use renamed::*;
    }
}

// Were `::cache_runtime` named somewhere, this would be found and lack everything.
mod cache_runtime {}

use serde::{Deserialize, Serialize};

#[derive(my::cache::Cached, Serialize, Deserialize)]
#[cached(crate = "crate::my::cache")]
struct Video {
    id: i64,
}

#[derive(my::cache::Cached, Serialize, Deserialize)]
#[cached(crate = "renamed")]
struct Playlist {
    id: i64,
    intro_id: Option<i64>,
    intro: Option<Video>,
}

#[derive(my::cache::Cached, Serialize, Deserialize)]
#[cached(crate = "my::cache")]
struct Page {
    id: i64,
    r#type: i64,
    short_name: String,
}

static SCHEMA: renamed::Schema = my::cache::schema!(crate = crate::my::cache);
static SAME: renamed::Schema = my::cache::schema!(crate = renamed);

fn main() {
    assert_eq!(Playlist::key(1), "app:playlist_1");
    assert_eq!(Page::key(1), "app:page_1");
    assert_eq!(SCHEMA.postgres.fingerprint, SAME.postgres.fingerprint);
    assert!(!SCHEMA.sqlite.tables.is_empty());
}
