//! What the document says of the handlers that the nouns share.

use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, Array, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::openapi::{Content, Header, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder};

use super::Resource;
use super::table::{Column, Kind};
use crate::consistency::NAME;
use crate::openapi::{operation, parameter};

pub(super) fn list<T: Resource>() -> OperationBuilder {
    let (tag, noun) = names::<T>();
    let described = format!("The {noun}s of this page, in the order of their ids");
    page::<T>(operation(&tag, &format!("list_{tag}"), &described, &[400]), &described)
}

/// A `GET` of a page of rows.
pub(crate) fn page<T: Resource>(operation: OperationBuilder, described: &str) -> OperationBuilder {
    let page = [
        ("limit", "How many", number(1, Some(1000)), 100),
        ("offset", "After how many", number(0, None), 0),
    ];
    let page = page.map(|(name, description, schema, default)| {
        let schema = schema.default(Some(default.into()));
        parameter(ParameterIn::Query, name, description, schema)
    });
    let rows = Array::new(Ref::from_schema_name(T::name()));
    operation.parameters(Some(page)).parameter(token_shown()).response("200", json(described, rows))
}

pub(super) fn create<T: Resource>() -> OperationBuilder {
    let (tag, noun) = names::<T>();
    let problems = [400, 404, 408, 409, 413, 415, 422];
    operation(&tag, &format!("create_{noun}"), &format!("Makes a {noun}"), &problems)
        .request_body(Some(body(&new::<T>())))
        .response("201", created::<T>())
}

pub(super) fn show<T: Resource>() -> OperationBuilder {
    let (tag, noun) = names::<T>();
    let summary = format!("One {noun}");
    read::<T>(operation(&tag, &format!("show_{noun}"), &summary, &[400, 404])).parameter(id())
}

pub(super) fn update<T: Resource>() -> OperationBuilder {
    let (tag, noun) = names::<T>();
    let problems = [400, 404, 408, 409, 412, 413, 415, 422];
    let summary = format!("Changes a {noun}; what the body leaves out stays");
    operation(&tag, &format!("update_{noun}"), &summary, &problems)
        .parameters(Some([id(), if_match(), if_none_match()]))
        .request_body(Some(body(&changes::<T>())))
        .response("200", one::<T>(&format!("The {noun} as it is now")).header(NAME, token()))
}

pub(super) fn delete<T: Resource>() -> OperationBuilder {
    let (tag, noun) = names::<T>();
    let problems = [400, 404, 409, 412];
    operation(&tag, &format!("delete_{noun}"), &format!("Deletes a {noun}"), &problems)
        .parameters(Some([id(), if_match(), if_none_match()]))
        .response("204", ResponseBuilder::new().description("It is deleted").header(NAME, token()))
}

/// A `GET` of one row.
pub(crate) fn read<T: Resource>(operation: OperationBuilder) -> OperationBuilder {
    let (_, noun) = names::<T>();
    let not_modified =
        ResponseBuilder::new().description("The client has it").header("ETag", etag());
    operation
        .parameter(if_none_match())
        .parameter(token_shown())
        .response("200", one::<T>(&format!("The {noun}")))
        .response("304", not_modified)
}

/// The answer to a request that has made a row.
pub(crate) fn created<T: Resource>() -> ResponseBuilder {
    let (_, noun) = names::<T>();
    let location = text("Its path");
    one::<T>(&format!("The new {noun}")).header("Location", location).header(NAME, token())
}

pub(crate) fn id() -> Parameter {
    let id = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    parameter(ParameterIn::Path, "id", "Its id", id)
}

/// The name of what a new row is made from, and what that is.
pub(super) fn new_row<T: Resource>() -> (String, Object) {
    let required = T::TABLE.columns.iter().filter(|column| column.required);
    let fields = required.fold(fields::<T>(), |it, column| it.required(column.field));
    (new::<T>(), fields.build())
}

/// Likewise of a row's changes.
pub(super) fn changed_row<T: Resource>() -> (String, Object) {
    (changes::<T>(), fields::<T>().build())
}

fn new<T: Resource>() -> String {
    format!("New{}", T::name())
}

fn changes<T: Resource>() -> String {
    format!("{}Changes", T::name())
}

fn fields<T: Resource>() -> ObjectBuilder {
    let none = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let columns = T::TABLE.columns.iter();
    columns.fold(none, |it, column| it.property(column.field, field(column)))
}

fn field(column: &Column) -> Schema {
    let object = ObjectBuilder::new();
    let (kind, object) = match column.kind {
        Kind::Json => {
            let described = "Any JSON, not too deep, without the character U+0000.";
            let any = object.schema_type(SchemaType::AnyValue);
            return any.description(Some(described)).build().into();
        }
        Kind::Text(most) => {
            let most = (most < usize::MAX).then_some(most);
            let without_nul = object.pattern(Some(r"^[^\u0000]*$"));
            (Type::String, without_nul.max_length(most))
        }
        Kind::Integer => (Type::Integer, int64(object)),
        Kind::Reference(table) => {
            let described = format!("The id of a row of `{table}`.");
            (Type::Integer, int64(object).description(Some(described)))
        }
        Kind::Number => (Type::Number, object),
        Kind::Boolean => (Type::Boolean, object),
    };
    let object = match column.nullable {
        true => object.schema_type(SchemaType::Array(vec![kind, Type::Null])),
        false => object.schema_type(kind),
    };
    object.build().into()
}

fn int64(object: ObjectBuilder) -> ObjectBuilder {
    object.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

fn number(least: usize, most: Option<usize>) -> ObjectBuilder {
    int64(ObjectBuilder::new().schema_type(Type::Integer)).minimum(Some(least)).maximum(most)
}

fn if_match() -> Parameter {
    let described = "The `ETag` that the row must have for anything to be done";
    let string = ObjectBuilder::new().schema_type(Type::String);
    parameter(ParameterIn::Header, "If-Match", described, string)
}

fn if_none_match() -> Parameter {
    let described = "The `ETag` that the row must not have for anything to be done, or sent";
    let string = ObjectBuilder::new().schema_type(Type::String);
    parameter(ParameterIn::Header, "If-None-Match", described, string)
}

fn body(schema: &str) -> RequestBody {
    RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(Ref::from_schema_name(schema))))
        .required(Some(Required::True))
        .build()
}

fn json(described: &str, schema: impl Into<RefOr<Schema>>) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(described)
        .content("application/json", Content::new(Some(schema)))
}

fn one<T: Resource>(described: &str) -> ResponseBuilder {
    json(described, Ref::from_schema_name(T::name())).header("ETag", etag())
}

fn etag() -> Header {
    text("What this state is called in `If-Match` and `If-None-Match`")
}

fn token_shown() -> Parameter {
    let described = "That of a write, which the answer is not to be from before";
    let token = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^([0-9a-f]{64}|undelivered)$"));
    parameter(ParameterIn::Header, NAME, described, token)
}

fn token() -> Header {
    text("The moment of this write, to be shown with later reads")
}

fn text(described: &str) -> Header {
    let string = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Some(string)).description(Some(described)).build()
}

/// The noun's tag and its name in a sentence: `organization-users`, `organization-user`.
pub(crate) fn names<T: Resource>() -> (String, String) {
    let tag = T::TABLE.path.rsplit('/').next().unwrap_or_default();
    (tag.to_owned(), T::TABLE.name.replace('_', "-"))
}
