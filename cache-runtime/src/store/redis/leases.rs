//! Leases: of several processes that miss a value one loads it, and the others wait for what it
//! stores.

use std::time::Duration;

use bytes::Bytes;

use super::server::Server;
use super::values::{KEYS_PER_READ, append};
use crate::store::{Claim, StoreError};

impl Server {
    fn leases_of(&self, keys: &[String]) -> Vec<String> {
        let name = |key| format!("{}{key}", self.names.lease);
        keys.iter().map(name).collect()
    }

    pub(super) async fn claim_all(
        &self,
        keys: &[String],
        claimant: u64,
        life: Duration,
    ) -> Result<Claim, StoreError> {
        let (first, rest) = keys.split_at(keys.len().min(KEYS_PER_READ));
        let mut claim = self.claim_some(first, claimant, life).await?;
        for keys in rest.chunks(KEYS_PER_READ) {
            let more = self.claim_some(keys, claimant, life).await?;
            append(&mut claim.read, more.read);
            claim.claimed.extend(more.claimed);
        }
        Ok(claim)
    }

    async fn claim_some(
        &self,
        keys: &[String],
        claimant: u64,
        life: Duration,
    ) -> Result<Claim, StoreError> {
        if let Some(claim) = self.try_claim(keys, claimant, life).await? {
            return Ok(claim);
        }
        // Somebody flushed the server.
        self.renew_epoch("").await?;
        self.try_claim(keys, claimant, life)
            .await?
            .ok_or_else(|| StoreError::away("its clock does not last"))
    }

    /// See `claim.lua`.
    async fn try_claim(
        &self,
        keys: &[String],
        claimant: u64,
        life: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let mut connection = self.connection()?;
        let mut script = self.scripts.claim.prepare_invoke();
        script.key(&self.names.clock).key(&*self.names.values(keys)).key(self.leases_of(keys));
        script.arg(claimant).arg(u64::max(life.as_millis() as u64, 1));
        let asked = script.invoke_async(&mut connection.server);
        let bytes = connection.patience.expected(keys.len());
        let (answers, claimed): (Vec<Option<Bytes>>, Vec<bool>) =
            connection.patience.wait_for(bytes, asked).await?;
        let read = connection.understand(answers)?;
        Ok(read.map(|read| Claim { read, claimed }))
    }

    /// See `release.lua`.
    pub(super) async fn release_all(
        &self,
        keys: &[String],
        claimant: u64,
    ) -> Result<(), StoreError> {
        for keys in keys.chunks(KEYS_PER_READ) {
            let mut connection = self.connection()?;
            let mut script = self.scripts.release.prepare_invoke();
            script.key(self.leases_of(keys)).arg(claimant);
            let asked = script.invoke_async(&mut connection.server);
            let () = connection.patience.wait_for(0, asked).await?;
        }
        Ok(())
    }
}
