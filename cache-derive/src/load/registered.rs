//! Whether a change of what a field is loaded from reaches the value: each step of the way to it
//! has to be one that the value registers.

use cache_schema::{Change, Direction, Hop, Model, Schema};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, LitStr};

use super::hold::{is_list, itself};
use super::way::{leads_to_one, way};
use crate::accounts;
use crate::ast::{Field, Struct};
use crate::attr::Condition;
use crate::rows::at;

/// A field that is loaded from other rows.
pub(super) struct Reading<'a> {
    pub(super) row: &'a Struct,
    pub(super) model: &'a Model,
    pub(super) schema: &'a Schema,
    pub(super) field: &'a Field,
    /// The model at the end of the way, as it is written.
    pub(super) to: &'a str,
    pub(super) way: &'a [Hop],
    /// Where it is written.
    pub(super) span: Span,
}

impl Reading<'_> {
    /// Rows that are embedded: they say what lies behind them.
    pub(super) fn of_rows(&self) -> Result<(), Error> {
        self.is_declared(true)?;
        self.filtered_row_is_known()?;
        if self.way.len() == 1 {
            return Ok(());
        }
        if self.is_first_of_several() {
            return Err(self.error(format!(
                "of several `{to}` this holds the first, and a change of the others, which may make one of them the first, would not be reported\n\
                 help: hold all of them, in a `Vec`",
                to = self.to
            )));
        }
        self.are_registered()
    }

    fn is_first_of_several(&self) -> bool {
        !leads_to_one(self.way) && !is_list(&self.field.ty, itself)
    }

    /// A column of rows, or their number.
    pub(super) fn of_columns(&self, counts: bool) -> Result<(), Error> {
        let filters = !self.field.found.filter.is_empty();
        self.is_declared(!counts || filters)?;
        self.are_registered()
    }

    /// The way is one that `depends-on` has; and, where more counts of the rows at its end than
    /// which they are, it ends there.
    fn is_declared(&self, by_row: bool) -> Result<(), Error> {
        let Reading { row, model, schema, to, .. } = self;
        let wanted = accounts::own(row, model, schema);
        let all = schema.hops();
        let is_known = |hop: &Hop| match row.load.is_some() {
            true => wanted.iter().any(|it| it.hop == hop),
            false => all.contains(&hop),
        };
        let (name, file) = (&model.name, schema.file());
        if let Some(hop) = self.way.iter().find(|hop| !is_known(hop)) {
            let step = accounts::name(hop);
            return Err(self.error(format!(
                "`{name}` does not depend on `{to}` in this way ({step}): a change would not be reported\n\
                 help: put `{to}` into its `depends-on` in {file}, or say `via` there if it goes another way"
            )));
        }
        let Some(last) = self.way.last().filter(|_| by_row) else {
            return Ok(());
        };
        let reports = schema.reports(&last.to);
        let tag = last.tag(schema);
        let is_reported = |it: &cache_schema::Report| it.tag == tag && it.on == Change::Row;
        match reports.iter().any(is_reported) {
            true => Ok(()),
            false => Err(self.error(format!(
                "`{name}` only passes through `{to}`: a change of its other columns would not be reported\n\
                 help: put `{to}` into its `depends-on` in {file}"
            ))),
        }
    }

    /// While a row that this one refers to is left out, only the column that refers to it tells
    /// when it comes back.
    fn filtered_row_is_known(&self) -> Result<(), Error> {
        let [.., last] = self.way else {
            return Ok(());
        };
        if last.direction == Direction::Reverse || self.field.found.filter.is_empty() {
            return Ok(());
        }
        match is_held(self.row, self.way) {
            true => Ok(()),
            false => Err(self.error(why_not_filtered(self.row, self.field, last))),
        }
    }

    /// Whether each step yields a tag.
    fn are_registered(&self) -> Result<(), Error> {
        let mut steps = self.way.iter().enumerate();
        steps.try_for_each(|(at, hop)| self.is_registered(at, hop))
    }

    /// Whether the step yields a tag: by a column of the struct, or by rows that it holds, all of
    /// them.
    fn is_registered(&self, at: usize, hop: &Hop) -> Result<(), Error> {
        let Reading { row, .. } = self;
        let before = &self.way[..at];
        let own = match hop.direction {
            Direction::Forward => row.columns(&hop.columns).is_some(),
            Direction::Reverse => true,
        };
        let is_said = row.hooks(&hop.to)
            || (at == 0 && own)
            || (at > 0 && self.holds(before))
            || (hop.direction == Direction::Forward && self.holds(&self.way[..=at]));
        if is_said {
            return Ok(());
        }
        let (to, rows, field) = (&hop.to, &hop.from, accounts::field(hop));
        let help = match (at, before.last()) {
            (0, _) => {
                let columns = hop.columns.join("` and `");
                format!("add `{columns}`, or `{field}`")
            }
            (_, Some(before)) => format!("add `{}`, without a filter", accounts::field(before)),
            (_, None) => format!("add `{field}`"),
        };
        Err(self.error(format!(
            "the struct does not hold all `{rows}` rows by which this finds `{to}`: a change there would not be reported\n\
             help: {help};\n      \
             or name `{to}` in #[cached(dependencies(\"{to}\"))], and add its tags in the hook"
        )))
    }

    /// Whether some field holds all rows at the end of this way.
    fn holds(&self, way: &[Hop]) -> bool {
        let Reading { row, model, schema, .. } = self;
        let one = leads_to_one(way);
        row.embedded().any(|(field, to)| {
            let is_whole = field.found.filter.is_empty() && (one || is_list(&field.ty, itself));
            is_whole && self::way(schema, model, field, to).is_ok_and(|it| it == way)
        })
    }

    fn error(&self, why: String) -> Error {
        Error::new(self.span, why)
    }
}

