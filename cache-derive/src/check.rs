//! What must hold between a struct and its model: each rule a function, all of them in [`all`].

use cache_schema::{Model, Schema, suggest};
use syn::ext::IdentExt;
use syn::{Error, Ident};

use crate::accounts::accounts;
use crate::ast::Struct;
use crate::hidden;

/// Runs every rule.
pub(crate) fn all(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let of_names = [embeds_known_models, hooks_known_models, spells_columns, holds_columns_once];
    let of_fields = [has_id, has_lookups, survives_serde];
    for rule in of_names {
        rule(row, model, schema, errors);
    }
    // A wrong attribute or name may be all that is missing.
    if errors.is_empty() {
        accounts(row, model, schema, errors);
    }
    for rule in of_fields {
        rule(row, model, schema, errors);
    }
    hidden::has_names(row, errors);
}

/// The model of the struct, or why there is none.
pub(crate) fn model<'a>(row: &Struct, schema: &'a Schema) -> Result<&'a Model, Error> {
    schema.model(&row.model).ok_or_else(|| {
        let (name, file) = (&row.model, schema.file());
        let help = match similar_model(name, schema).map(|similar| &similar.name) {
            Some(similar) if row.is_named_like_its_model() => {
                format!("did you mean `{similar}`? Say so with #[cached(model = \"{similar}\")]")
            }
            Some(similar) => format!("did you mean `{similar}`?"),
            None if !row.is_named_like_its_model() => format!("add `[model.{name}]` to it"),
            None => format!(
                "add `[model.{name}]` to it, or name the model with #[cached(model = \"…\")]"
            ),
        };
        Error::new(row.model_span, format!("{file} has no `[model.{name}]`\nhelp: {help}"))
    })
}

/// The model that is meant by a name that no model has.
pub(crate) fn similar_model<'a>(name: &str, schema: &'a Schema) -> Option<&'a Model> {
    let known = schema.models().map(|model| model.name.as_str());
    suggest(name, known).and_then(|similar| schema.model(similar))
}

fn embeds_known_models(row: &Struct, _: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for field in &row.fields {
        if let Some(name) =
            field.embeds.as_ref().filter(|name| schema.model(&name.value()).is_none())
        {
            errors.push(unknown_model(name, schema));
        }
    }
}

fn hooks_known_models(row: &Struct, _: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for name in row.dependencies.iter().filter(|name| schema.model(&name.value()).is_none()) {
        errors.push(unknown_model(name, schema));
    }
}

fn unknown_model(name: &syn::LitStr, schema: &Schema) -> Error {
    let help = similar_model(&name.value(), schema)
        .map(|similar| format!("\nhelp: did you mean `{}`?", similar.name));
    let message =
        format!("{} has no `[model.{}]`{}", schema.file(), name.value(), help.unwrap_or_default());
    Error::new(name.span(), message)
}

fn has_id(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    if needs_id(row, model, schema) {
        for column in model.id.iter().filter(|column| row.column(column).is_none()) {
            let why = format!("the id of `{}`", model.name);
            errors.push(missing_column(row, model, schema, column, &why));
        }
    }
}

/// Whether its own id occurs in a key, or in the tag of the whole row.
pub(crate) fn needs_id(row: &Struct, model: &Model, schema: &Schema) -> bool {
    !row.is_projection && (model.cached.is_some() || has_id_tag(model, schema))
}

/// Whether some value registers rows of this model by their id.
pub(crate) fn has_id_tag(model: &Model, schema: &Schema) -> bool {
    schema.reports(&model.name).iter().any(|report| report.tag.columns == model.id)
}

fn has_lookups(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let policy = model.cached.as_ref().filter(|_| !row.is_projection);
    for lookup in policy.iter().flat_map(|policy| &policy.lookups) {
        let (column, place) = (&lookup.column, schema.at(lookup.position));
        match row.column(column) {
            None => errors.push(missing_column(row, model, schema, column, &place)),
            Some(field) if variant(column).is_none() => {
                let why = format!(
                    "no variant of `{}Lookup` can be named after `{column}`: {place}\n\
                     help: rename the column, or remove the lookup",
                    row.ident
                );
                errors.push(Error::new(field.ident.span(), why));
            }
            Some(_) => {}
        }
    }
}

