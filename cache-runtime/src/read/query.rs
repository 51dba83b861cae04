//! What is read through the cache: values by id, ids by a lookup column.

use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::boxed::BoxError;
use crate::cache::Cache;
use crate::error::Error;
use crate::local::query::{Local, Place};
use crate::model::key::KeyWriter;
use crate::model::tag::{Tag, Tags};
use crate::model::{Cached, Lookup, Policy, Rows};
use crate::read::load::{Find, Load, LoadContext};
use crate::read::run::run;
use crate::read::turn::Turn;
use crate::value::shape;

pub(crate) trait Query: 'static {
    /// The `Db` of the cache.
    type Source: Send + Sync + 'static;
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    type Value: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The model's struct.
    type Row: Cached;
    const MODEL: &'static str = Self::Row::MODEL;
    const POLICY: Policy = Self::Row::POLICY;
    /// Without that of plain structs: see [`crate::value::shape`].
    const SHAPE: u64 = Self::Row::SHAPE;
    /// Whether it is a list: nothing is built from its values, and its key may equal what has
    /// another text.
    const IS_LIST: bool = false;
    /// Which query of its model it is; less than [`QUERIES`](crate::local::query::QUERIES).
    const NUMBER: usize;
    const PLACE: Place = Place { number: Self::POLICY.number, query: Self::NUMBER };
    fn key(of: &Self::Key) -> String;
    /// Adds the tag of what it is read by.
    fn own_tag(of: &Self::Key, tags: &mut Tags);
    /// All that a value depends on, put into these.
    fn tags(of: &Self::Key, value: Option<&Self::Value>, tags: Tags) -> Vec<Tag>;
    /// Whether two values are equal, if that can be told.
    fn is_same(one: &Self::Value, other: &Self::Value) -> Option<bool>;
    /// See [`Rows::ignored`](crate::Rows::ignored).
    fn ignored() -> Vec<&'static str>;
    fn load(
        cx: &LoadContext<Self::Source>,
        keys: &[Self::Key],
    ) -> impl Future<Output = Loaded<Self::Key, Self::Value>> + Send;

    /// Runs its loader: see [`run`].
    fn run(
        cx: LoadContext<Self::Source>,
        of: Vec<Self::Key>,
        turn: Turn,
    ) -> impl Future<Output = Loaded<Self::Key, Self::Value, Error>> + Send {
        let load = |cx| async move { Self::load(&cx, &of).await };
        run(cx, Self::MODEL, Self::POLICY.load_timeout, turn, load)
    }

    /// What this process knows of it.
    ///
    /// # Errors
    /// When it cannot be read through this cache: it is of another file, or another struct of the
    /// model is read already.
    fn local(cache: &Cache<Self::Source>) -> Result<&Local<Self::Key, Self::Value>, Error> {
        cache.schema().admit::<Self::Row>()?;
        let shape = || shape::of::<Self::Value>(Self::SHAPE);
        cache.locals().of::<Self::Row, _, _>(Self::MODEL, Self::PLACE, shape)
    }

    /// The same, if it was read before.
    #[inline]
    fn known(cache: &Cache<Self::Source>) -> Option<&Local<Self::Key, Self::Value>> {
        cache.locals().known(Self::PLACE)
    }
}

/// The values that exist, each with its key.
pub(crate) type Loaded<K, V, E = BoxError> = Result<Vec<(K, V)>, E>;

/// A model's values, by id.
pub(crate) struct ById<T, Db>(PhantomData<fn() -> (T, Db)>);

impl<T: Load<Db>, Db: Send + Sync + 'static> Query for ById<T, Db> {
    type Source = Db;
    type Key = T::Id;
    type Value = T;
    type Row = T;
    const NUMBER: usize = 0;

    fn key(id: &T::Id) -> String {
        key::<T>(id)
    }

    fn own_tag(id: &T::Id, tags: &mut Tags) {
        T::id_tag(id, tags);
    }

    fn tags(id: &T::Id, value: Option<&T>, tags: Tags) -> Vec<Tag> {
        let mut tags = tags.built_from(T::NEEDS);
        T::id_tag(id, &mut tags);
        match value {
            Some(value) => value.tags(&mut tags),
            None => T::absence_tags(id, &mut tags),
        }
        tags.finish()
    }

    fn is_same(one: &T, other: &T) -> Option<bool> {
        one.is_same(other)
    }

    fn ignored() -> Vec<&'static str> {
        let mut names = Vec::new();
        T::ignored(&mut names);
        names
    }

    async fn load(cx: &LoadContext<Db>, ids: &[T::Id]) -> Loaded<T::Id, T> {
        let values = T::load(cx, ids).await?;
        Ok(values.into_iter().map(|value| (value.id(), value)).collect())
    }
}

/// The key of the row with this id.
pub fn key<T: Cached>(id: &T::Id) -> String {
    let mut key = KeyWriter::default();
    T::write_key(id, &mut key);
    key.finish()
}

/// A model's ids, by lookup.
pub(crate) struct IdByLookup<T, Db>(PhantomData<fn() -> (T, Db)>);

impl<T: Find<Db>, Db: Send + Sync + 'static> Query for IdByLookup<T, Db> {
    type Source = Db;
    type Key = T::Lookup;
    type Value = T::Id;
    type Row = T;
    const NUMBER: usize = 1;

    fn key(by: &T::Lookup) -> String {
        let mut key = KeyWriter::default();
        by.write_key(&mut key);
        key.finish()
    }

    fn own_tag(by: &T::Lookup, tags: &mut Tags) {
        by.tag(tags);
    }

    fn tags(by: &T::Lookup, id: Option<&T::Id>, mut tags: Tags) -> Vec<Tag> {
        by.tag(&mut tags);
        // Also the row's own: a database may call equal what is not the same text (citext, NOCASE),
        // and then the trigger writes another tag for the column.
        if let Some(id) = id {
            T::id_tag(id, &mut tags);
        }
        tags.finish()
    }

    fn is_same(one: &T::Id, other: &T::Id) -> Option<bool> {
        Some(one == other)
    }

    fn ignored() -> Vec<&'static str> {
        Vec::new()
    }

    async fn load(cx: &LoadContext<Db>, by: &[T::Lookup]) -> Loaded<T::Lookup, T::Id> {
        let mut found = Vec::new();
        for by in by {
            if let Some(id) = T::find(cx, by).await? {
                found.push((by.clone(), id));
            }
        }
        Ok(found)
    }
}
