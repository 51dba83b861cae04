//! The routes that only plios have.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use cache_runtime::IfNoneMatch;

use super::{Plio, duplicate};
use crate::Cache;
use crate::extract::{Id, Text};
use crate::problem::{Problem, is_unstorable};
use crate::resource::{self, Resource, Routes};

pub(crate) fn routes() -> Router<Cache> {
    let path = Plio::TABLE.path;
    resource::routes::<Plio>()
        .at(&format!("{path}/by-uuid/{{uuid}}"), get(get_by_uuid))
        .at(&format!("{path}/{{id}}/duplicate"), post(post_duplicate))
}

async fn get_by_uuid(
    State(cache): State<Cache>,
    Text(uuid): Text,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    // No plio has this character, and PostgreSQL does not take it even in a question.
    if uuid.contains('\0') {
        return Err(Plio::none());
    }
    match Plio::fetch_json_by_uuid(&cache, uuid).await {
        Ok(fetched) => Ok(fetched.respond(&if_none_match, Plio::none)),
        Err(error) if is_unstorable(&error) => Err(Plio::none()),
        Err(error) => Err(error.into()),
    }
}

async fn post_duplicate(State(cache): State<Cache>, Id(id): Id) -> Result<Response, Problem> {
    let copy = duplicate::duplicate(&cache, id).await?;
    resource::created::<Plio>(&cache, copy).await
}
