//! The macros of `cache-runtime`, which re-exports them: use them from there.
//!
//! `#[derive(Cached)]`: attributes → `ast` → `check` → `expand`; on an error the `fallback`,
//! so that one mistake is one error. `#[derive(Column)]`: `column`. `schema!()`: `schema`.

mod accounts;
mod ast;
mod attr;
mod cached;
mod check;
mod column;
mod expand;
mod fallback;
mod file;
mod getters;
mod hidden;
mod list;
mod literal;
mod load;
mod rows;
mod schema;
mod tag;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a struct a row of a model of `cache.toml`; see the guide, `docs/guide/values.md`.
///
/// | on the struct | |
/// | --- | --- |
/// | `#[cached(model = "plio")]` | the model; without it, the struct's name in kebab-case |
/// | `#[cached(projection = "user")]` | some of the model's columns, to be embedded; no getters |
/// | `#[cached(dependencies("image"))]` | it does not carry these rows; `impl Dependencies` names them |
/// | `#[cached(load)]`, `#[cached(filter(is_draft = false))]` | it loads itself; which rows it has |
/// | `#[cached(by("article-tag.tag": String))]` | the type of what a list is by, if no field says it |
/// | `#[cached(crate = "path")]` | where `cache_runtime` is, if renamed |
///
/// | on a field | |
/// | --- | --- |
/// | `#[cached(column = "user_id")]` | the column it holds, whatever its type is named like; without it, the field's name |
/// | `#[cached(embeds = "user")]` | the rows it holds; without it, the model that its type is named like |
/// | `#[cached(hidden)]` | it is stored, and left out of the JSON that is answered |
#[proc_macro_derive(Cached, attributes(cached, sqlx))]
pub fn cached(input: TokenStream) -> TokenStream {
    expand::derive(input.into()).into()
}

/// Makes a newtype, or an enum without data, a column of keys and tags; see the trait `Column` of
/// `cache_runtime`.
///
/// | on | what it is |
/// | --- | --- |
/// | `struct AuthorId(i64)` | what its field is: its text; an id, if that is one |
/// | an enum | the variant's name, as `#[sqlx(rename_all = "…")]` and `#[sqlx(rename = "…")]` say |
/// | an enum with `#[repr(i32)]` | the variant's number |
/// | any, with `#[column(crate = "path")]` | where `cache_runtime` is, if renamed |
#[proc_macro_derive(Column, attributes(column, sqlx))]
pub fn column(input: TokenStream) -> TokenStream {
    column::derive(input.into()).into()
}

/// What `cache.toml` says beside the models, for `Cache::builder`: `static SCHEMA: Schema =
/// cache_runtime::schema!();`, or `schema!(crate = my::path)` where `cache_runtime` is renamed.
#[proc_macro]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::expand(input.into()).into()
}

/// The columns of a tag, for `impl Dependencies`: `tags.add(tag!("organization#id"), &id)`. Stops
/// the build where no write reports such a tag; `tag!(crate = my::path, "…")` where `cache_runtime`
/// is renamed.
#[proc_macro]
pub fn tag(input: TokenStream) -> TokenStream {
    tag::expand(input.into()).into()
}
