//! Row 5: one fact changes, of which few values or many are built. Through the store, as a commit
//! or the relay does it.

use std::sync::Arc;
use std::time::Instant;

use cache_runtime::store::Fill;
use cache_runtime::{RedisStore, Store, Tag};
use futures_util::{StreamExt, TryStreamExt, stream};
use redis::aio::MultiplexedConnection;

use crate::harness::{Lane, Metric, Outcome, Results, Sample};
use crate::model::{FarJson, SCHEMA};
use crate::peers::{Fnct, LIFE, connect, database, fnct};

const TAG: &str = "leaf#id=1";

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    let store = Arc::new(RedisStore::new(&database(url, 10), &SCHEMA)?);
    store.connect("race").await?;
    let floor = connect(&database(url, 11)).await?;
    let fnct = fnct(&database(url, 12)).await?;
    for dependents in [10, 10_000] {
        let (store, floor, fnct) = (store.clone(), floor.clone(), fnct.clone());
        let lanes = [
            Lane::new("ours", move || ours(store.clone(), dependents)),
            Lane::new("UNLINK", move || unlink(floor.clone(), dependents)),
            Lane::new("fnct", move || pop_tag(fnct.clone(), dependents)),
        ];
        let case = format!("invalidate one tag, values: {dependents}");
        let metrics = [Metric::less("ms")];
        results.race(5, &case, &metrics, &lanes).await?;
    }
    Ok(())
}

async fn ours(store: Arc<RedisStore>, dependents: i64) -> Outcome<Sample> {
    let tag = Tag::from_text(TAG);
    let keys: Vec<String> = (0..dependents).map(|id| format!("race:{id}")).collect();
    let value = serde_json::to_vec(&FarJson::new(1))?;
    let token = store.read(&keys[..1]).await?.token;
    let fills = keys.iter().map(|key| Fill {
        key: key.clone(),
        tags: vec![tag.clone()],
        value: value.clone().into(),
        ttl: LIFE,
        strict: false,
    });
    let stored = store.fill(token, &fills.collect::<Vec<_>>()).await?;
    if !stored.into_iter().all(|stored| stored) {
        return Err("a fill was refused".into());
    }
    let began = Instant::now();
    store.invalidate(&[tag]).await?;
    let took = millis(began);
    match store.read(&keys).await?.values.iter().flatten().count() {
        0 => Ok(vec![took]),
        left => Err(format!("{left} values are left").into()),
    }
}

/// As if somebody knew the keys.
async fn unlink(mut connection: MultiplexedConnection, dependents: i64) -> Outcome<Sample> {
    let value = serde_json::to_vec(&FarJson::new(1))?;
    let ids: Vec<i64> = (0..dependents).collect();
    for ids in ids.chunks(1000) {
        let mut pipe = redis::pipe();
        ids.iter().for_each(|id| {
            pipe.set(id, &value[..]).ignore();
        });
        pipe.exec_async(&mut connection).await?;
    }
    let began = Instant::now();
    let mut pipe = redis::pipe();
    for ids in ids.chunks(1000) {
        pipe.cmd("UNLINK").arg(ids);
    }
    let gone: Vec<i64> = pipe.query_async(&mut connection).await?;
    let took = millis(began);
    match gone.iter().sum::<i64>() == dependents {
        true => Ok(vec![took]),
        false => Err("some were gone already".into()),
    }
}

async fn pop_tag(cache: Fnct, dependents: i64) -> Outcome<Sample> {
    let value = FarJson::new(1);
    let (cache, value) = (&cache, &value);
    stream::iter(0..dependents)
        .map(|id| async move { cache.put(id, value, &[TAG], None).await })
        .buffer_unordered(100)
        .try_collect::<()>()
        .await?;
    let began = Instant::now();
    cache.pop_tag(TAG).await?;
    Ok(vec![millis(began)])
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
