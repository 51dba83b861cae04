//! What is read through the cache (values by id, ids by a lookup column), and in which form.

use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::boxed::BoxError;
use crate::model::key::KeyWriter;
use crate::model::tag::{Tag, Tags};
use crate::model::{Cached, Lookup, Policy, Rows};
use crate::read::load::{Find, Load, LoadContext};
use crate::value::entry::{Entry, Unusable};
use crate::value::json::Json;

pub(crate) trait Kind<Db>: 'static {
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    type Value: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The model's struct.
    type Row: Cached;
    const MODEL: &'static str = Self::Row::MODEL;
    const POLICY: Policy = Self::Row::POLICY;
    /// Without that of plain structs: see [`crate::value::shape`].
    const SHAPE: u64 = Self::Row::SHAPE;
    /// The first of its forms among those of its model.
    const FORM: usize;
    fn key(of: &Self::Key) -> String;
    /// Adds the tag of what it is read by.
    fn own_tag(of: &Self::Key, tags: &mut Tags);
    fn tags(of: &Self::Key, value: Option<&Self::Value>) -> Vec<Tag>;
    /// Whether two values are equal, if that can be told.
    fn is_same(one: &Self::Value, other: &Self::Value) -> Option<bool>;
    /// See [`Rows::ignored`](crate::Rows::ignored).
    fn ignored() -> Vec<&'static str>;
    fn load(
        cx: &LoadContext<Db>,
        keys: &[Self::Key],
    ) -> impl Future<Output = Loaded<Self::Key, Self::Value>> + Send;
}

/// The values that exist, each with its key.
pub(crate) type Loaded<K, V> = Result<Vec<(K, V)>, BoxError>;

pub(crate) struct Values<T>(PhantomData<T>);

impl<T: Load<Db>, Db: Send + Sync + 'static> Kind<Db> for Values<T> {
    type Key = T::Id;
    type Value = T;
    type Row = T;
    const FORM: usize = 0;

    fn key(id: &T::Id) -> String {
        key::<T>(id)
    }

    fn own_tag(id: &T::Id, tags: &mut Tags) {
        T::id_tag(id, tags);
    }

    fn tags(id: &T::Id, value: Option<&T>) -> Vec<Tag> {
        let mut tags = Tags::default();
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
        Ok(values
            .into_iter()
            .map(|value| (value.id(), value))
            .collect())
    }
}

/// The key of the row with this id.
pub fn key<T: Cached>(id: &T::Id) -> String {
    let mut key = KeyWriter::default();
    T::write_key(id, &mut key);
    key.finish()
}

pub(crate) struct Ids<T>(PhantomData<T>);

impl<T: Find<Db>, Db: Send + Sync + 'static> Kind<Db> for Ids<T> {
    type Key = T::Lookup;
    type Value = T::Id;
    type Row = T;
    const FORM: usize = 2;

    fn key(by: &T::Lookup) -> String {
        let mut key = KeyWriter::default();
        by.write_key(&mut key);
        key.finish()
    }

    fn own_tag(by: &T::Lookup, tags: &mut Tags) {
        by.tag(tags);
    }

    fn tags(by: &T::Lookup, id: Option<&T::Id>) -> Vec<Tag> {
        let mut tags = Tags::default();
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

/// In which form a reader takes a value.
pub(crate) trait Form<V>: 'static {
    type Out: Clone + Send + Sync + 'static;
    /// Its place among the forms of a kind.
    const PLACE: usize;
    fn stored(entry: &Entry) -> Result<Option<Self::Out>, Unusable>;
    /// `entry`: as it was offered to the store, if it was.
    fn loaded(value: &Arc<V>, entry: Option<&Entry>) -> Result<Self::Out, BoxError>;
    /// As a value that can be compared.
    fn compared(out: &Self::Out) -> Result<serde_json::Value, BoxError>;
}

/// The struct.
pub(crate) struct Decoded;

impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> Form<V> for Decoded {
    type Out = Arc<V>;
    const PLACE: usize = 0;

    fn stored(entry: &Entry) -> Result<Option<Arc<V>>, Unusable> {
        Ok(entry.decode()?.map(Arc::new))
    }

    fn loaded(value: &Arc<V>, _: Option<&Entry>) -> Result<Arc<V>, BoxError> {
        Ok(value.clone())
    }

    fn compared(value: &Arc<V>) -> Result<serde_json::Value, BoxError> {
        Ok(serde_json::to_value(&**value)?)
    }
}

/// The bytes of its JSON.
pub(crate) struct AsJson;

impl<V: Serialize + DeserializeOwned + 'static> Form<V> for AsJson {
    type Out = Json;
    const PLACE: usize = 1;

    fn stored(entry: &Entry) -> Result<Option<Json>, Unusable> {
        entry.json()
    }

    fn loaded(value: &Arc<V>, entry: Option<&Entry>) -> Result<Json, BoxError> {
        match entry.map(Entry::json) {
            Some(Ok(Some(json))) => Ok(json),
            _ => Ok(Json::of(serde_json::to_vec(&**value)?.into())),
        }
    }

    fn compared(json: &Json) -> Result<serde_json::Value, BoxError> {
        let value: V = serde_json::from_slice(json.bytes())?;
        Ok(serde_json::to_value(value)?)
    }
}
