//! Row 7: the example's `GET /api/v1/plios/{id}`, the real service in a process of its own, built
//! with the near cache and without it.

mod client;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{Lane, Outcome, Results};
use crate::pace::THROUGHPUT;
use crate::peers::database;

pub(crate) use self::client::client;
use self::client::{Connection, drive};
pub(crate) use self::server::constant;
use self::server::{Server, build_example};

/// Connections of the client, each of which reads a plio of its own: without a cache, readers of
/// one plio would share loads.
const CONNECTIONS: i64 = 16;
const LENGTH: Duration = Duration::from_secs(1);

/// Nobody listens there: the service goes on without a cache.
const NO_REDIS: &str = "redis://127.0.0.1:1";

pub(crate) async fn measure(
    results: &mut Results,
    redis: &str,
    postgres: &str,
    root: &Path,
) -> Outcome<()> {
    let folder = root.join("target/bench/http");
    std::fs::create_dir_all(&folder)?;
    let sqlite = |name: &str| fresh(&folder, name);
    let far = build_example(root, &folder, false)?;

    let far_only = Service::start(&far, &sqlite("far")?, &database(redis, 14)).await?;
    let no_cache = Service::start(&far, &sqlite("none")?, NO_REDIS).await?;
    let on_postgres = Service::start(&far, postgres, NO_REDIS).await?;
    let body = far_only.body().await?;
    let constant = Server::constant(&folder, &body).await?;
    // The same bytes for whatever plio.
    let constant = Service {
        first: 1,
        server: constant,
    };

    let lane = |name, service: &Service| {
        let (address, first) = (service.server.address.clone(), service.first);
        Lane::new(name, move || {
            drive(address.clone(), first, CONNECTIONS, LENGTH)
        })
    };
    let lanes = [
        lane("ours", &far_only),
        lane("constant bytes", &constant),
        lane("no cache, SQLite", &no_cache),
        lane("no cache, PostgreSQL", &on_postgres),
    ];
    let case = "GET plio, far only, connections: 16";
    results.race(7, case, &THROUGHPUT, &lanes).await?;

    let near = match build_example(root, &folder, true) {
        Ok(near) => near,
        Err(error) => {
            eprintln!("row 7: without the near cache: {error}");
            return Ok(());
        }
    };
    let near = Service::start(&near, &sqlite("near")?, &database(redis, 15)).await?;
    let lanes = [lane("ours", &near), lane("constant bytes", &constant)];
    let case = "GET plio, near, connections: 16";
    results.race(7, case, &THROUGHPUT, &lanes).await
}

/// A database that has not been there before.
fn fresh(folder: &Path, name: &str) -> Outcome<String> {
    let file = folder.join(format!("{name}.db"));
    for end in ["", "-shm", "-wal"] {
        let mut part = file.clone().into_os_string();
        part.push(end);
        let part = PathBuf::from(part);
        if part.exists() {
            std::fs::remove_file(part)?;
        }
    }
    Ok(format!("sqlite://{}", file.display()))
}

/// A server with a plio for each connection, the copies of the demonstration's first.
struct Service {
    server: Server,
    first: i64,
}

impl Service {
    async fn start(program: &Path, database: &str, redis: &str) -> Outcome<Service> {
        let server = Server::example(program, database, redis).await?;
        let mut connection = Connection::open(&server.address).await?;
        let mut first = None;
        for _ in 0..CONNECTIONS {
            let answer = connection.send("POST", "/api/v1/plios/1/duplicate").await?;
            let copy: serde_json::Value = serde_json::from_slice(&answer)?;
            first = first.or(copy["id"].as_i64());
        }
        let first = first.ok_or("a copy has no id")?;
        Ok(Service { server, first })
    }

    /// One of the plios.
    async fn body(&self) -> Outcome<Vec<u8>> {
        let mut connection = Connection::open(&self.server.address).await?;
        let path = format!("/api/v1/plios/{}", self.first);
        connection.send("GET", &path).await
    }
}
