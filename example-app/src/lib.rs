//! Plio's API on Axum and sqlx, served from cache.
//!
//! A tour, in reading order:
//!
//! - `cache.toml` at the root says what is cached and what it is built from;
//! - `plio` is a cached noun: `mod.rs` its struct, `load.rs` how it is loaded on a miss,
//!   `routes.rs` how it is served; `user` is the other;
//! - `video`, `image`, `item` and the rest are nouns that cached values are built from;
//! - `resource` has the handlers that the nouns share. A write begins a transaction and commits it;
//!   that is all a write has to do with the cache;
//! - `consistency` is the header by which a client is not answered from before its own writes,
//!   whichever process answers;
//! - `openapi` is what a route and its description come into the world with, together;
//! - `db` runs one SQL text on SQLite or PostgreSQL, `problem` is every error;
//! - `server` lets clients in, and no client keeps it from others, or from its end.

mod config;
mod consistency;
mod db;
mod extract;
mod image;
mod item;
mod openapi;
mod organization;
mod organization_user;
mod plio;
mod problem;
mod question;
mod resource;
mod seconds;
mod server;
mod user;
mod video;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use cache_runtime::{Builder, Schema};
use utoipa::openapi::HttpMethod;

use crate::openapi::{Api, healthy};

pub use crate::config::Config;
pub use crate::db::Db;
pub use crate::image::Image;
pub use crate::item::Item;
pub use crate::organization::Organization;
pub use crate::organization_user::OrganizationUser;
pub use crate::plio::{Plio, PlioLookup};
pub use crate::question::Question;
pub use crate::seconds::Seconds;
pub use crate::server::{Limits, connect, listen, serve};
pub use crate::user::{Membership, User};
pub use crate::video::Video;

/// The cache in front of the example's database.
pub type Cache = cache_runtime::Cache<Db>;

/// What `cache.toml` says, computed at compile time.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// The largest request body.
const MAX_BODY: usize = 1024 * 1024;

/// A cache in front of this database, whose writes report to it. It has no store yet.
pub fn cache_builder(db: Db) -> Builder<Db> {
    let builder = Cache::builder(db.clone(), &SCHEMA);
    match &db {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    }
}

/// The whole API.
pub fn app(cache: Cache) -> Router {
    let api = Api::new().on(HttpMethod::Get, "/healthz", async || "ok", healthy());
    let api = plio::routes(api);
    let api = resource::routes::<User>(api);
    let api = resource::routes::<Video>(api);
    let api = resource::routes::<Image>(api);
    let api = resource::routes::<item::ItemRow>(api);
    let api = resource::routes::<question::QuestionRow>(api);
    let api = resource::routes::<Organization>(api);
    let api = resource::routes::<OrganizationUser>(api);
    let app = api
        .router()
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(problem::of_panics))
        .with_state(cache);
    // Not at the cost of those who read no log.
    match tracing::enabled!(tracing::Level::DEBUG) {
        true => app.layer(from_fn(server::log)),
        false => app,
    }
}
