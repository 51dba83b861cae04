//! What is asked for, and what is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Error};
use sqlx::{PgConnection, PgPool};
use tokio::time::interval;

use crate::models::{THINGS, Thing};

/// Of all processes and of plain SQL, in a second.
pub const TAGS: i64 = 2_000;
/// A row that is written to has its own tag, and one of its name.
const TAGS_OF_A_ROW: i64 = 2;
const WRITES_PER_SECOND: i64 = 10;
/// By plain SQL half of them are written, and through the cache in each of two processes a quarter.
const ROWS: i64 = TAGS / TAGS_OF_A_ROW / WRITES_PER_SECOND;

/// How many read at once in a process, and how often each does in a second.
const READERS: u32 = 10;
const READS_PER_SECOND: u32 = 100;
/// The longest text that is asked for.
const LONG: usize = 7_000;

#[derive(Debug, Default)]
pub struct Counted {
    pub reads: AtomicU64,
    pub errors: AtomicU64,
}

impl Counted {
    fn count<E: std::fmt::Display>(&self, which: &AtomicU64, done: Result<(), E>) {
        which.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = done {
            eprintln!("{error}");
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reads and writes through the cache, for ever.
pub fn start(cache: &Cache<PgPool>, counted: &Arc<Counted>) {
    for _ in 0..READERS {
        let (cache, counted) = (cache.clone(), counted.clone());
        tokio::spawn(async move {
            let mut tick = interval(Duration::from_secs(1) / READS_PER_SECOND);
            loop {
                tick.tick().await;
                counted.count(&counted.reads, read(&cache).await);
            }
        });
    }
    let (cache, counted) = (cache.clone(), counted.clone());
    tokio::spawn(async move {
        let mut tick = interval(Duration::from_secs(1) / WRITES_PER_SECOND as u32);
        loop {
            tick.tick().await;
            counted.count(&AtomicU64::default(), write(&cache).await);
        }
    });
}

async fn read(cache: &Cache<PgPool>) -> Result<(), Error> {
    let random_text = |length| std::iter::repeat_with(fastrand::alphanumeric).take(length);
    let by_name = match fastrand::u32(..20) {
        0..12 => return Thing::get(cache, fastrand::i64(0..THINGS)).await.map(drop),
        // There is none.
        12..15 => return Thing::get(cache, fastrand::i64(THINGS..)).await.map(drop),
        15..17 => format!("name {}", fastrand::i64(0..THINGS)),
        17..19 => random_text(fastrand::usize(1..100)).collect(),
        _ => random_text(LONG).collect(),
    };
    Thing::get_by_name(cache, by_name).await.map(drop)
}

async fn write(cache: &Cache<PgPool>) -> Result<(), sqlx::Error> {
    let mut tx = cache.begin().await?;
    write_to(&mut tx, ROWS / 4).await?;
    tx.commit().await?;
    Ok(())
}

/// Who knows nothing of the cache writes as well, for ever.
pub async fn write_plainly(pool: PgPool) {
    let mut tick = interval(Duration::from_secs(1) / WRITES_PER_SECOND as u32);
    loop {
        tick.tick().await;
        let written = async { write_to(&mut *pool.acquire().await?, ROWS / 2).await };
        if let Err(error) = written.await {
            eprintln!("{error}");
        }
    }
}

/// So many in a row: in the order of their ids, so that nobody waits for each other.
async fn write_to(db: &mut PgConnection, rows: i64) -> Result<(), sqlx::Error> {
    let first = fastrand::i64(0..THINGS - rows);
    let sql = "UPDATE thing SET version = version + 1 WHERE id >= $1 AND id < $1 + $2";
    let written = sqlx::query(sql).bind(first).bind(rows).execute(db).await;
    written.map(drop)
}
