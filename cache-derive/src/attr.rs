//! `#[cached(…)]`: the only place that knows the attributes' names.

use cache_schema::suggest;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, LitStr, Path, Token, parenthesized};

/// On the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) model: Option<LitStr>,
    pub(crate) projection: Option<LitStr>,
    pub(crate) dependencies: Vec<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) serde: Serde,
}

/// On a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) column: Option<LitStr>,
    pub(crate) embeds: Option<LitStr>,
    pub(crate) serde: Serde,
}

/// What is understood of serde's attributes.
#[derive(Default)]
pub(crate) struct Serde {
    /// `skip`, `skip_serializing` or `skip_deserializing`.
    pub(crate) skips: bool,
    /// `rename`, or the case of `rename_all`: what it is written as,
    pub(crate) written: Option<String>,
    /// and what it is read by.
    pub(crate) read: Option<String>,
    /// `alias`: by what it is read as well.
    pub(crate) aliases: Vec<String>,
}

const SKIPS: [&str; 3] = ["skip", "skip_serializing", "skip_deserializing"];

impl Serde {
    /// What it is written as, if it is not read by that.
    pub(crate) fn unread<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let [written, read] = [&self.written, &self.read].map(|it| it.as_deref().unwrap_or(name));
        let is_read = written == read || self.aliases.iter().any(|it| it == written);
        (!is_read).then_some(written)
    }
}

impl StructAttrs {
    /// The path of `cache_runtime`.
    pub(crate) fn runtime(&self) -> TokenStream {
        match &self.krate {
            Some(path) => path.to_token_stream(),
            None => quote!(::cache_runtime),
        }
    }
}

const ON_STRUCT: [&str; 4] = ["model", "projection", "dependencies", "crate"];
const ON_FIELD: [&str; 2] = ["column", "embeds"];

pub(crate) fn on_struct(attributes: &[Attribute], errors: &mut Vec<Error>) -> StructAttrs {
    let mut attrs =
        StructAttrs { serde: serde(attributes, "rename_all"), ..StructAttrs::default() };
    each_cached(attributes, errors, |meta| {
        if meta.path.is_ident("model") {
            set(&mut attrs.model, &meta)
        } else if meta.path.is_ident("projection") {
            set(&mut attrs.projection, &meta)
        } else if meta.path.is_ident("dependencies") {
            if !meta.input.peek(syn::token::Paren) {
                return Err(meta.error("expected #[cached(dependencies(\"…\"))]"));
            }
            let list;
            parenthesized!(list in meta.input);
            attrs.dependencies.extend(Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?);
            Ok(())
        } else if meta.path.is_ident("crate") {
            let path = text(&meta)?;
            attrs.krate = Some(path.parse().map_err(|_| {
                let why = "expected the path of `cache_runtime`, such as \"crate::cache\"";
                Error::new(path.span(), why)
            })?);
            Ok(())
        } else {
            Err(unknown(&meta, "a struct", &ON_STRUCT, "a field", &ON_FIELD))
        }
    });
    if let (Some(_), Some(projection)) = (&attrs.model, &attrs.projection) {
        let why = "a struct is either the whole row (`model`) or a projection of it (`projection`)";
        errors.push(Error::new(projection.span(), why));
    }
    attrs
}

pub(crate) fn on_field(attributes: &[Attribute], errors: &mut Vec<Error>) -> FieldAttrs {
    let mut attrs = FieldAttrs { serde: serde(attributes, "rename"), ..FieldAttrs::default() };
    each_cached(attributes, errors, |meta| {
        if meta.path.is_ident("column") {
            set(&mut attrs.column, &meta)
        } else if meta.path.is_ident("embeds") {
            set(&mut attrs.embeds, &meta)
        } else {
            Err(unknown(&meta, "a field", &ON_FIELD, "a struct", &ON_STRUCT))
        }
    });
    if let (Some(_), Some(embeds)) = (&attrs.column, &attrs.embeds) {
        let why = "a field is either a column (`column`) or holds rows (`embeds`)";
        errors.push(Error::new(embeds.span(), why));
    }
    attrs
}

fn each_cached(
    attributes: &[Attribute],
    errors: &mut Vec<Error>,
    mut entry: impl FnMut(ParseNestedMeta) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cached")) {
        errors.extend(attribute.parse_nested_meta(&mut entry).err());
    }
}

fn set(slot: &mut Option<LitStr>, meta: &ParseNestedMeta) -> syn::Result<()> {
    match slot.replace(text(meta)?) {
        None => Ok(()),
        Some(_) => Err(meta.error(format!("`{}` is given twice", name(meta)))),
    }
}

fn text(meta: &ParseNestedMeta) -> syn::Result<LitStr> {
    let value = meta.value().and_then(|value| value.parse());
    value.map_err(|error| {
        let why = format!("expected #[cached({} = \"…\")]", name(meta));
        Error::new(error.span(), why)
    })
}

fn name(meta: &ParseNestedMeta) -> String {
    meta.path.to_token_stream().to_string().replace(' ', "")
}

fn unknown(
    meta: &ParseNestedMeta,
    here: &str,
    known: &[&str],
    there: &str,
    elsewhere: &[&str],
) -> Error {
    let name = name(meta);
    if elsewhere.contains(&&*name) {
        return meta.error(format!("`{name}` goes on {there}, not on {here}"));
    }
    let help = match suggest(&name, known.iter().copied()) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("{here} takes `{}`", known.join("`, `")),
    };
    meta.error(format!("unknown `#[cached({name})]`: {help}"))
}

/// `rename`: what the attribute of that kind is called here.
fn serde(attributes: &[Attribute], rename: &str) -> Serde {
    let mut serde = Serde::default();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("serde")) {
        // What serde itself finds wrong with its attributes, it says itself.
        let _ = attribute.parse_nested_meta(|meta| {
            serde.skips |= SKIPS.iter().any(|skip| meta.path.is_ident(skip));
            let is_rename = meta.path.is_ident(rename);
            if is_rename && meta.input.peek(syn::token::Paren) {
                return meta.parse_nested_meta(|meta| {
                    let name = meta.value()?.parse::<LitStr>()?.value();
                    match &serde.read {
                        _ if meta.path.is_ident("serialize") => serde.written = Some(name),
                        None => serde.read = Some(name),
                        // More than one is taken, too.
                        Some(_) => serde.aliases.push(name),
                    }
                    Ok(())
                });
            }
            if let Ok(value) = meta.value() {
                if let syn::Expr::Lit(literal) = bare(value.parse()?)
                    && let syn::Lit::Str(name) = literal.lit
                {
                    if is_rename {
                        serde.written = Some(name.value());
                        serde.read = Some(name.value());
                    } else if meta.path.is_ident("alias") {
                        serde.aliases.push(name.value());
                    }
                }
            } else if meta.input.peek(syn::token::Paren) {
                let _list;
                parenthesized!(_list in meta.input);
                _list.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(())
        });
    }
    serde
}

/// Without the invisible parentheses that a `macro_rules!` puts around a `$name:literal`.
fn bare(expr: syn::Expr) -> syn::Expr {
    match expr {
        syn::Expr::Group(group) => bare(*group.expr),
        expr => expr,
    }
}
