//! What is emitted beside an error: enough for the rest of the crate to compile, so that one mistake
//! is one error. It never runs, as the crate does not build.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::DeriveInput;

pub(crate) fn expand(input: &DeriveInput, is_cached: bool) -> TokenStream {
    let ident = &input.ident;
    let vis = &input.vis;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let runtime = quote!(::cache_runtime);
    let id = id_type(input);
    let getter = |name: TokenStream, of: TokenStream, returns: TokenStream| {
        quote! {
            #[allow(missing_docs, clippy::missing_errors_doc)]
            #vis async fn #name<Db>(_: &#runtime::Cache<Db>, _: #of)
                -> ::core::result::Result<#returns, #runtime::Error> { ::core::unreachable!() }
        }
    };
    let option = quote!(::core::option::Option<::std::sync::Arc<Self>>);
    let get = getter(
        quote!(get),
        quote!(impl ::core::marker::Sized),
        option.clone(),
    );
    let many = quote!(&[impl ::core::marker::Sized]);
    let get_many = getter(quote!(get_many), many, quote!(::std::vec::Vec<#option>));
    let fetch = getter(
        quote!(fetch),
        quote!(impl ::core::marker::Sized),
        quote!(#runtime::Fetched<Self>),
    );
    let cached = is_cached.then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #runtime::Cached for #ident #ty_generics #where_clause {
                type Lookup = ::core::convert::Infallible;
                const POLICY: #runtime::generated::Policy = ::core::panic!();
                fn id(&self) -> Self::Id { ::core::unreachable!() }
                fn write_key(_: &Self::Id, _: &mut #runtime::generated::KeyWriter) {}
                fn id_tag(_: &Self::Id, _: &mut #runtime::Tags) {}
            }
        }
    });
    quote! {
        #cached
        #[automatically_derived]
        impl #impl_generics #runtime::Model for #ident #ty_generics #where_clause {
            type Id = #id;
        }
        #[automatically_derived]
        impl #impl_generics #runtime::Rows for #ident #ty_generics #where_clause {
            const MODEL: &'static str = "";
            const SHAPE: u64 = 0;
            fn tags(&self, _: &mut #runtime::Tags) {}
        }
        #[allow(dead_code)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #[allow(missing_docs)]
            #vis fn key(_: impl ::core::marker::Sized) -> ::std::string::String { ::core::unreachable!() }
            #get
            #get_many
            #fetch
        }
    }
}

/// What the struct's `id` most likely is.
fn id_type(input: &DeriveInput) -> TokenStream {
    let syn::Data::Struct(data) = &input.data else {
        return quote!(i64);
    };
    let mut fields = data.fields.iter();
    let id = fields.find(|field| field.ident.as_ref().is_some_and(|ident| ident == "id"));
    id.map_or_else(|| quote!(i64), |field| field.ty.to_token_stream())
}
