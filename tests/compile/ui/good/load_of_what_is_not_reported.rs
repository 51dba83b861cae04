use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Scene {
    id: i64,
    title: String,
}

#[derive(Cached, Serialize, Deserialize)]
struct Studio {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Picture {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Genre {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Film {
    id: i64,
    // While it is left out, nothing tells when it comes back.
    #[cached(filter(is_gone = false))]
    studio: Option<Studio>,
    // The takes of scenes that are left out count as well.
    #[cached(filter(is_cut = false))]
    scenes: Vec<Scene>,
    #[cached(count = "take")]
    takes: i64,
    genres: Vec<Genre>,
    // Only passed through.
    #[cached(from = "film-genre.label")]
    labels: Vec<String>,
    // Nothing that it depends on.
    #[cached(count = "award")]
    awards: i64,
    poster: Option<Picture>,
}

// Of the first scene only are the takes at hand.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load, model = "film")]
struct Beginning {
    id: i64,
    studio_id: i64,
    first: Option<Scene>,
    genres: Vec<Genre>,
    #[cached(from = "take.length", filter(is_good = true))]
    lengths: Vec<i64>,
    #[cached(count = "take")]
    takes: u8,
}

// The others may become the first; what is skipped says nothing; and some genres are left out.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load, model = "film")]
struct Ticket {
    id: i64,
    #[sqlx(skip)]
    studio_id: i64,
    scenes: Vec<Scene>,
    genre: Option<Genre>,
}

fn main() {}
