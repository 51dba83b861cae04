//! The service as a process: connect, listen, stop.

mod listen;
mod room;
mod signals;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use cache_runtime::RedisStore;
use tokio::net::TcpListener;
use tokio::time::timeout;

pub(crate) use self::listen::Deadline;
pub use self::listen::{Limits, listen};
use crate::{Cache, Config, Db, Plio, SCHEMA, User, app, cache_builder};

/// The database, migrated and not empty, with the cache in front of it. Errors are sentences.
pub async fn connect(config: &Config) -> Result<Cache, String> {
    let db = Db::connect(&config.database_url).await?;
    db.migrate().await.map_err(|error| format!("cannot migrate the database: {error}"))?;
    if db.seed().await.map_err(|error| format!("cannot seed the database: {error}"))? {
        tracing::info!("the database was empty and has a demonstration now");
    }
    let mut builder = cache_builder(db);
    if let Some(url) = &config.redis_url {
        let store = RedisStore::new(url, &SCHEMA);
        let store = store.map_err(|error| format!("cannot use the Redis server: {error}"))?;
        builder = builder.store(store);
    }
    let cannot = |error| format!("cannot set up the cache: {error}");
    let cache = builder.build().await.map_err(cannot)?;
    cache.prepare::<Plio>().await.map_err(cannot)?;
    cache.prepare::<User>().await.map_err(cannot)?;
    Ok(cache)
}

/// Runs the service until it is told to stop. Errors are sentences.
pub async fn serve(config: &Config) -> Result<(), String> {
    let cannot = |error| format!("cannot listen on {}: {error}", config.listen);
    let listener = TcpListener::bind(&config.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let cache = connect(config).await?;
    let stop = signals::told_to_stop()?;
    // Serves also when nobody reads this.
    let _ = writeln!(std::io::stdout(), "{}", welcome(config, address));
    listen(listener, app(cache.clone()), config.limits, stop).await;
    // A database that does not answer must not keep the process.
    let ended = timeout(config.limits.drain, cache.shutdown()).await;
    if ended.is_err() {
        tracing::warn!(
            "stopped, although a commit was not delivered yet: its rows wait in the outbox"
        );
    }
    Ok(())
}

fn welcome(config: &Config, address: SocketAddr) -> String {
    let api = format!("http://{address}/api/v1");
    let database = if config.database_url.starts_with("sqlite") { "SQLite" } else { "PostgreSQL" };
    let cache = if config.redis_url.is_some() { "Redis" } else { "memory" };
    format!(
        "Plio's API, from {database}, cached in {cache}. Try twice, and see Cache-Status:

  curl -i {api}/plios/1

Change something that the plio is built from, and try again:

  curl -X PATCH {api}/organizations/1 -H 'content-type: application/json' -d '{{\"name\": \"Avanti\"}}'
"
    )
}

/// One line for each request.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let start = Instant::now();
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
    tracing::debug!("{method} {uri} {status} in {ms:.1} ms");
    response
}
