//! What is found stored, and whether it is of any use.

use bytes::Bytes;

use crate::cache::Cache;
use crate::observe::event::Event;
use crate::value::entry::{Entry, Unusable};

/// The entry in these bytes; `None`: they are a miss.
pub(crate) fn open<Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    shape: u64,
    key: &str,
    bytes: &Bytes,
) -> Option<Entry> {
    usable(cache, key, Entry::open(bytes, shape))
}

/// What is stored, if it is of use; says so if it is nothing that a cache can have written.
pub(crate) fn usable<T, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    key: &str,
    stored: Result<T, Unusable>,
) -> Option<T> {
    match stored {
        Ok(stored) => Some(stored),
        Err(Unusable::Outdated) => None,
        Err(Unusable::Unreadable(why)) => {
            cache.observer().tell(Event::Unreadable { key, why: &why });
            None
        }
    }
}
