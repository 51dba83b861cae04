//! What requests bring: ids, pages, bodies. Whatever is wrong with them is a problem document.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::timeout_at;

use crate::MAX_BODY;
use crate::problem::Problem;
use crate::server::Deadline;

/// The id in the path.
pub(crate) struct Id(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Problem> {
        let Text(text) = Text::from_request_parts(parts, state).await?;
        match text.parse() {
            Ok(id) => Ok(Id(id)),
            Err(_) => {
                Err(Problem::bad_request(format!("{text:?} is not an id; ids are integers.")))
            }
        }
    }
}

/// The text in the path.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Text {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Text, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Text(text)),
            Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
        }
    }
}

/// Which part of a list: `?limit=20&offset=40`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Page {
    /// After how many, and how many; neither is negative.
    pub(crate) fn part(&self) -> (usize, usize) {
        let number = |it: i64| usize::try_from(it).unwrap_or_default();
        (number(self.offset), number(self.limit))
    }
}

impl Default for Page {
    fn default() -> Page {
        Page { limit: 100, offset: 0 }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Page, Problem> {
        let Query(page) = Query::<Page>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        if !(1..=1000).contains(&page.limit) {
            return Err(Problem::bad_request("`limit` must be from 1 to 1000."));
        }
        if page.offset < 0 {
            return Err(Problem::bad_request("`offset` must not be negative."));
        }
        Ok(page)
    }
}

/// A JSON object.
pub(crate) struct Body(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Body, Problem> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let json = Json::from_request(request, state);
        let json = match deadline {
            Some(Deadline(deadline)) => timeout_at(deadline.into(), json).await.map_err(|_| {
                let detail = "The body did not arrive in time.";
                Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?,
            None => json.await,
        };
        match json {
            Ok(Json(Value::Object(fields))) => Ok(Body(fields)),
            Ok(_) => Err(Problem::invalid("The body must be a JSON object.")),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("A body has {MAX_BODY} bytes at most.");
                Err(Problem::new(rejection.status(), detail))
            }
            Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
        }
    }
}
