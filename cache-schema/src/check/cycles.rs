//! Cycles in `depends-on`: a value cannot be built from itself.

use toml::Spanned;

use crate::diagnostic::Errors;
use crate::raw::{File, RawModel};

/// One error for each cycle that a walk in the file's order closes.
pub(super) fn cycles(file: &File, errors: &mut Errors) {
    let mut walk = Walk { file, done: Vec::new(), trail: Vec::new() };
    for model in &file.models {
        walk.visit(model, errors);
    }
}

struct Walk<'a> {
    file: &'a File,
    /// Models from which everything has been visited.
    done: Vec<&'a str>,
    /// The dependencies that led here, with the models that have them.
    trail: Vec<(&'a RawModel, &'a Spanned<String>)>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, model: &'a RawModel, errors: &mut Errors) {
        if self.done.contains(&model.name()) {
            return;
        }
        for dependency in &model.depends_on {
            let Some(next) = self.file.model(dependency.get_ref()) else {
                continue;
            };
            // Two values of the same rows are no cycle, and have their own message.
            let rows = |model| self.file.rows_of(model).name();
            if next.name() != model.name() && rows(next) == rows(model) {
                continue;
            }
            self.trail.push((model, dependency));
            match self.trail.iter().position(|(earlier, _)| earlier.name() == next.name()) {
                Some(start) => report(&self.trail[start..], errors),
                None => self.visit(next, errors),
            }
            self.trail.pop();
        }
        self.done.push(model.name());
    }
}

/// `cycle` is never empty: its last dependency is the one that closes it.
fn report(cycle: &[(&RawModel, &Spanned<String>)], errors: &mut Errors) {
    let [others @ .., (model, closing)] = cycle else {
        return;
    };
    let names = cycle.iter().map(|(model, _)| model.name());
    let names: Vec<&str> = names.chain([closing.get_ref().as_str()]).collect();
    let (label, help) = match others {
        [] => ("the model itself", "remove it"),
        _ => ("closes the cycle", "remove one of these dependencies"),
    };
    let diagnostic = errors
        .error(closing.span(), "a value would be built from itself")
        .label(label)
        .help(format!("{}: {help}", names.join(" → ")))
        .model(model.name());
    for (_, dependency) in others {
        diagnostic.related(dependency.span(), "part of the cycle");
    }
}
