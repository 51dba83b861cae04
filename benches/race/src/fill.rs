//! Row 4: a miss, a load that costs nothing, and the fill of a value that is built from thirty
//! facts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cache_runtime::Answer;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;

use crate::harness::{Lane, Metric, Outcome, Results};
use crate::model::{Cache, FarJson, Tagged, cache, check, leaves};
use crate::pace::{THROUGHPUT, tasks};
use crate::peers::{Fnct, LIFE, connect, database, flush, fnct};

const LENGTH: Duration = Duration::from_millis(500);

/// No value twice.
static NEXT: AtomicI64 = AtomicI64::new(0);

fn next() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    check()?;
    for count in [1, 16] {
        throughput(results, url, count).await?;
    }
    round_trips(results, url).await
}

async fn throughput(results: &mut Results, url: &str, count: i64) -> Outcome<()> {
    let broom = connect(url).await?;
    let cache = cache(&database(url, 6)).await?;
    let ours = move |_| {
        let cache = cache.clone();
        async move { ours(&cache).await }
    };
    let connection = connect(&database(url, 7)).await?;
    let floor = move |_| {
        let connection = connection.clone();
        async move { get_and_set(&connection).await }
    };
    let cache = fnct(&database(url, 8)).await?;
    let fnct = move |_| {
        let cache = cache.clone();
        async move { with_fnct(&cache).await }
    };
    let connection = connect(&database(url, 9)).await?;
    let by_hand = move |_| {
        let connection = connection.clone();
        async move { with_index(&connection).await }
    };

    let brooms = [broom.clone(), broom.clone(), broom.clone(), broom];
    let [b1, b2, b3, b4] = brooms;
    let case = format!("miss and fill, 30 tags, tasks: {count}");
    let lanes = [
        Lane::new("ours", move || swept(b1.clone(), count, ours.clone())),
        Lane::new("GET, SET", move || swept(b2.clone(), count, floor.clone())),
        Lane::new("fnct", move || swept(b3.clone(), count, fnct.clone())),
        Lane::new("SADD by hand", move || {
            swept(b4.clone(), count, by_hand.clone())
        }),
    ];
    results.race(4, &case, &THROUGHPUT, &lanes).await
}

/// In an empty server.
async fn swept<F, Fut>(
    broom: MultiplexedConnection,
    count: i64,
    op: F,
) -> Outcome<crate::harness::Sample>
where
    F: Fn(i64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Outcome<()>> + Send,
{
    flush(&broom).await?;
    // The first one finds the flush, and begins anew.
    op(0).await?;
    tasks(count, LENGTH, op).await
}

/// One after another, so what the client sends at once is one command or one pipeline: ours never
/// sends a pipeline of several here, so its commands are its round trips.
async fn round_trips(results: &mut Results, url: &str) -> Outcome<()> {
    let cache = cache(&database(url, 6)).await?;
    ours(&cache).await?;
    let connection = connect(&database(url, 7)).await?;
    let url = url.to_owned();
    let floor_url = url.clone();
    let lanes = [
        Lane::new("ours", move || {
            let (cache, url) = (cache.clone(), url.clone());
            async move { commands(&url, 6, || ours(&cache)).await }
        }),
        Lane::new("GET, SET", move || {
            let (connection, url) = (connection.clone(), floor_url.clone());
            async move { commands(&url, 7, || get_and_set(&connection)).await }
        }),
    ];
    let metrics = [Metric::less("round trips")];
    let case = "miss and fill, 30 tags";
    results.race(4, case, &metrics, &lanes).await
}

/// How many commands of clients the database sees for one of these. Those of scripts are the
/// server's own.
async fn commands<Fut>(url: &str, number: u8, op: impl Fn() -> Fut) -> Outcome<Vec<f64>>
where
    Fut: Future<Output = Outcome<()>>,
{
    const TIMES: usize = 20;
    const END: &str = "that was all";
    let monitor = redis::Client::open(url)?.get_async_monitor().await?;
    for _ in 0..TIMES {
        op().await?;
    }
    let mut end = connect(url).await?;
    redis::cmd("ECHO").arg(END).exec_async(&mut end).await?;
    let of_clients = format!(" [{number} 1");
    let mut seen = 0;
    let mut lines = std::pin::pin!(monitor.into_on_message::<String>());
    while let Some(line) = lines.next().await {
        if line.contains(END) {
            return Ok(vec![seen as f64 / TIMES as f64]);
        }
        seen += usize::from(line.contains(&of_clients));
    }
    Err("the monitor has ended".into())
}

async fn ours(cache: &Cache) -> Outcome<()> {
    let fetched = Tagged::fetch(cache, next()).await?;
    match fetched.status.answer {
        Answer::Miss { stored: true, .. } => Ok(()),
        other => Err(format!("a miss that is not stored: {other:?}").into()),
    }
}

async fn get_and_set(connection: &MultiplexedConnection) -> Outcome<()> {
    let mut connection = connection.clone();
    let id = next();
    miss(&mut connection, id).await?;
    let json = serde_json::to_vec(&FarJson::new(id))?;
    let mut set = redis::cmd("SET");
    set.arg(id).arg(json).arg("PX").arg(LIFE.as_millis() as u64);
    Ok(set.exec_async(&mut connection).await?)
}

async fn with_index(connection: &MultiplexedConnection) -> Outcome<()> {
    let mut connection = connection.clone();
    let id = next();
    miss(&mut connection, id).await?;
    let json = serde_json::to_vec(&FarJson::new(id))?;
    let mut pipe = redis::pipe();
    pipe.pset_ex(id, json, LIFE.as_millis() as u64);
    pipe.sadd(format!("tagged#id={id}"), id);
    for leaf in leaves(id) {
        pipe.sadd(format!("leaf#id={leaf}"), id);
    }
    Ok(pipe.exec_async(&mut connection).await?)
}

async fn with_fnct(cache: &Fnct) -> Outcome<()> {
    let id = next();
    if cache.get::<FarJson, _>(id).await?.is_some() {
        return Err("it is there already".into());
    }
    let mut tags = vec![format!("tagged#id={id}")];
    tags.extend(leaves(id).map(|leaf| format!("leaf#id={leaf}")));
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    Ok(cache.put(id, FarJson::new(id), &tags, None).await?)
}

async fn miss(connection: &mut MultiplexedConnection, id: i64) -> Outcome<()> {
    let found: Option<Vec<u8>> = redis::cmd("GET").arg(id).query_async(connection).await?;
    match found {
        None => Ok(()),
        Some(_) => Err("it is there already".into()),
    }
}
