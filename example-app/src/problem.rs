//! Errors as problem documents, RFC 9457 (<https://www.rfc-editor.org/rfc/rfc9457>).

use std::error::Error;

use axum::Json;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// Why a request was not served, in a sentence.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            detail: detail.into(),
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The body is JSON, but not what was asked for.
    pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    pub(crate) fn no_such_row(table: &str) -> Problem {
        let noun = table.replace('_', "-");
        Problem::new(StatusCode::NOT_FOUND, format!("There is no such {noun}."))
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Document {
            r#type: &'static str,
            title: Option<&'static str>,
            status: u16,
            detail: String,
        }

        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, content_type, Json(document)).into_response()
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Problem {
        because(&error)
    }
}

impl From<cache_runtime::Error> for Problem {
    fn from(error: cache_runtime::Error) -> Problem {
        because(&error)
    }
}

/// What the client may know of an error that is not its fault.
fn because(error: &(dyn Error + 'static)) -> Problem {
    // A loader's error arrives inside the cache's, once for every cached value that it was nested in.
    let causes = std::iter::successors(Some(error), |&error| error.source());
    if causes
        .filter_map(|it| it.downcast_ref::<sqlx::Error>())
        .any(is_away)
    {
        tracing::warn!("the database is away: {error}");
        let detail = "The database does not answer; try again in a moment.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    }
    tracing::error!("a request failed: {error}");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The server made a mistake, which is logged.",
    )
}

/// Whether the same request may succeed a moment later.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, WorkerCrashed};
    match error {
        Io(_) | PoolClosed | PoolTimedOut | Protocol(_) | WorkerCrashed => true,
        Database(error) => is_busy(&**error),
        _ => false,
    }
}

fn is_busy(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        // Connection, rollback for somebody else's sake, resources, operator.
        ["08", "40", "53", "57"]
            .iter()
            .any(|class| code.starts_with(class))
    } else {
        // SQLITE_BUSY and SQLITE_LOCKED; the higher bits say why.
        code.parse::<u32>()
            .is_ok_and(|code| matches!(code & 0xff, 5 | 6))
    }
}

pub(crate) async fn no_such_route(uri: Uri) -> Problem {
    let detail = format!(
        "There is nothing at {}; the API is under /api/v1.",
        uri.path()
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{method} is not possible at {}.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
