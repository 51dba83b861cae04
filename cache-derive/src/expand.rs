//! The expansion: names and facts. What it does is in the runtime.

use cache_schema::{Model, Schema};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

use crate::ast::Struct;
use crate::cached::{cached, getters, lookup, model_impl};
use crate::rows::rows;
use crate::{check, fallback, file};

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => {
            let error = Error::new_spanned(&input.ident, why).into_compile_error();
            let fallback = fallback::expand(&input, false);
            return quote!(#error #fallback);
        }
    };
    let tracking = file.tracking;
    let expansion = match &file.schema {
        Ok(schema) => with_schema(&input, schema),
        Err(diagnostics) => {
            let error = Error::new_spanned(&input.ident, wrong_file(&input, diagnostics))
                .into_compile_error();
            let fallback = fallback::expand(&input, false);
            quote!(#error #fallback)
        }
    };
    quote!(#tracking #expansion)
}

/// The impls, or the errors with the fallback.
pub(crate) fn with_schema(input: &DeriveInput, schema: &Schema) -> TokenStream {
    let mut errors = Vec::new();
    let row = Struct::parse(input, &mut errors);
    let model = row.as_ref().and_then(|row| {
        check::model(row, schema)
            .map_err(|error| errors.push(error))
            .ok()
    });
    if let (Some(row), Some(model)) = (&row, model) {
        check::all(row, model, schema, &mut errors);
        if errors.is_empty() {
            return impls(row, model, schema);
        }
    }
    let is_cached = model.is_some_and(|model| model.cached.is_some());
    let fallback = fallback::expand(input, is_cached);
    let errors = errors.into_iter().map(Error::into_compile_error);
    quote!(#(#errors)* #fallback)
}

/// All that is wrong with this struct's model; of what is wrong elsewhere only where, as `schema!()`
/// and the other structs say it in full.
fn wrong_file(input: &DeriveInput, diagnostics: &cache_schema::Diagnostics) -> String {
    let model = Struct::parse(input, &mut Vec::new()).map(|row| row.model);
    let concerns = |diagnostic: &&cache_schema::Diagnostic| {
        diagnostic.model.is_none() || diagnostic.model == model
    };
    if diagnostics.iter().any(|diagnostic| concerns(&diagnostic)) {
        return format!("cache.toml is wrong\n{diagnostics}");
    }
    let elsewhere: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            format!(
                "cache.toml:{}:{}: {}",
                diagnostic.position.line, diagnostic.position.column, diagnostic.message
            )
        })
        .collect();
    format!("cache.toml is wrong elsewhere\n{}", elsewhere.join("\n"))
}

fn impls(row: &Struct, model: &Model, schema: &Schema) -> TokenStream {
    let rows = rows(row, model, schema);
    if row.is_projection {
        return rows;
    }
    let model_impl = row.columns(&model.id).map(|id| model_impl(row, &id));
    let cached = model.cached.as_ref().map(|policy| {
        let (cached, getters) = (
            cached(row, model, policy, schema),
            getters(row, model, policy),
        );
        let lookup = (!policy.lookups.is_empty()).then(|| lookup(row, model, policy, schema));
        quote!(#cached #lookup #getters)
    });
    quote!(#rows #model_impl #cached)
}