/// Whether this is one step, by columns that the struct has.
fn is_held(row: &Struct, way: &[Hop]) -> bool {
    matches!(way, [hop] if row.columns(&hop.columns).is_some())
}

fn why_not_filtered(row: &Struct, field: &Field, hop: &Hop) -> String {
    format!(
        "while the `{}` row of `{}` is left out by a filter, nothing in `{}` tells when it comes back\n\
         help: hold `{}` in the struct, or do not filter",
        hop.to,
        field.ident,
        row.ident,
        hop.columns.join("` and `")
    )
}

fn why_not_all(row: &Struct, field: &Field, hop: &Hop) -> String {
    format!(
        "`{}` finds other rows by the `{}` rows of `{}`, some of which a filter leaves out: a change there would not be reported\n\
         help: do not filter them in that struct",
        row.ident, hop.to, field.ident
    )
}

/// Whether other rows are found by those at the end of this way.
fn is_on_a_way(row: &Struct, model: &Model, schema: &Schema, before: &[Hop]) -> bool {
    let mut ways = ways(row, model, schema);
    ways.any(|way| way.len() > before.len() && way.starts_with(before))
}

/// What is to be asked of the embedded structs: whether they are whole, where that is needed, and
/// whether they read only what the value depends on.
pub(crate) fn assertions(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let wanted = accounts::own(row, model, schema);
    let known: Vec<String> = wanted.iter().map(|it| accounts::name(it.hop)).collect();
    let mut all = Vec::new();
    for (field, to) in row.embedded().filter(|(field, _)| !row.is_of_itself(field)) {
        let Ok(way) = way(schema, model, field, to) else {
            continue;
        };
        let (ty, at) = (&field.ty, at(&field.ty));
        let runtime = row.runtime_at(at);
        let Some(last) = way.last() else {
            continue;
        };
        let tells =
            last.direction == Direction::Forward && !is_held(row, &way) && !row.hooks(&last.to);
        let why = match tells {
            true => Some(why_not_filtered(row, field, last)),
            false => is_on_a_way(row, model, schema, &way).then(|| why_not_all(row, field, last)),
        };
        all.extend(why.map(|why| {
            quote_spanned! {at=>
                if <#ty as #runtime::Rows>::LACKS.filtered {
                    ::core::panic!(#why);
                }
            }
        }));
        if tells {
            let why = format!(
                "the `{}` rows in `{}` have no id: a change of one would not reach the value\nhelp: add the id to that struct",
                last.to, field.ident
            );
            all.push(quote_spanned! {at=>
                if <#ty as #runtime::Rows>::LACKS.id {
                    ::core::panic!(#why);
                }
            });
        }
        if row.load.is_some() {
            all.push(quote_spanned! {at=>
                if let ::core::option::Option::Some(why) = <#ty as #runtime::Rows>::LACKS.reads_beyond(&[#(#known),*]) {
                    ::core::panic!("{}", why);
                }
            });
        }
    }
    all
}

