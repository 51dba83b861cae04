//! `#[cached(load)]`: how a value is loaded by what it declares.

mod column;
mod hold;
mod plan;
pub(crate) mod registered;
pub(crate) mod sql;
pub(crate) mod way;

use cache_schema::{Model, Policy, Schema};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Ident, Index};

use self::plan::{Kind, Plan};
use crate::ast::Struct;
use crate::cached::{id_type, lookup_ident};
use crate::check::variant;
use crate::list::key_name;

/// What every struct has, so that a value can embed it; and what a value with `load` has. What
/// stands in the way is an error only where `load` asks for it.
pub(crate) fn expand(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    errors: &mut Vec<Error>,
) -> TokenStream {
    let mut found = Vec::new();
    let plan = Plan::new(row, model, schema, &mut found);
    let whole = match (row.load, model.cached.as_ref().filter(|_| !row.is_projection)) {
        (Some(at), None) => {
            found.push(not_a_value(row, model, at));
            TokenStream::new()
        }
        (Some(_), Some(policy)) => whole(row, model, policy, schema, &plan),
        (None, _) => TokenStream::new(),
    };
    if !found.is_empty() {
        if row.load.is_some() {
            errors.extend(found);
        }
        return TokenStream::new();
    }
    let (runtime, part) = (&row.runtime, part(row, &plan));
    quote!(#runtime::__private::parts! { #part #whole })
}

fn not_a_value(row: &Struct, model: &Model, at: Span) -> Error {
    let why = match row.is_projection {
        true => "a projection is loaded with what embeds it",
        false => "it has no `key`: it is loaded with what embeds it",
    };
    let help = "remove `load`, which is for values";
    Error::new(at, format!("`{}` is no value of `{}`: {why}\nhelp: {help}", row.ident, model.name))
}

/// `impl Part`
fn part(row: &Struct, plan: &Plan<'_>) -> TokenStream {
    let (ident, runtime, private) = (&row.ident, &row.runtime, &plan.private);
    let (columns, joins, bounds) = (plan.columns(), &plan.joins, &plan.bounds);
    let reading = used("reading", !plan.reads.is_empty());
    let drafts = drafts(plan);
    let expects = plan.selected.iter().map(|it| &it.expect);
    let expects = match plan.selected.is_empty() {
        true => quote!(::std::vec::Vec::new()),
        false => quote! {
            let mut columns = ::std::vec::Vec::new();
            #(#expects)*
            columns
        },
    };
    quote! {
        #[automatically_derived]
        impl<__DB, __Db> #private::Part<__DB, __Db> for #ident
        where
            __DB: #runtime::LoadDatabase,
            __Db: ::core::marker::Send + ::core::marker::Sync + 'static,
            #(#bounds,)*
        {
            const COLUMNS: &'static str = #columns;
            const JOINS: &'static str = #joins;
            fn expects() -> ::std::vec::Vec<#private::Expected<__DB>> {
                #expects
            }
            async fn drafts(
                #reading: &mut #private::Reading<'_, __DB>,
                rows: &[__DB::Row],
            ) -> ::core::result::Result<#private::Drafts<Self, __Db>, #private::sqlx::Error> {
                #drafts
            }
        }
    }
}

/// A name, which is not warned of where it is not used.
fn used(name: &str, is_used: bool) -> Ident {
    match is_used {
        true => format_ident!("{name}"),
        false => format_ident!("_{name}"),
    }
}

