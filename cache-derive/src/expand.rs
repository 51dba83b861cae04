//! The expansion: names and facts. What it does is in the runtime.

use cache_schema::{Direction, Lookup, Model, Policy, Schema, Segment};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error};

use crate::ast::{Field, Struct};
use crate::check::{self, pascal_case};
use crate::{fallback, file};

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => {
            let error = Error::new_spanned(&input.ident, why).into_compile_error();
            let fallback = fallback::expand(&input, false);
            return quote!(#error #fallback);
        }
    };
    let tracking = file.tracking;
    let expansion = match &file.schema {
        Ok(schema) => with_schema(&input, schema),
        Err(diagnostics) => {
            let error = Error::new_spanned(&input.ident, wrong_file(&input, diagnostics))
                .into_compile_error();
            let fallback = fallback::expand(&input, false);
            quote!(#error #fallback)
        }
    };
    quote!(#tracking #expansion)
}

/// The impls, or the errors with the fallback.
pub(crate) fn with_schema(input: &DeriveInput, schema: &Schema) -> TokenStream {
    let mut errors = Vec::new();
    let row = Struct::parse(input, &mut errors);
    let model = row.as_ref().and_then(|row| {
        check::model(row, schema)
            .map_err(|error| errors.push(error))
            .ok()
    });
    if let (Some(row), Some(model)) = (&row, model) {
        check::all(row, model, schema, &mut errors);
        if errors.is_empty() {
            return impls(row, model, schema);
        }
    }
    let is_cached = model.is_some_and(|model| model.cached.is_some());
    let fallback = fallback::expand(input, is_cached);
    let errors = errors.into_iter().map(Error::into_compile_error);
    quote!(#(#errors)* #fallback)
}

/// All that is wrong with this struct's model; of what is wrong elsewhere only where, as `schema!()`
/// and the other structs say it in full.
fn wrong_file(input: &DeriveInput, diagnostics: &cache_schema::Diagnostics) -> String {
    let model = Struct::parse(input, &mut Vec::new()).map(|row| row.model);
    let concerns = |diagnostic: &&cache_schema::Diagnostic| {
        diagnostic.model.is_none() || diagnostic.model == model
    };
    if diagnostics.iter().any(|diagnostic| concerns(&diagnostic)) {
        return format!("cache.toml is wrong\n{diagnostics}");
    }
    let elsewhere: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            format!(
                "cache.toml:{}:{}: {}",
                diagnostic.position.line, diagnostic.position.column, diagnostic.message
            )
        })
        .collect();
    format!("cache.toml is wrong elsewhere\n{}", elsewhere.join("\n"))
}

