//! Tables.

use crate::diagnostic::Errors;
use crate::names::is_table;
use crate::raw::{File, RawModel};
use crate::triggers::{LONGEST_OPERATION, trigger_name};

/// PostgreSQL cuts longer names, and then two of them may be the same.
const LONGEST_NAME: usize = 63;

pub(super) fn tables(file: &File, errors: &mut Errors) {
    for model in file.rows() {
        let table = model.table.get_ref();
        // A table named after the model is as good as the model's name, which has its own message.
        let given = model.table.span() != model.name.span();
        if given && !is_table(table) {
            errors
                .error(model.table.span(), format!("`{table}` cannot be the name of a table"))
                .label("not an SQL identifier")
                .help("write \"table\" or \"schema.table\", of letters, digits and `_`")
                .model(model.name());
        }
        let outbox = &file.settings.outbox.table;
        let trigger = trigger_name(outbox, model.name(), LONGEST_OPERATION);
        if trigger.len() > LONGEST_NAME {
            errors
                .error(model.name.span(), format!("the name `{}` is too long", model.name()))
                .label(format!(
                    "a trigger would be called `{trigger}`: {} characters",
                    trigger.len()
                ))
                .help(format!(
                    "PostgreSQL's names have up to {LONGEST_NAME}: \
                     shorten the model's name (its `table` can stay), or the outbox's"
                ))
                .model(model.name());
        }
    }
}

pub(super) fn two_models_of_one_table(file: &File, errors: &mut Errors) {
    let models: Vec<&RawModel> = file.rows().collect();
    for (index, model) in models.iter().enumerate() {
        let table = model.table.get_ref();
        let may_be_it = |first: &&&RawModel| may_be_one_table(first.table.get_ref(), table);
        let Some(first) = models[..index].iter().find(may_be_it) else {
            continue;
        };
        let (message, further) = match first.table.get_ref() == table {
            true => (format!("two models have the table `{table}`"), ""),
            false => (
                format!("`{}` and `{table}` may be one table", first.table.get_ref()),
                "\nif they are two tables, write both with their schemas",
            ),
        };
        errors
            .error(model.table.span(), message)
            .label(format!("the table of `{}`", model.name()))
            .related(first.table.span(), format!("the table of `{}`", first.name()))
            .help(format!(
                "for another value of the same rows write `of = \"{}\"` instead{further}",
                first.name()
            ))
            .model(model.name());
    }
}

/// Which schema a bare name means, only the database knows; and SQLite takes `Plio` and `plio` for
/// one name.
fn may_be_one_table(a: &str, b: &str) -> bool {
    let [(schema_a, a), (schema_b, b)] = [a, b].map(|table| match table.split_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, table),
    });
    let same_schema = match (schema_a, schema_b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    same_schema && a.eq_ignore_ascii_case(b)
}
