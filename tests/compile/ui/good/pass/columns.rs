//! Which field is a column and which holds rows, where the names alone would not say.
#![deny(warnings)]

use cache_runtime::{Cached, Dialect, Rows, Tags};
use serde::{Deserialize, Serialize};

/// A projection may be called what its model is called.
#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "video")]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Playlist {
    id: i64,
    intro_id: Option<i64>,
    intro: Option<Video>,
}

/// Its reference is the column `video`; the field of that name holds the row.
#[derive(Cached, Serialize, Deserialize)]
struct Clip {
    video: Option<Video>,
}

mod settings {
    #[derive(super::Serialize, super::Deserialize)]
    pub enum Video {
        Hd,
    }
}

/// Not every `settings::Video` is a row, and `created_at` is not the ignored `updated_at` misspelt.
#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: i64,
    created_at: String,
    #[cached(column = "video")]
    video: settings::Video,
}

/// Nor is `intro_ids`, as it says what it is.
#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "playlist")]
struct PlaylistOfRows {
    id: i64,
    #[cached(column = "intro_ids")]
    ids: Vec<i64>,
    intro: Option<Video>,
}

fn main() {
    let intro = || Some(Video { id: 2 });
    let playlist = Playlist { id: 1, intro_id: Some(2), intro: intro() };
    assert_eq!(tags(&playlist), ["playlist#id=1", "video#id=2"]);
    let of_rows = PlaylistOfRows { id: 1, ids: vec![2], intro: intro() };
    assert_eq!(tags(&of_rows), tags(&playlist));
    assert_eq!(tags(&Clip { video: intro() }), ["video#id=2"]);

    let (created_at, video) = ("now".to_owned(), settings::Video::Hd);
    assert_eq!(tags(&Account { id: 1, created_at, video }), ["account#id=1"]);
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    tags.finish().iter().map(ToString::to_string).collect()
}
