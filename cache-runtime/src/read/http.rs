//! Cached values as answers of axum, without decoding them (feature `axum`).

use std::convert::Infallible;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::read::answer::{Answer, CacheStatus, Fetched};
use crate::value::json::Json;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// The `If-None-Match` of a request: what the client has already (RFC 9110, 13.1.2,
/// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>). An extractor that never fails; a line
/// without sense says nothing.
///
/// For `GET` and `HEAD`; for another method this header is a condition on whether to do anything at
/// all.
#[derive(Debug, Clone, Default)]
pub struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    /// Whether the client has what this entity tag, with its quotes, is of. Weak tags count as
    /// strong ones.
    pub fn has(&self, etag: &[u8]) -> bool {
        self.0.iter().any(|line| names(line.as_bytes(), etag, true))
    }
}

impl From<&HeaderMap> for IfNoneMatch {
    fn from(headers: &HeaderMap) -> IfNoneMatch {
        IfNoneMatch(headers.get_all(IF_NONE_MATCH).iter().cloned().collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<IfNoneMatch, Infallible> {
        Ok(IfNoneMatch::from(&parts.headers))
    }
}

/// The `If-Match` of a request: the state of a row that the client means to change (RFC 9110,
/// 13.1.1, <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1>). An extractor that never fails;
/// a line without sense names no state.
///
/// Ask it within the transaction that writes, of the row as the transaction sees it, after it is
/// locked: or two clients may both be right.
#[derive(Debug, Clone, Default)]
pub struct IfMatch(Vec<HeaderValue>);

impl IfMatch {
    /// Whether the client means the state that this entity tag, with its quotes, is of; or says
    /// nothing. A weak tag is of no state.
    pub fn allows(&self, etag: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|line| names(line.as_bytes(), etag, false))
    }
}

impl From<&HeaderMap> for IfMatch {
    fn from(headers: &HeaderMap) -> IfMatch {
        IfMatch(headers.get_all(IF_MATCH).iter().cloned().collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<IfMatch, Infallible> {
        Ok(IfMatch::from(&parts.headers))
    }
}

/// Whether a line of the header names this tag, be it as a weak one. From the first thing on that
/// is no tag it names nothing.
fn names(line: &[u8], etag: &[u8], or_weak: bool) -> bool {
    if line.trim_ascii() == b"*" {
        return true;
    }
    let mut rest = line;
    loop {
        while let [b' ' | b'\t' | b',', after @ ..] = rest {
            rest = after;
        }
        let weak = rest.strip_prefix(b"W/");
        let counts = or_weak || weak.is_none();
        rest = weak.unwrap_or(rest);
        // A tag may have a comma in it, but no quote.
        let [b'"', quoted @ ..] = rest else {
            return false;
        };
        let Some(length) = quoted.iter().position(|byte| *byte == b'"') else {
            return false;
        };
        let (tag, after) = rest.split_at(length + 2);
        if counts && tag == etag {
            return true;
        }
        rest = after;
    }
}

impl Fetched<Json> {
    /// The answer to a `GET` or a `HEAD`: 200 with the JSON and its `ETag`; 304 if the client has
    /// it; if there is no such row, what the application says then. With `Cache-Status` in any
    /// case.
    ///
    /// ```
    /// # use axum_core::response::Response;
    /// # use cache_runtime::{Error, Fetched, IfNoneMatch, Json};
    /// # use http::StatusCode;
    /// # struct Plio;
    /// # impl Plio {
    /// #     async fn fetch_json(_: &(), _: i64) -> Result<Fetched<Json>, Error> { unimplemented!() }
    /// # }
    /// async fn show(cache: &(), id: i64, if_none_match: IfNoneMatch) -> Result<Response, Error> {
    ///     let plio = Plio::fetch_json(cache, id).await?;
    ///     Ok(plio.respond(&if_none_match, || (StatusCode::NOT_FOUND, "There is no such plio.")))
    /// }
    /// ```
    pub fn respond<R: IntoResponse>(
        self,
        if_none_match: &IfNoneMatch,
        no_such_row: impl FnOnce() -> R,
    ) -> Response {
        let Some(json) = self.value else {
            return (self.status, no_such_row()).into_response();
        };
        let mut response = json.respond(if_none_match);
        insert(response.headers_mut(), self.status);
        response
    }
}

impl Json {
    /// The answer to a `GET` or a `HEAD`: 200 with the JSON and its `ETag`; 304 if the client has
    /// it.
    pub fn respond(&self, if_none_match: &IfNoneMatch) -> Response {
        let etag = self.quoted_hash();
        let mut response = if if_none_match.has(&etag) { not_modified(self) } else { ok(self) };
        if let Ok(etag) = HeaderValue::from_bytes(&etag) {
            response.headers_mut().insert(ETAG, etag);
        }
        response
    }
}

fn ok(json: &Json) -> Response {
    let mut response = Response::new(Body::from(json.bytes().clone()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn not_modified(json: &Json) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    // What the 200 would have (RFC 9110, 8.6), or axum says 0.
    let length = HeaderValue::from(json.bytes().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// The `Cache-Status` header: `(fetched.status, Json(value))` is an answer that has it.
impl IntoResponseParts for CacheStatus {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        insert(parts.headers_mut(), self);
        Ok(parts)
    }
}

fn insert(headers: &mut HeaderMap, status: CacheStatus) {
    let value = match (status.tier, status.answer) {
        // What is answered most costs no text.
        ("near", Answer::Hit) => Ok(HeaderValue::from_static("near; hit")),
        ("redis", Answer::Hit) => Ok(HeaderValue::from_static("redis; hit")),
        _ => HeaderValue::from_maybe_shared(status.to_string().into_bytes()),
    };
    // A store may have any name, also one that no header takes.
    if let Ok(value) = value {
        headers.insert(CACHE_STATUS, value);
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_LENGTH;

    use super::*;

    const ETAG_OF_IT: &[u8] = br#""0123456789abcdef""#;

    fn has(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_NONE_MATCH, line.parse().unwrap());
        }
        IfNoneMatch::from(&headers).has(ETAG_OF_IT)
    }

    #[test]
    fn the_tag_is_found_strong_or_weak_alone_or_in_a_list() {
        for line in [
            r#""0123456789abcdef""#,
            r#"W/"0123456789abcdef""#,
            r#""a", "0123456789abcdef", "b""#,
            r#""a","b",W/"0123456789abcdef""#,
            "\t \"a, b\"\t, ,, \"\" , \"0123456789abcdef\" ",
            "*",
            " * ",
        ] {
            assert!(has(&[line]), "{line}");
        }
    }

    #[test]
    fn other_tags_and_garbage_are_not_it() {
        for line in [
            "",
            " , ",
            r#""a""#,
            "0123456789abcdef",
            r#""0123456789abcdef"#,
            r#"0123456789abcdef""#,
            r#"w/"0123456789abcdef""#,
            r#"W/ "0123456789abcdef""#,
            r#""0123456789ABCDEF""#,
            r#""0123456789abcdef0""#,
            r#"", "0123456789abcdef"#,
            r#"garbage, "0123456789abcdef""#,
            r#""*""#,
            "W/*",
            "**",
        ] {
            assert!(!has(&[line]), "{line}");
        }
        assert!(!has(&[]));
    }

    #[test]
    fn a_state_is_named_by_a_strong_tag_or_any() {
        let allows = |lines: &[&str]| {
            let lines = lines.iter().map(|line| line.parse().unwrap());
            IfMatch(lines.collect()).allows(ETAG_OF_IT)
        };
        let it = r#""0123456789abcdef""#;
        assert!(allows(&[]) && allows(&["*"]) && allows(&[it]));
        assert!(allows(&[r#"W/"a""#, &format!("W/{it}, {it}")]));
        for line in ["", r#""a""#, &format!("W/{it}"), "0123456789abcdef", "garbage", "W/*"] {
            assert!(!allows(&[line]), "{line}");
        }
    }

    #[test]
    fn every_line_counts() {
        assert!(has(&[r#""a""#, r#""0123456789abcdef""#]));
        assert!(has(&["garbage", r#""b", W/"0123456789abcdef""#]));
        assert!(!has(&[r#""a""#, r#""b""#]));
    }

    #[test]
    fn bytes_beyond_ascii_are_no_trouble() {
        let line = HeaderValue::from_bytes(b"\"\xff\xfe\", \"0123456789abcdef\"").unwrap();
        assert!(IfNoneMatch(vec![line]).has(ETAG_OF_IT));
    }

    fn fetched(text: Option<&'static str>) -> Fetched<Json> {
        let status = CacheStatus { tier: "near", answer: Answer::Hit };
        let value = text.map(|text| Json::of(text.into()));
        Fetched { value, status }
    }

    #[test]
    fn a_value_is_answered_with_its_tag_and_not_twice() {
        let gone = || StatusCode::NOT_FOUND;
        let response = fetched(Some("[1]")).respond(&IfNoneMatch::default(), gone);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[CACHE_STATUS], "near; hit");
        let etag = response.headers()[ETAG].clone();
        assert_eq!(etag, Json::of("[1]".into()).etag());

        let again = fetched(Some("[1]")).respond(&IfNoneMatch(vec![etag.clone()]), gone);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[ETAG], etag);
        assert_eq!(again.headers()[CACHE_STATUS], "near; hit");
        assert_eq!(again.headers()[CONTENT_LENGTH], "3");
        assert!(!again.headers().contains_key(CONTENT_TYPE));

        let changed = fetched(Some("[2]")).respond(&IfNoneMatch(vec![etag]), gone);
        assert_eq!(changed.status(), StatusCode::OK);
    }

    #[test]
    fn what_is_wrapped_has_a_tag_of_its_own_and_is_not_answered_twice() {
        let gone = || StatusCode::NOT_FOUND;
        let wrapped = || fetched(Some("[1]")).wrap("list");
        let response = wrapped().respond(&IfNoneMatch::default(), gone);
        let etag = response.headers()[ETAG].clone();
        assert_eq!(etag, Json::of(r#"{"list":[1]}"#.into()).etag());
        assert_eq!(response.headers()[CACHE_STATUS], "near; hit");
        let again = wrapped().respond(&IfNoneMatch(vec![etag]), gone);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let none = fetched(None).wrap("list").respond(&IfNoneMatch::default(), gone);
        assert_eq!(none.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn no_row_is_what_the_application_says() {
        let any = IfNoneMatch(vec![HeaderValue::from_static("*")]);
        let response = fetched(None).respond(&any, || StatusCode::NOT_FOUND);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CACHE_STATUS], "near; hit");
        assert!(!response.headers().contains_key(ETAG));
    }

    #[test]
    fn every_status_is_its_text() {
        let since = std::time::Duration::from_secs(3);
        let (stored, collapsed) = (true, false);
        for tier in ["near", "redis", "memory"] {
            for answer in [
                Answer::Hit,
                Answer::Stale { since },
                Answer::Miss { stored, collapsed },
                Answer::Bypass,
            ] {
                let status = CacheStatus { tier, answer };
                let mut headers = HeaderMap::new();
                insert(&mut headers, status);
                assert_eq!(headers[CACHE_STATUS], status.to_string());
            }
        }
    }
}