/// The columns of the rows, the parts of each, and how they are put together.
fn drafts(plan: &Plan<'_>) -> TokenStream {
    let private = &plan.private;
    let gets = plan.selected.iter().map(|it| &it.get);
    let keys = plan.key.as_ref().map(|(ty, key)| {
        quote! {
            let keys = || -> ::std::vec::Vec<#ty> { #private::keys(&columns, |row| #key) };
        }
    });
    let reads =
        plan.reads.iter().map(|read| quote!(let parts = #private::and(parts, #read.await?);));
    let [of_row, of_parts] = &plan.noted;
    let is_noted = |n: usize| plan.noted_parts.contains(&n);
    let noted = [
        used("row", !of_row.is_empty()).to_token_stream(),
        parts(plan, is_noted),
        used("wanted", !of_row.is_empty() || !of_parts.is_empty()).to_token_stream(),
    ];
    let put = [
        used("row", !plan.selected.is_empty()).to_token_stream(),
        parts(plan, |_| true),
        used("found", plan.finds).to_token_stream(),
    ];
    let values = plan.fields.iter().map(|(field, kind)| {
        let (name, value) = (&field.ident, value(kind, private));
        quote!(#name: #value)
    });
    quote! {
        let mut columns = ::std::vec::Vec::with_capacity(rows.len());
        for row in rows {
            columns.push((#(#gets,)*));
        }
        #keys
        let parts = #private::no_parts(&columns);
        #(#reads)*
        ::core::result::Result::Ok(#private::drafts(
            columns,
            parts,
            |#(#noted),*| { #(#of_row)* #(#of_parts)* },
            |#(#put),*| ::core::option::Option::Some(Self { #(#values,)* }),
        ))
    }
}

/// The parts of a row as a pattern: `(((), part_0), part_1)`.
fn parts(plan: &Plan<'_>, is_used: impl Fn(usize) -> bool) -> TokenStream {
    (0..plan.reads.len()).fold(quote!(()), |before, n| {
        let part = used(&format!("part_{n}"), is_used(n));
        quote!((#before, #part))
    })
}

/// What is in the field.
fn value(kind: &Kind, private: &TokenStream) -> TokenStream {
    match kind {
        Kind::Column(at) => {
            let at = Index::from(*at);
            quote!(row.#at)
        }
        Kind::Default => quote!(::core::default::Default::default()),
        Kind::Count { part, ty } => quote!(#private::number(&#part) as #ty),
        Kind::Held { rows, held } => quote!({
            let mut rows = #rows;
            #held?
        }),
    }
}

/// `impl Whole`, `Load`, and `Find` where it has lookups.
fn whole(
    row: &Struct,
    model: &Model,
    policy: &Policy,
    schema: &Schema,
    plan: &Plan<'_>,
) -> TokenStream {
    let (ident, runtime, private) = (&row.ident, &row.runtime, &plan.private);
    let (by_id, snapshot) = (sql::by_id(model), row.snapshot);
    let lists = schema.lists_of(&model.name).fold(quote!(()), |rest, list| {
        let name = key_name(row, list);
        quote!((#name, #rest))
    });
    let find = (!policy.lookups.is_empty()).then(|| find(row, model, policy, plan));
    quote! {
        #[automatically_derived]
        impl #private::Whole for #ident {
            const BY_ID: &'static str = #by_id;
            const SNAPSHOT: bool = #snapshot;
            type Lists = #lists;
        }
        #[automatically_derived]
        impl<__Db> #runtime::Load<__Db> for #ident
        where
            __Db: #runtime::Source,
            #ident: #private::Declared<__Db, __Db::Databases>,
        {
            async fn load(
                cx: &#runtime::LoadContext<__Db>,
                ids: &[<Self as #runtime::Model>::Id],
            ) -> ::core::result::Result<::std::vec::Vec<Self>, #runtime::BoxError> {
                <Self as #private::Declared<__Db, __Db::Databases>>::load_declared(cx, ids).await
            }
        }
        #find
    }
}

fn find(row: &Struct, model: &Model, policy: &Policy, plan: &Plan<'_>) -> TokenStream {
    let (ident, runtime, private) = (&row.ident, &row.runtime, &plan.private);
    let by = lookup_ident(row);
    let id = id_type(&row.columns(&model.id).unwrap_or_default());
    let lookups = policy.lookups.iter().filter_map(|lookup| {
        let ty = row.column(&lookup.column)?.not_null().to_token_stream();
        Some((variant(&lookup.column)?, sql::by_lookup(row, model, &lookup.column), ty))
    });
    let lookups: Vec<_> = lookups.collect();
    let arms = lookups.iter().map(|(variant, sql, ty)| {
        let name = &model.name;
        quote! {
            #by::#variant(value) => reading.key::<#id, #ty>(#sql, #name, value).await,
        }
    });
    let types = lookups.iter().map(|(_, _, ty)| ty);
    quote! {
        #[automatically_derived]
        impl<__DB> #private::Lookups<__DB> for #ident
        where
            __DB: #runtime::LoadDatabase,
            i64: #private::Value<__DB>,
            #id: #private::Key<__DB>,
            #(#types: #private::Key<__DB>,)*
        {
            async fn look_up(
                reading: &mut #private::Reading<'_, __DB>,
                by: &Self::Lookup,
            ) -> ::core::result::Result<::core::option::Option<Self::Id>, #private::sqlx::Error> {
                match by { #(#arms)* }
            }
        }
        #[automatically_derived]
        impl<__Db> #runtime::Find<__Db> for #ident
        where
            __Db: #runtime::Source,
            #ident: #private::Declared<__Db, __Db::Databases> + #private::LookedUp<__Db, __Db::Databases>,
        {
            async fn find(
                cx: &#runtime::LoadContext<__Db>,
                by: &Self::Lookup,
            ) -> ::core::result::Result<::core::option::Option<Self::Id>, #runtime::BoxError> {
                <Self as #private::LookedUp<__Db, __Db::Databases>>::find_declared(cx, by).await
            }
        }
    }
}
