//! `If-Match` and `If-None-Match` of a write (RFC 9110, 13:
//! <https://www.rfc-editor.org/rfc/rfc9110#section-13>).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use cache_runtime::{IfMatch, IfNoneMatch, Json};

use super::Resource;
use crate::db::Tx;
use crate::problem::Problem;

/// Of which state of the row a request is to change it; `None` of any.
pub(super) struct Condition(Option<(IfMatch, IfNoneMatch)>);

impl<S: Send + Sync> FromRequestParts<S> for Condition {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Condition, Infallible> {
        let headers = &parts.headers;
        let is_set = [IF_MATCH, IF_NONE_MATCH].iter().any(|name| headers.contains_key(name));
        Ok(Condition(is_set.then(|| (headers.into(), headers.into()))))
    }
}

impl Condition {
    /// Refuses if the row is of another state. From then on nobody else changes it before the
    /// transaction ends.
    pub(super) async fn check<T: Resource>(&self, tx: &mut Tx, id: i64) -> Result<(), Problem> {
        let Some((if_match, if_none_match)) = &self.0 else {
            return Ok(());
        };
        // First, or two requests would both see the state before either.
        T::TABLE.lock(tx, id).await?;
        let row = T::within(tx, id).await?.ok_or_else(T::none)?;
        let etag = Json::encode(&row)?.etag();
        if !if_match.allows(etag.as_bytes()) {
            let detail = "It has changed since: its `ETag` is not in `If-Match`.";
            return Err(Problem::precondition_failed(detail));
        }
        if if_none_match.has(etag.as_bytes()) {
            let detail = "It is what `If-None-Match` says that it must not be.";
            return Err(Problem::precondition_failed(detail));
        }
        Ok(())
    }
}
