//! A server: the connection to it, and the epoch that it is in.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{Client, IntoConnectionInfo, ProtocolVersion};

use super::connection::Connection;
use super::messages::Heard;
use super::names::Names;
use super::patience::Sizes;
use super::scripts::Scripts;
use crate::error::Error;
use crate::model::schema::Schema;
use crate::store::{Connected, Epoch, InvalidationSink, StoreError};

/// How long a connection may be silent before the other side is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// All that is known of it.
pub(super) struct Server {
    client: Client,
    connection: RwLock<Option<Connection>>,
    /// Whom to tell what is deleted.
    pub(super) sink: OnceLock<InvalidationSink>,
    pub(super) names: Names,
    pub(super) fence_life_ms: u64,
    block_life_ms: u64,
    pub(super) scripts: Scripts,
    sizes: Arc<Sizes>,
}

impl Server {
    pub(super) fn new(url: &str, schema: &Schema) -> Result<Server, Error> {
        let info = url.into_connection_info().map_err(|error| {
            Error::store(format!(
                "this is not a Redis URL, such as redis://user:password@localhost:6379/0: {error}"
            ))
        })?;
        // A server that is gone without a word is noticed by who asks it something; this closes
        // what nobody asks over.
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = info.set_tcp_settings(tcp.set_keepalive(keepalive));
        // RESP3: messages come over the connection of the commands.
        let settings = info.redis_settings().clone();
        let database = settings.db();
        let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        Ok(Server {
            client: Client::open(info).map_err(Error::store)?,
            connection: RwLock::default(),
            sink: OnceLock::new(),
            names: Names::new("", schema.prefix, database),
            fence_life_ms: schema.max_load.as_millis() as u64,
            block_life_ms: schema.max_commit.as_millis() as u64,
            scripts: Scripts::new(),
            sizes: Arc::default(),
        })
    }

    /// The same under other names.
    pub(super) fn prefixed(self, prefix: &str) -> Server {
        let database = self.client.get_connection_info().redis_settings().db();
        Server { names: Names::new(prefix, self.names.of_schema, database), ..self }
    }

    /// The connection, which is made anew whenever the store is connected.
    pub(super) fn connection(&self) -> Result<Connection, StoreError> {
        let connection = self.connection.read().unwrap_or_else(PoisonError::into_inner);
        connection.clone().ok_or_else(|| StoreError::away("not connected yet"))
    }

    /// See [`Store::connect`](crate::store::Store::connect).
    pub(super) async fn reconnect(&self, source: &str) -> Result<Connected, StoreError> {
        let heard = self.sink.get().cloned();
        let heard = heard.map(|sink| Heard::nothing_yet(sink, self.names.values.clone()));
        let channel = &self.names.channel;
        let sizes = self.sizes.clone();
        let connection = Connection::open(&self.client, source, channel, heard, sizes).await?;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        self.find_epoch(connection, "").await
    }

    /// See `connect.lua`.
    async fn find_epoch(
        &self,
        mut connection: Connection,
        how: &str,
    ) -> Result<Connected, StoreError> {
        let mut lineage = connection.source.to_string();
        lineage.extend((lineage.len()..Epoch::LINEAGE).map(|_| fastrand::alphanumeric()));
        let names = &self.names;
        let mut script = self.scripts.connect.prepare_invoke();
        for key in [&names.clock, &names.fences, &names.tags, &names.blocks] {
            script.key(key);
        }
        script
            .arg(lineage)
            .arg(&*connection.identity)
            .arg(how)
            .arg(self.block_life_ms)
            .arg(&names.channel);
        let asked = script.invoke_async(&mut connection.server);
        let (found, age_us, foreign): (String, f64, Vec<String>) =
            connection.patience.wait_for(0, asked).await?;
        if !foreign.is_empty() {
            tracing::warn!(
                ?foreign,
                "another program has put something else under names of the cache in Redis: replaced, and all that was stored is void\n\
                 help: give the cache a `prefix` of its own in cache.toml"
            );
        }
        let age = Duration::from_micros(age_us as u64);
        match found.as_str() {
            "new" => Ok(Connected::New),
            "same" => Ok(Connected::Same(age)),
            _ => Ok(Connected::Behind(age)),
        }
    }

    /// While in use: finds the epoch that another process has begun, or begins it.
    pub(super) async fn renew_epoch(&self, how: &str) -> Result<(), StoreError> {
        let renewed = self.find_epoch(self.connection()?, how).await;
        // Its message comes as well, but perhaps not before this returns.
        if let Some(sink) = self.sink.get() {
            sink.forget_all();
        }
        match renewed? {
            Connected::Same(_) | Connected::New => Ok(()),
            Connected::Behind(_) => Err(StoreError::away("it has another server's memory")),
        }
    }
}
