//! The way from a struct's rows to those that a field holds.

use cache_schema::{Direction, Hop, Model, Schema};

use crate::accounts::stem;
use crate::ast::Field;

/// A reference, or the path that `depends-on` has; or why there is none.
pub(crate) fn way(
    schema: &Schema,
    model: &Model,
    field: &Field,
    to: &str,
) -> Result<Vec<Hop>, String> {
    let Some(target) = schema.model(to) else {
        return Err(format!("{} has no `[model.{to}]`", schema.file()));
    };
    let rows = target.rows();
    let steps = schema.steps(model.rows(), rows);
    let declared = model.depends_on.iter().filter(|it| schema.rows_of(&it.model) == rows);
    let mut paths: Vec<&Vec<Hop>> = Vec::new();
    for path in declared.flat_map(|it| &it.paths).map(|it| &it.hops) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let named: Vec<&Hop> = steps.iter().filter(|hop| field.ident == stem(hop)).collect();
    match (&named[..], &paths[..], &steps[..]) {
        ([hop], _, _) => Ok(vec![(*hop).clone()]),
        (_, [path], _) => Ok((*path).clone()),
        (_, _, [hop]) => Ok(vec![hop.clone()]),
        _ => Err(none_or_several(schema, model, to, &steps, paths.len())),
    }
}

/// Whether it leads to one row at most: each step is a reference.
pub(super) fn leads_to_one(way: &[Hop]) -> bool {
    way.iter().all(|hop| hop.direction == Direction::Forward)
}

fn none_or_several(
    schema: &Schema,
    model: &Model,
    to: &str,
    steps: &[Hop],
    paths: usize,
) -> String {
    let (from, file) = (&model.name, schema.file());
    if steps.is_empty() && paths == 0 {
        return format!(
            "no reference leads from `{from}` to `{to}`, so that nothing says which rows belong here\n\
             help: declare one in {file}, or put `{to}` into the `depends-on` of `{from}`"
        );
    }
    let mut names: Vec<String> = steps.iter().map(stem).collect();
    names.dedup();
    format!(
        "several references lead from `{from}` to `{to}`: which is meant?\n\
         help: call the field like one of them, `{}`, or say `via` in {file}",
        names.join("`, `")
    )
}
