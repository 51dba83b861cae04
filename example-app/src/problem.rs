//! Errors as problem documents, RFC 9457 (<https://www.rfc-editor.org/rfc/rfc9457>).

use std::error::Error;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::Json;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cache_runtime::{BoxError, CommitError};
use serde::Serialize;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use utoipa::ToSchema;

/// Why a request was not served, in a sentence.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into() }
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

    pub(crate) fn precondition_failed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    pub(crate) fn no_such_row(table: &str) -> Problem {
        let noun = table.replace('_', "-");
        Problem::new(StatusCode::NOT_FOUND, format!("There is no such {noun}."))
    }

    /// It is not the client's fault; the log says whose.
    fn mistake() -> Problem {
        let detail = "The server made a mistake, which is logged.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

/// How a problem is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    r#type: &'static str,
    title: Option<&'static str>,
    status: u16,
    /// In a sentence.
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
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

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Problem {
        because(&error)
    }
}

impl From<BoxError> for Problem {
    fn from(error: BoxError) -> Problem {
        because(&*error)
    }
}

impl From<cache_runtime::Error> for Problem {
    fn from(error: cache_runtime::Error) -> Problem {
        because(&error)
    }
}

/// What the client may know of an error.
fn because(error: &(dyn Error + 'static)) -> Problem {
    let (status, detail) = match trouble(error) {
        Some(Trouble::Unstorable) => {
            let detail =
                "The database cannot store a character of this text, as its encoding is not UTF-8.";
            return Problem::invalid(detail);
        }
        Some(Trouble::Away) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The database does not answer; try again in a moment.",
        ),
        Some(Trouble::ReadOnly) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The database takes no changes at the moment; what is there can be read.",
        ),
        None => {
            tracing::error!("a request failed: {error}");
            return Problem::mistake();
        }
    };
    tracing::warn!("the database is away or read-only: {error}");
    Problem::new(status, detail)
}

/// What is wrong with the database, or with what it was given. Everything else is a mistake.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    /// The same request may succeed a moment later.
    Away,
    /// Likewise, as a standby is promoted and maintenance ends. (Not 403, which is about who asks.)
    ReadOnly,
    /// A text has a character that the database's encoding has not.
    Unstorable,
}

/// Whether the database has no such character, so that no row has this text.
pub(crate) fn is_unstorable(error: &cache_runtime::Error) -> bool {
    trouble(error) == Some(Trouble::Unstorable)
}

fn trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    // A loader's error arrives inside the cache's, once for every cached value that it was nested
    // in.
    std::iter::successors(Some(error), |&error| error.source()).find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<cache_runtime::Error>() {
            return error.is_load_timeout().then_some(Trouble::Away);
        }
        if let Some(error) = cause.downcast_ref::<CommitError>()
            && error.is_refused()
        {
            return Some(Trouble::Away);
        }
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, WorkerCrashed};
        match cause.downcast_ref::<sqlx::Error>()? {
            Io(_) | PoolClosed | PoolTimedOut | Protocol(_) | WorkerCrashed => Some(Trouble::Away),
            Database(error) => database_trouble(&**error),
            _ => None,
        }
    })
}

fn database_trouble(error: &dyn DatabaseError) -> Option<Trouble> {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return match &*code {
            "25006" => Some(Trouble::ReadOnly),
            "22021" | "22P05" => Some(Trouble::Unstorable),
            "55P03" => Some(Trouble::Away),
            // Connection, rollback for somebody else's sake, resources (a full disk), operator,
            // system.
            _ => ["08", "40", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                .then_some(Trouble::Away),
        };
    }
    // The higher bits say why.
    match code.parse::<u32>().ok()? & 0xff {
        // SQLITE_READONLY
        8 => Some(Trouble::ReadOnly),
        // SQLITE_BUSY, _LOCKED, _NOMEM, _IOERR, _FULL, _CANTOPEN, _PROTOCOL
        5 | 6 | 7 | 10 | 13 | 14 | 15 => Some(Trouble::Away),
        _ => None,
    }
}

/// A handler that panics costs an answer, not the connection.
pub(crate) async fn of_panics(request: Request, next: Next) -> Response {
    let mut answer = pin!(next.run(request));
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Problem::mistake().into_response()))
    })
    .await
}

pub(crate) async fn no_such_route(uri: Uri) -> Problem {
    let detail = format!("There is nothing at {}; the API is under /api/v1.", uri.path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{method} is not possible at {}.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
