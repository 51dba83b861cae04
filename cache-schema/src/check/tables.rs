//! Tables.

use crate::diagnostic::Errors;
use crate::names::is_table;
use crate::raw::File;
use crate::triggers::{LONGEST_OPERATION, trigger_name};

/// PostgreSQL cuts longer names, and then two of them may be the same.
const LONGEST_NAME: usize = 63;

pub(super) fn tables(file: &File, errors: &mut Errors) {
    for model in &file.models {
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
    for (index, model) in file.models.iter().enumerate() {
        let table = model.table.get_ref();
        let Some(first) = file.models[..index].iter().find(|first| first.table.get_ref() == table)
        else {
            continue;
        };
        errors
            .error(model.table.span(), format!("two models have the table `{table}`"))
            .label(format!("the table of `{}`", model.name()))
            .related(first.table.span(), format!("the table of `{}`", first.name()))
            .help("give one of them another `table`, or make them one model")
            .model(model.name());
    }
}
