//! `#[cached(…)]`, `#[column(…)]`: the only place that knows the attributes' names.

mod condition;
mod sqlx;

use cache_schema::suggest;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, LitStr, Path, Token, Type, parenthesized};

pub(crate) use self::condition::Condition;
use self::condition::conditions;
pub(crate) use self::sqlx::Sqlx;

/// On the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) model: Option<LitStr>,
    pub(crate) projection: Option<LitStr>,
    pub(crate) dependencies: Vec<LitStr>,
    pub(crate) krate: Option<Path>,
    /// `load`, where it is said.
    pub(crate) load: Option<Span>,
    /// `load(snapshot)`: all its statements see one moment.
    pub(crate) snapshot: bool,
    /// `filter(status = "published")`: what its rows have to be.
    pub(crate) filter: Vec<Condition>,
    /// `by("article-tag.tag": String)`
    pub(crate) by: Vec<By>,
    pub(crate) serde: Serde,
}

/// The type of a column that is the key of a list.
pub(crate) struct By {
    /// As it is written in `cache.toml`.
    pub(crate) column: LitStr,
    pub(crate) ty: Type,
}

impl Parse for By {
    fn parse(input: ParseStream) -> syn::Result<By> {
        let column = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(By { column, ty: input.parse()? })
    }
}

/// On a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) column: Option<LitStr>,
    pub(crate) embeds: Option<LitStr>,
    /// `hidden`, where it is said.
    pub(crate) hidden: Option<Span>,
    pub(crate) found: Found,
    pub(crate) serde: Serde,
    pub(crate) sqlx: Sqlx,
}

/// How a loader that writes itself finds what is in a field, where the names do not say it.
#[derive(Default)]
pub(crate) struct Found {
    /// `from = "model.column"`: a column of other rows.
    pub(crate) from: Option<LitStr>,
    /// `count = "model"`: how many rows there are.
    pub(crate) count: Option<LitStr>,
    /// `order_by = "-time, id"`
    pub(crate) order_by: Option<LitStr>,
    /// `filter(status = "published", deleted_at = None)`
    pub(crate) filter: Vec<Condition>,
}

impl Found {
    /// For the fingerprint: what is found in another way is another value.
    pub(crate) fn text(&self) -> String {
        let said =
            [&self.from, &self.count, &self.order_by].map(|it| it.as_ref().map(LitStr::value));
        match (said.iter().all(Option::is_none), &self.filter[..]) {
            (true, []) => String::new(),
            (_, filter) => {
                let filter = filter.iter().map(Condition::text);
                format!("{said:?} {}", filter.collect::<String>())
            }
        }
    }
}

/// What is understood of serde's attributes.
#[derive(Default)]
pub(crate) struct Serde {
    /// The names of all that is said.
    pub(crate) said: Vec<String>,
    /// `rename`, or the case of `rename_all`: what it is written as,
    pub(crate) written: Option<String>,
    /// and what it is read by.
    pub(crate) read: Option<String>,
    /// `alias`: by what it is read as well.
    pub(crate) aliases: Vec<String>,
}

const SKIPS: [&str; 3] = ["skip", "skip_serializing", "skip_deserializing"];

impl Serde {
    pub(crate) fn says(&self, name: &str) -> bool {
        self.said.iter().any(|it| it == name)
    }

    /// `skip`, `skip_serializing` or `skip_deserializing`.
    pub(crate) fn skips(&self) -> bool {
        SKIPS.iter().any(|skip| self.says(skip))
    }

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

const ON_STRUCT: [&str; 7] =
    ["model", "projection", "dependencies", "crate", "load", "filter", "by"];
const ON_FIELD: [&str; 7] = ["column", "embeds", "from", "count", "order_by", "filter", "hidden"];

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
        } else if meta.path.is_ident("load") {
            attrs.load = Some(meta.path.span());
            if !meta.input.peek(syn::token::Paren) {
                return Ok(());
            }
            meta.parse_nested_meta(|meta| {
                attrs.snapshot |= meta.path.is_ident("snapshot");
                match attrs.snapshot {
                    true => Ok(()),
                    false => {
                        Err(meta.error("expected #[cached(load)] or #[cached(load(snapshot))]"))
                    }
                }
            })
        } else if meta.path.is_ident("filter") {
            conditions(&meta, &mut attrs.filter)
        } else if meta.path.is_ident("by") {
            if !meta.input.peek(syn::token::Paren) {
                return Err(meta.error("expected #[cached(by(\"model.column\": String))]"));
            }
            let list;
            parenthesized!(list in meta.input);
            attrs.by.extend(Punctuated::<By, Token![,]>::parse_terminated(&list)?);
            Ok(())
        } else if meta.path.is_ident("crate") {
            attrs.krate = Some(path(&text(&meta)?)?);
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
    let mut attrs = FieldAttrs {
        serde: serde(attributes, "rename"),
        sqlx: sqlx::attributes(attributes, errors),
        ..FieldAttrs::default()
    };
    each_cached(attributes, errors, |meta| {
        if meta.path.is_ident("column") {
            set(&mut attrs.column, &meta)
        } else if meta.path.is_ident("embeds") {
            set(&mut attrs.embeds, &meta)
        } else if meta.path.is_ident("from") {
            set(&mut attrs.found.from, &meta)
        } else if meta.path.is_ident("count") {
            set(&mut attrs.found.count, &meta)
        } else if meta.path.is_ident("order_by") {
            set(&mut attrs.found.order_by, &meta)
        } else if meta.path.is_ident("filter") {
            conditions(&meta, &mut attrs.found.filter)
        } else if meta.path.is_ident("hidden") {
            attrs.hidden = Some(meta.path.span());
            match meta.input.is_empty() || meta.input.peek(Token![,]) {
                true => Ok(()),
                false => Err(meta.error("expected #[cached(hidden)]")),
            }
        } else {
            Err(unknown(&meta, "a field", &ON_FIELD, "a struct", &ON_STRUCT))
        }
    });
    let Found { from, count, .. } = &attrs.found;
    let kinds = [&attrs.column, &attrs.embeds, from, count];
    if let [_, again, ..] = &kinds.into_iter().flatten().collect::<Vec<_>>()[..] {
        let why = "a field is a column (`column`), or holds rows (`embeds`), or a column of other rows (`from`), or how many there are (`count`)";
        errors.push(Error::new(again.span(), why));
    }
    attrs
}

/// Of `#[derive(Column)]`: the path of `cache_runtime`.
pub(crate) fn on_column(attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let mut attrs = StructAttrs::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("column")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected #[column(crate = \"…\")]"));
            }
            attrs.krate = Some(path(&meta.value()?.parse()?)?);
            Ok(())
        })?;
    }
    Ok(attrs.runtime())
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

/// Of `schema!()` and `tag!()`, which know no strings: `crate = …`.
pub(crate) fn krate(input: ParseStream) -> syn::Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    input.call(Path::parse_mod_style)
}

fn path(text: &LitStr) -> syn::Result<Path> {
    text.parse().map_err(|_| {
        let why = "expected the path of `cache_runtime`, such as \"crate::cache\"";
        Error::new(text.span(), why)
    })
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
            serde.said.push(name(&meta));
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
