//! `schema!()`: what the file says beside the models, as data.

use cache_schema::{Dialect, Schema};
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
    let (prefix, outbox) = (&schema.settings.prefix, &schema.settings.outbox);
    let max_load = schema.settings.max_load.as_millis() as u64;
    let [postgres, sqlite] =
        [Dialect::Postgres, Dialect::Sqlite].map(|dialect| triggers(runtime, schema, dialect));
    quote! {
        #runtime::Schema {
            prefix: #prefix,
            max_load: ::core::time::Duration::from_millis(#max_load),
            outbox: #outbox,
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
    let stamp = &triggers.stamp;
    quote!(#runtime::generated::Triggers { stamp: #stamp, statements: &[#(#statements),*] })
}
