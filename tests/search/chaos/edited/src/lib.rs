//! An edited `cache.toml` of the service: of a version that
//! somebody installs too early, or takes back.

use cache_runtime::Schema;

/// What `cache.toml` beside this crate says.
pub static SCHEMA: Schema = cache_runtime::schema!();
