//! What a list costs: its ids from the database, beside the statement that one would write; and a
//! page of it that is cached, beside the same page from the database.

use std::time::{Duration, Instant};

use cache_runtime::{BoxError, RedisStore};
use example_app::{Db, Plio, SCHEMA, cache_builder};
use sqlx::{PgPool, query_scalar};

use crate::loads::{LOADS, ROUNDS, ROWS, load, median};
use crate::variable;

/// More of one user: as many as a list keeps.
const MORE: &str = "
INSERT INTO plio (name, video_id, created_by_id) SELECT 'more ' || n, n % 100 + 1, 1 FROM generate_series(1, 990) n;
ANALYZE";

const OF_USER: &str = "SELECT id FROM plio WHERE created_by_id = $1 ORDER BY id DESC LIMIT $2";

const OF_ORGANIZATION: &str =
    "SELECT id FROM plio WHERE created_by_id IN (SELECT user_id FROM organization_user WHERE organization_id = $1)
     ORDER BY id DESC LIMIT $2";

macro_rules! timed {
    ($read:expr) => {{
        let start = Instant::now();
        for _ in 0..LOADS {
            $read;
        }
        start.elapsed()
    }};
}

pub(crate) async fn measure() -> Result<(), BoxError> {
    let pool = PgPool::connect(&variable("DATABASE_URL")?).await?;
    let db = Db::Postgres(pool.clone());
    db.migrate().await?;
    sqlx::raw_sql(ROWS).execute(&pool).await?;
    sqlx::raw_sql(MORE).execute(&pool).await?;
    let store = RedisStore::new(&variable("REDIS_URL")?, &SCHEMA)?;
    let cache = cache_builder(db).store(store).relay(false).build().await?;
    let mut tx = cache.begin_on(&pool).await?;
    let mut connection = pool.acquire().await?;

    println!("medians of {ROUNDS} rounds of {LOADS} reads; PostgreSQL and Redis on this machine\n");
    println!("| what | by hand | list | ratio |");
    println!("| --- | --- | --- | --- |");
    let [mut of_user, mut of_organization, mut page] = [(); 3].map(|()| (Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        let ids = |sql, of: i64| query_scalar::<_, i64>(sql).bind(of).bind(1001_i64);
        of_user.0.push(timed!(ids(OF_USER, 1).fetch_all(&mut *connection).await?));
        of_user.1.push(timed!(Plio::plios_of_user(&mut tx, 1).ids().await?));
        of_organization.0.push(timed!(ids(OF_ORGANIZATION, 1).fetch_all(&mut *connection).await?));
        of_organization.1.push(timed!(Plio::plios_of_organization(&mut tx, 1).ids().await?));
        page.0.push(timed!({
            let ids = query_scalar::<_, i64>(OF_USER).bind(1_i64).bind(20_i64);
            let ids = ids.fetch_all(&mut *connection).await?;
            load(&mut connection, &ids).await?
        }));
        page.1.push(timed!(Plio::plios_of_user(&cache, 1).page(0, 20).await?));
    }
    report("1,000 ids of a user, from the database", of_user);
    report("1,100 ids of an organization, from the database", of_organization);
    report("a page of 20, by hand from the database, cached", page);
    Ok(())
}

fn report(what: &str, (by_hand, list): (Vec<Duration>, Vec<Duration>)) {
    let [by_hand, list] = [by_hand, list].map(median);
    let ratio = list.as_secs_f64() / by_hand.as_secs_f64();
    println!("| {what} | {by_hand:.1?} | {list:.1?} | {ratio:.2} |");
}
