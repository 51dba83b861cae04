//! What the peers need to hold our value, and how they are connected.

use std::future::{Ready, ready};
use std::time::Duration;

use bytes::Bytes;
use cached::{AsyncRedisCache, ConcurrentCachedAsync};
use chrono::Utc;
use fnct::AsyncCache;
use fnct::backend::AsyncRedisBackend;
use fnct::format::JsonFormatter;
use hitbox::predicate::{Predicate, PredicateResult};
use hitbox::{
    BoxContext, CacheContext, CacheKey, CachePolicy, CacheValue, CacheableResponse,
    EntityPolicyConfig, KeyPart, ResponseCachePolicy,
};
use hitbox_backend::CacheBackend;
use hitbox_backend::format::JsonFormat;
use hitbox_redis::{ConnectionMode, RedisBackend};
use hydracache_core::{CacheCodec, CacheError};
use redis::IntoConnectionInfo;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::harness::Outcome;
use crate::model::FarJson;

pub(crate) const LIFE: Duration = Duration::from_secs(3600);

/// Another database of the server, so that lanes do not see each other's keys.
pub(crate) fn database(url: &str, number: u8) -> String {
    format!("{url}/{number}")
}

/// As our store connects.
pub(crate) async fn connect(url: &str) -> Outcome<MultiplexedConnection> {
    let info = url.into_connection_info()?;
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let client = redis::Client::open(info)?;
    Ok(client.get_multiplexed_async_connection().await?)
}

/// redis' own client-side caching.
pub(crate) async fn connect_caching(url: &str) -> Outcome<MultiplexedConnection> {
    let client = redis::Client::open(format!("{url}?protocol=resp3"))?;
    let config = redis::AsyncConnectionConfig::new()
        .set_cache_config(redis::caching::CacheConfig::default());
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    Ok(connection.await?)
}

/// Forgets what all databases hold.
pub(crate) async fn flush(connection: &MultiplexedConnection) -> Outcome<()> {
    let mut flush = redis::cmd("FLUSHALL");
    Ok(flush
        .arg("SYNC")
        .exec_async(&mut connection.clone())
        .await?)
}

pub(crate) type Fnct =
    AsyncCache<AsyncRedisBackend<fnct_redis::aio::MultiplexedConnection>, JsonFormatter>;

pub(crate) async fn fnct(url: &str) -> Outcome<Fnct> {
    let client = fnct_redis::Client::open(url)?;
    let connection = client.get_multiplexed_async_connection().await?;
    let backend = AsyncRedisBackend::new(connection, "fnct".to_owned());
    Ok(AsyncCache::new(backend, JsonFormatter, LIFE))
}

pub(crate) async fn cached_redis(url: &str) -> Outcome<AsyncRedisCache<i64, FarJson>> {
    let builder = AsyncRedisCache::builder("cached").connection_string(url);
    Ok(builder.ttl(LIFE).build().await?)
}

pub(crate) async fn cached_get(cache: &AsyncRedisCache<i64, FarJson>, id: i64) -> Outcome<FarJson> {
    let value = cache.async_cache_get(&id).await?;
    value.ok_or_else(|| "cached has lost a value".into())
}

pub(crate) fn hitbox_redis(url: &str) -> Outcome<RedisBackend<JsonFormat>> {
    // Its default, bincode, does not hold a `serde_json::Value`.
    let builder = RedisBackend::builder().connection(ConnectionMode::single(url));
    Ok(builder.value_format(JsonFormat).build()?)
}

pub(crate) async fn hitbox_put(backend: &impl CacheBackend, value: FarJson) -> Outcome<()> {
    let (key, mut cx) = hitbox_key(value.id);
    let value = CacheValue::new(value, Some(Utc::now() + LIFE), None);
    let set = backend.set::<FarJson>(&key, &value, &mut cx).await;
    set.map_err(|error| error.to_string().into())
}

pub(crate) async fn hitbox_get(backend: &impl CacheBackend, id: i64) -> Outcome<FarJson> {
    let (key, mut cx) = hitbox_key(id);
    let got = backend.get::<FarJson>(&key, &mut cx).await;
    // Its error is not `Sync`.
    let got = got.map_err(|error| error.to_string())?;
    let value = got.ok_or("hitbox has lost a value")?;
    Ok(value.into_inner())
}

fn hitbox_key(id: i64) -> (CacheKey, BoxContext) {
    let part = KeyPart::new("id", Some(id.to_string()));
    let key = CacheKey::new("plio", 0, vec![part]);
    (key, CacheContext::default().boxed())
}

impl CacheableResponse for FarJson {
    type Cached = FarJson;
    type Subject = FarJson;
    type IntoCachedFuture = Ready<CachePolicy<FarJson, FarJson>>;
    type FromCachedFuture = Ready<FarJson>;

    async fn cache_policy<P>(
        self,
        predicates: P,
        config: &EntityPolicyConfig,
    ) -> ResponseCachePolicy<FarJson>
    where
        P: Predicate<Subject = FarJson> + Send + Sync,
    {
        match predicates.check(self).await {
            PredicateResult::Cacheable(value) => {
                let expire = config.ttl.map(|life| Utc::now() + life);
                CachePolicy::Cacheable(CacheValue::new(value, expire, None))
            }
            PredicateResult::NonCacheable(value) => CachePolicy::NonCacheable(value),
        }
    }

    fn into_cached(self) -> Self::IntoCachedFuture {
        ready(CachePolicy::Cacheable(self))
    }

    fn from_cached(cached: FarJson) -> Self::FromCachedFuture {
        ready(cached)
    }
}

/// For hydracache: its default, postcard, does not hold a `serde_json::Value`.
#[derive(Clone, Copy)]
pub(crate) struct Json;

impl CacheCodec for Json {
    fn encode<T: Serialize>(&self, value: &T) -> hydracache_core::Result<Bytes> {
        let bytes = serde_json::to_vec(value);
        bytes
            .map(Bytes::from)
            .map_err(|error| CacheError::Encode(error.to_string()))
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &Bytes) -> hydracache_core::Result<T> {
        serde_json::from_slice(bytes).map_err(|error| CacheError::Decode(error.to_string()))
    }
}
