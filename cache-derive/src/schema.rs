//! `schema!()`: what the file says beside the models, as data.

use std::time::Duration;

use cache_schema::{Dialect, Schema, Triggers};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Path, Token};

use crate::file;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let runtime = |input: ParseStream| -> syn::Result<Path> {
        if input.is_empty() {
            return syn::parse_str("::cache_runtime");
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => return syn::Error::new(Span::call_site(), why).into_compile_error(),
    };
    let tracking = file.tracking;
    let data = match (runtime.parse2(input), file.schema) {
        (Ok(runtime), Ok(schema)) => data(&runtime, &schema),
        (Err(error), _) => error.into_compile_error(),
        (_, Err(diagnostics)) => syn::Error::new(
            Span::call_site(),
            format!("cache.toml is wrong\n{diagnostics}"),
        )
        .into_compile_error(),
    };
    quote!({ #tracking #data })
}

fn data(runtime: &Path, schema: &Schema) -> TokenStream {
    let settings = &schema.settings;
    let (prefix, outbox) = (&settings.prefix, &settings.outbox.table);
    let duration = |life: Duration| {
        let ms = life.as_millis() as u64;
        quote!(::core::time::Duration::from_millis(#ms))
    };
    let (max_load, max_commit) = (duration(settings.max_load), duration(settings.max_commit));
    let retention = duration(settings.outbox.retention);
    let poll = duration(settings.outbox.poll);
    let strict = schema.strict_tags().into_iter().map(|tag| tag.to_string());
    let models = schema.models().count();
    let [postgres, sqlite] =
        [Dialect::Postgres, Dialect::Sqlite].map(|dialect| triggers(runtime, schema, dialect));
    quote! {
        #runtime::Schema {
            prefix: #prefix,
            max_load: #max_load,
            max_commit: #max_commit,
            models: #models,
            max_staleness: ::core::option::Option::None,
            strict: &[#(#strict),*],
            outbox: #outbox,
            retention: #retention,
            poll: #poll,
            postgres: #postgres,
            sqlite: #sqlite,
        }
    }
}

fn triggers(runtime: &Path, schema: &Schema, dialect: Dialect) -> TokenStream {
    let triggers = schema.triggers(dialect);
    let statements = triggers.statements.iter().map(|statement| {
        let sql = &statement.sql;
        let columns_of = match &statement.columns_of {
            None => quote!(::core::option::Option::None),
            Some(columns_of) => {
                let (table, ignores) = (&columns_of.table, &columns_of.ignores);
                quote!(::core::option::Option::Some(#runtime::generated::ColumnsOf { table: #table, ignores: &[#(#ignores),*] }))
            }
        };
        quote!(#runtime::generated::Statement { sql: #sql, columns_of: #columns_of })
    });
    let Triggers {
        stamp,
        outbox,
        removal,
        names,
        ..
    } = &triggers;
    let names = names.iter().map(|(name, table)| quote!((#name, #table)));
    quote! {
        #runtime::generated::Triggers {
            stamp: #stamp,
            outbox: &[#(#outbox),*],
            removal: #removal,
            statements: &[#(#statements),*],
            names: &[#(#names),*],
        }
    }
}
