//! `[list.x]`: a struct for its key, and the function that reads it.

mod sql;

use cache_schema::{List, ListKey, Model, Schema, suggest};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Error, Ident};

use crate::ast::Struct;
use crate::cached::{policy, write_key};
use crate::check::pascal_case;
use crate::getters::{given, taken};
use crate::rows::{add_tag, at};

/// All lists of the struct's model.
pub(crate) fn expand(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    errors: &mut Vec<Error>,
) -> TokenStream {
    if row.is_projection {
        return TokenStream::new();
    }
    by_names_keys(row, model, schema, errors);
    has_no_fewer_conditions(row, model, schema, errors);
    let is_right = errors.is_empty();
    let lists = schema.lists_of(&model.name).filter_map(|list| {
        let parts = list.by.iter().map(|key| Part::new(row, list, key, schema));
        let parts: Result<Vec<Part>, Error> = parts.collect();
        match parts {
            Ok(parts) => Some(self::list(row, list, &parts, schema)),
            // A wrong attribute may be all that is missing.
            Err(_) if !is_right => None,
            Err(error) => {
                errors.push(error);
                None
            }
        }
    });
    lists.collect()
}

/// A column of the key.
struct Part {
    ident: Ident,
    ty: TokenStream,
    /// Stops the build where the type is not that of the id which the column holds.
    check: Option<TokenStream>,
}

impl Part {
    /// Its type is what `by` says, else that of its field, else of the id that it refers to.
    fn new(row: &Struct, list: &List, key: &ListKey, schema: &Schema) -> Result<Part, Error> {
        // A keyword is a column's name all the same.
        let ident = syn::parse_str(&key.column).ok().filter(|ident| ident != "from");
        let ident = ident.unwrap_or_else(|| format_ident!("{}_", key.column));
        let target = target(list, key, schema);
        let id = target.and_then(|target| id_of(row, target, schema));
        let by = row.by.iter().find(|by| by.column.value() == key.written);
        let field = row.column(&key.column).filter(|_| key.is_own);
        let (ty, check) = match (by, field, id) {
            (Some(by), _, id) => {
                let (ty, runtime) = (&by.ty, row.runtime_at(at(&by.ty)));
                let check = id.map(|id| {
                    quote_spanned! {at(ty)=>
                        #runtime::__private::assert_references::<#ty, #id>();
                    }
                });
                (ty.to_token_stream(), check)
            }
            (None, Some(field), _) => (field.not_null().to_token_stream(), None),
            (None, None, Some(id)) => (id, None),
            (None, None, None) => return Err(untyped(row, list, key, target, schema)),
        };
        Ok(Part { ident, ty, check })
    }
}

/// The model whose id the column holds.
fn target<'a>(list: &List, key: &ListKey, schema: &'a Schema) -> Option<&'a str> {
    let step = if key.is_own { list.listed() } else { &list.steps[0] };
    let model = schema.model(&step.model)?;
    let mut references = model.references.iter();
    let reference = references.find(|it| it.columns == [key.column.as_str()])?;
    Some(&reference.target)
}

