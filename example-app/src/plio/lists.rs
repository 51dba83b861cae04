//! Lists of plios, the newest first: of a user, of an organization, and those that are published.
//! Each is cached, and so are the plios in it.

use axum::response::Response;
use cache_runtime::IfNoneMatch;
use utoipa::openapi::HttpMethod;

use super::Plio;
use crate::consistency::AtLeast;
use crate::extract::{Id, Page};
use crate::openapi::{Api, operation};
use crate::problem::Problem;
use crate::resource::Resource;
use crate::resource::operations::{id, page};

pub(crate) fn routes(api: Api) -> Api {
    let list = |name: &str, described: &str| {
        page::<Plio>(operation("plios", name, described, &[400]), described)
    };
    let of_user = list("list_plios_of_user", "The plios that a user has made");
    let of_organization =
        list("list_plios_of_organization", "The plios of those who belong to an organization");
    let published = list("list_published_plios", "The plios that everybody may see");
    api.on(HttpMethod::Get, "/api/v1/users/{id}/plios", get_of_user, of_user.parameter(id()))
        .on(
            HttpMethod::Get,
            "/api/v1/organizations/{id}/plios",
            get_of_organization,
            of_organization.parameter(id()),
        )
        .on(HttpMethod::Get, "/api/v1/plios/published", get_published, published)
}

async fn get_of_user(
    AtLeast(cache): AtLeast,
    Id(user): Id,
    page: Page,
    client: IfNoneMatch,
) -> Result<Response, Problem> {
    let (offset, limit) = page.part();
    let plios = Plio::plios_of_user(&cache, user).fetch_json(offset, limit).await?;
    Ok(plios.respond(&client, Plio::none))
}

async fn get_of_organization(
    AtLeast(cache): AtLeast,
    Id(organization): Id,
    page: Page,
    client: IfNoneMatch,
) -> Result<Response, Problem> {
    let (offset, limit) = page.part();
    let plios = Plio::plios_of_organization(&cache, organization);
    Ok(plios.fetch_json(offset, limit).await?.respond(&client, Plio::none))
}

async fn get_published(
    AtLeast(cache): AtLeast,
    page: Page,
    client: IfNoneMatch,
) -> Result<Response, Problem> {
    let (offset, limit) = page.part();
    let plios = Plio::published_plios(&cache).fetch_json(offset, limit).await?;
    Ok(plios.respond(&client, Plio::none))
}
