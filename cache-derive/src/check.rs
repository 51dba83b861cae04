//! What must hold between a struct and its model: each rule a function, all of them in [`all`].

use cache_schema::{Direction, Hop, Model, Schema, suggest};
use syn::ext::IdentExt;
use syn::{Error, Ident};

use crate::ast::Struct;

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

/// Whether its own id occurs in a key or a tag.
pub(crate) fn needs_id(row: &Struct, model: &Model, schema: &Schema) -> bool {
    let whole = !row.is_projection && model.cached.is_some();
    whole
        || has_id_tag(model, schema)
        || schema.hops_from(&model.name).iter().any(|hop| hop.direction == Direction::Reverse)
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

/// Every hop that leaves the model must be accounted for, or a change could not find the value.
fn accounts(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let goes_on = |hop: &Hop| !schema.hops_from(&hop.to).is_empty();
    let has_column =
        |hop: &Hop| hop.direction == Direction::Reverse || row.columns(&hop.columns).is_some();
    let mut by_rows = schema.hops_from(&model.name);
    by_rows.retain(|hop| !row.hooks(&hop.to) && (goes_on(hop) || !has_column(hop)));
    // Where rows are missing, they are those that no field is named after.
    by_rows.sort_by_key(|hop| !row.embedded().any(|(field, _)| field.ident == stem(hop)));
    for (i, hop) in by_rows.iter().enumerate() {
        // Two references lead to two rows.
        let is_other = |other: &&&Hop| other.to == hop.to && other.direction == hop.direction;
        let taken = match hop.direction {
            Direction::Forward => by_rows[..i].iter().filter(is_other).count(),
            Direction::Reverse => 0,
        };
        let mut fields = row.embedded().filter(|(_, embedded)| *embedded == hop.to);
        if fields.nth(taken).is_none() {
            errors.push(unaccounted(row, model, schema, hop, goes_on(hop)));
        }
    }
}

/// What a field with the rows at the end of the hop is called: `created_by_id` → `created_by`.
fn stem(hop: &Hop) -> String {
    let mut columns = hop.columns.iter();
    match hop.direction {
        Direction::Forward => columns
            .find_map(|column| column.strip_suffix("_id"))
            .map_or_else(|| snake_case(&hop.to), str::to_owned),
        Direction::Reverse => format!("{}s", snake_case(&hop.to)),
    }
}

fn unaccounted(row: &Struct, model: &Model, schema: &Schema, hop: &Hop, goes_on: bool) -> Error {
    let (to, columns) = (&hop.to, hop.columns.join("` and `"));
    let whole = pascal_case(to);
    let field = match hop.direction {
        Direction::Forward => format!("{}: Option<{whole}>", stem(hop)),
        Direction::Reverse => format!("{}: Vec<{whole}>", stem(hop)),
    };
    let further = match row.embedded().any(|(_, embedded)| embedded == to) {
        true => "further ",
        false => "",
    };
    let (lacks, mut help) = (
        format!("it has no {further}`{to}` rows"),
        format!("add a field that embeds them, such as `{field}`"),
    );
    let lacks = match (goes_on, hop.direction) {
        (true, _) => format!("{lacks}, and what lies behind `{to}` is found by its rows"),
        (false, Direction::Forward) => {
            help =
                format!("add the field `{columns}`, or one that embeds the row, such as `{field}`");
            format!("{lacks} and no `{columns}`")
        }
        (false, Direction::Reverse) => lacks,
    };
    let edge = format!("{}{hop}", model.name);
    let place = declared_at(schema, hop).unwrap_or_default();
    let message = format!(
        "`{}` cannot account for its dependency on `{to}` ({edge}): {lacks}{place}\n\
         help: {help};\n      \
         mark a field of another type with #[cached(embeds = \"{to}\")];\n      \
         or, if the value does not carry them, write #[cached(dependencies(\"{to}\"))] on the struct and implement `Dependencies`",
        row.ident
    );
    Error::new(row.ident.span(), message)
}

/// Where the dependency that runs over this hop is declared.
fn declared_at(schema: &Schema, hop: &Hop) -> Option<String> {
    let mut dependencies = schema.models().flat_map(|model| &model.depends_on);
    let over = |dependency: &&cache_schema::Dependency| {
        dependency.paths.iter().any(|path| path.hops.contains(hop))
    };
    let dependency = dependencies.find(over)?;
    Some(format!("\n{}", schema.at(dependency.position)))
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
        let why = if field.serde.skips {
            "serde skips this field: what comes back from the store would have its default, and not what was loaded\n\
             help: remove the `skip`; what nobody is to see is left out where it would be answered, by a struct without it"
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

fn snake_case(model: &str) -> String {
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
