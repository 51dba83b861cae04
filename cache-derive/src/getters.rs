//! The functions that a service calls, each one line; beside an error the same ones, without a
//! body.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;

/// For which struct they are.
pub(crate) struct Getters<'a> {
    pub(crate) runtime: &'a TokenStream,
    pub(crate) vis: &'a Visibility,
    /// The type of the id.
    pub(crate) id: &'a TokenStream,
    pub(crate) lookups: Vec<Lookup>,
    /// Whether values are stored as JSON.
    pub(crate) json: bool,
}

/// A column that the struct can be got by.
pub(crate) struct Lookup {
    pub(crate) column: String,
    pub(crate) ty: TokenStream,
    /// The variant that holds it: `PlioLookup::Uuid`.
    pub(crate) by: TokenStream,
}

/// What functions there are: a method of `Reader` or of `Cache` each.
struct Getter {
    method: &'static str,
    from: From,
    of: Of,
    returns: Returns,
    doc: &'static str,
    errors: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum From {
    /// A cache or a transaction.
    Reader,
    Cache,
}

#[derive(Clone, Copy, PartialEq)]
enum Of {
    Id,
    Ids,
    Lookup,
}

#[derive(Clone, Copy, PartialEq)]
enum Returns {
    Row,
    Fetched,
    Json,
    Nothing,
}

const LOAD: &str = "When it had to be loaded and could not be.";
const REPORT: &str = "When the outbox cannot be written, or, without one, the store be reached.";
const REPORT_AND_LOAD: &str = "When the outbox cannot be written, or, without one, the store be reached; or when it could not be \
     loaded.";

const fn getter(
    method: &'static str,
    from: From,
    of: Of,
    returns: Returns,
    doc: &'static str,
    errors: &'static str,
) -> Getter {
    Getter { method, from, of, returns, doc, errors }
}

#[rustfmt::skip]
const GETTERS: [Getter; 11] = [
    getter("get", From::Reader, Of::Id, Returns::Row, "The row with this id, from the cache or a transaction; `None` when there is none.", LOAD),
    getter("get_many", From::Reader, Of::Ids, Returns::Row, "The rows with these ids, at their positions, from the cache or a transaction.", LOAD),
    getter("fetch", From::Cache, Of::Id, Returns::Fetched, "The row with this id, and how it was come by.", LOAD),
    getter("fetch_many", From::Cache, Of::Ids, Returns::Fetched, "The rows with these ids, at their positions, and how each was come by.", LOAD),
    getter("fetch_json", From::Cache, Of::Id, Returns::Json, "The JSON of the row with this id, as it is stored.", LOAD),
    getter("fetch_json_many", From::Cache, Of::Ids, Returns::Json, "The JSON of the rows with these ids, at their positions, as it is stored.", LOAD),
    getter("invalidate", From::Cache, Of::Id, Returns::Nothing, "Invalidates what is built from the row with this id, after a write that nobody reported.", REPORT),
    getter("refresh", From::Cache, Of::Id, Returns::Nothing, "Does the same, then loads the row for readers to come.", REPORT_AND_LOAD),
    getter("get_by", From::Reader, Of::Lookup, Returns::Row, "The row with this `{column}`, from the cache or a transaction.", LOAD),
    getter("fetch_by", From::Cache, Of::Lookup, Returns::Fetched, "The row with this `{column}`, and how it was come by.", LOAD),
    getter("fetch_json_by", From::Cache, Of::Lookup, Returns::Json, "The JSON of the row with this `{column}`, as it is stored.", LOAD),
];

impl Getters<'_> {
    /// The functions.
    pub(crate) fn render(&self) -> TokenStream {
        self.each(&|getter, lookup| self.function(getter, lookup))
    }

    /// The same for a struct that does not compile: whoever calls them is not told of that again.
    pub(crate) fn stubs(&self) -> TokenStream {
        self.each(&|getter, lookup| self.stub(getter, lookup))
    }

    /// One for each that there is, those by lookup once for each column.
    fn each(&self, render: &dyn Fn(&Getter, Option<&Lookup>) -> TokenStream) -> TokenStream {
        let getters = GETTERS.iter().filter(|getter| self.json || getter.returns != Returns::Json);
        let (by_lookup, by_id): (Vec<&Getter>, Vec<&Getter>) =
            getters.partition(|getter| getter.of == Of::Lookup);
        let by_id = by_id.into_iter().map(|getter| render(getter, None));
        let lookups = self.lookups.iter();
        let by_lookup = lookups.flat_map(|lookup| {
            let getters = by_lookup.iter();
            getters.map(|getter| render(getter, Some(lookup)))
        });
        by_id.chain(by_lookup).collect()
    }

