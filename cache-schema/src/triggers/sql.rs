//! Names and texts as SQL.

use crate::answers::TagColumns;

/// `user` → `"user"`
pub(super) fn quoted(identifier: &str) -> String {
    format!("\"{identifier}\"")
}

/// `public.plio` → `"public"."plio"`
pub(super) fn quoted_table(table: &str) -> String {
    table.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// The SQL expression of a tag: `'video#tenant,id=' || r."tenant" || ',' || r."id"`, where `text`
/// makes a text of a column. It is null if any of the columns is.
pub(super) fn tag_expression(
    tag: &TagColumns,
    row: &str,
    text: impl Fn(String) -> String,
) -> String {
    let values = tag.columns.iter().map(|column| text(format!("{row}.{}", quoted(column))));
    let values = values.collect::<Vec<_>>().join(" || ',' || ");
    match values.is_empty() {
        true => format!("'{tag}='"),
        false => format!("'{tag}=' || {values}"),
    }
}

/// `it's` → `'it''s'`
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
