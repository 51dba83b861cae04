//! Values of the file as constants.

use std::time::Duration;

use cache_schema::{Capacity, Schema};
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

pub(crate) fn capacity(runtime: &impl ToTokens, capacity: Capacity) -> TokenStream {
    match capacity {
        Capacity::Entries(count) => quote!(#runtime::__private::Capacity::Entries(#count)),
        Capacity::Bytes(count) => quote!(#runtime::__private::Capacity::Bytes(#count)),
    }
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>): stable between compilers.
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Which file it is.
pub(crate) fn file(runtime: &impl ToTokens, schema: &Schema) -> TokenStream {
    let (name, hash) = (schema.file(), schema.fingerprint());
    quote! {
        #runtime::__private::File {
            name: #name,
            package: ::core::env!("CARGO_PKG_NAME"),
            hash: #hash,
        }
    }
}