/// The variant of a lookup: `created_by_id` → `CreatedById`; none for `_1` and `self`.
pub(crate) fn variant(column: &str) -> Option<Ident> {
    syn::parse_str(&pascal_case(column)).ok()
}

/// A column that the struct may leave out, but has under nearly the same name, is misspelt.
fn spells_columns(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for reference in &model.references {
        for column in &reference.columns {
            if row.column(column).is_none() && suggest(column, unclaimed(row, model)).is_some() {
                let place = schema.at(reference.position);
                errors.push(missing_column(row, model, schema, column, &place));
            }
        }
    }
}

fn holds_columns_once(row: &Struct, _: &Model, _: &Schema, errors: &mut Vec<Error>) {
    let columns = row.fields.iter().filter(|field| field.rows.is_none());
    for field in columns {
        let first = row.column(&field.column).map(|first| &first.ident);
        if let Some(first) = first.filter(|first| **first != field.ident) {
            let why = format!("`{first}` holds the column `{}` already", field.column);
            errors.push(Error::new(field.ident.span(), why));
        }
    }
}

/// The columns of the struct that neither the file nor an attribute names: one of them may be
/// meant.
fn unclaimed<'a>(row: &'a Struct, model: &'a Model) -> impl Iterator<Item = &'a str> {
    let columns = row.fields.iter().filter(|field| field.rows.is_none() && !field.says_column);
    let references = || model.references.iter().flat_map(|reference| &reference.columns);
    columns
        .map(|field| field.column.as_str())
        .filter(move |name| !model.id.iter().chain(references()).any(|named| named == name))
}

fn missing_column(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    column: &str,
    place: &str,
) -> Error {
    let similar = suggest(column, unclaimed(row, model));
    let help = match similar {
        Some(similar) => format!(
            "the struct has `{similar}`: correct {}, or write #[cached(column = \"{column}\")] on the field",
            schema.file()
        ),
        None => format!(
            "add the field, or write #[cached(column = \"{column}\")] on the field that holds it"
        ),
    };
    let message =
        format!("`{}` has no field for column `{column}`: {place}\nhelp: {help}", row.ident);
    let at = similar.and_then(|similar| row.column(similar));
    Error::new(at.map_or(&row.ident, |field| &field.ident).span(), message)
}

/// What comes back from the store is to be what was stored: it is answered with, and another value
/// may embed it, and be found by what it depends on.
fn survives_serde(row: &Struct, _: &Model, _: &Schema, errors: &mut Vec<Error>) {
    if row.serde.unread("").is_some() {
        let why = "the fields are written in one case and read in another: what comes back from the store would lack them\n\
                   help: write #[serde(rename_all = \"…\")], which is for both";
        errors.push(Error::new(row.ident.span(), why));
    }
    for field in &row.fields {
        let name = field.ident.unraw().to_string();
        let why = if field.serde.skips() {
            "serde skips this field: what comes back from the store would have its default, and not what was loaded\n\
             help: remove the `skip`; what is stored and not answered is #[cached(hidden)]"
                .to_owned()
        } else if let Some(written) = field.serde.unread(&name) {
            let read = field.serde.read.as_ref().unwrap_or(&name);
            format!(
                "this field is written as `{written}` and read as `{read}`: what comes back from the store would lack it\n\
                 help: write #[serde(rename = \"{written}\")], which is for both, or add #[serde(alias = \"{written}\")]"
            )
        } else {
            continue;
        };
        errors.push(Error::new(field.ident.span(), why));
    }
}

pub(crate) fn snake_case(model: &str) -> String {
    model.replace('-', "_")
}

/// `organization-user` → `OrganizationUser`, `uuid` → `Uuid`.
pub(crate) fn pascal_case(name: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(capital).collect()
}
