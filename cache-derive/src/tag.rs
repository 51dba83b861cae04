//! `tag!()`: the columns of a tag, checked against the file.

use cache_schema::{Schema, suggest};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Error, LitStr, Path, Token};

use crate::check::similar_model;
use crate::{attr, file};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let (runtime, written) = match arguments.parse2(input) {
        Ok(arguments) => arguments,
        Err(error) => return error.into_compile_error(),
    };
    let file = match file::read() {
        Ok(file) => file,
        Err(why) => return Error::new(written.span(), why).into_compile_error(),
    };
    let error = match &file.schema {
        Ok(schema) => check(&written, schema).err().map(Error::into_compile_error),
        // What is wrong with the file, the structs say.
        Err(_) => None,
    };
    let tracking = file.tracking;
    quote!({ #tracking #error #runtime::TagColumns::checked(#written) })
}

fn arguments(input: ParseStream) -> syn::Result<(Path, LitStr)> {
    let runtime = match input.peek(Token![crate]) {
        true => {
            let path = attr::krate(input)?;
            input.parse::<Token![,]>()?;
            path
        }
        false => syn::parse_str("::cache_runtime")?,
    };
    let why = "expected the columns of a tag, such as tag!(\"organization#id\")";
    let written = input.parse().map_err(|error: Error| Error::new(error.span(), why))?;
    Ok((runtime, written))
}

/// Whether some write reports it.
pub(crate) fn check(written: &LitStr, schema: &Schema) -> syn::Result<()> {
    let text = written.value();
    let (model, _) = text.split_once('#').unwrap_or((&text, ""));
    let reports = schema.reports(model);
    let of_model: Vec<String> = reports.iter().map(|report| report.tag.to_string()).collect();
    if of_model.contains(&text) {
        return Ok(());
    }
    let rows = schema.rows_of(model);
    let help = match schema.model(model) {
        None => match similar_model(model, schema) {
            Some(similar) => format!("did you mean the model `{}`?", similar.name),
            None => format!("name a model of {}, `#`, and its columns", schema.file()),
        },
        Some(_) if of_model.is_empty() => {
            format!("nothing in {} depends on `{model}`: declare it", schema.file())
        }
        Some(_) => {
            let tags = of_model.join("`, `");
            match suggest(&text, of_model.iter().map(String::as_str)) {
                Some(similar) => format!("did you mean `{similar}`?"),
                None => format!("the tags of `{rows}` are `{tags}`"),
            }
        }
    };
    let message = format!("no write reports `{text}`, so that nothing would be invalidated by it");
    Err(Error::new(written.span(), format!("{message}\nhelp: {help}")))
}
