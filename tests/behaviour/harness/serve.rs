//! The app of a set-up.

use cache_runtime::{Builder, Cache, Schema};
use example_app::{Db, SCHEMA};

use super::app::App;
use super::mutant::Without;
use super::setup::{POLL, Setup, Tier, with_store};

/// `cache.toml`, but that its relay looks more often.
static BUSY: Schema = Schema { poll: POLL, ..SCHEMA };

/// An app of this set-up, set up in another way: `|builder| builder.near(false)`. In a memory of
/// its own it hears of the others that a story may start.
pub async fn serve(
    setup: Setup,
    db: &Db,
    redis: Option<&str>,
    mutant: Option<Without>,
    how: impl FnOnce(Builder<Db>) -> Builder<Db>,
) -> App {
    let builder = how(builder(setup, db));
    let app = App::serve(with_store(builder, &SCHEMA, redis, mutant)).await;
    match (setup.relay, setup.tier) {
        (false, _) => app,
        (true, Tier::Redis) => app.relaying(),
        (true, Tier::Memory) => app.hearing_of_others(),
    }
}

/// As `example_app::cache_builder`, which the other processes of some stories are built with.
fn builder(setup: Setup, db: &Db) -> Builder<Db> {
    let builder = Cache::builder(db.clone(), &BUSY);
    let builder = match db {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    };
    builder.relay(setup.relay).near(setup.near)
}
