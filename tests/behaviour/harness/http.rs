//! A client of the app, and answers that can be asked questions.
//!
//! A wrong value is always reported in the same words, "wrong answer": that is how a mutant is told
//! from a story that failed for another reason.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use serde_json::Value;

/// How long one request may take before the story fails.
const LONGEST: Duration = Duration::from_secs(30);

/// A client of one app.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    url: String,
}

impl Http {
    pub fn new(url: String) -> Self {
        let client =
            reqwest::Client::builder().no_proxy().timeout(LONGEST).build().expect("an HTTP client");
        Self { client, url }
    }

    /// A request to any path of the server.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends it and reads all of the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let what = format!("{} {}", request.method(), request.url().path());
        let began = Instant::now();
        let response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => panic!("{what}: no answer after {:?}: {error:?}", began.elapsed()),
        };
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let (cache_status, content_type, location) =
            (header("cache-status"), header("content-type"), header("location"));
        let headers = response.headers().clone();
        let status = response.status().as_u16();
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => panic!("{what}: the answer breaks off: {error:?}"),
        };
        let took = began.elapsed();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { what, status, cache_status, content_type, location, headers, body, text, took }
    }
}

/// What the server said.
#[derive(Debug, Clone)]
pub struct Answer {
    pub what: String,
    pub status: u16,
    pub cache_status: Option<String>,
    pub content_type: Option<String>,
    pub location: Option<String>,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
    pub took: Duration,
}

impl Answer {
    /// It is a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(
            (200..300).contains(&self.status),
            "{} answers {} {}",
            self.what,
            self.status,
            self.text
        );
        self
    }

    /// It has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert!(
            self.status == status,
            "wrong answer: {} answers {} {} ({}); right is {status}",
            self.what,
            self.status,
            self.text,
            self.tier_and_status()
        );
        self
    }

    /// It came out of the cache.
    #[track_caller]
    pub fn hit(self) -> Self {
        assert!(self.is_hit(), "{} is no hit: {}", self.what, self.tier_and_status());
        self
    }

    /// It was loaded, and the cache was there to be asked.
    #[track_caller]
    pub fn miss(self) -> Self {
        assert!(
            self.parameters().any(|parameter| parameter == "fwd=miss"),
            "{} is no miss: {}; wrong answer or needless hit: {}",
            self.what,
            self.tier_and_status(),
            self.text
        );
        self
    }

    pub fn is_hit(&self) -> bool {
        self.parameters().any(|parameter| parameter == "hit")
    }

    /// The store was away and not asked.
    pub fn is_bypass(&self) -> bool {
        self.parameters().any(|parameter| parameter == "fwd=bypass")
    }

    /// A header's text; nothing if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The tier's name in `Cache-Status`.
    pub fn tier(&self) -> &str {
        self.cache_status
            .as_deref()
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// What is at this JSON pointer; null when nothing is.
    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// It has this value at this JSON pointer.
    #[track_caller]
    pub fn says(self, pointer: &str, right: impl Into<Value>) -> Self {
        let right = right.into();
        assert!(
            *self.at(pointer) == right,
            "wrong answer: {} says {} at {pointer}; right is {right} ({})",
            self.what,
            self.at(pointer),
            self.tier_and_status()
        );
        self
    }

    /// The ids of the objects in the list at this JSON pointer.
    pub fn ids(&self, pointer: &str) -> Vec<i64> {
        let list = self.at(pointer).as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|object| object["id"].as_i64()).collect()
    }

    /// The list at this JSON pointer has the objects with these ids, in this order.
    #[track_caller]
    pub fn lists(self, pointer: &str, right: &[i64]) -> Self {
        assert!(
            self.ids(pointer) == right,
            "wrong answer: {} lists {:?} at {pointer}; right is {right:?} ({})",
            self.what,
            self.ids(pointer),
            self.tier_and_status()
        );
        self
    }

    /// The id of what it shows.
    #[track_caller]
    pub fn id(&self) -> i64 {
        self.body["id"].as_i64().unwrap_or_else(|| {
            panic!("{} answers {} {}, without an id", self.what, self.status, self.text)
        })
    }

    /// It came within this time.
    #[track_caller]
    pub fn within(self, limit: Duration) -> Self {
        assert!(self.took <= limit, "{} took {:?}; it may take {limit:?}", self.what, self.took);
        self
    }

    /// It is a problem document (RFC 9457) with one of these
    /// statuses, and says in a sentence what is wrong.
    #[track_caller]
    pub fn expect_problem(self, statuses: &[u16]) -> Self {
        let said = format!("{} answers {} {}", self.what, self.status, self.text);
        assert!(statuses.contains(&self.status), "{said}; expected {statuses:?}");
        let problem = self.content_type.as_deref().unwrap_or_default();
        assert!(problem.starts_with("application/problem+json"), "{said}, as {problem:?}");
        assert!(self.body["status"] == self.status, "{said}: the document has another status");
        for member in ["type", "title", "detail"] {
            let text = self.body[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{said}: the document has no {member}");
        }
        self
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.cache_status.as_deref().unwrap_or_default().split(';').skip(1).map(str::trim)
    }

    fn tier_and_status(&self) -> &str {
        self.cache_status.as_deref().unwrap_or("no Cache-Status")
    }
}
