//! The rules beyond types and apart from paths: each is a function, called from one list.

mod columns;
mod cycles;
mod keys;
mod lists;
mod names;
mod of;
mod references;
mod strict;
mod tables;
mod via;

use crate::diagnostic::Errors;
use crate::raw::File;

pub(crate) fn all(file: &File, errors: &mut Errors) {
    names::settings(file, errors);
    names::models(file, errors);
    of::of(file, errors);
    of::dependencies(file, errors);
    tables::tables(file, errors);
    tables::two_models_of_one_table(file, errors);
    columns::columns(file, errors);
    columns::lookups(file, errors);
    columns::ignores(file, errors);
    references::references(file, errors);
    references::dependencies(file, errors);
    via::via(file, errors);
    keys::keys(file, errors);
    lists::lists(file, errors);
    strict::strict(file, errors);
    cycles::cycles(file, errors);
}
