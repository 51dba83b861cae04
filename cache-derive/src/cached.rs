//! `impl Model` and `impl Cached`: ids, keys and the functions that a service calls.

use cache_schema::{Absence, Codec, Consistency, Lookup, Model, OnWrite, Policy, Schema, Segment};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use crate::ast::{Field, Struct};
use crate::check::{pascal_case, variant};
use crate::getters::{self, Getters};
use crate::literal;
use crate::rows::add_tag;

pub(crate) fn model_impl(row: &Struct, id: &[&Field]) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let id = id_type(id);
    quote! {
        #[automatically_derived]
        impl #runtime::Model for #ident {
            type Id = #id;
        }
    }
}

pub(crate) fn id_type(id: &[&Field]) -> TokenStream {
    let types = id.iter().map(|field| &field.ty);
    match id {
        [id] => id.ty.to_token_stream(),
        _ => quote!((#(#types),*)),
    }
}

pub(crate) fn cached(row: &Struct, model: &Model, policy: &Policy, schema: &Schema) -> TokenStream {
    let Struct { ident, runtime, .. } = row;
    let number = schema.models().position(|other| other.name == model.name).unwrap_or_default();
    let policy_value = self::policy(runtime, policy, number);
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
    let write_key = write_key(runtime, &schema.settings.prefix, policy.key.segments(), &part);
    let parts: Vec<TokenStream> = model.id.iter().map(|column| part(column)).collect();
    let id_tag = add_tag(runtime, model.rows(), &model.id, &parts);
    let needs = schema.needs(&model.name).into_iter().map(|tag| tag.to_string());
    let absence = absence(runtime, &schema.absence(&model.name), &parts);
    quote! {
        #[automatically_derived]
        impl #runtime::Cached for #ident {
            type Lookup = #lookup;
            const POLICY: #runtime::__private::Policy = #policy_value;
            const NEEDS: &'static [&'static str] = &[#(#needs),*];
            fn id(&self) -> Self::Id {
                #id
            }
            fn is_same(&self, other: &Self) -> ::core::option::Option<bool> {
                use #runtime::__private::{ByEq as _, Unknown as _};
                (&#runtime::__private::Pair(self, other)).cache_runtime_is_same()
            }
            fn write_key(id: &Self::Id, key: &mut #runtime::__private::KeyWriter) {
                #write_key
            }
            fn id_tag(id: &Self::Id, tags: &mut #runtime::Tags) {
                #id_tag
            }
            #absence
        }
    }
}

/// What `cache.toml` says of how the values of a model or a list are stored.
pub(crate) fn policy(runtime: &TokenStream, policy: &Policy, number: usize) -> TokenStream {
    let [ttl, negative_ttl] = [policy.ttl, policy.negative_ttl].map(literal::duration);
    let [grace, load_timeout, lease] =
        [policy.grace, policy.load_timeout, policy.lease].map(literal::duration);
    let near = literal::option(policy.near.map(|it| literal::capacity(runtime, it)));
    let (max_value, max_tags) = (policy.max_value, policy.max_tags);
    let verify = policy.verify;
    let refresh = policy.on_write == OnWrite::Refresh;
    let (jitter, codec) =
        (policy.jitter, format_ident!("{}", pascal_case(&policy.codec.to_string())));
    let strict = policy.consistency == Consistency::Strict;
    quote! {
        #runtime::__private::Policy {
            ttl: #ttl,
            jitter: #jitter,
            negative_ttl: #negative_ttl,
            codec: #runtime::__private::Codec::#codec,
            max_value: #max_value,
            max_tags: #max_tags,
            strict: #strict,
            grace: #grace,
            load_timeout: #load_timeout,
            lease: #lease,
            near: #near,
            refresh: #refresh,
            verify: #verify,
            number: #number,
        }
    }
}

/// What "no such row" depends on besides the row itself.
fn absence(runtime: &TokenStream, absence: &Absence, id: &[TokenStream]) -> Option<TokenStream> {
    let of_id = absence.of_id.iter();
    let of_id: Vec<TokenStream> =
        of_id.map(|tag| add_tag(runtime, &tag.model, &tag.columns, id)).collect();
    let some_row = &absence.some_row;
    let is_needed = !of_id.is_empty() || !some_row.is_empty();
    let id = if of_id.is_empty() { quote!(_) } else { quote!(id) };
    is_needed.then(|| {
        quote! {
            fn absence_tags(#id: &Self::Id, tags: &mut #runtime::Tags) {
                #(#of_id)*
                #(#runtime::Tags::add_some_row(tags, #some_row);)*
            }
        }
    })
}

pub(crate) fn write_key(
    runtime: &TokenStream,
    prefix: &str,
    segments: &[Segment],
    part: &dyn Fn(&str) -> TokenStream,
) -> TokenStream {
    let prefix = (!prefix.is_empty()).then(|| Segment::Literal(prefix.to_owned()));
    let writes = prefix.iter().chain(segments).map(|segment| match segment {
        Segment::Literal(text) => quote!(#runtime::__private::KeyWriter::literal(key, #text);),
        Segment::Column(column) => {
            let part = part(column);
            quote!(#runtime::__private::KeyWriter::part(key, #part);)
        }
    });
    quote!(#(#writes)*)
}

pub(crate) fn lookup_ident(row: &Struct) -> syn::Ident {
    format_ident!("{}Lookup", row.ident)
}

/// The enum of the columns that the model can be got by.
pub(crate) fn lookup(row: &Struct, model: &Model, policy: &Policy, schema: &Schema) -> TokenStream {
    let Struct { ident, vis, runtime, .. } = row;
    let name = lookup_ident(row);
    let columns: Vec<(&Lookup, syn::Ident, &Field)> = policy
        .lookups
        .iter()
        .filter_map(|lookup| Some((lookup, variant(&lookup.column)?, row.column(&lookup.column)?)))
        .collect();
    let doc = format!("A column, besides the id, that a [`{ident}`] can be got by.");
    let variants = columns.iter().map(|(lookup, variant, field)| {
        let (doc, ty) = (format!("By `{}`.", lookup.column), field.not_null());
        quote!(#[doc = #doc] #variant(#ty))
    });
    let keys = columns.iter().map(|(lookup, variant, _)| {
        let key =
            write_key(runtime, &schema.settings.prefix, lookup.key.segments(), &|_| quote!(value));
        quote!(Self::#variant(value) => { #key })
    });
    let tags = columns.iter().map(|(lookup, variant, _)| {
        let tag =
            add_tag(runtime, model.rows(), std::slice::from_ref(&lookup.column), &[quote!(value)]);
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
            fn write_key(&self, key: &mut #runtime::__private::KeyWriter) {
                match self { #(#keys)* }
            }
            fn tag(&self, tags: &mut #runtime::Tags) {
                match self { #(#tags)* }
            }
        }
    }
}

/// The functions that a service calls.
pub(crate) fn getters(
    row: &Struct,
    model: &Model,
    policy: &Policy,
    schema: &Schema,
) -> TokenStream {
    let Struct { ident, vis, runtime, .. } = row;
    let id = id_type(&row.columns(&model.id).unwrap_or_default());
    let by = lookup_ident(row);
    let lookups = policy.lookups.iter().filter_map(|lookup| {
        let variant = variant(&lookup.column)?;
        Some(getters::Lookup {
            column: lookup.column.clone(),
            ty: row.column(&lookup.column)?.not_null().to_token_stream(),
            by: quote!(#by::#variant),
        })
    });
    let getters = Getters {
        runtime,
        vis,
        id: &id,
        lookups: lookups.collect(),
        json: policy.codec == Codec::Json,
    };
    let getters = getters.render();
    let (taken, id) = (getters::taken(&id), getters::given(&id, &quote!(id)));
    let key_doc = format!(
        "The key under which the row with this id is stored: `{}{}`.",
        schema.settings.prefix, policy.key
    );
    quote! {
        #[allow(dead_code)]
        impl #ident {
            #[doc = #key_doc]
            #[must_use]
            #vis fn key(id: #taken) -> ::std::string::String {
                #runtime::__private::key::<Self>(&#id)
            }
            #getters
        }
    }
}
