//! Row 2: a hit in Redis.

use std::time::Duration;

use cached::ConcurrentCachedAsync;

use crate::harness::{Lane, Outcome, Results};
use crate::model::{FarJson, FarMsgpack, KEYS, cache};
use crate::pace::{THROUGHPUT, tasks};
use crate::peers::{
    cached_get, cached_redis, connect, connect_caching, database, fnct, hitbox_get, hitbox_put,
    hitbox_redis,
};

const LENGTH: Duration = Duration::from_millis(500);

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    for count in [1, 64] {
        json(results, url, count).await?;
        msgpack(results, url, count).await?;
    }
    Ok(())
}

async fn json(results: &mut Results, url: &str, count: i64) -> Outcome<()> {
    let ours = cache(&database(url, 0)).await?;
    let floor = connect(&database(url, 1)).await?;
    // Reads what the floor has written.
    let local = connect_caching(&database(url, 1)).await?;
    let hitbox = hitbox_redis(&database(url, 3))?;
    let fnct = fnct(&database(url, 4)).await?;
    for id in 0..KEYS {
        FarJson::get(&ours, id).await?;
        let value = FarJson::new(id);
        let json = serde_json::to_vec(&value)?;
        let mut set = redis::cmd("SET");
        set.arg(id).arg(json).exec_async(&mut floor.clone()).await?;
        fnct.put(id, &value, &[], None).await?;
        hitbox_put(&hitbox, value).await?;
    }

    let ours = move |n: i64| {
        let cache = ours.clone();
        async move {
            FarJson::get(&cache, n % KEYS).await?.ok_or("lost")?;
            Ok(())
        }
    };
    let raw = |connection: redis::aio::MultiplexedConnection| {
        move |n: i64| {
            let mut connection = connection.clone();
            async move {
                let mut get = redis::cmd("GET");
                let bytes: Vec<u8> = get.arg(n % KEYS).query_async(&mut connection).await?;
                serde_json::from_slice::<FarJson>(&bytes)?;
                Ok(())
            }
        }
    };
    let (floor, local) = (raw(floor), raw(local));
    let hitbox = move |n: i64| {
        let backend = hitbox.clone();
        async move { hitbox_get(&backend, n % KEYS).await.map(drop) }
    };
    let fnct = move |n: i64| {
        let cache = fnct.clone();
        async move {
            let value: Option<FarJson> = cache.get(n % KEYS).await?;
            value.ok_or("lost")?;
            Ok(())
        }
    };

    let case = format!("far hit, json, tasks: {count}");
    let lanes = [
        Lane::new("ours", move || tasks(count, LENGTH, ours.clone())),
        Lane::new("GET", move || tasks(count, LENGTH, floor.clone())),
        Lane::new("hitbox-redis", move || tasks(count, LENGTH, hitbox.clone())),
        Lane::new("fnct", move || tasks(count, LENGTH, fnct.clone())),
        Lane::new("redis cache-aio (local)", move || {
            tasks(count, LENGTH, local.clone())
        }),
    ];
    results.race(2, &case, &THROUGHPUT, &lanes).await
}

async fn msgpack(results: &mut Results, url: &str, count: i64) -> Outcome<()> {
    let ours = cache(&database(url, 0)).await?;
    let floor = connect(&database(url, 5)).await?;
    let cached = cached_redis(&database(url, 2)).await?;
    for id in 0..KEYS {
        let value = FarMsgpack::get(&ours, id).await?.ok_or("no value")?;
        let bytes = rmp_serde::to_vec_named(&*value)?;
        let mut set = redis::cmd("SET");
        let mut connection = floor.clone();
        set.arg(id).arg(bytes).exec_async(&mut connection).await?;
        cached.async_cache_set(id, FarJson::new(id)).await?;
    }

    let ours = move |n: i64| {
        let cache = ours.clone();
        async move {
            FarMsgpack::get(&cache, n % KEYS).await?.ok_or("lost")?;
            Ok(())
        }
    };
    let floor = move |n: i64| {
        let mut connection = floor.clone();
        async move {
            let mut get = redis::cmd("GET");
            let bytes: Vec<u8> = get.arg(n % KEYS).query_async(&mut connection).await?;
            rmp_serde::from_slice::<FarMsgpack>(&bytes)?;
            Ok(())
        }
    };
    let cached = move |n: i64| {
        let cache = cached.clone();
        async move { cached_get(&cache, n % KEYS).await.map(drop) }
    };

    let case = format!("far hit, msgpack, tasks: {count}");
    let lanes = [
        Lane::new("ours", move || tasks(count, LENGTH, ours.clone())),
        Lane::new("GET", move || tasks(count, LENGTH, floor.clone())),
        Lane::new("cached", move || tasks(count, LENGTH, cached.clone())),
    ];
    results.race(2, &case, &THROUGHPUT, &lanes).await
}
