//! What the nouns share: five handlers over a table's description.

mod body;
mod condition;
pub(crate) mod operations;
mod table;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cache_runtime::{Answer, CacheStatus, ConsistencyToken, Fetched, IfNoneMatch};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::HttpMethod;

use self::condition::Condition;
pub(crate) use self::table::{Column, Table};
use crate::Cache;
use crate::consistency::{AtLeast, Written};
use crate::db::{Row, Tx};
use crate::extract::{Body, Id, Page};
use crate::openapi::Api;
use crate::problem::Problem;

/// A noun of the API: a table that is written to, and a struct that is read.
pub(crate) trait Resource: Serialize + ToSchema + Send + Sync + Sized + 'static {
    const TABLE: Table;

    /// The rows with these ids, in their order.
    fn find(
        cache: &Cache,
        ids: &[i64],
    ) -> impl Future<Output = Result<Vec<Found<Self>>, Problem>> + Send;

    /// The answer to who asks for one; a cached noun has it as JSON already.
    fn show(
        cache: &Cache,
        id: i64,
        client: &IfNoneMatch,
    ) -> impl Future<Output = Result<Response, Problem>> + Send {
        let client = client.clone();
        async move { find_one::<Self>(cache, id).await?.respond(&client) }
    }

    /// The row as this transaction sees it.
    fn within(
        tx: &mut Tx,
        id: i64,
    ) -> impl Future<Output = Result<Option<Arc<Self>>, Problem>> + Send;

    /// There is none with this id.
    fn none() -> Problem {
        Problem::no_such_row(Self::TABLE.name)
    }
}

/// One row to answer with, or none, which answers 404; a cached noun says how it was come by.
pub(crate) struct Found<T> {
    value: Option<Arc<T>>,
    status: Option<CacheStatus>,
}

/// Several rows; those that are gone by now are left out.
struct FoundMany<T>(Vec<Found<T>>);

impl<T> From<Fetched<Arc<T>>> for Found<T> {
    fn from(fetched: Fetched<Arc<T>>) -> Found<T> {
        Found { value: fetched.value, status: Some(fetched.status) }
    }
}

impl<T: Resource> Found<T> {
    /// With its `ETag`; 304 if that is what the client has.
    fn respond(self, client: &IfNoneMatch) -> Result<Response, Problem> {
        let Some(value) = self.value else {
            return Ok((self.status, T::none()).into_response());
        };
        let response = cache_runtime::Json::encode(&value)?.respond(client);
        Ok((self.status, response).into_response())
    }
}

impl<T: Resource> IntoResponse for FoundMany<T> {
    fn into_response(self) -> Response {
        let statuses = self.0.iter().filter_map(|found| found.status);
        // A list is a hit if all of it is.
        let status = statuses.max_by_key(|status| status.answer != Answer::Hit);
        let rows = self.0.into_iter().filter_map(|found| found.value);
        (status, Json(rows.collect::<Vec<_>>())).into_response()
    }
}

/// The rows of a noun that is not cached.
pub(crate) async fn rows<T: Resource + Row>(
    cache: &Cache,
    ids: &[i64],
) -> Result<Vec<Found<T>>, Problem> {
    let rows: Vec<T> = cache.db().select(&T::TABLE.select(), ids).await?;
    let found = rows.into_iter().map(|row| Found { value: Some(Arc::new(row)), status: None });
    Ok(found.collect())
}

/// A row of a noun that is not cached, as this transaction sees it.
pub(crate) async fn row_within<T: Resource + Row>(
    tx: &mut Tx,
    id: i64,
) -> Result<Option<Arc<T>>, Problem> {
    let rows = tx.select::<T>(&T::TABLE.select(), &[id]).await?;
    Ok(rows.into_iter().next().map(Arc::new))
}

/// The routes of a noun.
pub(crate) fn routes<T: Resource>(api: Api) -> Api {
    use HttpMethod::{Delete, Get, Patch, Post};
    let (rows, row) = (T::TABLE.path, format!("{}/{{id}}", T::TABLE.path));
    let (new, changes) = (operations::new_row::<T>(), operations::changed_row::<T>());
    api.schema::<T>()
        .named(new.0, new.1)
        .named(changes.0, changes.1)
        .on(Get, rows, list::<T>, operations::list::<T>())
        .on(Post, rows, create::<T>, operations::create::<T>())
        .on(Get, &row, show::<T>, operations::show::<T>())
        .on(Patch, &row, update::<T>, operations::update::<T>())
        .on(Delete, &row, delete::<T>, operations::delete::<T>())
}

async fn list<T: Resource>(AtLeast(cache): AtLeast, page: Page) -> Result<FoundMany<T>, Problem> {
    let limits = [page.limit.into(), page.offset.into()];
    let ids = cache.db().ids(&T::TABLE.select_page(), limits).await?;
    Ok(FoundMany(T::find(&cache, &ids).await?))
}

async fn show<T: Resource>(
    AtLeast(cache): AtLeast,
    Id(id): Id,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    T::show(&cache, id, &if_none_match).await
}

async fn find_one<T: Resource>(cache: &Cache, id: i64) -> Result<Found<T>, Problem> {
    let found = T::find(cache, &[id]).await?.pop();
    Ok(found.unwrap_or(Found { value: None, status: None }))
}

async fn create<T: Resource>(
    State(cache): State<Cache>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let row = T::TABLE.new_row(body)?;
    row.check_references(cache.db()).await?;

    let mut tx = Tx::begin(&cache).await?;
    let id = row.insert(&mut tx).await?;
    let token = tx.commit().await?;

    created::<T>(&cache, id, token).await
}

/// The answer to a request that has made a row.
pub(crate) async fn created<T: Resource>(
    cache: &Cache,
    id: i64,
    token: ConsistencyToken,
) -> Result<Response, Problem> {
    let found = find_one::<T>(cache, id).await?;
    let response = found.respond(&IfNoneMatch::default())?;
    if response.status() != StatusCode::OK {
        // Somebody has deleted it already.
        return Ok(response);
    }
    let location = [(header::LOCATION, format!("{}/{id}", T::TABLE.path))];
    Ok((StatusCode::CREATED, Written(token), location, response).into_response())
}

async fn update<T: Resource>(
    State(cache): State<Cache>,
    Id(id): Id,
    condition: Condition,
    Body(body): Body,
) -> Result<Response, Problem> {
    let changes = T::TABLE.changes(body)?;
    changes.check_references(cache.db()).await?;

    let mut tx = Tx::begin(&cache).await?;
    condition.check::<T>(&mut tx, id).await?;
    changes.update(&mut tx, id).await?;
    let token = tx.commit().await?;

    let found = find_one::<T>(&cache, id).await?;
    let response = found.respond(&IfNoneMatch::default())?;
    Ok((Written(token), response).into_response())
}

async fn delete<T: Resource>(
    State(cache): State<Cache>,
    Id(id): Id,
    condition: Condition,
) -> Result<(Written, StatusCode), Problem> {
    let mut tx = Tx::begin(&cache).await?;
    condition.check::<T>(&mut tx, id).await?;
    T::TABLE.delete(&mut tx, id).await?;
    let token = tx.commit().await?;

    Ok((Written(token), StatusCode::NO_CONTENT))
}
