//! Row 1: a hit in the process's own memory.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cached::ShardedLruCache;
use hitbox_moka::MokaBackend;
use hydracache::{CacheOptions, HydraCache};

use crate::harness::{Lane, Metric, Outcome, Results};
use crate::model::{FarJson, KEYS, Near, cache};
use crate::pace::threads;
use crate::peers::{Json, LIFE, database, hitbox_get, hitbox_put};

const LENGTH: Duration = Duration::from_millis(250);
/// Room for all of them, so that nobody evicts.
const ROOM: usize = 10_000;

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    let values = (0..KEYS).map(FarJson::new);

    let ours = cache(&database(url, 0)).await?;
    for id in 0..KEYS {
        Near::get(&ours, id).await?;
    }
    let ours = Arc::new(async move |n: i64| {
        assert!(matches!(
            black_box(Near::get(&ours, n % KEYS).await),
            Ok(Some(_))
        ));
    });

    let quick = quick_cache::sync::Cache::new(ROOM);
    values
        .clone()
        .for_each(|value| quick.insert(value.id, Arc::new(value)));
    let quick = Arc::new(async move |n: i64| {
        assert!(black_box(quick.get(&(n % KEYS))).is_some());
    });

    let moka = moka::future::Cache::new(ROOM as u64);
    for value in values.clone() {
        moka.insert(value.id, Arc::new(value)).await;
    }
    let moka = Arc::new(async move |n: i64| {
        assert!(black_box(moka.get(&(n % KEYS)).await).is_some());
    });

    let cached = ShardedLruCache::builder().max_size(ROOM).build()?;
    values.clone().for_each(|value| {
        cached.set(value.id, Arc::new(value));
    });
    let cached = Arc::new(async move |n: i64| {
        assert!(black_box(cached.get(&(n % KEYS))).is_some());
    });

    // In bytes, here.
    let hydra = HydraCache::local().codec(Json).max_capacity(1 << 30);
    let hydra = hydra.build();
    for value in values.clone() {
        let options = CacheOptions::new().ttl(LIFE);
        hydra.put(&value.id.to_string(), value, options).await?;
    }
    let hydra = Arc::new(async move |n: i64| {
        let value = hydra.get::<FarJson>(&(n % KEYS).to_string()).await;
        assert!(matches!(black_box(value), Ok(Some(_))));
    });

    let hitbox = MokaBackend::builder().max_entries(ROOM as u64).build();
    for value in values {
        hitbox_put(&hitbox, value).await?;
    }
    let hitbox = Arc::new(async move |n: i64| {
        assert!(black_box(hitbox_get(&hitbox, n % KEYS).await).is_ok());
    });

    for (case, count) in [("near hit, 1 thread", 1), ("near hit, 2 threads", 2)] {
        // Copies of the handles, for the next case.
        let (ours, quick, moka) = (ours.clone(), quick.clone(), moka.clone());
        let (cached, hydra, hitbox) = (cached.clone(), hydra.clone(), hitbox.clone());
        let lanes = [
            Lane::new("ours", move || threads(count, LENGTH, ours.clone())),
            Lane::new("quick_cache", move || threads(count, LENGTH, quick.clone())),
            Lane::new("moka", move || threads(count, LENGTH, moka.clone())),
            Lane::new("cached", move || threads(count, LENGTH, cached.clone())),
            Lane::new("hydracache", move || threads(count, LENGTH, hydra.clone())),
            Lane::new("hitbox-moka", move || {
                threads(count, LENGTH, hitbox.clone())
            }),
        ];
        let metrics = [Metric::less("ns/op")];
        results.race(1, case, &metrics, &lanes).await?;
    }
    Ok(())
}
