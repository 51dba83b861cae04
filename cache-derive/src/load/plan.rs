//! What each field of a struct is to a loader: a column, rows, a number of rows.

use cache_schema::{Direction, Hop, Model, Schema};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Error, Ident, Index, LitStr, Type};

use super::column;
use super::hold::{hold, hold_values, is_list, itself, shared};
use super::registered::{self, Reading, of_rows_only};
use super::sql::{self, End};
use super::way::{leads_to_one, way};
use crate::ast::{Field, Struct, arc_of};
use crate::rows::at;

/// How the rows of a struct are read, and put together.
pub(super) struct Plan<'a> {
    row: &'a Struct,
    model: &'a Model,
    schema: &'a Schema,
    /// The path of what the runtime has for generated code.
    pub(super) private: TokenStream,
    /// What is selected of a row, in order.
    pub(super) selected: Vec<Selected>,
    /// How many columns that is.
    width: usize,
    pub(super) joins: String,
    /// The ways that these go.
    joined: Vec<Vec<Hop>>,
    /// The futures of the parts, in order; each ends in a list for each row.
    pub(super) reads: Vec<TokenStream>,
    /// The type of the row's id, and an expression for it: what parts are found by.
    pub(super) key: Option<(TokenStream, TokenStream)>,
    pub(super) fields: Vec<(&'a Field, Kind)>,
    /// What notes the cached values in it: of the row, of the parts.
    pub(super) noted: [Vec<TokenStream>; 2],
    /// Which parts those are.
    pub(super) noted_parts: Vec<usize>,
    /// Whether what was found through the cache is asked for.
    pub(super) finds: bool,
    pub(super) bounds: Vec<TokenStream>,
}

/// Something that is selected.
pub(super) struct Selected {
    sql: String,
    /// An expression that reads it from `row`.
    pub(super) get: TokenStream,
    /// A statement that expects it.
    pub(super) expect: TokenStream,
}

