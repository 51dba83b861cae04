//! What is behind a pointer, so that a trait can be.

use std::pin::Pin;

/// Any error, as loaders and outboxes return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed future, so that the trait can be used behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
