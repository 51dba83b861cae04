//! `impl Rows`: which rows a struct holds, and the tags that they yield.

use cache_schema::{Change, Direction, Model, Schema, TagColumns};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::ast::{Field, Struct};
use crate::attr::Condition;
use crate::{accounts, check, hidden, literal};

pub(crate) fn rows(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let name = &model.name;
    let own_shape = own_shape(row, model, schema);
    // A struct that embeds itself has no shape beside its own.
    let shapes = row.embedded().filter(|(field, _)| !row.is_of_itself(field));
    let shapes = shapes.map(|(field, _)| {
        let (ty, at) = (&field.ty, at(&field.ty));
        let runtime = row.runtime_at(at);
        quote_spanned!(at=> <#ty as #runtime::Rows>::SHAPE)
    });
    let own = own_tags(row, model, schema);
    let embedded = row.embedded().map(|(Field { ident, ty, .. }, _)| {
        let at = at(ty);
        let runtime = row.runtime_at(at);
        quote_spanned!(at=> <#ty as #runtime::Rows>::tags(&self.#ident, tags);)
    });
    let hook = row.dependencies.first().map(|name| {
        let at = at(name);
        let runtime = row.runtime_at(at);
        quote_spanned!(at=> <Self as #runtime::Dependencies>::dependencies(self, tags);)
    });
    let lacks = accounts::lacks_of(row, model, schema);
    let hidden = hidden::hidden(row);
    let ignored = ignored(row, model, schema);
    let file = literal::file(runtime, schema);
    let assertions = assertions(row, model, schema);
    quote! {
        #[automatically_derived]
        impl #runtime::Rows for #ident {
            const MODEL: &'static str = #name;
            const SHAPE: u64 = #runtime::__private::shape(#own_shape, &[#(#shapes),*]);
            const FILE: #runtime::__private::File = #file;
            #lacks
            #hidden
            fn tags(&self, tags: &mut #runtime::Tags) {
                #(#own)*
                #(#embedded)*
                #hook
            }
            #ignored
        }
        #assertions
    }
}

/// The fields that may be older than the rest of a value, as their columns' changes invalidate
/// nothing.
fn ignored(row: &Struct, model: &Model, schema: &Schema) -> Option<TokenStream> {
    let is_ignored = |field: &&Field| field.rows.is_none() && model.ignores.contains(&field.column);
    let ignored = row.fields.iter().filter(is_ignored);
    let names: Vec<String> = ignored.map(|field| row.serde_name(field)).collect();
    let own = (!names.is_empty()).then(|| quote!(names.extend([#(#names),*]);));
    // What is embedded may embed something that ignores.
    let any_ignores = schema.models().any(|model| !model.ignores.is_empty());
    let embedded = row.embedded().filter(|(field, _)| any_ignores && !row.is_of_itself(field));
    let embedded: Vec<TokenStream> = embedded
        .map(|(Field { ty, .. }, _)| {
            let at = at(ty);
            let runtime = row.runtime_at(at);
            quote_spanned!(at=> <#ty as #runtime::Rows>::ignored(names);)
        })
        .collect();
    let is_needed = own.is_some() || !embedded.is_empty();
    is_needed.then(|| {
        quote! {
            fn ignored(names: &mut ::std::vec::Vec<&'static str>) {
                #own
                #(#embedded)*
            }
        }
    })
}

/// The tags that the row's own columns yield: its own, and one for every hop that leaves its model;
/// those that only values of other models want, where it is in such a one.
fn own_tags(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let runtime = &row.runtime;
    let add = |tag: &TagColumns, fields: Vec<&Field>| {
        let values = fields.iter().map(|field| {
            let (ident, at) = (&field.ident, at(&field.ty));
            quote_spanned!(at=> &self.#ident)
        });
        add_tag(runtime, &tag.model, &tag.columns, &values.collect::<Vec<_>>())
    };
    let mut tags = Vec::new();
    if let Some(id) = row.columns(&model.id).filter(|_| check::has_id_tag(model, schema)) {
        let tag = TagColumns { model: model.rows().to_owned(), columns: model.id.clone() };
        tags.push(add(&tag, id));
    }
    let own = accounts::own(row, model, schema);
    for hop in schema.hops_from(&model.name) {
        let holders = match hop.direction {
            Direction::Forward => &hop.columns,
            Direction::Reverse => &model.id,
        };
        // Without the column, the embedded row yields its own tag.
        let Some(fields) = row.columns(holders) else {
            continue;
        };
        let tag = hop.tag(schema);
        let add = add(&tag, fields);
        let text = tag.to_string();
        tags.push(match own.iter().any(|it| it.hop == hop) {
            true => add,
            false => quote!(if #runtime::Tags::wants(tags, #text) { #add }),
        });
    }
    tags
}

/// `impl Reported`: what a write to the row reports, for those who have no triggers. Only where the
/// struct has every column that this takes.
pub(crate) fn reported(row: &Struct, model: &Model, schema: &Schema) -> Option<TokenStream> {
    let Struct { ident, runtime, .. } = row;
    let (mut of_rows, mut of_links) = (Vec::new(), Vec::new());
    let tag = |tag: &TagColumns| {
        let values = row.columns(&tag.columns)?.into_iter().map(|field| {
            let (ident, at) = (&field.ident, at(&field.ty));
            quote_spanned!(at=> &self.#ident)
        });
        Some(add_tag(runtime, &tag.model, &tag.columns, &values.collect::<Vec<_>>()))
    };
    for report in schema.reports(&model.name) {
        match report.on {
            Change::Row => of_rows.push(tag(&report.tag)?),
            Change::Link => of_links.push(tag(&report.tag)?),
        }
    }
    let mut links = schema.link_columns(&model.name);
    for report in schema.list_reports(&model.name) {
        of_links.push(tag(&report.tag)?);
        // Whether a row is listed is the database's to say: what it may depend on is as good.
        let conditions = report.conditions.iter().map(|it| &it.column);
        links.extend(report.columns.into_iter().chain(conditions).cloned());
    }
    links.sort_unstable();
    links.dedup();
    let moved = match row.columns(&links) {
        _ if of_links.is_empty() => quote!(false),
        // Without the column nobody can tell.
        None => quote!(true),
        Some(fields) => {
            let fields = fields.into_iter().map(|field| &field.ident);
            quote!(#(self.#fields != old.#fields)||*)
        }
    };
    let parameter = |used: bool, name: &str| match used {
        true => format_ident!("{name}"),
        false => format_ident!("_{name}"),
    };
    let row_tags = parameter(!of_rows.is_empty(), "tags");
    let link_tags = parameter(!of_links.is_empty(), "tags");
    let old = parameter(moved.to_string().contains("old"), "old");
    Some(quote! {
        #[automatically_derived]
        impl #runtime::Reported for #ident {
            fn row_tags(&self, #row_tags: &mut #runtime::Tags) {
                #(#of_rows)*
            }
            fn link_tags(&self, #link_tags: &mut #runtime::Tags) {
                #(#of_links)*
            }
            fn moved(&self, #old: &Self) -> bool {
                #moved
            }
        }
    })
}

pub(crate) fn add_tag(
    runtime: &TokenStream,
    model: &str,
    columns: &[String],
    values: &[TokenStream],
) -> TokenStream {
    let text = format!("{model}#{}", columns.join(","));
    match values {
        [value] => quote!(#runtime::__private::tag(tags, #text, #value);),
        values => quote!(#runtime::__private::tag_of(tags, #text, &[#(#values),*]);),
    }
}

/// Checks that only the compiler can make, as it alone knows the types.
fn assertions(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    // `Self` needs no proof, and means nothing in a constant beside the impl.
    let is_self = |field: &Field| field.row().to_token_stream().to_string() == "Self";
    let embeds = row.embedded().filter(|(field, model)| *model != row.model || !is_self(field));
    let (name, hash) = (schema.file(), schema.fingerprint());
    let embeds = embeds.map(|(field, model)| {
        let (ty, at_ty) = (&field.ty, at(&field.ty));
        let at = field.embeds.as_ref().map_or(at_ty, at);
        let [runtime, of_ty] = [at, at_ty].map(|at| row.runtime_at(at));
        let held = quote_spanned!(at_ty=> <#ty as #of_ty::Rows>::MODEL);
        let why = format!(
            "`{}` is to hold rows of `{model}`, but its type holds another model's: name that one in #[cached(embeds = \"…\")]",
            field.ident
        );
        let of_file = quote_spanned!(at_ty=> <#ty as #of_ty::Rows>::FILE);
        let why_not = format!(
            "`{}` is to hold rows of `{model}` as {name} has it, but its type is of another cache.toml: a value and what it embeds are of one file",
            field.ident
        );
        quote_spanned! {at=>
            if #of_file.hash != #hash {
                ::core::panic!(#why_not);
            }
            if !#runtime::__private::is_same(#held, #model) {
                ::core::panic!(#why);
            }
        }
    });
    let references = model.references.iter().filter_map(|reference| {
        let [column] = &reference.columns[..] else {
            return None;
        };
        let field = row.column(column)?;
        let (target, _) = row.embedded().find(|(field, model)| {
            field.embeds.is_none() && schema.rows_of(model) == reference.target
        })?;
        let (ty, at) = (&field.ty, at(&field.ty));
        let target = match is_self(target) {
            true => row.ident.to_token_stream(),
            false => target.row().to_token_stream(),
        };
        let runtime = row.runtime_at(at);
        Some(quote_spanned! {at=>
            #runtime::__private::assert_references::<#ty, <#target as #runtime::Model>::Id>();
        })
    });
    let accounts = accounts::assertions(row, model, schema);
    let assertions: Vec<TokenStream> =
        embeds.chain(references).chain(accounts).chain(hidden::assertions(row)).collect();
    match assertions.is_empty() {
        true => TokenStream::new(),
        false => quote!(const _: () = { #(#assertions)* };),
    }
}

/// Where an error is shown; names mean there what they mean in the macro (`self` would not, where a
/// `macro_rules!` made the struct).
pub(crate) fn at(shown: &impl Spanned) -> Span {
    Span::call_site().located_at(shown.span())
}

/// A hash of the fields' names, types and serde attributes, and of what a value registers and from
/// which of them: a value stored under other edges would miss invalidations.
fn own_shape(row: &Struct, model: &Model, schema: &Schema) -> u64 {
    let fields = row.fields.iter().map(|field| {
        format!(
            "{}: {} {} {:?} {}{};",
            field.ident,
            field.ty.to_token_stream(),
            field.column,
            field.rows,
            field.serde_text,
            field.found.text(),
        )
    });
    let hooks = row.dependencies.iter().map(|name| format!("{};", name.value()));
    let hops = schema.hops_from(&model.name).into_iter().map(|hop| format!("{hop};"));
    let needs = schema.needs(&model.name).into_iter().map(|tag| format!("{tag};"));
    let version = model.cached.as_ref().map_or(1, |policy| policy.version);
    let version = (version != 1).then(|| format!("version {version};"));
    let filter = row.filter.iter().map(Condition::text);
    let text: String = std::iter::once(row.serde_text.clone())
        .chain(filter)
        .chain(version)
        .chain(fields)
        .chain(hooks)
        .chain(hops)
        .chain(needs)
        .collect();
    // Compilers differ in where they put spaces between tokens.
    let bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    literal::fnv(bytes)
}
