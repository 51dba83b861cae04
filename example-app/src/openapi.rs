//! The API as a document (OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1>), at
//! `/api/v1/openapi.json`.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Json, Router};
use utoipa::ToSchema;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    Components, Content, HttpMethod, InfoBuilder, OpenApi, Paths, Ref, RefOr, Required,
    ResponseBuilder,
};

use crate::Cache;
use crate::problem::Document;

const PATH: &str = "/api/v1/openapi.json";

const ABOUT: &str = "A path may have a slash at its end. Every GET is a HEAD as well; another method is answered \
    with 405 (`MethodNotAllowed`), another path with 404 (`NotFound`). What is no HTTP, has a head that is too \
    large, or comes too late for an answer is answered without a document, or its connection is closed.";

/// What an answer may be that is no success.
const PROBLEMS: [(StatusCode, &str); 11] = [
    (StatusCode::BAD_REQUEST, "The path, the query or the body cannot be read."),
    (StatusCode::NOT_FOUND, "There is no such row, or nothing at this path."),
    (StatusCode::METHOD_NOT_ALLOWED, "The path has other methods; `Allow` names them."),
    (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."),
    (StatusCode::CONFLICT, "Another row has this name, or other rows refer to this one."),
    (StatusCode::PRECONDITION_FAILED, "The row is not as `If-Match` or `If-None-Match` wants it."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than a megabyte."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not said to be JSON."),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "A field is missing, unknown or of another type, or refers to no row.",
    ),
    (StatusCode::INTERNAL_SERVER_ERROR, "The server made a mistake, which is logged."),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The database is away, full or read-only; a moment later it may not be.",
    ),
];

/// Routes, and what the document says of them. There is no other way to add a route.
pub(crate) struct Api {
    router: Router<Cache>,
    document: OpenApi,
}

impl Api {
    pub(crate) fn new() -> Api {
        let about = InfoBuilder::new()
            .title("Plio")
            .description(Some(ABOUT))
            .version(env!("CARGO_PKG_VERSION"));
        let mut components = Components::new();
        for (status, text) in PROBLEMS {
            let json = Content::new(Some(Ref::from_schema_name(Document::name())));
            let problem =
                ResponseBuilder::new().description(text).content("application/problem+json", json);
            components.responses.insert(name(status), problem.build().into());
        }
        let mut document = OpenApi::new(about.build(), Paths::new());
        document.components = Some(components);
        let router = Router::new();
        Api { router, document }.schema::<Document>()
    }

    /// What answers this method at this path, with or without a slash at the end.
    pub(crate) fn on<H: Handler<T, Cache>, T: 'static>(
        mut self,
        method: HttpMethod,
        path: &str,
        handler: H,
        operation: OperationBuilder,
    ) -> Api {
        let filter = match method {
            HttpMethod::Get => MethodFilter::GET,
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Put => MethodFilter::PUT,
            HttpMethod::Delete => MethodFilter::DELETE,
            HttpMethod::Options => MethodFilter::OPTIONS,
            HttpMethod::Head => MethodFilter::HEAD,
            HttpMethod::Patch => MethodFilter::PATCH,
            HttpMethod::Trace => MethodFilter::TRACE,
        };
        let paths = &mut self.document.paths;
        paths.add_path_operation(path, vec![method], operation);
        self.router = at(self.router, path, on(filter, handler));
        self
    }

    /// What is answered with a `T`, and all that is in it.
    pub(crate) fn schema<T: ToSchema>(self) -> Api {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        schemas.into_iter().fold(self, |api, (name, mut schema)| {
            // What has no value is sent as null.
            if let RefOr::T(Schema::Object(object)) = &mut schema {
                object.required = object.properties.keys().cloned().collect();
            }
            api.named(name, schema)
        })
    }

    pub(crate) fn named(mut self, name: String, schema: impl Into<RefOr<Schema>>) -> Api {
        let components = self.document.components.get_or_insert_default();
        components.schemas.insert(name, schema.into());
        self
    }

    /// The routes, with the one to the document.
    pub(crate) fn router(mut self) -> Router<Cache> {
        let json = Content::new(Some(ObjectBuilder::new()));
        let this =
            ResponseBuilder::new().description("This document.").content("application/json", json);
        let operation = operation("openapi", "show_openapi", "The API as a document", &[]);
        let paths = &mut self.document.paths;
        paths.add_path_operation(PATH, vec![HttpMethod::Get], operation.response("200", this));
        let document = Arc::new(self.document);
        let show = async move || Json(document.clone());
        at(self.router, PATH, get(show))
    }
}

fn at(router: Router<Cache>, path: &str, methods: MethodRouter<Cache>) -> Router<Cache> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}

/// An operation that may be answered with these problems, or with those that any may be.
pub(crate) fn operation(tag: &str, id: &str, summary: &str, problems: &[u16]) -> OperationBuilder {
    let operation = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
    problems.iter().chain(&[500, 503]).fold(operation, |it, &code| {
        let name = StatusCode::from_u16(code).map(name).unwrap_or_default();
        it.response(code.to_string(), Ref::from_response_name(name))
    })
}

/// Whether the process lives.
pub(crate) fn healthy() -> OperationBuilder {
    let text = Content::new(Some(ObjectBuilder::new().schema_type(Type::String)));
    let lives = ResponseBuilder::new().description("It lives.").content("text/plain", text);
    operation("health", "show_health", "Whether the process lives", &[]).response("200", lives)
}

/// Something in the request's path, query or headers.
pub(crate) fn parameter(
    place: ParameterIn,
    name: &str,
    description: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// A problem's name in the document.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}
