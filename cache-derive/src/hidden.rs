//! `#[cached(hidden)]`: what is stored, and not answered.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Error;

use crate::ast::{Field, Struct};
use crate::rows::at;

/// What is hidden has to have a name in the JSON, and one that is known.
pub(crate) fn has_names(row: &Struct, errors: &mut Vec<Error>) {
    for field in &row.fields {
        let Some(at) = field.hidden else {
            continue;
        };
        let (why, help) = if field.serde.says("flatten") {
            ("serde flattens this field: it has no name in the JSON", "hide fields of its struct")
        } else if row.serde.says("transparent") {
            (
                "the struct is `transparent`: this field is all that there is, and has no name in the JSON",
                "hide the field that holds the struct",
            )
        } else if row.serde.says("into") {
            (
                "serde writes another type in the place of this struct: its fields may have any name in the JSON",
                "remove `into`, or hide the field that holds the struct",
            )
        } else {
            continue;
        };
        errors.push(Error::new(at, format!("{why}\nhelp: {help}")));
    }
}

/// `Rows::HIDDEN`
pub(crate) fn hidden(row: &Struct) -> Option<TokenStream> {
    let runtime = &row.runtime;
    let hidden = row.fields.iter().filter(|field| field.hidden.is_some());
    let names: Vec<String> = hidden.map(|field| row.serde_name(field)).collect();
    let shown = row.embedded().map(|(field, _)| field).filter(|field| field.hidden.is_none());
    let (itself, embedded): (Vec<&Field>, Vec<&Field>) =
        shown.partition(|field| row.is_of_itself(field));
    let itself: Vec<String> = itself.into_iter().map(|field| row.serde_name(field)).collect();
    let (flattened, named): (Vec<&Field>, Vec<&Field>) =
        embedded.into_iter().partition(|field| is_flat(row, field));
    let of = |field: &Field| {
        let (ty, at) = (&field.ty, at(&field.ty));
        let runtime = row.runtime_at(at);
        quote_spanned!(at=> &<#ty as #runtime::Rows>::HIDDEN)
    };
    let flattened: Vec<TokenStream> = flattened.into_iter().map(of).collect();
    let embedded = named.into_iter().map(|field| {
        let (name, of) = (row.serde_name(field), of(field));
        quote!((#name, #of))
    });
    let embedded: Vec<TokenStream> = embedded.collect();
    let is_needed = !names.is_empty() || !embedded.is_empty() || !flattened.is_empty();
    is_needed.then(|| {
        quote! {
            const HIDDEN: #runtime::__private::Hidden = #runtime::__private::Hidden {
                names: &[#(#names),*],
                embedded: &[#(#embedded),*],
                flattened: &[#(#flattened),*],
                itself: &[#(#itself),*],
            };
        }
    })
}

/// Whether the members of what the field holds are among those of the struct.
fn is_flat(row: &Struct, field: &Field) -> bool {
    field.serde.says("flatten") || row.serde.says("transparent")
}

/// Stops the build where serde writes rows in which something is hidden in a way of its own.
pub(crate) fn assertions(row: &Struct) -> impl Iterator<Item = TokenStream> {
    let shown = row.embedded().map(|(field, _)| field).filter(|field| field.hidden.is_none());
    let fields = shown.filter(|field| {
        let is_other = ["with", "serialize_with"].iter().any(|it| field.serde.says(it));
        (is_other || row.serde.says("into")) && !row.is_of_itself(field)
    });
    fields.map(|Field { ident, ty, .. }| {
        let at = at(ty);
        let runtime = row.runtime_at(at);
        let why = format!(
            "something in `{ident}` is #[cached(hidden)], but serde writes `{ident}` in a way of its own: \
             nobody knows where it would be in the JSON\n\
             help: remove `with`, `serialize_with` or `into`, or hide `{ident}`"
        );
        quote_spanned! {at=>
            if !<#ty as #runtime::Rows>::HIDDEN.is_nothing() {
                ::core::panic!(#why);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::tests::parse;

    /// As serde's own derive does it.
    #[test]
    fn serde_is_understood_where_it_changes_the_case() {
        for (case, names) in [
            ("lowercase", ["is_over_18", "_a", "ärger_b"]),
            ("UPPERCASE", ["IS_OVER_18", "_A", "äRGER_B"]),
            ("PascalCase", ["IsOver18", "A", "ärgerB"]),
            ("camelCase", ["isOver18", "a", "ärgerB"]),
            ("snake_case", ["is_over_18", "_a", "ärger_b"]),
            ("SCREAMING_SNAKE_CASE", ["IS_OVER_18", "_A", "äRGER_B"]),
            ("kebab-case", ["is-over-18", "-a", "ärger-b"]),
            ("SCREAMING-KEBAB-CASE", ["IS-OVER-18", "-A", "äRGER-B"]),
        ] {
            let fields =
                "is_over_18: i64, _a: i64, ärger_b: i64, #[serde(rename = \"own\")] x: i64";
            let row =
                parse(&format!("#[serde(rename_all = \"{case}\")] struct User {{ {fields} }}"));
            let serialized: Vec<String> = row.fields.iter().map(|it| row.serde_name(it)).collect();
            assert_eq!(serialized, [&names[..], &["own"]].concat(), "{case}");
        }
    }

    #[test]
    fn what_is_hidden_is_named_as_it_is_serialized() {
        let hidden = |row: &str| {
            let row = parse(row);
            super::hidden(&row).map(|it| it.to_string().replace(' ', ""))
        };
        let all = hidden(
            "#[serde(rename_all = \"camelCase\")] #[cached(model = \"user\")] struct Row { \
             #[cached(hidden)] id: i64, #[cached(hidden, column = \"plio_id\")] of_plio: i64, \
             #[serde(rename = \"film\")] video: Option<Video>, #[serde(flatten)] first_item: Option<Item>, \
             #[cached(hidden)] my_image: Image, parent_row: Option<Box<Row>> }",
        );
        let all = all.expect("something is hidden");
        for part in [
            r#"names:&["id","ofPlio","myImage"]"#,
            r#"embedded:&[("film",&<Option<Video>as::cache_runtime::Rows>::HIDDEN)]"#,
            "flattened:&[&<Option<Item>as::cache_runtime::Rows>::HIDDEN]",
            r#"itself:&["parentRow"]"#,
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
        assert_eq!(
            hidden("#[cached(model = \"user\")] struct Row { id: i64, row: Box<Row> }"),
            None
        );
    }
}
