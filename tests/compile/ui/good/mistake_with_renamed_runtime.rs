mod elsewhere {
    pub mod cache {
        pub use ::cache_runtime::*;
    }
}

// `::cache_runtime` is not named in what stands beside the error either: in a crate that renamed it,
// there is no such thing.
#[derive(elsewhere::cache::Cached)]
#[cached(crate = "crate::elsewhere::cache", projection = "vidoe")]
struct Video {
    id: i64,
}

static SCHEMA: elsewhere::cache::Schema = elsewhere::cache::schema!(cache = elsewhere::cache);

fn main() {}
