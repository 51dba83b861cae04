//! `#[sqlx(…)]`: how sqlx reads a column, where its type does not say it. The attributes are those
//! of `sqlx::FromRow`, <https://docs.rs/sqlx/latest/sqlx/trait.FromRow.html>, so that a struct may
//! derive both.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Type};

/// What is understood of them.
#[derive(Default)]
pub(crate) struct Sqlx {
    /// `rename`: the column.
    pub(crate) rename: Option<LitStr>,
    /// `json`, which may be `nullable`.
    pub(crate) json: Option<Nullable>,
    /// `try_from`: the type in the column.
    pub(crate) try_from: Option<Type>,
    /// `skip`: no column.
    pub(crate) skips: bool,
    /// `flatten`, which is not one of ours.
    pub(crate) flattens: bool,
}

/// Whether it is an `Option`.
#[derive(Clone, Copy)]
pub(crate) struct Nullable(pub(crate) bool);

pub(super) fn attributes(attributes: &[Attribute], errors: &mut Vec<Error>) -> Sqlx {
    let mut sqlx = Sqlx::default();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("sqlx")) {
        errors.extend(attribute.parse_nested_meta(|meta| entry(&mut sqlx, &meta)).err());
    }
    sqlx
}

fn entry(sqlx: &mut Sqlx, meta: &ParseNestedMeta) -> syn::Result<()> {
    let is = |name| meta.path.is_ident(name);
    if is("rename") {
        sqlx.rename = Some(meta.value()?.parse()?);
    } else if is("try_from") {
        sqlx.try_from = Some(meta.value()?.parse::<LitStr>()?.parse()?);
    } else if is("json") {
        let mut nullable = false;
        if meta.input.peek(syn::token::Paren) {
            meta.parse_nested_meta(|meta| {
                nullable |= meta.path.is_ident("nullable");
                Ok(())
            })?;
        }
        sqlx.json = Some(Nullable(nullable));
    } else {
        sqlx.skips |= is("skip");
        sqlx.flattens |= is("flatten");
        // What sqlx itself finds wrong with its attributes, it says itself.
        if let Ok(value) = meta.value() {
            value.parse::<syn::Expr>()?;
        }
    }
    Ok(())
}
