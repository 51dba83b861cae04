//! The routes that only plios have.

use axum::extract::State;
use axum::response::Response;
use cache_runtime::IfNoneMatch;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::{Plio, duplicate, lists};
use crate::consistency::AtLeast;
use crate::extract::{Id, Text};
use crate::openapi::{Api, operation, parameter};
use crate::problem::{Problem, is_unstorable};
use crate::resource::operations::{created, id, read};
use crate::resource::{self, Resource};
use crate::{Cache, Question};

pub(crate) fn routes(api: Api) -> Api {
    let path = Plio::TABLE.path;
    let uuid = ObjectBuilder::new().schema_type(Type::String);
    let uuid = parameter(ParameterIn::Path, "uuid", "Ten letters", uuid);
    let show = operation("plios", "show_plio_by_uuid", "One plio", &[400, 404]);
    let copy = "Copies a plio with its video, items, questions and images";
    let copy = operation("plios", "duplicate_plio", copy, &[400, 404]).parameter(id());
    let api = resource::routes::<Plio>(api)
        .schema::<Question>()
        .on(
            HttpMethod::Get,
            &format!("{path}/by-uuid/{{uuid}}"),
            get_by_uuid,
            read::<Plio>(show).parameter(uuid),
        )
        .on(
            HttpMethod::Post,
            &format!("{path}/{{id}}/duplicate"),
            post_duplicate,
            copy.response("201", created::<Plio>()),
        );
    lists::routes(api)
}

async fn get_by_uuid(
    AtLeast(cache): AtLeast,
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
    let (copy, token) = duplicate::duplicate(&cache, id).await?;
    resource::created::<Plio>(&cache, copy, token).await
}
