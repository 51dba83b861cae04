//! What is emitted beside an error: enough for the rest of the crate to compile, so that one
//! mistake is one error. It never runs, as the crate does not build.

use cache_schema::{Model, Schema};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Ident, Type};

use crate::ast;
use crate::attr;
use crate::check::variant;
use crate::getters::{Getters, Lookup, taken};

/// `model` is the one that is meant, if that is known. Without it, as without the file, the struct
/// may be served from cache, and anything may be done with it.
pub(crate) fn expand(
    input: &DeriveInput,
    schema: Option<&Schema>,
    model: Option<&Model>,
) -> TokenStream {
    // What is wrong with the attributes is said elsewhere.
    let attrs = attr::on_struct(&input.attrs, &mut Vec::new());
    let runtime = attrs.runtime();
    let ident = &input.ident;
    let name = model.map_or("", |model| model.name.as_str());
    let file = schema.map_or(0, Schema::fingerprint);
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let ids: Vec<TokenStream> = match model {
        Some(model) => model.id.iter().map(|id| column(input, id)).collect(),
        None => vec![column(input, "id")],
    };
    let id = match &ids[..] {
        [id] => id.clone(),
        ids => quote!((#(#ids),*)),
    };
    let is_cached = attrs.projection.is_none() && model.is_none_or(|model| model.cached.is_some());
    let served = is_cached.then(|| served(input, model, &runtime, &id));
    let part = input.generics.params.is_empty().then(|| part(input, &runtime));
    quote! {
        #[automatically_derived]
        impl #impl_generics #runtime::Rows for #ident #ty_generics #where_clause {
            const MODEL: &'static str = #name;
            const SHAPE: u64 = 0;
            const FILE: #runtime::__private::File =
                #runtime::__private::File { name: "", package: "", hash: #file };
            fn tags(&self, _: &mut #runtime::Tags) {}
        }
        #[automatically_derived]
        impl #impl_generics #runtime::Model for #ident #ty_generics #where_clause {
            type Id = #id;
        }
        #served
        #part
    }
}

/// Whatever embeds it loads it.
fn part(input: &DeriveInput, runtime: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let bounds = quote!(for<'never> Self: ::core::marker::Send + 'static);
    quote! {
        #runtime::__private::parts! {
            #[automatically_derived]
            impl<__DB: #runtime::LoadDatabase, __Db> #runtime::__private::Part<__DB, __Db> for #ident
            where #bounds {
                const COLUMNS: &'static str = "";
                const JOINS: &'static str = "";
                fn expects() -> ::std::vec::Vec<#runtime::__private::Expected<__DB>> {
                    ::core::unreachable!()
                }
                async fn drafts(
                    _: &mut #runtime::__private::Reading<'_, __DB>,
                    _: &[__DB::Row],
                ) -> ::core::result::Result<
                    #runtime::__private::Drafts<Self, __Db>,
                    #runtime::__private::sqlx::Error,
                > {
                    ::core::unreachable!()
                }
            }
        }
    }
}

/// What a cached model has.
fn served(
    input: &DeriveInput,
    model: Option<&Model>,
    runtime: &TokenStream,
    id: &TokenStream,
) -> TokenStream {
    let DeriveInput { ident, vis, .. } = input;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let bounds = where_clause.iter().flat_map(|clause| &clause.predicates);
    // With `for<'never>` a bound that does not hold is no error: the impl is merely not there.
    let bounds = quote! {
        #(#bounds,)*
        for<'never> Self: ::serde::Serialize + ::serde::de::DeserializeOwned
            + ::core::marker::Send + ::core::marker::Sync + 'static
    };

    let policy = model.and_then(|model| model.cached.as_ref());
    let lookups = policy.map(|policy| &policy.lookups[..]).unwrap_or_default();
    let (lookup_type, lookup_enum) = lookup(input, lookups, runtime);

    // Any column might be a lookup of a model that is not known.
    let columns: Vec<String> = match model {
        Some(_) => lookups.iter().map(|lookup| lookup.column.clone()).collect(),
        None => {
            let is_name = |column: &String| syn::parse_str::<Ident>(&format!("_{column}")).is_ok();
            let columns = fields(input).map(|(column, _)| column);
            columns.filter(is_name).collect()
        }
    };
    let lookup =
        |name: String| Lookup { ty: column(input, &name), column: name, by: TokenStream::new() };
    let getters = Getters {
        runtime,
        vis,
        id,
        lookups: columns.into_iter().map(lookup).collect(),
        json: true,
    };
    let getters = getters.stubs();
    let loads = loads(input, runtime, &bounds);
    let taken = taken(id);
    quote! {
        #loads
        #[automatically_derived]
        impl #impl_generics #runtime::Cached for #ident #ty_generics where #bounds {
            type Lookup = #lookup_type;
            const POLICY: #runtime::__private::Policy = ::core::panic!();
            const NEEDS: &'static [&'static str] = &[];
            fn id(&self) -> Self::Id { ::core::unreachable!() }
            fn write_key(_: &Self::Id, _: &mut #runtime::__private::KeyWriter) {}
            fn id_tag(_: &Self::Id, _: &mut #runtime::Tags) {}
        }
        #lookup_enum
        #[allow(dead_code, missing_docs, clippy::missing_errors_doc)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #vis fn key(_: #taken) -> ::std::string::String { ::core::unreachable!() }
            #getters
        }
    }
}

