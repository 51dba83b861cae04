//! `filter(status = "published", deleted_at = None)`: columns compared with constants.

use cache_schema::Constant;
use proc_macro2::Span;
use syn::Error;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;

use super::bare;

/// A column that is to hold this, and where that is said.
pub(crate) struct Condition {
    pub(crate) span: Span,
    pub(crate) is: cache_schema::Condition,
}

impl Condition {
    /// For the fingerprint.
    pub(crate) fn text(&self) -> String {
        format!("{} {:?};", self.is.column, self.is.constant)
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
        syn::Expr::Path(path) if path.path.is_ident("None") => Constant::Null(true),
        syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => match *expr {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
                Constant::Integer(format!("-{}", number.base10_digits()))
            }
            other => return Err(Error::new_spanned(other, why)),
        },
        other => return Err(Error::new_spanned(other, why)),
    };
    let is = cache_schema::Condition { column: column.to_string(), constant };
    Ok(Condition { span: column.span(), is })
}