/// The steps that the struct's fields are read over, each with what to say to a value that does not
/// depend on it.
pub(crate) fn reads(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let runtime = &row.runtime;
    let mut hops: Vec<Hop> = Vec::new();
    for hop in ways(row, model, schema).flatten() {
        if !hops.contains(&hop) {
            hops.push(hop);
        }
    }
    let reads = hops.iter().map(|hop| {
        let name = accounts::name(hop);
        let why = format!(
            "`{}` in this reads `{}` rows ({name}), which the value does not depend on: a change would not be reported\n\
             help: put `{}` into the `depends-on` of the value in {}",
            row.ident,
            hop.to,
            hop.to,
            schema.file()
        );
        quote!(#runtime::__private::Read { hop: #name, why: #why })
    });
    reads.collect()
}

/// The ways to the other rows that the fields are read from.
fn ways(row: &Struct, model: &Model, schema: &Schema) -> impl Iterator<Item = Vec<Hop>> {
    let fields = row.fields.iter().filter_map(|field| Some((field, read_from(field)?)));
    fields.filter_map(|(field, to)| way(schema, model, field, &to).ok())
}

/// The model of the rows that a field is read from, if it is not the struct's own.
fn read_from(field: &Field) -> Option<String> {
    let found = &field.found;
    let from = found.from.as_ref().map(|from| from.value());
    let from = from.and_then(|from| from.split_once('.').map(|(model, _)| model.to_owned()));
    from.or_else(|| found.count.as_ref().map(|count| count.value())).or_else(|| field.rows.clone())
}

/// Columns of a filter count: their changes must not be ignored.
pub(super) fn is_filter_watched(
    schema: &Schema,
    filter: &[Condition],
    to: &str,
) -> Result<(), Error> {
    match filter.iter().find(|it| is_ignored(schema, to, &it.is.column)) {
        None => Ok(()),
        Some(it) => Err(unwatched(it.span, &it.is.column, to, "filter")),
    }
}

/// So do those of an order.
pub(super) fn is_order_watched(
    schema: &Schema,
    order: &[(String, bool)],
    written: Option<&LitStr>,
    to: &str,
) -> Result<(), Error> {
    let ignored = order.iter().find(|(column, _)| is_ignored(schema, to, column));
    match ignored.zip(written) {
        None => Ok(()),
        Some(((column, _), written)) => Err(unwatched(written.span(), column, to, "order")),
    }
}

fn is_ignored(schema: &Schema, model: &str, column: &str) -> bool {
    let ignores = schema.model(model).map(|model| &model.ignores[..]).unwrap_or_default();
    ignores.iter().any(|it| it == column)
}

fn unwatched(at: Span, column: &str, model: &str, does: &str) -> Error {
    let why = format!(
        "`{column}` is in the `ignores` of `{model}`: its change would not be reported, and the value be old\n\
         help: remove it there, or do not {does} by it"
    );
    Error::new(at, why)
}

/// Some attributes say which of several rows.
pub(super) fn of_rows_only(at: Span, name: &str) -> Error {
    Error::new(at, format!("`{name}` is for fields that hold rows which refer to this one"))
}

/// A column that is read from other rows counts, too.
pub(super) fn is_column_watched(
    schema: &Schema,
    to: &str,
    column: &str,
    written: &LitStr,
) -> Result<(), Error> {
    match is_ignored(schema, to, column) {
        false => Ok(()),
        true => Err(unwatched(written.span(), column, to, "read")),
    }
}

/// What is not read from the row says nothing of it.
pub(super) fn is_no_known_column(
    schema: &Schema,
    model: &Model,
    field: &Field,
) -> Result<(), Error> {
    let column = &field.column;
    let mut references = model.references.iter().flat_map(|it| &it.columns);
    let is_known = model.id.contains(column)
        || references.any(|it| it == column)
        || schema.lookups(&model.name).contains(column);
    match is_known {
        false => Ok(()),
        true => Err(Error::new(
            field.ident.span(),
            format!(
                "`{column}` is skipped, and is a column by which changes are found\nhelp: remove the `skip`"
            ),
        )),
    }
}