/// What a loader that writes itself would have written.
fn loads(input: &DeriveInput, runtime: &TokenStream, bounds: &TokenStream) -> Option<TokenStream> {
    attr::on_struct(&input.attrs, &mut Vec::new()).load?;
    let ident = &input.ident;
    let any = quote!(<Db: ::core::marker::Send + ::core::marker::Sync + 'static>);
    let result = quote!(::core::result::Result);
    Some(quote! {
        #runtime::__private::parts! {
            #[automatically_derived]
            impl #runtime::__private::Whole for #ident where #bounds {
                const BY_ID: &'static str = "";
                const SNAPSHOT: bool = false;
                type Lists = ();
            }
        }
        #[automatically_derived]
        impl #any #runtime::Load<Db> for #ident where #bounds {
            async fn load(
                _: &#runtime::LoadContext<Db>,
                _: &[Self::Id],
            ) -> #result<::std::vec::Vec<Self>, #runtime::BoxError> {
                ::core::unreachable!()
            }
        }
        #[automatically_derived]
        impl #any #runtime::Find<Db> for #ident where #bounds {
            async fn find(
                _: &#runtime::LoadContext<Db>,
                _: &Self::Lookup,
            ) -> #result<::core::option::Option<Self::Id>, #runtime::BoxError> {
                ::core::unreachable!()
            }
        }
    })
}

/// The type of its `Lookup`, and that type if it is no other crate's.
fn lookup(
    input: &DeriveInput,
    lookups: &[cache_schema::Lookup],
    runtime: &TokenStream,
) -> (TokenStream, Option<TokenStream>) {
    if lookups.is_empty() {
        return (quote!(::core::convert::Infallible), None);
    }
    let (vis, by) = (&input.vis, format_ident!("{}Lookup", input.ident));
    let variants = lookups.iter().filter_map(|lookup| {
        let (variant, ty) = (variant(&lookup.column)?, column(input, &lookup.column));
        Some(quote!(#variant(#ty)))
    });
    let lookup_enum = quote! {
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
        #[allow(missing_docs)]
        #vis enum #by { #(#variants),* }
        #[automatically_derived]
        impl #runtime::Lookup for #by {
            fn write_key(&self, _: &mut #runtime::__private::KeyWriter) {}
            fn tag(&self, _: &mut #runtime::Tags) {}
        }
    };
    (by.to_token_stream(), Some(lookup_enum))
}

/// The type of the column: its field's, if there is one, else what such a column most likely has.
fn column(input: &DeriveInput, column: &str) -> TokenStream {
    match fields(input).find(|(name, _)| name == column) {
        Some((_, ty)) => ty.to_token_stream(),
        None if column.ends_with("id") && !column.ends_with("uuid") => quote!(i64),
        None => quote!(::std::string::String),
    }
}

/// The columns that the struct has, with their types.
fn fields(input: &DeriveInput) -> impl Iterator<Item = (String, &Type)> {
    let fields = match &input.data {
        Data::Struct(data) => Some(&data.fields),
        _ => None,
    };
    fields.into_iter().flatten().filter_map(|field| {
        let holds = attr::on_field(&field.attrs, &mut Vec::new()).column;
        let name = ast::column(field.ident.as_ref()?, holds.as_ref());
        Some((name, ast::not_null(&field.ty)))
    })
}
