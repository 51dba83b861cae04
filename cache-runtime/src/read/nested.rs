//! What a loader reads on: other cached models, for the value that it loads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::Error;
use crate::mechanism::Mechanism;
use crate::read::get::many;
use crate::read::load::{Load, LoadContext, Reads};
use crate::read::mode::CacheMode;
use crate::read::query::ById;
use crate::read::representation::Decoded;

impl<Db: Send + Sync + 'static> LoadContext<Db> {
    /// Another cached model's value, through the cache.
    ///
    /// The loaded value must embed it (its tags count as the loaded value's own).
    ///
    /// # Errors
    /// As [`get_many`](Self::get_many).
    pub async fn get<T: Load<Db>>(&self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        let mut values = self.get_many::<T>(std::slice::from_ref(&id)).await?;
        Ok(values.swap_remove(0))
    }

    /// Other cached models' values, through the cache, at the positions of their ids. Within a
    /// transaction they are loaded, as the transaction sees them; for `verify` as well.
    ///
    /// # Errors
    /// When one of them could not be loaded.
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if let Reads::Within(_) = self.reads {
            return load_uncached::<T, Db>(self, ids).await;
        }
        if self.ending.connections.load(Ordering::SeqCst) > 0 {
            let why = format!(
                "the loader of `{}` has a connection while it reads `{}` through the cache, whose loader may need one: with many such, \
                 each waits for the others\nhelp: drop the connection before `cx.get`",
                self.model,
                T::MODEL
            );
            return Err(Error::load(T::MODEL, why.into()));
        }
        if let Reads::Source = self.reads {
            return load_uncached::<T, Db>(&self.for_another(T::MODEL), ids).await;
        }
        let mode = match self.cache.has(Mechanism::NestedFar) {
            true => CacheMode::Nested,
            false => CacheMode::Default,
        };
        let fetched = many::<ById<T, Db>, Decoded>(&self.cache, ids, mode).await?;
        Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
    }
}

/// Loads values without a look at the store, nor into it.
pub(crate) async fn load_uncached<T: Load<Db>, Db: Send + Sync + 'static>(
    cx: &LoadContext<Db>,
    ids: &[T::Id],
) -> Result<Vec<Option<Arc<T>>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let loaded = T::load(cx, ids).await;
    let loaded = loaded.map_err(|error| Error::load(T::MODEL, error))?;
    let values: HashMap<T::Id, Arc<T>> =
        loaded.into_iter().map(|value| (value.id(), Arc::new(value))).collect();
    Ok(ids.iter().map(|id| values.get(id).cloned()).collect())
}
