//! What is installed in the database: whether the cache may rely on it, and what it says.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use crate::error::Error;
use crate::lock::locked;
use crate::model::tag::Tag;
use crate::outbox::{Installed, OutboxConnection};

const NOTHING: &str = "this database has no outbox, so that nothing could be invalidated\n\
    help: run `SCHEMA.install(&pool)` after the migrations, or the text of `SCHEMA.migration(&pool)`";
const OTHER: &str = "the triggers in this database are not those of cache.toml: it was edited, another version of the service was installed, \
    a table was changed or made anew, an installation has not come to its end, or another cache.toml with the same `[outbox] table` was installed\n\
    help: run `SCHEMA.install(&pool)` after the migrations, or the text of `SCHEMA.migration(&pool)`";

/// What this process knows of the installation.
#[derive(Default)]
pub(crate) struct Installation {
    /// The identity of the one that the store was connected for.
    connected: Mutex<Option<String>>,
    /// It was not right, so that writes may have gone unreported since.
    is_unreported: AtomicBool,
    has_tried_outbox: AtomicBool,
    /// The lookups for which the database may call two texts equal.
    spellings: RwLock<HashSet<String>>,
}

impl Installation {
    /// Before the store is used: tries the outbox out, learns what the database calls equal.
    /// Returns the identity of the installation.
    pub(crate) async fn set_up(&self, outbox: &mut dyn OutboxConnection) -> Result<String, Error> {
        let identity = installed(outbox).await?;
        if let Some(why) = outbox.types().await.map_err(Error::outbox)? {
            return Err(Error::set_up(why));
        }
        // Once: it writes, and a store may be away for long.
        let has_tried = self.has_tried_outbox.load(Ordering::Relaxed);
        if !has_tried && let Some(why) = outbox.try_out().await.map_err(Error::outbox)? {
            let why = format!(
                "this role cannot use the outbox, so that writes would go unnoticed: {why}"
            );
            return Err(Error::set_up(why));
        }
        self.has_tried_outbox.store(true, Ordering::Relaxed);
        let spellings = spellings_of(outbox).await?;
        *self.spellings.write().unwrap_or_else(PoisonError::into_inner) = spellings;
        Ok(identity)
    }

    /// The store is connected, and has been told what was unreported, for this identity.
    pub(crate) fn connected_for(&self, identity: String) {
        self.is_unreported.store(false, Ordering::SeqCst);
        *locked(&self.connected) = Some(identity);
    }

    /// The identity that the store was connected for.
    pub(crate) fn identity(&self) -> Option<String> {
        locked(&self.connected).clone()
    }

    /// Whether writes may have gone unreported since the store was connected.
    pub(crate) fn is_unreported(&self) -> bool {
        self.is_unreported.load(Ordering::SeqCst)
    }

    /// While in use, now and then the `types` as well: an error that is
    /// [`is_set_up`](Error::is_set_up) if the triggers are no longer what they were when the store
    /// was connected, as writes may have gone unreported.
    pub(crate) async fn check(
        &self,
        outbox: &mut dyn OutboxConnection,
        types: bool,
    ) -> Result<(), Error> {
        match self.is_as_it_should_be(outbox, types).await {
            Ok(identity) if locked(&self.connected).as_ref().is_none_or(|it| *it == identity) => {
                Ok(())
            }
            Ok(_) => Err(Error::set_up("the triggers in this database were installed anew")),
            Err(error) => {
                if error.is_set_up() {
                    self.is_unreported.store(true, Ordering::SeqCst);
                }
                Err(error)
            }
        }
    }

    async fn is_as_it_should_be(
        &self,
        outbox: &mut dyn OutboxConnection,
        types: bool,
    ) -> Result<String, Error> {
        let identity = installed(outbox).await?;
        if types {
            if let Some(why) = outbox.types().await.map_err(Error::outbox)? {
                return Err(Error::set_up(why));
            }
            if spellings_of(outbox).await? != *self.spellings() {
                // What is stored as absent does not know of it.
                return Err(Error::set_up("a lookup column has got another type"));
            }
        }
        Ok(identity)
    }

    /// The database has begun fewer transactions than it had: it is an older copy of itself. What
    /// is stored may be of its future.
    pub(crate) fn went_back(&self) -> Error {
        self.is_unreported.store(true, Ordering::SeqCst);
        Error::set_up("the database is older than it was: it was restored")
    }

    /// What "no such row" depends on besides these tags, if one is of a lookup for which the
    /// database may call two texts equal: the row may appear under another spelling.
    pub(crate) fn of_other_spellings(&self, tags: &[Tag]) -> Option<Tag> {
        let spellings = self.spellings();
        let mut tags = tags.iter();
        let tag = tags.find(|tag| tag.columns().is_some_and(|it| spellings.contains(it)))?;
        tag.some_row_of_its_model()
    }

    /// Nothing panics while it holds the lock.
    fn spellings(&self) -> RwLockReadGuard<'_, HashSet<String>> {
        self.spellings.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The identity of the installation, if it is what it should be.
async fn installed(outbox: &mut dyn OutboxConnection) -> Result<String, Error> {
    match outbox.installed().await.map_err(Error::outbox)? {
        Installed::Right { identity } => Ok(identity),
        Installed::Nothing => Err(Error::set_up(NOTHING)),
        Installed::Other => Err(Error::set_up(OTHER)),
        Installed::Useless(why) => Err(Error::set_up(why)),
    }
}

async fn spellings_of(outbox: &mut dyn OutboxConnection) -> Result<HashSet<String>, Error> {
    let spellings = outbox.spellings().await.map_err(Error::outbox)?;
    Ok(spellings.into_iter().collect())
}
