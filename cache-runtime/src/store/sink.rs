//! Whom a store tells which values are no longer valid.

use std::sync::Arc;

use crate::local::near::NearFence;

/// The near caches of this process, as a [`Store`](super::Store) sees them: they are told what is
/// no longer valid. Cheap to clone.
#[derive(Debug, Clone)]
pub struct InvalidationSink(Arc<NearFence>);

impl InvalidationSink {
    pub(crate) fn new(near: Arc<NearFence>) -> InvalidationSink {
        InvalidationSink(near)
    }

    /// The value under this key is no longer valid: it was invalidated.
    pub fn invalidated(&self, key: &str) {
        self.0.invalidated(key);
    }

    /// The value under this key has left the store though it is valid, so that nobody would tell
    /// when it is so no longer.
    pub fn evicted(&self, key: &str) {
        self.0.evicted(key);
    }

    /// Nothing is valid, or it is not known what: a message was lost, or may have been.
    pub fn forget_all(&self) {
        self.0.forget_all();
    }

    /// Messages were lost: all may be invalid.
    #[cfg(feature = "redis")]
    pub(crate) fn lost(&self) {
        self.0.lost();
    }
}
