//! Goldens of the expansion, which are also its documentation.
//!
//! After a change that is meant: `BLESS=1 cargo test -p cache-derive`, then read the diff.

use quote::ToTokens;
use syn::{DeriveInput, parse_quote};

use super::{folder, schema};
use crate::expand;

#[test]
fn plio_embeds_rows_and_can_be_looked_up() {
    golden(
        "plio",
        Of::Value,
        &parse_quote! {
            pub struct Plio {
                pub id: i64,
                pub uuid: String,
                pub name: String,
                pub video_id: Option<i64>,
                pub video: Option<Video>,
                pub created_by: Arc<User>,
                pub items: Vec<Item>,
            }
        },
    );
}

#[test]
fn review_loads_itself() {
    golden(
        "review",
        Of::Loading,
        &parse_quote! {
            #[cached(load, filter(is_hidden = false), by("remark.author": String))]
            pub struct Review {
                pub id: i64,
                pub video_id: Option<i64>,
                #[sqlx(json(nullable))]
                pub config: Option<Value>,
                #[cached(from = "video.title")]
                pub title: Option<String>,
                pub written_by: Arc<User>,
                #[cached(order_by = "-time", filter(kind = "text", deleted_at = None))]
                pub remarks: Vec<Remark>,
                pub first: Option<Box<Remark>>,
                #[cached(count = "remark")]
                pub count: i64,
                #[cached(from = "remark.kind", order_by = "kind")]
                pub kinds: Vec<String>,
            }
        },
    );
}

#[test]
fn review_is_listed() {
    golden(
        "lists",
        Of::Lists,
        &parse_quote! {
            #[cached(by("remark.author": String))]
            pub struct Review {
                pub id: i64,
                pub video: Option<Video>,
                pub written_by: Arc<User>,
                pub remarks: Vec<Remark>,
            }
        },
    );
}

#[test]
fn user_embeds_a_projection() {
    golden(
        "user",
        Of::Value,
        &parse_quote! {
            pub struct User {
                pub id: i64,
                pub email: String,
                #[cached(embeds = "organization-user")]
                pub organizations: Vec<Membership>,
            }
        },
    );
}

#[test]
fn membership_is_a_projection() {
    golden(
        "membership",
        Of::Value,
        &parse_quote! {
            #[cached(projection = "organization-user")]
            pub struct Membership {
                #[cached(column = "organization_id")]
                pub id: i64,
                pub name: String,
                pub role: String,
            }
        },
    );
}

/// What of an expansion.
#[derive(Clone, Copy)]
enum Of {
    Value,
    Loading,
    Lists,
}

#[track_caller]
fn golden(name: &str, of: Of, input: &DeriveInput) {
    let expansion = expand::with_schema(input, &schema());
    assert!(!expansion.to_string().contains("compile_error"), "{expansion}");
    let mut expansion: syn::File = syn::parse2(expansion).expect("it is Rust");
    // What is there where the runtime has a database is long, and shown by itself.
    let items = expansion.items.into_iter().flat_map(|item| match (item, of) {
        (syn::Item::Macro(parts), Of::Loading) => {
            syn::parse2::<syn::File>(parts.mac.tokens).expect("it is Rust").items
        }
        (item, Of::Lists) if is_of_a_list(&item) => vec![item],
        (syn::Item::Macro(_), Of::Value) | (_, Of::Loading | Of::Lists) => Vec::new(),
        (item, Of::Value) => vec![item],
    });
    expansion.items = items.collect();
    let input = prettyplease::unparse(&parse_quote!(#[derive(Cached)] #input));
    let commented: String = input.lines().map(|line| format!("// {line}\n")).collect();
    let actual = format!(
        "// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.\n//\n{commented}\n{}",
        prettyplease::unparse(&expansion)
    );

    let path = folder().join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &actual).expect("the golden can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden
        .lines()
        .chain(std::iter::repeat("<nothing>"))
        .zip(actual.lines().chain(["<nothing>"]))
        .position(|(golden, actual)| golden != actual);
    assert!(
        golden == actual,
        "tests/compile/expansions/{name}.rs differs from line {} on. If that is meant: \
         BLESS=1 cargo test -p cache-derive\n\n{actual}",
        differs.map_or(golden.lines().count(), |line| line + 1),
    );
}

/// The key of a list, what it says of itself, or the function that reads it.
fn is_of_a_list(item: &syn::Item) -> bool {
    match item {
        syn::Item::Struct(_) => true,
        syn::Item::Impl(item) => {
            let text = item.to_token_stream().to_string();
            text.contains(":: List for") || text.contains(":: Listing")
        }
        _ => false,
    }
}
