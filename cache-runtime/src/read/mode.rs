//! What may answer a reader.

/// As the cache modes of HTTP requests are
/// (<https://fetch.spec.whatwg.org/#concept-request-cache-mode>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheMode {
    /// Whatever may be served.
    Default,
    /// What may be served, from the store; and it is not kept near, as nobody has asked for it.
    RefreshAhead,
    /// Nothing near, and nothing that has expired: what is loaded is to embed it. What a near value
    /// was told last is not known, and the loaded value would be stored for all as if it were of
    /// now.
    Nested,
    /// Only what is loaded from now on.
    Reload,
}
