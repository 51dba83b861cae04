//! Conduit (`tests/apps/conduit`), whose values and lists load themselves: its town, and the
//! stories that are told there.

use std::sync::Arc;

use cache_runtime::{Cache, ConsistencyToken, Schema};
use conduit::{Article, Db, SCHEMA, Thread};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::events::Events;
use crate::harness::sql::Sql;
use crate::harness::{Place, Story, Without, observed, with_store};

macro_rules! story {
    ($name:ident) => {
        crate::library::bank::story!(place, $name, { $name(Town::new(place).await).await })
    };
}

/// What is done in a transaction of one of the processes, which is then committed.
macro_rules! in_transaction {
    ($town:expr, $process:expr, $tx:ident => $done:block) => {{
        let (cache, _) = &$town.processes[$process];
        match cache.db() {
            Db::Postgres(pool) => {
                let mut $tx = cache.begin_on(pool).await.expect("a transaction");
                $done
                $tx.commit().await.expect("committed")
            }
            Db::Sqlite(pool) => {
                let mut $tx = cache.begin_on(pool).await.expect("a transaction");
                $done
                $tx.commit().await.expect("committed")
            }
        }
    }};
}

mod answers;
mod articles;
mod lists;
mod moments;
mod moves;

pub fn stories() -> Vec<Story> {
    [
        answers::stories(),
        articles::stories(),
        lists::stories(),
        moments::stories(),
        moves::stories(),
    ]
    .concat()
}

/// Those that catch what is taken out.
pub fn mutants() -> Vec<(Without, Vec<Story>)> {
    moves::mutants()
}

type Process = (Cache<Db>, Arc<Events>);

/// Two articles by two users, and two processes of the service.
struct Town {
    /// Its servers, as long as the story is told.
    _place: Place,
    db: Db,
    sql: Sql,
    processes: [Process; 2],
}

impl Town {
    async fn new(place: Place) -> Town {
        let db = Db::connect(&place.database_url).await.expect("a database");
        db.set_up().await.expect("tables and triggers");
        let sql = Sql::connect(&place.database_url).await;
        let processes = [process(&place, &db).await, process(&place, &db).await];
        if let Some(mutant) = place.mutant {
            mutant.change_database(&sql).await;
        }
        let town = Town { _place: place, db, sql, processes };
        town.sql(
            r#"INSERT INTO "user" (id, username) VALUES ({1}, 'Ada'), ({2}, 'Grace'), ({3}, 'Edsger'), ({4}, 'Tony');
               INSERT INTO article (id, slug, title, author_id) VALUES ({11}, 'engines', 'On engines', {1}), ({12}, 'looms', 'On looms', {1});
               INSERT INTO article_tag VALUES ({11}, 'steam'), ({11}, 'brass');
               INSERT INTO comment VALUES (1, 'First!', FALSE, {11}, {2}), (2, 'Second!', FALSE, {11}, {1});
               INSERT INTO favorite VALUES ({2}, {11})"#,
        )
        .await;
        town.told().await;
        town
    }

    fn cache(&self) -> &Cache<Db> {
        &self.processes[0].0
    }

    /// The statement, with `{7}` for the id of that number.
    fn spelt(&self, sql: &str) -> String {
        let mut spelt = String::new();
        for part in sql.split('{') {
            let Some((number, rest)) = part.split_once('}') else {
                spelt += part;
                continue;
            };
            let id = id(number.parse().expect("a number"));
            spelt += &match &self.db {
                Db::Postgres(_) => format!("'{id}'"),
                Db::Sqlite(_) => format!("x'{}'", id.simple()),
            };
            spelt += rest;
        }
        spelt
    }

    /// As psql does.
    async fn sql(&self, sql: &str) {
        self.sql.run(self.spelt(sql)).await;
    }

    /// Both processes have heard of all that is committed.
    async fn told(&self) {
        for (cache, _) in &self.processes {
            cache.deliver_pending().await.expect("delivered");
        }
    }

    /// A write of this process, through its cache.
    async fn write(&self, process: usize, sql: &str) -> ConsistencyToken {
        let sql = self.spelt(sql);
        in_transaction!(self, process, tx => {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.expect("written");
        })
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 64 | 0xC0FFEE)
}

async fn process(place: &Place, db: &Db) -> Process {
    static BUSY: Schema = SCHEMA;
    let builder = db.cache(&BUSY).relay(place.setup.relay);
    let builder = with_store(builder, &BUSY, place.redis_url().as_deref(), place.mutant);
    let (builder, events) = observed(builder);
    let cache = builder.build().await.expect("a cache");
    cache.prepare::<Article>().await.expect("its statements");
    cache.prepare::<Thread>().await.expect("its statements");
    (cache, events)
}