/// What is in a field.
pub(super) enum Kind {
    /// What was selected.
    Column(usize),
    /// Nothing that is loaded.
    Default,
    /// How many rows there are, in this part.
    Count { part: Ident, ty: TokenStream },
    /// Rows, from this iterator, in what holds them.
    Held { rows: TokenStream, held: TokenStream },
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        row: &'a Struct,
        model: &'a Model,
        schema: &'a Schema,
        errors: &mut Vec<Error>,
    ) -> Plan<'a> {
        let runtime = &row.runtime;
        let mut plan = Plan {
            row,
            model,
            schema,
            private: quote!(#runtime::__private),
            selected: Vec::new(),
            width: 0,
            // Wherever its rows are read, they are those that it is for.
            joins: sql::filter(&row.filter, "AND"),
            joined: Vec::new(),
            reads: Vec::new(),
            key: None,
            fields: Vec::new(),
            noted: [Vec::new(), Vec::new()],
            noted_parts: Vec::new(),
            finds: false,
            bounds: Vec::new(),
        };
        let private = &plan.private;
        plan.bounds.push(quote!(i64: #private::Value<__DB>));
        errors.extend(registered::is_filter_watched(schema, &row.filter, &model.name).err());
        for field in &row.fields {
            match plan.field(field) {
                Ok(kind) => plan.fields.push((field, kind)),
                Err(error) => errors.push(error),
            }
        }
        if !plan.reads.is_empty() {
            match plan.own_id() {
                Ok(key) => plan.key = Some(key),
                Err(error) => errors.push(error),
            }
        }
        plan
    }

    /// What is selected, as text.
    pub(super) fn columns(&self) -> String {
        let all: Vec<&str> = self.selected.iter().map(|it| it.sql.as_str()).collect();
        match all.is_empty() {
            // A row without a column is a row nevertheless.
            true => "1".to_owned(),
            false => all.join(", "),
        }
    }

    fn field(&mut self, field: &'a Field) -> Result<Kind, Error> {
        let found = &field.found;
        if field.sqlx.flattens {
            let why = "a loader that writes itself does not flatten: columns of other rows are `#[cached(from = \"model.column\")]`";
            return Err(Error::new(field.ident.span(), why));
        }
        if let Some(count) = &found.count {
            return self.count(field, count);
        }
        if let Some(from) = &found.from {
            return self.from(field, from);
        }
        if let Some(to) = &field.rows {
            return self.rows(field, to);
        }
        if let Some(order_by) = &found.order_by {
            return Err(of_rows_only(order_by.span(), "order_by"));
        }
        if let Some(condition) = found.filter.first() {
            return Err(of_rows_only(condition.span, "filter"));
        }
        if field.sqlx.skips {
            registered::is_no_known_column(self.schema, self.model, field)?;
            return Ok(Kind::Default);
        }
        let column = format!("t.{}", sql::quoted(&field.column));
        let name = format!("{}.{}", self.model.name, field.column);
        Ok(Kind::Column(self.select(field, column, &name)))
    }

    /// Selects a column for a field; returns its place in the row.
    fn select(&mut self, field: &Field, sql: String, name: &str) -> usize {
        let (private, column) = (&self.private, self.width + 1);
        let (held, get) = column::of_field(field, private, column, name);
        let at = at(&field.ty);
        let expect = quote!(#private::expect::<__DB, #held>(#name, &mut columns););
        self.bounds.push(quote_spanned!(at=> #held: #private::Value<__DB>));
        self.push(Selected { sql, get, expect }, 1)
    }

    fn push(&mut self, selected: Selected, width: usize) -> usize {
        self.width += width;
        self.selected.push(selected);
        self.selected.len() - 1
    }

    /// The row's own id, cloned.
    fn own_id(&mut self) -> Result<(TokenStream, TokenStream), Error> {
        let Some(fields) = self.row.columns(&self.model.id) else {
            let why = format!(
                "`{}` has no field for the id of `{}`, by which the rows that it embeds are found\nhelp: add it",
                self.row.ident, self.model.name
            );
            return Err(Error::new(self.row.ident.span(), why));
        };
        let private = &self.private;
        let clones = fields.iter().filter_map(|field| {
            let (_, kind) = self.fields.iter().find(|(it, _)| it.ident == field.ident)?;
            let Kind::Column(at) = kind else {
                return None;
            };
            let at = Index::from(*at);
            Some(quote!(::core::clone::Clone::clone(&row.#at)))
        });
        let clones: Vec<TokenStream> = clones.collect();
        let types: Vec<TokenStream> = fields.iter().map(|it| it.ty.to_token_stream()).collect();
        let (ty, key) = match (&types[..], &clones[..]) {
            ([ty], [clone]) => (ty.clone(), clone.clone()),
            _ => (quote!((#(#types),*)), quote!((#(#clones),*))),
        };
        self.bounds.push(quote!(#ty: #private::Key<__DB>));
        Ok((ty, key))
    }

    /// A column of other rows: of the one that this refers to, or of all that are found by it.
    fn from(&mut self, field: &'a Field, from: &LitStr) -> Result<Kind, Error> {
        let text = from.value();
        let Some((to, column)) = text.split_once('.') else {
            let why =
                "expected a model and its column, such as #[cached(from = \"organization.name\")]";
            return Err(Error::new(from.span(), why));
        };
        let way = self.way(field, to, from)?;
        self.reading(field, to, &way, from.span()).of_columns(false)?;
        registered::is_column_watched(self.schema, to, column, from)?;
        let name = format!("{to}.{column}");
        if leads_to_one(&way) {
            if let Some(condition) = field.found.filter.first() {
                return Err(of_rows_only(condition.span, "filter"));
            }
            let column = format!("{}.{}", self.joined(&way), sql::quoted(column));
            return Ok(Kind::Column(self.select(field, column, &name)));
        }
        let (inner, held) = hold_values(&field.ty)?;
        let end = self.end(field, &way, to)?;
        let private = self.private.clone();
        let read = column::read_as(inner, &private);
        self.bounds.push(quote!(#inner: #private::Value<__DB>));
        let along = sql::along(self.schema, self.model, &way);
        let filter = sql::filter(&field.found.filter, "WHERE");
        let column = format!("t.{}", sql::quoted(column));
        let sql = end.of(&column, &format!("{along}{filter}"));
        let read = quote!(reading.values::<#inner, _>(#sql, #name, #read, keys()));
        let part = self.read(read, false);
        Ok(Kind::Held { rows: quote!(#private::Held::of(#part)), held })
    }

    /// The alias of the row at the end of the way, which is joined once.
    fn joined(&mut self, way: &[Hop]) -> String {
        let known = self.joined.iter().position(|it| it == way);
        let at = known.unwrap_or(self.joined.len());
        let alias = format!("f{}", at + 1);
        if known.is_none() {
            self.joins += &sql::join(self.schema, way, &alias);
            self.joined.push(way.to_vec());
        }
        alias
    }

    fn count(&mut self, field: &'a Field, count: &LitStr) -> Result<Kind, Error> {
        let to = count.value();
        let way = self.way(field, &to, count)?;
        if leads_to_one(&way) {
            let why = format!(
                "no `{to}` refers to `{}`: there is at most one\nhelp: count rows that refer to it",
                self.model.name
            );
            return Err(Error::new(count.span(), why));
        }
        if let Some(order_by) = &field.found.order_by {
            return Err(Error::new(order_by.span(), "a number of rows has no order"));
        }
        registered::is_filter_watched(self.schema, &field.found.filter, &to)?;
        self.reading(field, &to, &way, count.span()).of_columns(true)?;
        let along = sql::along(self.schema, self.model, &way);
        let filter = sql::filter(&field.found.filter, "WHERE");
        let sql = format!("SELECT k.n, count(*) {along}{filter} GROUP BY k.n");
        let name = format!("count of {to}");
        let private = &self.private;
        let get = quote!(<i64 as #private::Value<__DB>>::get);
        let numbers = ["i32", "i64", "u32", "u64", "usize"];
        let ty = field.ty.to_token_stream().to_string();
        if !numbers.contains(&ty.as_str()) {
            let why = format!("a number of rows is an `i64`, or one of `{}`", numbers.join("`, `"));
            return Err(Error::new_spanned(&field.ty, why));
        }
        let part = self.read(quote!(reading.values::<i64, _>(#sql, #name, #get, keys())), false);
        Ok(Kind::Count { part, ty: field.ty.to_token_stream() })
    }

    fn rows(&mut self, field: &'a Field, to: &str) -> Result<Kind, Error> {
        if self.row.is_of_itself(field) {
            let why = "a value that embeds its own type is loaded by hand: how deep would it go?\n\
                       help: implement `Load`, and remove `load`";
            return Err(Error::new(field.ident.span(), why));
        }
        let at_field = LitStr::new(to, field.ident.span());
        let way = self.way(field, to, field.embeds.as_ref().unwrap_or(&at_field))?;
        self.reading(field, to, &way, field.ident.span()).of_rows()?;
        let is_cached = self.schema.model(to).is_some_and(|it| it.cached.is_some());
        if let Some(inner) = arc_of(&field.ty).filter(|_| is_cached) {
            return self.cached(field, &way, to, inner);
        }
        let inner = field.row();
        let held = hold(&field.ty, itself)?;
        let end = self.end(field, &way, to)?;
        let (private, at) = (self.private.clone(), at(&field.ty));
        self.bounds.push(quote_spanned!(at=> #inner: #private::Part<__DB, __Db>));
        let along = sql::along(self.schema, self.model, &way);
        let filter = sql::filter(&field.found.filter, "WHERE");
        let sql = end.of("{columns}", &format!("{along}{{joins}}{filter}"));
        let part = self.read(quote!(reading.rows::<#inner, __Db, _>(#sql, keys())), true);
        self.noted[1].push(quote!(#private::want(#part, wanted);));
        self.finds = true;
        Ok(Kind::Held { rows: quote!(#private::finished(#part, found)), held })
    }

    /// Values that are cached themselves.
    fn cached(
        &mut self,
        field: &'a Field,
        way: &[Hop],
        to: &str,
        inner: &Type,
    ) -> Result<Kind, Error> {
        let held = hold(&field.ty, shared)?;
        let (runtime, at) = (&self.row.runtime, at(&field.ty));
        let private = self.private.clone();
        let id = quote!(<#inner as #runtime::Model>::Id);
        self.bounds.push(quote_spanned!(at=> #inner: #runtime::Load<__Db>));
        self.bounds.push(quote!(#id: #private::Key<__DB>));
        self.finds = true;
        let name = format!("id of {to}");
        if let [Hop { direction: Direction::Forward, columns: columns_of, .. }] = way
            && field.found.filter.is_empty()
        {
            let columns = sql::of_alias("t", columns_of);
            let column = self.width + 1;
            let get = quote!(<#id as #private::Key<__DB>>::get(row, #column, #name)?);
            let expect = quote!(#private::expect_key::<__DB, #id>(#name, &mut columns););
            let selected = Selected { sql: columns.join(", "), get, expect };
            let place = self.push(selected, columns.len());
            let place = Index::from(place);
            self.noted[0].push(quote!(wanted.add::<#inner>(&row.#place);));
            // What it refers to, the struct says by its column.
            let rows = match self.row.columns(columns_of).is_some() {
                true => quote!(found.held_if_there::<#inner, __Db>(row.#place)),
                false => quote!(found.held::<#inner, __Db>(row.#place)),
            };
            return Ok(Kind::Held { rows, held });
        }
        let end = self.end(field, way, to)?;
        let along = sql::along(self.schema, self.model, way);
        let filter = sql::filter(&field.found.filter, "WHERE");
        let ids = self.schema.model(to).map(|model| &model.id[..]).unwrap_or_default();
        let sql = end.of(&sql::of_alias("t", ids).join(", "), &format!("{along}{filter}"));
        let part = self.read(quote!(reading.keys::<#id, _>(#sql, #name, keys())), true);
        self.noted[1].push(quote!(wanted.add::<#inner>(#part);));
        Ok(Kind::Held { rows: quote!(found.held::<#inner, __Db>(#part)), held })
    }

    fn reading<'b>(
        &'b self,
        field: &'b Field,
        to: &'b str,
        way: &'b [Hop],
        span: Span,
    ) -> Reading<'b> {
        let (row, model, schema) = (self.row, self.model, self.schema);
        Reading { row, model, schema, field, to, way, span }
    }

    fn way(&self, field: &Field, to: &str, written: &LitStr) -> Result<Vec<Hop>, Error> {
        way(self.schema, self.model, field, to).map_err(|why| Error::new(written.span(), why))
    }

    /// Reads a part; returns its name, and knows whether cached values are noted of it.
    fn read(&mut self, read: TokenStream, is_noted: bool) -> Ident {
        let n = self.reads.len();
        self.reads.push(read);
        self.noted_parts.extend(is_noted.then_some(n));
        format_ident!("part_{n}")
    }

    /// How many rows a statement answers for each key, and in which order.
    fn end(&self, field: &Field, way: &[Hop], to: &str) -> Result<End, Error> {
        let (schema, order_by) = (self.schema, &field.found.order_by);
        registered::is_filter_watched(schema, &field.found.filter, to)?;
        let order = sql::order(order_by.as_ref())?;
        registered::is_order_watched(schema, &order, order_by.as_ref(), to)?;
        if leads_to_one(way) {
            if let Some(order_by) = order_by {
                return Err(Error::new(
                    order_by.span(),
                    format!("there is one `{to}`, and no order"),
                ));
            }
            if is_list(&field.ty, itself) {
                let why = format!("there is at most one `{to}`: write `Option<…>`");
                return Err(Error::new_spanned(&field.ty, why));
            }
            return Ok(End::One);
        }
        let end = self.schema.model(self.schema.rows_of(to));
        let order = end.map(|model| sql::ordered_by_id(&order, model)).unwrap_or_default();
        Ok(match is_list(&field.ty, itself) {
            true => End::All(order),
            false => End::First(order),
        })
    }
}
