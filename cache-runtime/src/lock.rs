//! Mutexes that nobody poisons.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks one whose holders cannot panic, or leave nothing half done if they do: a poisoned lock is
/// as good as any.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
