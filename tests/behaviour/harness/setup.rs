//! The four set-ups, and a story's place in one of them: its own database, its own Redis database.

use std::sync::OnceLock;
use std::time::Duration;

use cache_runtime::{Builder, MemoryStore, RedisStore, Schema, Store};
use example_app::Db;
use tempfile::TempDir;

use super::mutant::{Mutated, Without};
use super::sql::Sql;
use super::{Redis, servers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    Memory,
    Redis,
}

/// How often a relay looks in stories: more often than `cache.toml` says, so that
/// what comes of one beside the rest, comes sooner.
pub const POLL: Duration = Duration::from_millis(100);

/// What a story runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    pub database: Database,
    pub tier: Tier,
    /// Whether there is a near cache; if the story does not mind, with
    /// either database, and over either tier.
    pub near: bool,
    /// Whether the processes relay what others write, as services do.
    pub relay: bool,
}

impl Setup {
    pub const ALL: [Self; 4] = [
        Self { database: Database::Sqlite, tier: Tier::Memory, near: true, relay: true },
        Self { database: Database::Sqlite, tier: Tier::Redis, near: false, relay: true },
        Self { database: Database::Postgres, tier: Tier::Memory, near: false, relay: true },
        Self { database: Database::Postgres, tier: Tier::Redis, near: true, relay: true },
    ];

    /// The first part of a trial's name.
    pub fn name(self) -> &'static str {
        match (self.database, self.tier) {
            (Database::Sqlite, Tier::Memory) => "sqlite_memory",
            (Database::Sqlite, Tier::Redis) => "sqlite_redis",
            (Database::Postgres, Tier::Memory) => "postgres_memory",
            (Database::Postgres, Tier::Redis) => "postgres_redis",
        }
    }
}

/// What tells a PostgreSQL database from all others, and from what it was
/// before it lost something; and where that is.
pub const POSTGRES_IDENTITY: &str = "md5(identity || (SELECT oid FROM pg_database WHERE datname = current_database()) || lived.tableoid || life)";
pub const POSTGRES_STAMP: &str = "cache_outbox_stamp, cache_outbox_life AS lived";

/// A database that nobody else uses, migrated. It is gone when this is dropped.
pub struct OwnDatabase {
    pub url: String,
    kind: Kind,
}

enum Kind {
    Sqlite { _dir: TempDir },
    Postgres { name: String },
}

impl OwnDatabase {
    /// Makes one. Blocks, so not to be called in an async runtime.
    pub fn create(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let own = Self::empty(database);
                block_on(migrate(&own.url));
                own
            }
            Database::Postgres => {
                let server = servers::postgres();
                TEMPLATE.get_or_init(|| {
                    block_on(async {
                        administer("CREATE DATABASE plio_template").await;
                        migrate(&server.url("plio_template")).await;
                    });
                });
                Self::copy_of("plio_template")
            }
        }
    }

    /// Likewise, without a table.
    pub fn empty(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let dir = tempfile::Builder::new()
                    .prefix("tests-sqlite-")
                    .tempdir()
                    .expect("a temporary directory");
                Self {
                    url: format!("sqlite://{}/plio.db", dir.path().display()),
                    kind: Kind::Sqlite { _dir: dir },
                }
            }
            Database::Postgres => Self::copy_of("template1"),
        }
    }

    fn copy_of(template: &str) -> Self {
        let name = format!("plio_{:016x}", fastrand::u64(..));
        block_on(administer(&format!("CREATE DATABASE {name} TEMPLATE {template}")));
        Self { url: servers::postgres().url(&name), kind: Kind::Postgres { name } }
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if let Kind::Postgres { name } = &self.kind {
            block_on(administer(&format!("DROP DATABASE {name} WITH (FORCE)")));
        }
    }
}

/// Migrated once; the others are copies of it.
static TEMPLATE: OnceLock<()> = OnceLock::new();

async fn migrate(url: &str) {
    let db = Db::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    db.migrate().await.unwrap_or_else(|error| panic!("{url}: {error}"));
    match db {
        Db::Sqlite(pool) => pool.close().await,
        Db::Postgres(pool) => pool.close().await,
    }
}

async fn administer(sql: &str) {
    let admin = Sql::connect(&servers::postgres().url("postgres")).await;
    admin.run(sql).await;
    admin.close().await;
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// The Redis of a story: the run's, or its own.
pub enum OwnRedis {
    Shared { database: u32 },
    Own(Redis),
}

impl OwnRedis {
    pub fn shared() -> Self {
        Self::Shared { database: servers::redis().database() }
    }

    pub fn own() -> Self {
        Self::Own(Redis::own())
    }

    pub fn url(&self) -> String {
        match self {
            Self::Shared { database } => servers::redis().url(*database),
            Self::Own(server) => server.url(0),
        }
    }

    /// The server, to be stopped and frozen.
    pub fn server(&self) -> &Redis {
        match self {
            Self::Shared { .. } => {
                panic!("the story shares its Redis with others: say `.own_redis()`")
            }
            Self::Own(server) => server,
        }
    }
}

/// With a store as the stories have it: in the Redis at this address, or in a
/// memory of its own; a mutant's breaks one rule.
pub fn with_store<Db: Send + Sync + 'static>(
    builder: Builder<Db>,
    schema: &'static Schema,
    redis: Option<&str>,
    mutant: Option<Without>,
) -> Builder<Db> {
    fn with<Db: Send + Sync + 'static>(
        builder: Builder<Db>,
        store: impl Store,
        mutant: Option<Without>,
    ) -> Builder<Db> {
        match mutant {
            None => builder.store(store),
            Some(mutant) => builder.store(Mutated { store, mutant }),
        }
    }
    match redis {
        None => with(builder, MemoryStore::new(schema), mutant),
        Some(url) => {
            let store =
                RedisStore::new(url, schema).unwrap_or_else(|error| panic!("{url}: {error}"));
            with(builder, store, mutant)
        }
    }
}
