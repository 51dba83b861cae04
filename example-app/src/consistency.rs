//! "Read your writes" behind a load balancer: a write is answered with a `Consistency-Token`, and
//! who shows it in another request, to whichever process, is not answered from before that write.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use cache_runtime::ConsistencyToken;

use crate::Cache;
use crate::problem::Problem;

/// The header of both.
pub(crate) const NAME: &str = "Consistency-Token";
const HEADER: HeaderName = HeaderName::from_static("consistency-token");

/// The cache as this request may be answered from it.
pub(crate) struct AtLeast(pub(crate) Cache);

impl FromRequestParts<Cache> for AtLeast {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, cache: &Cache) -> Result<AtLeast, Problem> {
        let shown = parts.headers.get_all(HEADER).into_iter();
        let cache = shown.map(token).try_fold(cache.clone(), |it, token| Ok(it.at_least(token?)));
        cache.map(AtLeast)
    }
}

fn token(shown: &HeaderValue) -> Result<ConsistencyToken, Problem> {
    let token = shown.to_str().unwrap_or_default().parse();
    token.map_err(|no| Problem::bad_request(format!("`{NAME}` is {no}.")))
}

/// Part of the answer to a write: the moment of its commit.
pub(crate) struct Written(pub(crate) ConsistencyToken);

impl IntoResponseParts for Written {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        // It is always one.
        if let Ok(token) = HeaderValue::from_str(&self.0.to_string()) {
            parts.headers_mut().insert(HEADER, token);
        }
        Ok(parts)
    }
}
