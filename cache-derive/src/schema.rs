//! `schema!()`: what the file says beside the models, as data.

use cache_schema::{
    ColumnsOf, Dialect, ExactColumn, OnWrite, Policy, Schema, Table, Trigger, Triggers,
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Path;
use syn::parse::{ParseStream, Parser};

use crate::literal::{self, duration, option};
use crate::{attr, file};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let runtime = |input: ParseStream| -> syn::Result<Path> {
        if input.is_empty() {
            return syn::parse_str("::cache_runtime");
        }
        attr::krate(input)
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => return syn::Error::new(Span::call_site(), why).into_compile_error(),
    };
    let tracking = file.tracking;
    let data = match (runtime.parse2(input), file.schema) {
        (Ok(runtime), Ok(schema)) => data(&runtime, &schema, &file.nearer),
        (Err(error), _) => error.into_compile_error(),
        (_, Err(diagnostics)) => {
            syn::Error::new(Span::call_site(), format!("{} is wrong\n{diagnostics}", file.name))
                .into_compile_error()
        }
    };
    quote!({ #tracking #data })
}

/// `nearer`: where another file would count, should it appear.
pub(crate) fn data(runtime: &Path, schema: &Schema, nearer: &[TokenStream]) -> TokenStream {
    let file = literal::file(runtime, schema);
    let settings = &schema.settings;
    let (prefix, outbox) = (&settings.prefix, &settings.outbox.table);
    let (max_load, max_commit) = (duration(settings.max_load), duration(settings.max_commit));
    let max_loads = settings.max_loads;
    let retention = duration(settings.outbox.retention);
    let poll = duration(settings.outbox.poll);
    let strict = schema.strict_tags().into_iter().map(|tag| tag.to_string());
    let models = schema.models().count() + schema.lists().count();
    let is_told = |it: &Policy| it.near.is_some() || it.on_write == OnWrite::Refresh;
    let policies = schema.models().filter_map(|model| model.cached.as_ref());
    let mut policies = policies.chain(schema.lists().map(|list| &list.policy));
    let max_staleness = policies.any(is_told);
    let max_staleness = option(max_staleness.then(|| duration(settings.max_staleness)));
    let [postgres, sqlite] =
        [Dialect::Postgres, Dialect::Sqlite].map(|dialect| triggers(runtime, schema, dialect));
    quote! {
        #runtime::Schema {
            file: #file,
            // Where it is run by those who edit it.
            nearer: if ::core::cfg!(debug_assertions) { &[#(#nearer),*] } else { &[] },
            prefix: #prefix,
            max_load: #max_load,
            max_commit: #max_commit,
            max_loads: #max_loads,
            models: #models,
            max_staleness: #max_staleness,
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
    let Triggers { fingerprint, outbox, checks, types, tables, removal, exact, spellings } =
        &schema.triggers(dialect);
    let tables = tables.iter().map(|table| {
        let Table { name, function, triggers } = table;
        let triggers = triggers.iter().map(|it| trigger(runtime, it));
        quote! {
            #runtime::__private::Table { name: #name, function: &[#(#function),*], triggers: &[#(#triggers),*] }
        }
    });
    let exact = exact.iter().map(
        |ExactColumn {
             what,
             table,
             column,
         }| {
            quote!(#runtime::__private::ExactColumn { what: #what, table: #table, column: #column })
        },
    );
    quote! {
        #runtime::__private::Triggers {
            fingerprint: #fingerprint,
            outbox: &[#(#outbox),*],
            checks: &[#(#checks),*],
            types: &[#(#types),*],
            tables: &[#(#tables),*],
            removal: #removal,
            exact: &[#(#exact),*],
            spellings: #spellings,
        }
    }
}

fn trigger(runtime: &Path, trigger: &Trigger) -> TokenStream {
    let Trigger { name, sql, columns_of } = trigger;
    let columns_of = option(columns_of.as_ref().map(|ColumnsOf { table, ignores }| {
        quote!(#runtime::__private::ColumnsOf { table: #table, ignores: &[#(#ignores),*] })
    }));
    quote!(#runtime::__private::Trigger { name: #name, sql: #sql, columns_of: #columns_of })
}