    fn function(&self, getter: &Getter, lookup: Option<&Lookup>) -> TokenStream {
        let (vis, runtime) = (self.vis, self.runtime);
        let column = lookup.map_or("", |lookup| &lookup.column);
        let doc =
            format!("{}\n\n# Errors\n{}", getter.doc.replace("{column}", column), getter.errors);
        let (name, method) = (name(getter, lookup), format_ident!("{}", getter.method));
        let (ty, result) = (self.takes(getter, lookup), self.result(getter));
        let (of, value, bound) = match (getter.of, lookup) {
            (Of::Ids, _) => (quote!(ids), quote!(ids), quote!(#runtime::Load)),
            (_, None) => (quote!(id), given(self.id, &quote!(id)), quote!(#runtime::Load)),
            (_, Some(Lookup { by, ty, .. })) => {
                let value = given(ty, &quote!(value));
                (quote!(value), quote!(#by(#value)), quote!(#runtime::Find))
            }
        };
        match getter.from {
            From::Reader => quote! {
                #[doc = #doc]
                #vis async fn #name<R: #runtime::Reader>(from: R, #of: #ty) -> #result
                where Self: #bound<R::Source> {
                    #runtime::Reader::#method::<Self>(from, #value).await
                }
            },
            From::Cache => quote! {
                #[doc = #doc]
                #vis async fn #name<Db>(cache: &#runtime::Cache<Db>, #of: #ty) -> #result
                where
                    Self: #bound<Db>,
                    Db: ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    cache.#method::<Self>(#value).await
                }
            },
        }
    }

    fn stub(&self, getter: &Getter, lookup: Option<&Lookup>) -> TokenStream {
        let (vis, runtime) = (self.vis, self.runtime);
        let (ty, result) = (self.takes(getter, lookup), self.result(getter));
        let name = name(getter, lookup);
        let (generic, from) = match getter.from {
            From::Reader => (quote!(R), quote!(R)),
            From::Cache => (quote!(Db), quote!(&#runtime::Cache<Db>)),
        };
        quote! {
            #vis async fn #name<#generic>(_: #from, _: #ty) -> #result { ::core::unreachable!() }
        }
    }

    /// The type of what it is asked for.
    fn takes(&self, getter: &Getter, lookup: Option<&Lookup>) -> TokenStream {
        let id = self.id;
        match (getter.of, lookup) {
            (Of::Ids, _) => quote!(&[#id]),
            (_, None) => taken(id),
            (_, Some(lookup)) => taken(&lookup.ty),
        }
    }

    fn result(&self, getter: &Getter) -> TokenStream {
        let runtime = self.runtime;
        let one = match getter.returns {
            Returns::Row => quote!(::core::option::Option<::std::sync::Arc<Self>>),
            Returns::Fetched => quote!(#runtime::Fetched<::std::sync::Arc<Self>>),
            Returns::Json => quote!(#runtime::Fetched<#runtime::Json>),
            Returns::Nothing => quote!(()),
        };
        let all = match getter.of {
            Of::Ids => quote!(::std::vec::Vec<#one>),
            Of::Id | Of::Lookup => one,
        };
        quote!(::core::result::Result<#all, #runtime::Error>)
    }
}

/// What a function takes for a column of this type: for a text whatever becomes one, such as a
/// `&str`; else the type itself, as an `impl Into<i64>` would not let a bare `1` be one.
pub(crate) fn taken(ty: &TokenStream) -> TokenStream {
    match is_text(ty) {
        true => quote!(impl ::core::convert::Into<#ty>),
        false => ty.clone(),
    }
}

/// What the column is then.
pub(crate) fn given(ty: &TokenStream, value: &TokenStream) -> TokenStream {
    match is_text(ty) {
        true => quote!(::core::convert::Into::<#ty>::into(#value)),
        false => value.clone(),
    }
}

fn is_text(ty: &TokenStream) -> bool {
    let ty: String = ty.to_string().split_whitespace().collect();
    let is =
        |text: &str| ty.strip_suffix(text).is_some_and(|it| it.is_empty() || it.ends_with("::"));
    ["String", "Box<str>", "Arc<str>"].into_iter().any(is)
}

/// `get`, `get_by_uuid`.
fn name(getter: &Getter, lookup: Option<&Lookup>) -> Ident {
    match lookup {
        Some(lookup) => format_ident!("{}_{}", getter.method, lookup.column),
        None => format_ident!("{}", getter.method),
    }
}
