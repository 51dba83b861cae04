//! What holds rows: `Option`, `Vec`, `Box` and `Arc`, in each other.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Type};

use crate::ast::container;

/// Whether a type is what the rows themselves are.
pub(super) type IsRow = fn(&Type) -> bool;

/// The struct, or a column's type.
pub(super) fn itself(ty: &Type) -> bool {
    container(ty).is_none()
}

/// The struct as it comes out of the cache.
pub(super) fn shared(ty: &Type) -> bool {
    container(ty).is_some_and(|(name, inner)| name == "Arc" && itself(inner))
}

/// An expression for this type, in an `Option`, which takes what it holds from the iterator `rows`;
/// `is_row` is what that has.
pub(super) fn hold(ty: &Type, is_row: IsRow) -> Result<TokenStream, Error> {
    if is_row(ty) {
        return Ok(quote!(rows.next()));
    }
    let Some((name, inner)) = container(ty) else {
        let why =
            "rows are held by `Option`, `Vec`, `Box` and `Arc`: a loader cannot make this of them";
        return Err(Error::new_spanned(ty, why));
    };
    let held = hold(inner, is_row)?;
    Ok(match name.to_string().as_str() {
        "Option" => quote!(::core::option::Option::Some(#held)),
        "Box" => quote!(#held.map(::std::boxed::Box::new)),
        "Arc" => quote!(#held.map(::std::sync::Arc::new)),
        _ if holds_nothing(inner, is_row) => {
            let why = "a list of what may hold nothing has no end: which rows would be in which?\n\
                       help: write `Vec<…>` of the rows";
            return Err(Error::new_spanned(ty, why));
        }
        _ => all(&held),
    })
}

/// A list of what this takes from `rows`, as long as there is some.
fn all(held: &TokenStream) -> TokenStream {
    quote!({
        let mut all = ::std::vec::Vec::new();
        while let ::core::option::Option::Some(row) = #held {
            all.push(row);
        }
        ::core::option::Option::Some(all)
    })
}

/// Columns of rows: all in a `Vec`, or the first in an `Option`. What is in that, and the
/// expression.
pub(super) fn hold_values(ty: &Type) -> Result<(&Type, TokenStream), Error> {
    match container(ty) {
        Some((name, inner)) if name == "Vec" => Ok((inner, all(&quote!(rows.next())))),
        Some((name, inner)) if name == "Option" => {
            Ok((inner, quote!(::core::option::Option::Some(rows.next()))))
        }
        _ => {
            let why = "a column of rows that refer to this one is a `Vec` of what is in it, or an `Option` of the first";
            Err(Error::new_spanned(ty, why))
        }
    }
}

/// Whether it is there without a row as well.
fn holds_nothing(ty: &Type, is_row: IsRow) -> bool {
    match container(ty) {
        _ if is_row(ty) => false,
        Some((name, inner)) => name == "Option" || name == "Vec" || holds_nothing(inner, is_row),
        None => false,
    }
}

/// Whether it holds any number of rows.
pub(super) fn is_list(ty: &Type, is_row: IsRow) -> bool {
    match container(ty) {
        _ if is_row(ty) => false,
        Some((name, inner)) => name == "Vec" || is_list(inner, is_row),
        None => false,
    }
}