fn impls(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let rows = rows(row, model, schema);
    if row.is_projection {
        return rows;
    }
    let model_impl = row.columns(&model.id).map(|id| model_impl(row, &id));
    let cached = model.cached.as_ref().map(|policy| {
        let (cached, getters) = (
            cached(row, model, policy, schema),
            getters(row, model, policy),
        );
        let lookup = (!policy.lookups.is_empty()).then(|| lookup(row, model, policy, schema));
        quote!(#cached #lookup #getters)
    });
    quote!(#rows #model_impl #cached)
}

fn rows(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let name = &model.name;
    let own_shape = own_shape(row, model, schema);
    // A struct that embeds itself has no shape beside its own.
    let shapes = row
        .embedded(schema)
        .filter(|(field, _)| field.row().to_token_stream().to_string() != ident.to_string());
    let shapes = shapes.map(|(field, _)| {
        let ty = &field.ty;
        quote_spanned!(ty.span()=> <#ty as #runtime::Rows>::SHAPE)
    });
    let own = own_tags(row, model, schema);
    let embedded = row.embedded(schema).map(|(Field { ident, ty, .. }, _)| {
        quote_spanned!(ty.span()=> #runtime::Rows::tags(&self.#ident, tags);)
    });
    let hook = (!row.dependencies.is_empty())
        .then(|| quote_spanned!(ident.span()=> #runtime::Dependencies::dependencies(self, tags);));
    let assertions = assertions(row, model, schema);
    quote! {
        #[automatically_derived]
        impl #runtime::Rows for #ident {
            const MODEL: &'static str = #name;
            const SHAPE: u64 = #runtime::generated::shape(#own_shape, &[#(#shapes),*]);
            fn tags(&self, tags: &mut #runtime::Tags) {
                #(#own)*
                #(#embedded)*
                #hook
            }
        }
        #assertions
    }
}

/// The tags that the row's own columns yield: its own, and one for every hop that leaves its model.
fn own_tags(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let mut tags = Vec::new();
    if let Some(id) = row
        .columns(&model.id)
        .filter(|_| check::has_id_tag(model, schema))
    {
        tags.push((model.name.clone(), &model.id, id));
    }
    for hop in schema.hops_from(&model.name) {
        let (columns, holders) = match hop.direction {
            Direction::Forward => match schema.model(&hop.to) {
                Some(target) => (&target.id, &hop.columns),
                None => continue,
            },
            Direction::Reverse => (&hop.columns, &model.id),
        };
        // Without the column, the embedded row yields its own tag.
        if let Some(fields) = row.columns(holders) {
            tags.push((hop.to.clone(), columns, fields));
        }
    }
    let add = |(model, columns, fields): (String, &Vec<String>, Vec<&Field>)| {
        let values = fields.iter().map(|field| {
            let ident = &field.ident;
            quote!(&self.#ident)
        });
        add_tag(&row.runtime, &model, columns, &values.collect::<Vec<_>>())
    };
    tags.into_iter().map(add).collect()
}

fn add_tag(
    runtime: &TokenStream,
    model: &str,
    columns: &[String],
    values: &[TokenStream],
) -> TokenStream {
    let text = format!("{model}#{}", columns.join(","));
    match values {
        [value] => quote!(#runtime::Tags::add(tags, #text, #value);),
        values => quote!(#runtime::Tags::add_composite(tags, #text, &[#(#values),*]);),
    }
}

/// Checks that only the compiler can make, as it alone knows the types.
fn assertions(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let runtime = &row.runtime;
    let embeds = row.fields.iter().filter_map(|field| {
        let (ty, name) = (&field.ty, field.embeds.as_ref()?);
        Some(quote_spanned!(name.span()=> #runtime::generated::assert_embeds::<#ty>(#name);))
    });
    let references = model.references.iter().filter_map(|reference| {
        let [column] = &reference.columns[..] else {
            return None;
        };
        let field = row.column(column)?;
        let (target, _) = row
            .embedded(schema)
            .find(|(field, model)| field.embeds.is_none() && *model == reference.target)?;
        let (ty, target) = (&field.ty, target.row());
        Some(quote_spanned! {ty.span()=>
            #runtime::generated::assert_references::<#ty, <#target as #runtime::Model>::Id>();
        })
    });
    let assertions: Vec<TokenStream> = embeds.chain(references).collect();
    match assertions.is_empty() {
        true => TokenStream::new(),
        false => quote!(const _: () = { #(#assertions)* };),
    }
}

fn model_impl(row: &Struct, id: &[&Field]) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let id = id_type(id);
    quote! {
        #[automatically_derived]
        impl #runtime::Model for #ident {
            type Id = #id;
        }
    }
}

fn id_type(id: &[&Field]) -> TokenStream {
    let types = id.iter().map(|field| &field.ty);
    match id {
        [id] => id.ty.to_token_stream(),
        _ => quote!((#(#types),*)),
    }
}

fn cached(row: &Struct, model: &Model, policy: &Policy, schema: &Schema) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let [ttl, negative_ttl] = [policy.ttl, policy.negative_ttl].map(|life| life.as_millis() as u64);
    let (jitter, codec) = (
        policy.jitter,
        format_ident!("{}", pascal_case(&policy.codec.to_string())),
    );
    let lookup = match policy.lookups.is_empty() {
        true => quote!(::core::convert::Infallible),
        false => lookup_ident(row).to_token_stream(),
    };
    let fields = row.columns(&model.id).unwrap_or_default();
    let clones = fields.iter().map(|field| {
        let ident = &field.ident;
        quote!(::core::clone::Clone::clone(&self.#ident))
    });
    let id = match &fields[..] {
        [_] => quote!(#(#clones)*),
        _ => quote!((#(#clones),*)),
    };
    // The column's place in the id.
    let part = |column: &str| match (&model.id[..], model.id.iter().position(|id| id == column)) {
        ([_, _, ..], Some(at)) => {
            let at = syn::Index::from(at);
            quote!(&id.#at)
        }
        _ => quote!(id),
    };
    let write_key = write_key(
        runtime,
        &schema.settings.prefix,
        policy.key.segments(),
        &part,
    );
    let parts: Vec<TokenStream> = model.id.iter().map(|column| part(column)).collect();
    let id_tag = add_tag(runtime, &model.name, &model.id, &parts);
    quote! {
        #[automatically_derived]
        impl #runtime::Cached for #ident {
            type Lookup = #lookup;
            const POLICY: #runtime::generated::Policy = #runtime::generated::Policy {
                ttl: ::core::time::Duration::from_millis(#ttl),
                jitter: #jitter,
                negative_ttl: ::core::time::Duration::from_millis(#negative_ttl),
                codec: #runtime::generated::Codec::#codec,
            };
            fn id(&self) -> Self::Id {
                #id
            }
            fn write_key(id: &Self::Id, key: &mut #runtime::generated::KeyWriter) {
                #write_key
            }
            fn id_tag(id: &Self::Id, tags: &mut #runtime::Tags) {
                #id_tag
            }
        }
    }
}

fn write_key(
    runtime: &TokenStream,
    prefix: &str,
    segments: &[Segment],
    part: &dyn Fn(&str) -> TokenStream,
) -> TokenStream {
    let prefix = (!prefix.is_empty()).then(|| Segment::Literal(prefix.to_owned()));
    let writes = prefix.iter().chain(segments).map(|segment| match segment {
        Segment::Literal(text) => quote!(#runtime::generated::KeyWriter::literal(key, #text);),
        Segment::Column(column) => {
            let part = part(column);
            quote!(#runtime::generated::KeyWriter::part(key, #part);)
        }
    });
    quote!(#(#writes)*)
}

fn lookup_ident(row: &Struct) -> syn::Ident {
    format_ident!("{}Lookup", row.ident)
}

/// The enum of the columns that the model can be got by.
fn lookup(row: &Struct, model: &Model, policy: &Policy, schema: &Schema) -> TokenStream {
    let Struct {
        ident,
        vis,
        runtime,
        ..
    } = row;
    let name = lookup_ident(row);
    let columns: Vec<(&Lookup, syn::Ident, &Field)> = policy
        .lookups
        .iter()
        .filter_map(|lookup| {
            Some((
                lookup,
                format_ident!("{}", pascal_case(&lookup.column)),
                row.column(&lookup.column)?,
            ))
        })
        .collect();
    let doc = format!("A column, besides the id, that a [`{ident}`] can be got by.");
    let variants = columns.iter().map(|(lookup, variant, field)| {
        let (doc, ty) = (format!("By `{}`.", lookup.column), field.not_null());
        quote!(#[doc = #doc] #variant(#ty))
    });
    let keys = columns.iter().map(|(lookup, variant, _)| {
        let key = write_key(
            runtime,
            &schema.settings.prefix,
            lookup.key.segments(),
            &|_| quote!(value),
        );
        quote!(Self::#variant(value) => { #key })
    });
    let tags = columns.iter().map(|(lookup, variant, _)| {
        let tag = add_tag(
            runtime,
            &model.name,
            std::slice::from_ref(&lookup.column),
            &[quote!(value)],
        );
        quote!(Self::#variant(value) => { #tag })
    });
    quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
        #vis enum #name {
            #(#variants),*
        }
        #[automatically_derived]
        impl #runtime::Lookup for #name {
            fn write_key(&self, key: &mut #runtime::generated::KeyWriter) {
                match self { #(#keys)* }
            }
            fn tag(&self, tags: &mut #runtime::Tags) {
                match self { #(#tags)* }
            }
        }
    }
}

/// The functions that a service calls, each one line.
fn getters(row: &Struct, model: &Model, policy: &Policy) -> TokenStream {
    let Struct {
        ident,
        vis,
        runtime,
        ..
    } = row;
    let id = id_type(&row.columns(&model.id).unwrap_or_default());
    let option = quote!(::core::option::Option<::std::sync::Arc<Self>>);
    let result = |ok: TokenStream| quote!(::core::result::Result<#ok, #runtime::Error>);
    let (one, many, fetched) = (
        result(option.clone()),
        result(quote!(::std::vec::Vec<#option>)),
        result(quote!(#runtime::Fetched<Self>)),
    );
    let bounds = quote!(Db: ::core::marker::Send + ::core::marker::Sync + 'static);
    let key_doc = format!(
        "The key under which the row with this id is stored: `{}`.",
        policy.key
    );
    let errors = "# Errors\nWhen it had to be loaded and could not be.";
    let lookups = policy.lookups.iter().filter_map(|lookup| {
        let column = &lookup.column;
        let (get_by, fetch_by) = (
            format_ident!("get_by_{column}"),
            format_ident!("fetch_by_{column}"),
        );
        let (variant, ty) = (
            format_ident!("{}", pascal_case(column)),
            row.column(column)?.not_null(),
        );
        let by = lookup_ident(row);
        let get_doc = format!("The row with this `{column}`, through the cache.\n\n{errors}");
        let fetch_doc =
            format!("The row with this `{column}`, and how it was come by.\n\n{errors}");
        Some(quote! {
            #[doc = #get_doc]
            #vis async fn #get_by<Db>(cache: &#runtime::Cache<Db>, value: #ty) -> #one
            where Self: #runtime::Find<Db>, #bounds {
                ::core::result::Result::Ok(Self::#fetch_by(cache, value).await?.value)
            }
            #[doc = #fetch_doc]
            #vis async fn #fetch_by<Db>(cache: &#runtime::Cache<Db>, value: #ty) -> #fetched
            where Self: #runtime::Find<Db>, #bounds {
                #runtime::generated::fetch_by::<Self, Db>(cache, #by::#variant(value)).await
            }
        })
    });
    let get_doc =
        format!("The row with this id, through the cache; `None` when there is none.\n\n{errors}");
    let many_doc =
        format!("The rows with these ids, at their positions, through the cache.\n\n{errors}");
    let fetch_doc = format!("The row with this id, and how it was come by.\n\n{errors}");
    quote! {
        #[allow(dead_code)]
        impl #ident {
            #[doc = #key_doc]
            #[must_use]
            #vis fn key(id: #id) -> ::std::string::String {
                #runtime::generated::key::<Self>(&id)
            }
            #[doc = #get_doc]
            #vis async fn get<Db>(cache: &#runtime::Cache<Db>, id: #id) -> #one
            where Self: #runtime::Load<Db>, #bounds {
                #runtime::generated::get::<Self, Db>(cache, id).await
            }
            #[doc = #many_doc]
            #vis async fn get_many<Db>(cache: &#runtime::Cache<Db>, ids: &[#id]) -> #many
            where Self: #runtime::Load<Db>, #bounds {
                #runtime::generated::get_many::<Self, Db>(cache, ids).await
            }
            #[doc = #fetch_doc]
            #vis async fn fetch<Db>(cache: &#runtime::Cache<Db>, id: #id) -> #fetched
            where Self: #runtime::Load<Db>, #bounds {
                #runtime::generated::fetch::<Self, Db>(cache, id).await
            }
            #(#lookups)*
        }
    }
}

/// A hash of the fields' names, types and serde attributes, and of what the schema says that a value
/// registers: a value stored under fewer edges would miss invalidations.
fn own_shape(row: &Struct, model: &Model, schema: &Schema) -> u64 {
    let fields = row.fields.iter().map(|field| {
        format!(
            "{}: {} {};",
            field.ident,
            field.ty.to_token_stream(),
            field.serde
        )
    });
    let needs = schema
        .needs(&model.name)
        .into_iter()
        .map(|tag| format!("{tag};"));
    let text: String = std::iter::once(row.serde.clone())
        .chain(fields)
        .chain(needs)
        .collect();
    // Compilers differ in where they put spaces between tokens.
    let bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
