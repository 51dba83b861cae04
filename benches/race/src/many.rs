//! Row 3: a hundred values at once, from Redis. Peers have no such call: their hundred reads are
//! sent together.

use std::time::Duration;

use cached::ConcurrentCachedAsync;
use futures_util::future::try_join_all;

use crate::harness::{Lane, Outcome, Results};
use crate::model::{FarJson, KEYS, cache};
use crate::pace::{THROUGHPUT, tasks};
use crate::peers::{
    cached_get, cached_redis, connect, database, fnct, hitbox_get, hitbox_put, hitbox_redis,
};

const LENGTH: Duration = Duration::from_millis(500);
const MANY: i64 = 100;

fn ids(n: i64) -> Vec<i64> {
    (0..MANY).map(|i| (n * MANY + i) % KEYS).collect()
}

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    let ours = cache(&database(url, 0)).await?;
    let floor = connect(&database(url, 1)).await?;
    let cached = cached_redis(&database(url, 2)).await?;
    let hitbox = hitbox_redis(&database(url, 3))?;
    let fnct = fnct(&database(url, 4)).await?;
    for id in 0..KEYS {
        FarJson::get(&ours, id).await?;
        let value = FarJson::new(id);
        let json = serde_json::to_vec(&value)?;
        let mut set = redis::cmd("SET");
        set.arg(id).arg(json).exec_async(&mut floor.clone()).await?;
        fnct.put(id, &value, &[], None).await?;
        cached.async_cache_set(id, value.clone()).await?;
        hitbox_put(&hitbox, value).await?;
    }

    let ours = move |n: i64| {
        let cache = ours.clone();
        async move {
            let values = FarJson::get_many(&cache, &ids(n)).await?;
            match values.iter().all(Option::is_some) {
                true => Ok(()),
                false => Err("lost".into()),
            }
        }
    };
    let floor = move |n: i64| {
        let mut connection = floor.clone();
        async move {
            let mut get = redis::cmd("MGET");
            let all: Vec<Vec<u8>> = get.arg(ids(n)).query_async(&mut connection).await?;
            for bytes in all {
                serde_json::from_slice::<FarJson>(&bytes)?;
            }
            Ok(())
        }
    };
    let cached = move |n: i64| {
        let cache = cached.clone();
        async move {
            let all = ids(n).into_iter().map(|id| cached_get(&cache, id));
            try_join_all(all).await.map(drop)
        }
    };
    let hitbox = move |n: i64| {
        let backend = hitbox.clone();
        async move {
            let all = ids(n).into_iter().map(|id| hitbox_get(&backend, id));
            try_join_all(all).await.map(drop)
        }
    };
    let fnct = move |n: i64| {
        let cache = fnct.clone();
        async move {
            let all = ids(n).into_iter().map(|id| cache.get::<FarJson, _>(id));
            try_join_all(all).await?;
            Ok(())
        }
    };

    let lanes = [
        Lane::new("ours", move || tasks(1, LENGTH, ours.clone())),
        Lane::new("MGET", move || tasks(1, LENGTH, floor.clone())),
        Lane::new("cached", move || tasks(1, LENGTH, cached.clone())),
        Lane::new("hitbox-redis", move || tasks(1, LENGTH, hitbox.clone())),
        Lane::new("fnct", move || tasks(1, LENGTH, fnct.clone())),
    ];
    let case = "get_many of 100, json";
    results.race(3, case, &THROUGHPUT, &lanes).await
}
