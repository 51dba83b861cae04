//! The functions that a service calls, each one line; beside an error the same ones, without a body.

use proc_macro2::TokenStream;
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

/// One function.
struct Getter {
    name: String,
    doc: String,
    /// What it does: a method of `Reader`, or of `Cache`.
    method: &'static str,
    reads_from: ReadsFrom,
    /// What it takes: the name, the type, and what the method takes for it.
    of: (&'static str, TokenStream, TokenStream),
    returns: TokenStream,
    /// The trait that loads.
    bound: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadsFrom {
    /// A cache or a transaction.
    Reader,
    Cache,
}

const ERRORS: &str = "# Errors\nWhen it had to be loaded and could not be.";
const UNREPORTED: &str =
    "# Errors\nWhen the outbox cannot be written, or, without one, the store be reached";

impl Getters<'_> {
    /// The functions.
    pub(crate) fn render(&self) -> TokenStream {
        self.all().iter().map(|it| self.function(it)).collect()
    }

    /// The same for a struct that does not compile: whoever calls them is not told of that again.
    pub(crate) fn stubs(&self) -> TokenStream {
        self.all().iter().map(|it| self.stub(it)).collect()
    }

    fn all(&self) -> Vec<Getter> {
        let mut all = self.by_id();
        for lookup in &self.lookups {
            all.extend(self.by_lookup(lookup));
        }
        all.retain(|getter| self.json || !getter.method.starts_with("fetch_json"));
        all
    }

    fn by_id(&self) -> Vec<Getter> {
        use ReadsFrom::{Cache, Reader};
        let runtime = self.runtime;
        let (row, fetched) = self.answers();
        let json = quote!(#runtime::Fetched<#runtime::Json>);
        let many = |one: &TokenStream| quote!(::std::vec::Vec<#one>);
        let one = |method, reads_from, returns: &TokenStream, doc: String| {
            let of = ("id", self.id.clone(), quote!(id));
            getter(method, reads_from, of, returns.clone(), doc)
        };
        let several = |method, reads_from, returns: &TokenStream, doc: &str| {
            let id = self.id;
            let of = ("ids", quote!(&[#id]), quote!(ids));
            getter(
                method,
                reads_from,
                of,
                many(returns),
                format!("{doc}\n\n{ERRORS}"),
            )
        };
        vec![
            one(
                "get",
                Reader,
                &row,
                format!(
                    "The row with this id, from the cache or a transaction; `None` when there is none.\n\n{ERRORS}"
                ),
            ),
            several(
                "get_many",
                Reader,
                &row,
                "The rows with these ids, at their positions, from the cache or a transaction.",
            ),
            one(
                "fetch",
                Cache,
                &fetched,
                format!("The row with this id, and how it was come by.\n\n{ERRORS}"),
            ),
            several(
                "fetch_many",
                Cache,
                &fetched,
                "The rows with these ids, at their positions, and how each was come by.",
            ),
            one(
                "fetch_json",
                Cache,
                &json,
                format!("The JSON of the row with this id, as it is stored.\n\n{ERRORS}"),
            ),
            several(
                "fetch_json_many",
                Cache,
                &json,
                "The JSON of the rows with these ids, at their positions, as it is stored.",
            ),
            one(
                "invalidate",
                Cache,
                &quote!(()),
                format!(
                    "Invalidates what is built from the row with this id, after a write that nobody reported.\n\n{UNREPORTED}."
                ),
            ),
            one(
                "refresh",
                Cache,
                &quote!(()),
                format!(
                    "Does the same, then loads the row for readers to come.\n\n{UNREPORTED}; or when it could not be loaded."
                ),
            ),
        ]
    }

    fn by_lookup(&self, lookup: &Lookup) -> [Getter; 3] {
        use ReadsFrom::{Cache, Reader};
        let (runtime, Lookup { column, ty, by }) = (self.runtime, lookup);
        let (row, fetched) = self.answers();
        let json = quote!(#runtime::Fetched<#runtime::Json>);
        [
            (
                "get_by",
                Reader,
                row,
                format!("The row with this `{column}`, from the cache or a transaction."),
            ),
            (
                "fetch_by",
                Cache,
                fetched,
                format!("The row with this `{column}`, and how it was come by."),
            ),
            (
                "fetch_json_by",
                Cache,
                json,
                format!("The JSON of the row with this `{column}`, as it is stored."),
            ),
        ]
        .map(|(method, reads_from, returns, doc)| {
            let of = ("value", ty.clone(), quote!(#by(value)));
            Getter {
                name: format!("{method}_{column}"),
                bound: "Find",
                ..getter(
                    method,
                    reads_from,
                    of,
                    returns,
                    format!("{doc}\n\n{ERRORS}"),
                )
            }
        })
    }

    /// What a reader gets, and the same with how it was come by.
    fn answers(&self) -> (TokenStream, TokenStream) {
        let runtime = self.runtime;
        (
            quote!(::core::option::Option<::std::sync::Arc<Self>>),
            quote!(#runtime::Fetched<::std::sync::Arc<Self>>),
        )
    }

    fn function(&self, getter: &Getter) -> TokenStream {
        let Getter {
            doc,
            of: (of, ty, value),
            ..
        } = getter;
        let (vis, runtime) = (self.vis, self.runtime);
        let [name, of, method, bound] =
            [&*getter.name, of, getter.method, getter.bound].map(|it| format_ident!("{it}"));
        let result = self.result(getter);
        match getter.reads_from {
            ReadsFrom::Reader => quote! {
                #[doc = #doc]
                #vis async fn #name<R: #runtime::Reader>(from: R, #of: #ty) -> #result
                where Self: #runtime::#bound<R::Source> {
                    #runtime::Reader::#method::<Self>(from, #value).await
                }
            },
            ReadsFrom::Cache => quote! {
                #[doc = #doc]
                #vis async fn #name<Db>(cache: &#runtime::Cache<Db>, #of: #ty) -> #result
                where
                    Self: #runtime::#bound<Db>,
                    Db: ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    cache.#method::<Self>(#value).await
                }
            },
        }
    }

    fn stub(&self, getter: &Getter) -> TokenStream {
        let (vis, runtime) = (self.vis, self.runtime);
        let (name, (_, ty, _)) = (format_ident!("{}", getter.name), &getter.of);
        let result = self.result(getter);
        let (generic, from) = match getter.reads_from {
            ReadsFrom::Reader => (quote!(R), quote!(R)),
            ReadsFrom::Cache => (quote!(Db), quote!(&#runtime::Cache<Db>)),
        };
        quote! {
            #vis async fn #name<#generic>(_: #from, _: #ty) -> #result { ::core::unreachable!() }
        }
    }

    fn result(&self, getter: &Getter) -> TokenStream {
        let (runtime, returns) = (self.runtime, &getter.returns);
        quote!(::core::result::Result<#returns, #runtime::Error>)
    }
}

fn getter(
    method: &'static str,
    reads_from: ReadsFrom,
    of: (&'static str, TokenStream, TokenStream),
    returns: TokenStream,
    doc: String,
) -> Getter {
    Getter {
        name: method.to_owned(),
        doc,
        method,
        reads_from,
        of,
        returns,
        bound: "Load",
    }
}
