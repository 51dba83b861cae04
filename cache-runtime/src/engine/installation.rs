//! What is installed in the database: whether the cache may rely on it, and what it says.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use crate::engine::Engine;
use crate::error::Error;
use crate::model::tag::Tag;
use crate::outbox::{Installed, OutboxConnection};

const NOTHING: &str = "this database has no outbox, so that nothing could be invalidated\n\
    help: run `SCHEMA.install(&pool)` after the migrations, or the text of `SCHEMA.migration(&pool)`";
const OTHER: &str = "the triggers in this database are not those of cache.toml: it was edited, another version of the service was installed, \
    a table was changed or made anew, an installation has not come to its end, or another cache.toml with the same `[outbox] table` was installed\n\
    help: run `SCHEMA.install(&pool)` after the migrations, or the text of `SCHEMA.migration(&pool)`";

impl Engine {
    /// Before the store is used: tries the outbox out, learns what the database calls equal. Returns the identity of the
    /// installation.
    pub(crate) async fn set_up(&self, outbox: &mut dyn OutboxConnection) -> Result<String, Error> {
        let identity = self.installed(outbox).await?;
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
        let spellings = self.spellings_of(outbox).await?;
        *self
            .spellings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = spellings;
        Ok(identity)
    }

    async fn spellings_of(
        &self,
        outbox: &mut dyn OutboxConnection,
    ) -> Result<HashSet<String>, Error> {
        let spellings = outbox.spellings().await.map_err(Error::outbox)?;
        Ok(spellings.into_iter().collect())
    }

    /// Nothing panics while it holds the lock.
    fn spellings(&self) -> RwLockReadGuard<'_, HashSet<String>> {
        self.spellings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The identity of the installation, if it is what it should be.
    async fn installed(&self, outbox: &mut dyn OutboxConnection) -> Result<String, Error> {
        match outbox.installed().await.map_err(Error::outbox)? {
            Installed::Right { identity } => Ok(identity),
            Installed::Nothing => Err(Error::set_up(NOTHING)),
            Installed::Other => Err(Error::set_up(OTHER)),
            Installed::Useless(why) => Err(Error::set_up(why)),
        }
    }

    /// While in use, now and then the `types` as well: takes the store out of use if the triggers are no longer what they were when it
    /// was connected, as writes may have gone unreported.
    pub(crate) async fn check_set_up(
        self: &Arc<Self>,
        outbox: &mut dyn OutboxConnection,
        types: bool,
    ) -> Result<(), Error> {
        let mut installed = self.installed(outbox).await;
        if types && installed.is_ok() {
            if let Some(why) = outbox.types().await.map_err(Error::outbox)? {
                installed = Err(Error::set_up(why));
            } else if self.spellings_of(outbox).await? != *self.spellings() {
                // What is stored as absent does not know of it.
                installed = Err(Error::set_up("a lookup column has got another type"));
            }
        }
        let error = match installed {
            Ok(source) if self.source().as_ref().is_none_or(|known| *known == source) => {
                return Ok(());
            }
            Ok(_) => Error::set_up("the triggers in this database were installed anew"),
            Err(error) if error.is_set_up() => {
                if self.said.is_time("set-up") {
                    tracing::error!(%error, "nothing is cached until this is mended");
                }
                self.unreported.store(true, Ordering::SeqCst);
                error
            }
            Err(error) => return Err(error),
        };
        self.failed(&error);
        Err(error)
    }

    /// The database has begun fewer transactions than it had: it is an older copy of itself. What is stored may be of its future.
    pub(crate) fn went_back(self: &Arc<Self>) -> Error {
        let error = Error::set_up("the database is older than it was: it was restored");
        self.unreported.store(true, Ordering::SeqCst);
        self.failed(&error);
        error
    }

    /// What "no such row" depends on besides these tags, if one is of a lookup for which the database may call two texts equal: the
    /// row may appear under another spelling.
    pub(crate) fn of_other_spellings(&self, tags: &[Tag]) -> Option<Tag> {
        let spellings = self.spellings();
        let mut tags = tags.iter();
        let tag = tags.find(|tag| tag.columns().is_some_and(|it| spellings.contains(it)))?;
        tag.some_row_of_its_model()
    }
}
