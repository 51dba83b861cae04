//! The app of a set-up.

use std::time::Duration;

use cache_runtime::{Builder, Cache, MemoryStore, RedisStore, Schema, Store};
use example_app::{Db, SCHEMA};

use super::app::App;
use super::mutant::{Mutant, Mutated};
use super::setup::{OwnRedis, Setup, Tier};

pub async fn serve(setup: Setup, db: &Db, redis: Option<&OwnRedis>, mutant: Option<Mutant>) -> App {
    let builder = builder(setup, db);
    match redis {
        None => serve_on(builder, MemoryStore::new(&SCHEMA), mutant).await,
        Some(redis) => {
            let url = redis.url();
            let store =
                RedisStore::new(&url, &SCHEMA).unwrap_or_else(|error| panic!("{url}: {error}"));
            serve_on(builder, store, mutant).await
        }
    }
}

async fn serve_on(builder: Builder<Db>, store: impl Store, mutant: Option<Mutant>) -> App {
    match mutant {
        None => App::serve(builder, store).await,
        Some(mutant) => App::serve(builder, Mutated { store, mutant }).await,
    }
}

/// `cache.toml`, but that its relay looks more often: what comes of one beside the rest, comes sooner.
static BUSY: Schema = Schema {
    poll: Duration::from_millis(100),
    ..SCHEMA
};

/// As `example_app::cache_builder`, which the other processes of some stories are built with.
pub fn builder(setup: Setup, db: &Db) -> Builder<Db> {
    let builder = Cache::builder(db.clone(), &BUSY);
    let builder = match db {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    };
    builder.relay(setup.relay).near(setup.near)
}

/// An app of this set-up. In a memory of its own it hears of the others that a story may start.
pub fn relaying(setup: Setup, app: App) -> App {
    match (setup.relay, setup.tier) {
        (false, _) => app,
        (true, Tier::Redis) => app.relaying(),
        (true, Tier::Memory) => app.hearing_of_others(),
    }
}
