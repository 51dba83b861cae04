//! What is no longer valid: fences, deletions, blocks; and what has expired.

use std::time::Duration;

use super::error::{error, is_foreign};
use super::server::Server;
use super::token::parse_token;
use crate::model::tag::Tag;
use crate::store::{MOST_FENCES, StoreError, Token};

/// How many keys one script deletes: about a millisecond of the server's time.
const SLICE: usize = 1000;

/// How many tags one script takes.
const TAGS_PER_CALL: usize = 250;

impl Server {
    /// See [`Store::invalidate`](crate::store::Store::invalidate).
    pub(super) async fn invalidate(&self, tags: &[Tag]) -> Result<Token, StoreError> {
        let mut last = None;
        for tags in tags.chunks(TAGS_PER_CALL) {
            last = Some(self.invalidate_some(tags).await?);
        }
        match last {
            Some(last) => Ok(last),
            None => Ok(self.read(&[]).await?.token),
        }
    }

    /// In an epoch that has begun since nothing stored or loaded before is valid: all is
    /// invalidated.
    async fn invalidate_all(&self) -> Result<Token, StoreError> {
        self.renew_epoch("").await?;
        Ok(self.read(&[]).await?.token)
    }

    async fn invalidate_some(&self, tags: &[Tag]) -> Result<Token, StoreError> {
        let mut connection = self.connection()?;
        let sink = self.sink.get();
        let mut call = "first";
        loop {
            let mut script = self.scripts.invalidate.prepare_invoke();
            script.key(&self.names.clock).key(&self.names.fences).key(&self.names.tags);
            script
                .arg(self.fence_life_ms)
                .arg(SLICE)
                .arg(&self.names.index)
                .arg(call)
                .arg(&self.names.channel)
                .arg(if sink.is_some() { "tell" } else { "" })
                .arg(MOST_FENCES);
            for tag in tags {
                script.arg(tag.as_str());
            }
            call = "again";
            let asked = script.invoke_async(&mut connection.server);
            let answer = connection.patience.wait(0, asked).await?;
            let (done, deleted, clock): (i64, Vec<String>, Vec<u8>) = match answer {
                Err(error) if is_foreign(&error) => return self.invalidate_all().await,
                answer => answer.map_err(error)?,
            };
            // The message with them comes as well, but perhaps not before this returns.
            if let Some(sink) = sink {
                let keys = deleted.iter();
                let keys = keys.filter_map(|key| key.strip_prefix(&*self.names.values));
                keys.for_each(|key| sink.evicted(key));
            }
            match done {
                1 => {
                    let unknown = || StoreError::away("its clock is not one of the cache");
                    return parse_token(&clock).ok_or_else(unknown);
                }
                0 => {}
                _ => return self.invalidate_all().await,
            }
        }
    }

    /// See `block.lua`; a life of zero unblocks.
    pub(super) async fn block_for(
        &self,
        writer: i64,
        tags: &[Tag],
        life: Duration,
    ) -> Result<(), StoreError> {
        for tags in tags.chunks(TAGS_PER_CALL) {
            let mut script = self.scripts.block.prepare_invoke();
            script.key(&self.names.clock).key(&self.names.blocks);
            script.arg(writer).arg(life.as_millis() as u64);
            for tag in tags {
                script.arg(tag.as_str());
            }
            let mut connection = self.connection()?;
            let asked = script.invoke_async(&mut connection.server);
            match connection.patience.wait(0, asked).await? {
                Ok(1) => {}
                Err(failed) if !is_foreign(&failed) => return Err(error(failed)),
                // A new epoch blocks everything for as long.
                Ok(_) | Err(_) => return self.renew_epoch("").await,
            }
        }
        Ok(())
    }

    /// See [`Store::tidy`](crate::store::Store::tidy).
    pub(super) async fn tidy(&self) -> Result<bool, StoreError> {
        let (mut connection, names) = (self.connection()?, &self.names);
        let mut script = self.scripts.tidy.prepare_invoke();
        script.key(&names.fences).key(&names.tags);
        script.arg(self.fence_life_ms).arg(&names.index).arg(SLICE);
        let asked = script.invoke_async(&mut connection.server);
        connection.patience.wait_for(0, asked).await
    }
}