/// The type of that id, if the struct holds such rows.
fn id_of(row: &Struct, target: &str, schema: &Schema) -> Option<TokenStream> {
    let held = match target == schema.rows_of(&row.model) {
        true => row.ident.to_token_stream(),
        false => {
            let mut embedded = row.embedded();
            let holds = |model: &str| schema.rows_of(model) == target;
            embedded.find(|(_, model)| holds(model))?.0.row().to_token_stream()
        }
    };
    let runtime = &row.runtime;
    Some(quote!(<#held as #runtime::Model>::Id))
}

fn untyped(
    row: &Struct,
    list: &List,
    key: &ListKey,
    target: Option<&str>,
    schema: &Schema,
) -> Error {
    let (name, written) = (&row.ident, &key.written);
    let references = schema.model(&row.model).into_iter().flat_map(|model| &model.references);
    let references = references.flat_map(|it| &it.columns).map(String::as_str);
    let fields = row.fields.iter().filter(|field| field.rows.is_none());
    let known = fields.map(|field| field.column.as_str()).chain(references);
    let similar = suggest(&key.column, known).filter(|it| key.is_own && *it != key.column);
    let help = match (similar, target) {
        (Some(similar), _) => format!("did you mean `{similar}`?"),
        (None, Some(target)) => format!(
            "write #[cached(by(\"{written}\": …))] on the struct, with the type of the id of `{target}`, which it holds"
        ),
        (None, None) => format!(
            "{}write #[cached(by(\"{written}\": String))] on the struct, with the type of that column",
            if key.is_own { format!("add a field `{}`; or ", key.column) } else { String::new() }
        ),
    };
    let why = format!(
        "`{name}` does not say of which type `{written}` is, the key of the list `{}`\n{}\nhelp: {help}",
        list.name,
        schema.at(key.position),
    );
    Error::new(row.ident.span(), why)
}

/// `by` is for what is a key.
fn by_names_keys(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let keys = || schema.lists_of(&model.name).flat_map(|list| &list.by);
    for by in &row.by {
        let written = by.column.value();
        if keys().any(|key| key.written == written) {
            continue;
        }
        let help = match suggest(&written, keys().map(|key| key.written.as_str())) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => {
                format!("it says the type of what stands in `by` of a list of `{}`", model.name)
            }
        };
        let why = format!("no list of `{}` is by `{written}`\nhelp: {help}", model.name);
        errors.push(Error::new(by.column.span(), why));
    }
}

/// `plios_of_user`; a keyword is a name all the same.
fn function_name(list: &List) -> Ident {
    let name = list.name.replace('-', "_");
    syn::parse_str(&name).unwrap_or_else(|_| format_ident!("{name}_"))
}

/// What the struct leaves out has no value: its id in a list would make a page shorter than it is
/// said to be, and a count too large.
fn has_no_fewer_conditions(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    for condition in &row.filter {
        for list in schema.lists_of(&model.name) {
            if list.conditions.contains(&condition.is) {
                continue;
            }
            let (name, column) = (&row.ident, &condition.is.column);
            let why = format!(
                "`{name}` leaves rows out that the list `{}` has\n{}\n\
                 help: add it to the list: where = {{ {column} = {} }}",
                list.name,
                schema.at(list.position),
                condition.is.constant,
            );
            errors.push(Error::new(condition.span, why));
        }
    }
}

/// The struct of its key: `PlioPliosOfUser`.
pub(crate) fn key_name(row: &Struct, list: &List) -> Ident {
    format_ident!("{}{}", row.ident, pascal_case(&list.name))
}

fn list(row: &Struct, list: &List, parts: &[Part], schema: &Schema) -> TokenStream {
    let Struct { ident, vis, runtime, .. } = row;
    let name = key_name(row, list);
    let function = function_name(list);
    let columns = parts.iter().map(|Part { ident, ty, .. }| quote!(#ident: #ty));
    let parameters = parts.iter().map(|Part { ident, ty, .. }| {
        let ty = taken(ty);
        quote!(#ident: #ty)
    });
    let values = parts.iter().map(|Part { ident, ty, .. }| {
        let value = given(ty, &ident.to_token_stream());
        quote!(#ident: #value)
    });
    let by: Vec<String> = list.by.iter().map(|key| format!("`{}`", key.written)).collect();
    let order: Vec<String> = list.order.iter().map(|order| format!("`{order}`")).collect();
    let doc = match &by[..] {
        [] => format!("All rows that are in `{}`, ordered by {}.", list.name, order.join(", ")),
        by => format!(
            "`{}`: the rows with this {}, ordered by {}.",
            list.name,
            by.join(", "),
            order.join(", ")
        ),
    };
    let struct_doc = format!("The list `{}`, with its key.", list.name);
    let list = list_impl(row, list, parts, schema, &name);
    let checks: Vec<&TokenStream> = parts.iter().filter_map(|part| part.check.as_ref()).collect();
    let checks = (!checks.is_empty()).then(|| quote!(const _: () = { #(#checks)* };));
    quote! {
        #[doc = #struct_doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
        #vis struct #name { #(#columns),* }
        #list
        #checks
        #[allow(dead_code)]
        impl #ident {
            #[doc = #doc]
            #vis fn #function<R: #runtime::Reader>(from: R, #(#parameters),*) -> #runtime::Listing<R, #name> {
                #runtime::__private::listing(from, #name { #(#values),* })
            }
        }
    }
}

fn list_impl(
    row: &Struct,
    list: &List,
    parts: &[Part],
    schema: &Schema,
    name: &Ident,
) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let idents: Vec<&Ident> = parts.iter().map(|part| &part.ident).collect();
    let types = parts.iter().map(|part| &part.ty);
    let clones = idents.iter().map(|ident| quote!(::core::clone::Clone::clone(&self.#ident)));
    let (key, key_value) = match parts {
        [_] | [] => {
            let key = if parts.is_empty() { quote!(()) } else { quote!(#(#types)*) };
            (key, quote!(#(#clones)*))
        }
        _ => (quote!((#(#types),*)), quote!((#(#clones),*))),
    };
    let of_column = |column: &str| {
        let at = list.by.iter().position(|key| key.column == column).unwrap_or_default();
        let ident = idents[at];
        quote!(&self.#ident)
    };
    let segments = list.policy.key.segments();
    let writes = write_key(runtime, &schema.settings.prefix, segments, &of_column);
    let first = list.tag(&list.steps[0]);
    let of_tag: Vec<TokenStream> = first.columns.iter().map(|it| of_column(it)).collect();
    let tag = add_tag(runtime, &first.model, &first.columns, &of_tag);
    let number = schema.models().count()
        + schema.lists().position(|it| it.name == list.name).unwrap_or_default();
    let policy = policy(runtime, &list.policy, number);
    let (text, limit) = (&list.name, list.limit);
    let (sql, shape) = (sql::of(runtime, list, schema), sql::shape(list));
    quote! {
        #[automatically_derived]
        impl #runtime::List for #name {
            type Of = #ident;
            type Key = #key;
            const NAME: &'static str = #text;
            const POLICY: #runtime::__private::Policy = #policy;
            const SHAPE: u64 = #shape;
            const LIMIT: usize = #limit;
            const SQL: #runtime::__private::ListSql = #sql;
            fn key(&self) -> Self::Key {
                #key_value
            }
            fn write_key(&self, key: &mut #runtime::__private::KeyWriter) {
                #writes
            }
            fn tag(&self, tags: &mut #runtime::Tags) {
                #tag
            }
        }
    }
}
