//! How a column is read, as sqlx's attributes say it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::ast::{Field, container, not_null};

/// The type that the column has to hold, and an expression that makes of it what is in the field.
pub(super) fn of_field(
    field: &Field,
    private: &TokenStream,
    column: usize,
    name: &str,
) -> (TokenStream, TokenStream) {
    let ty = &field.ty;
    let json = |held: TokenStream| {
        let get = quote!(<#held as #private::Value<__DB>>::get(row, #column, #name)?);
        (held, get)
    };
    match (&field.sqlx.try_from, field.sqlx.json) {
        (Some(from), _) => (
            from.to_token_stream(),
            quote!(#private::get_from::<__DB, #from, #ty>(row, #column, #name)?),
        ),
        (None, Some(nullable)) if nullable.0 => {
            let inner = not_null(ty);
            let (held, get) =
                json(quote!(::core::option::Option<#private::sqlx::types::Json<#inner>>));
            (held, quote!(#get.map(|json| json.0)))
        }
        (None, Some(_)) => {
            let (held, get) = json(quote!(#private::sqlx::types::Json<#ty>));
            (held, quote!(#get.0))
        }
        (None, None) => {
            let get = read_as(ty, private);
            (ty.to_token_stream(), quote!(#get(row, #column, #name)?))
        }
    }
}

/// What reads a column of this type: on SQLite, NULL would be an empty text, or 0.
pub(super) fn read_as(ty: &Type, private: &TokenStream) -> TokenStream {
    match container(ty).is_some_and(|(name, _)| name == "Option") {
        true => quote!(<#ty as #private::Value<__DB>>::get),
        false => quote!(<#ty as #private::Value<__DB>>::required),
    }
}
