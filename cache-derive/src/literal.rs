//! Values of the file as constants.

use std::time::Duration;

use cache_schema::{Room, Schema};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) fn duration(life: Duration) -> TokenStream {
    let ms = life.as_millis() as u64;
    quote!(::core::time::Duration::from_millis(#ms))
}

pub(crate) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        None => quote!(::core::option::Option::None),
        Some(value) => quote!(::core::option::Option::Some(#value)),
    }
}

pub(crate) fn room(runtime: &impl ToTokens, room: Room) -> TokenStream {
    match room {
        Room::Entries(count) => quote!(#runtime::generated::Room::Entries(#count)),
        Room::Bytes(count) => quote!(#runtime::generated::Room::Bytes(#count)),
    }
}

/// Which file it is.
pub(crate) fn file(runtime: &impl ToTokens, schema: &Schema) -> TokenStream {
    let (name, hash) = (schema.file(), schema.fingerprint());
    quote! {
        #runtime::generated::File {
            name: #name,
            package: ::core::env!("CARGO_PKG_NAME"),
            hash: #hash,
        }
    }
}
