//! The shape of what a model is read as, and that it is read as one thing.

use std::any::{TypeId, type_name};
use std::sync::OnceLock;

use crate::error::Error;
use crate::read::query::Kind;
use crate::value::shape;

/// The shapes of what the models' values and lookups are, each found out once.
#[derive(Debug)]
pub(crate) struct Shapes(Box<[[OnceLock<Known>; 2]]>);

/// The struct that was read first, and the shape of what it is read as.
#[derive(Debug)]
struct Known {
    kind: TypeId,
    name: &'static str,
    shape: u64,
}

impl Shapes {
    pub(crate) fn new(models: usize) -> Shapes {
        Shapes((0..models).map(|_| Default::default()).collect())
    }

    /// Of what is read in this way.
    ///
    /// # Errors
    /// When another struct of the model is: each would take what the other has stored for an older version's, and every read in
    /// turn were a miss.
    pub(crate) fn of<K: Kind<Db>, Db>(&self) -> Result<u64, Error> {
        let kind = TypeId::of::<K>();
        let place = &self.0[K::POLICY.number][usize::from(K::FORM != 0)];
        let known = place.get_or_init(|| Known {
            kind,
            name: type_name::<K::Row>(),
            shape: shape::of::<K::Value>(K::SHAPE),
        });
        if known.kind != kind {
            return Err(Error::misuse(format!(
                "`{}` and `{}` are both read as the value of `[model.{}]`: they have one key, and each would make the other's reads misses\n\
                 help: read one of them; what another value embeds may be a struct with `#[cached(projection = \"{}\")]`, which has no key",
                known.name,
                type_name::<K::Row>(),
                K::MODEL,
                K::MODEL
            )));
        }
        Ok(known.shape)
    }
}
