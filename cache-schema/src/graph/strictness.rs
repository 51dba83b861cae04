//! Who is strict: a model that says so, and what it is built from, as its values may be embedded.

use crate::raw::{File, RawModel};
use crate::schema::Consistency;

/// The strict models, each once with one that says `consistency = "strict"`: the model itself, or
/// one that is built from it.
pub(crate) fn strict(file: &File) -> Vec<(&RawModel, &RawModel)> {
    let says_so = |model: &&RawModel| {
        let policy = model.cached.as_ref();
        policy.is_some_and(|it| it.policy.consistency == Consistency::Strict)
    };
    let mut strict: Vec<_> = file.models.iter().filter(says_so).map(|it| (it, it)).collect();
    let mut seen = 0;
    while let Some(&(model, because_of)) = strict.get(seen) {
        seen += 1;
        for dependency in &model.depends_on {
            let known = |name: &str| strict.iter().any(|(it, _)| it.name() == name);
            if let Some(next) = file.model(dependency.get_ref())
                && !known(next.name())
            {
                strict.push((next, because_of));
            }
        }
    }
    strict
}
