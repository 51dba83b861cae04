//! The expansion: names and facts. What it does is in the runtime.

use cache_schema::{Diagnostics, Model, Schema};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

use crate::ast::{self, Struct};
use crate::cached::{cached, getters, lookup, model_impl};
use crate::rows::{reported, rows};
use crate::{attr, check, fallback, file, list, load};

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => {
            let error = Error::new_spanned(&input.ident, why).into_compile_error();
            let fallback = fallback::expand(&input, None, None);
            return quote!(#error #fallback);
        }
    };
    let tracking = file.tracking;
    let expansion = match &file.schema {
        Ok(schema) => with_schema(&input, schema),
        Err(diagnostics) => {
            let error =
                Error::new_spanned(&input.ident, wrong_file(&input, &file.name, diagnostics))
                    .into_compile_error();
            let fallback = fallback::expand(&input, None, None);
            quote!(#error #fallback)
        }
    };
    quote!(#tracking #expansion)
}

/// The impls, or the errors with the fallback.
pub(crate) fn with_schema(input: &DeriveInput, schema: &Schema) -> TokenStream {
    let (mut errors, mut lists) = (Vec::new(), TokenStream::new());
    let row = Struct::parse(input, schema, &mut errors);
    let model = row
        .as_ref()
        .and_then(|row| check::model(row, schema).map_err(|error| errors.push(error)).ok());
    if let (Some(row), Some(model)) = (&row, model) {
        check::all(row, model, schema, &mut errors);
        let load = load::expand(row, model, schema, &mut errors);
        lists = list::expand(row, model, schema, &mut errors);
        if errors.is_empty() {
            let impls = impls(row, model, schema);
            return quote!(#impls #load #lists);
        }
    }
    let meant = model.or_else(|| check::similar_model(&row.as_ref()?.model, schema));
    let fallback = fallback::expand(input, Some(schema), meant);
    let errors = errors.into_iter().map(Error::into_compile_error);
    // Who reads the lists is not told that there are none.
    quote!(#(#errors)* #fallback #lists)
}

/// In full what is wrong with this struct's model; of anything else only where, as the other
/// structs and `schema!()` say it in full.
fn wrong_file(input: &DeriveInput, file: &str, diagnostics: &Diagnostics) -> String {
    let attrs = attr::on_struct(&input.attrs, &mut Vec::new());
    let (model, _) = ast::model(&input.ident, &attrs);
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        diagnostics.iter().partition(|diagnostic| diagnostic.model.as_ref() == Some(&model));
    let here = here.iter().map(|diagnostic| format!("\n{diagnostic}\n"));
    let elsewhere = elsewhere.iter().map(|diagnostic| {
        let (position, message) = (diagnostic.position, &diagnostic.message);
        format!("\n{file}:{}:{}: {message}", position.line, position.column)
    });
    let all: String = here.chain(elsewhere).collect();
    format!("{file} is wrong{all}")
}

fn impls(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let rows = rows(row, model, schema);
    let model_impl = row.columns(&model.id).map(|id| model_impl(row, &id));
    let policy = model.cached.as_ref().filter(|_| !row.is_projection);
    let cached = policy.map(|policy| {
        let (cached, getters) =
            (cached(row, model, policy, schema), getters(row, model, policy, schema));
        let lookup = (!policy.lookups.is_empty()).then(|| lookup(row, model, policy, schema));
        quote!(#cached #lookup #getters)
    });
    let reported = reported(row, model, schema);
    quote!(#rows #model_impl #reported #cached)
}
