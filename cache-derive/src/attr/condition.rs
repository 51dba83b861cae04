//! `filter(status = "published", deleted_at = None)`: columns compared with constants.

use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Error, Ident};

use super::bare;

/// A column that is to hold this.
pub(crate) struct Condition {
    pub(crate) column: Ident,
    pub(crate) constant: Constant,
}

impl Condition {
    /// For the fingerprint.
    pub(crate) fn text(&self) -> String {
        format!("{} {:?};", self.column, self.constant)
    }
}

#[derive(Debug)]
pub(crate) enum Constant {
    Null,
    Text(String),
    Integer(String),
    Bool(bool),
}

impl Constant {
    /// Whether it is this one of `cache.toml`.
    pub(crate) fn is(&self, other: &cache_schema::Constant) -> bool {
        match (self, other) {
            (Constant::Null, cache_schema::Constant::Null(is)) => *is,
            (Constant::Text(text), cache_schema::Constant::Text(it)) => text == it,
            (Constant::Integer(digits), cache_schema::Constant::Integer(it)) => {
                digits.parse() == Ok(*it)
            }
            (Constant::Bool(is), cache_schema::Constant::Bool(it)) => is == it,
            _ => false,
        }
    }

    /// As `cache.toml` has it.
    pub(crate) fn in_toml(&self) -> String {
        match self {
            Constant::Null => "{ null = true }".to_owned(),
            Constant::Text(text) => format!("{text:?}"),
            Constant::Integer(digits) => digits.clone(),
            Constant::Bool(is) => is.to_string(),
        }
    }
}

pub(super) fn conditions(meta: &ParseNestedMeta, all: &mut Vec<Condition>) -> syn::Result<()> {
    meta.parse_nested_meta(|meta| {
        all.push(condition(&meta)?);
        Ok(())
    })
}

fn condition(meta: &ParseNestedMeta) -> syn::Result<Condition> {
    let why = "expected a column and a constant, such as filter(status = \"published\", deleted_at = None)";
    let column = meta.path.require_ident().map_err(|error| Error::new(error.span(), why))?.unraw();
    let value: syn::Expr = meta.value().and_then(|value| value.parse())?;
    let constant = match bare(value) {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })
            if text.value().contains('\0') =>
        {
            return Err(Error::new(text.span(), "no column holds a text with a NUL"));
        }
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
            Constant::Text(text.value())
        }
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
            Constant::Integer(number.base10_digits().to_owned())
        }
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(is), .. }) => Constant::Bool(is.value),
        syn::Expr::Path(path) if path.path.is_ident("None") => Constant::Null,
        syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => match *expr {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
                Constant::Integer(format!("-{}", number.base10_digits()))
            }
            other => return Err(Error::new_spanned(other, why)),
        },
        other => return Err(Error::new_spanned(other, why)),
    };
    Ok(Condition { column, constant })
}
