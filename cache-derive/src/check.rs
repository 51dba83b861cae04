//! What must hold between a struct and its model: each rule a function, all of them in [`all`].

use cache_schema::{Direction, Hop, Model, Schema, suggest};
use syn::Error;

use crate::ast::{Field, Struct};

/// Runs every rule.
pub(crate) fn all(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let rules = [
        embeds_known_models,
        hooks_known_models,
        has_id,
        has_lookups,
        spells_columns,
        accounts,
        survives_serde,
    ];
    for rule in rules {
        rule(row, model, schema, errors);
    }
}

/// The model of the struct, or why there is none.
pub(crate) fn model<'a>(row: &Struct, schema: &'a Schema) -> Result<&'a Model, Error> {
    schema.model(&row.model).ok_or_else(|| {
        let (name, file) = (&row.model, schema.file());
        let known = schema.models().map(|model| model.name.as_str());
        let help = match suggest(name, known) {
            Some(similar) => {
                format!("did you mean `{similar}`? Say so with #[cached(model = \"{similar}\")]")
            }
            None => format!(
                "add `[model.{name}]` to it, or name the model with #[cached(model = \"…\")]"
            ),
        };
        Error::new(
            row.model_span,
            format!("{file} has no `[model.{name}]`\nhelp: {help}"),
        )
    })
}

fn embeds_known_models(row: &Struct, _: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for field in &row.fields {
        if let Some(name) = field
            .embeds
            .as_ref()
            .filter(|name| schema.model(&name.value()).is_none())
        {
            errors.push(unknown_model(name, schema));
        }
    }
}

fn hooks_known_models(row: &Struct, _: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for name in row
        .dependencies
        .iter()
        .filter(|name| schema.model(&name.value()).is_none())
    {
        errors.push(unknown_model(name, schema));
    }
}

fn unknown_model(name: &syn::LitStr, schema: &Schema) -> Error {
    let known = schema.models().map(|model| model.name.as_str());
    let help =
        suggest(&name.value(), known).map(|similar| format!("\nhelp: did you mean `{similar}`?"));
    let message = format!(
        "{} has no `[model.{}]`{}",
        schema.file(),
        name.value(),
        help.unwrap_or_default()
    );
    Error::new(name.span(), message)
}

fn has_id(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    if needs_id(row, model, schema) {
        for column in model
            .id
            .iter()
            .filter(|column| row.column(column).is_none())
        {
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
        || schema
            .hops_from(&model.name)
            .iter()
            .any(|hop| hop.direction == Direction::Reverse)
}

/// Whether some value registers rows of this model by their id.
pub(crate) fn has_id_tag(model: &Model, schema: &Schema) -> bool {
    schema
        .reports(&model.name)
        .iter()
        .any(|report| report.tag.columns == model.id)
}

fn has_lookups(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let lookups = model.cached.iter().flat_map(|policy| &policy.lookups);
    for lookup in
        lookups.filter(|lookup| !row.is_projection && row.column(&lookup.column).is_none())
    {
        errors.push(missing_column(
            row,
            model,
            schema,
            &lookup.column,
            &schema.at(lookup.position),
        ));
    }
}

/// A column that the struct may leave out, but has under nearly the same name, is misspelt.
fn spells_columns(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let references = model.references.iter().flat_map(|reference| {
        reference
            .columns
            .iter()
            .map(|column| (column, schema.at(reference.position)))
    });
    let ignores = model
        .ignores
        .iter()
        .map(|column| (column, schema.at(model.position)));
    for (column, place) in references.chain(ignores) {
        let unclaimed = unclaimed(row, model, schema);
        if row.column(column).is_none() && suggest(column, unclaimed).is_some() {
            errors.push(missing_column(row, model, schema, column, &place));
        }
    }
}

/// The columns of the struct that the file says nothing of: one of them may be meant.
fn unclaimed<'a>(
    row: &'a Struct,
    model: &'a Model,
    schema: &'a Schema,
) -> impl Iterator<Item = &'a str> {
    let columns = row
        .fields
        .iter()
        .filter(|field| field.embedded(schema).is_none());
    let references = || {
        model
            .references
            .iter()
            .flat_map(|reference| &reference.columns)
    };
    columns
        .map(|field| field.column.as_str())
        .filter(move |name| {
            !model
                .id
                .iter()
                .chain(references())
                .any(|named| named == name)
        })
}

fn missing_column(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    column: &str,
    place: &str,
) -> Error {
    let help = match suggest(column, unclaimed(row, model, schema)) {
        Some(similar) => format!(
            "the struct has `{similar}`: correct {}, or write #[cached(column = \"{column}\")] on the field",
            schema.file()
        ),
        None => format!(
            "add the field, or write #[cached(column = \"{column}\")] on the field that holds it"
        ),
    };
    let message = format!(
        "`{}` has no field for column `{column}`: {place}\nhelp: {help}",
        row.ident
    );
    Error::new(row.ident.span(), message)
}

/// Every hop that leaves the model must be accounted for, or a change could not find the value.
fn accounts(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for hop in schema.hops_from(&model.name) {
        let goes_on = !schema.hops_from(&hop.to).is_empty();
        let by_column = match hop.direction {
            Direction::Reverse => true,
            Direction::Forward => row.columns(&hop.columns).is_some(),
        };
        if !(row.carries(&hop.to, schema) || by_column && !goes_on) {
            errors.push(unaccounted(row, model, schema, hop, goes_on));
        }
    }
}

fn unaccounted(row: &Struct, model: &Model, schema: &Schema, hop: &Hop, goes_on: bool) -> Error {
    let (to, columns) = (&hop.to, hop.columns.join("` and `"));
    let whole = pascal_case(to);
    let (edge, field) = match hop.direction {
        Direction::Forward => (
            format!("{}.{columns} → {to}", model.name),
            format!("{}: Option<{whole}>", snake_case(to)),
        ),
        Direction::Reverse => (
            format!("{} ← {to}.{columns}", model.name),
            format!("{}s: Vec<{whole}>", snake_case(to)),
        ),
    };
    let beyond = match goes_on {
        true => format!(", and what lies behind `{to}` is found by its rows"),
        false => String::new(),
    };
    let place = declared_at(schema, hop).unwrap_or_default();
    let mut help = format!("add a field that embeds them, such as `{field}`");
    if hop.direction == Direction::Forward && !goes_on {
        help = format!("add the field `{columns}`, or one that embeds the row, such as `{field}`");
    }
    let message = format!(
        "`{}` cannot account for its dependency on `{to}` ({edge}): it has no `{to}` rows{beyond}{place}\n\
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

/// A value that comes back from the store must still yield its tags: another value may embed it.
fn survives_serde(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let forward = schema
        .hops_from(&model.name)
        .into_iter()
        .filter(|hop| hop.direction == Direction::Forward);
    let mut needed: Vec<&String> = forward.flat_map(|hop| &hop.columns).collect();
    if needs_id(row, model, schema) {
        needed.extend(&model.id);
    }
    let is_needed =
        |field: &Field| needed.contains(&&field.column) || field.embedded(schema).is_some();
    for field in row
        .fields
        .iter()
        .filter(|field| field.serde_skip && is_needed(field))
    {
        let why = "serde skips this field, but a value read back from the store must still have it: \
                   its dependencies are found by it\nhelp: remove the `skip`";
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
        letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect::<String>()
    };
    name.split(['-', '_']).map(capital).collect()
}
