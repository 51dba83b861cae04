//! The routes that only plios have.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use super::{Plio, duplicate};
use crate::Cache;
use crate::extract::{Id, Text};
use crate::problem::Problem;
use crate::resource::{self, Found, Resource, Routes};

pub(crate) fn routes() -> Router<Cache> {
    let path = Plio::TABLE.path;
    resource::routes::<Plio>()
        .at(&format!("{path}/by-uuid/{{uuid}}"), get(get_by_uuid))
        .at(&format!("{path}/{{id}}/duplicate"), post(post_duplicate))
}

async fn get_by_uuid(State(cache): State<Cache>, Text(uuid): Text) -> Result<Found<Plio>, Problem> {
    // No plio has this character, and PostgreSQL does not take it even in a question.
    if uuid.contains('\0') {
        return Err(Problem::no_such_row(Plio::TABLE.name));
    }
    Ok(Plio::fetch_by_uuid(&cache, uuid).await?.into())
}

async fn post_duplicate(State(cache): State<Cache>, Id(id): Id) -> Result<Response, Problem> {
    let copy = duplicate::duplicate(&cache, id).await?;
    resource::created::<Plio>(&cache, copy).await
}
