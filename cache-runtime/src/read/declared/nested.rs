//! Cached values in what is loaded: their ids are noted while rows are read, and they are read
//! through the cache together, when no connection is held any more.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Error;
use crate::model::Cached;
use crate::read::load::{Load, LoadContext};

/// What is noted, a set of ids for each type.
pub struct Wanted<Db>(HashMap<TypeId, Box<dyn OfType<Db>>>);

/// What was found.
#[derive(Default)]
pub struct Found {
    values: HashMap<TypeId, Box<dyn Any + Send>>,
    /// A struct that could not be put together, as something is missing in it.
    lacks: Cell<Option<&'static str>>,
}

type Values<T, Id> = HashMap<Id, Arc<T>>;

impl<Db: Send + Sync + 'static> Wanted<Db> {
    pub(super) fn new() -> Wanted<Db> {
        Wanted(HashMap::new())
    }

    /// Notes ids.
    pub fn add<'a, T: Load<Db>>(&mut self, ids: impl IntoIterator<Item = &'a T::Id>) {
        let of_type = self.0.entry(TypeId::of::<T>());
        let of_type = of_type.or_insert_with(|| Box::new(Ids::<T>(HashSet::new())));
        if let Some(Ids(all)) = of_type.as_any().downcast_mut::<Ids<T>>() {
            all.extend(ids.into_iter().cloned());
        }
    }

    pub(super) async fn read(self, cx: &LoadContext<Db>) -> Result<Found, Error> {
        let mut found = Found::default();
        for (of, ids) in self.0 {
            found.values.insert(of, ids.read(cx).await?);
        }
        Ok(found)
    }
}

impl Found {
    /// The values with these ids, all of them.
    pub fn held<T: Load<Db>, Db>(&self, ids: impl IntoIterator<Item = T::Id>) -> Held<Arc<T>> {
        Held::of(ids.into_iter().filter_map(|id| {
            let value = self.value::<T, Db>(&id);
            if value.is_none() {
                self.lacks(std::any::type_name::<T>());
            }
            value
        }))
    }

    /// The value with this id, if it is there: the struct tells itself when it comes back.
    pub fn held_if_there<T: Load<Db>, Db>(&self, id: Option<T::Id>) -> Held<Arc<T>> {
        Held::of(id.and_then(|id| self.value::<T, Db>(&id)))
    }

    fn value<T: Load<Db>, Db>(&self, id: &T::Id) -> Option<Arc<T>> {
        let values = self.values.get(&TypeId::of::<T>())?;
        values.downcast_ref::<Values<T, T::Id>>()?.get(id).cloned()
    }

    /// Notes a struct that could not be put together.
    pub(super) fn lacks(&self, what: &'static str) {
        self.lacks.set(Some(what));
    }

    /// One that was noted since this was asked.
    pub(super) fn what_lacks(&self) -> Option<&'static str> {
        self.lacks.take()
    }
}

/// Rows that are put into what holds them, one after the other.
#[derive(Debug)]
pub struct Held<T>(std::vec::IntoIter<T>);

impl<T> Held<T> {
    /// These.
    pub fn of(rows: impl IntoIterator<Item = T>) -> Held<T> {
        Held(rows.into_iter().collect::<Vec<T>>().into_iter())
    }

    /// The next one.
    #[expect(clippy::should_implement_trait, reason = "generated code may have no prelude")]
    pub fn next(&mut self) -> Option<T> {
        self.0.next()
    }
}

/// The ids of one type, which who notes them knows.
trait OfType<Db>: Send {
    fn as_any(&mut self) -> &mut dyn Any;
    fn read<'a>(self: Box<Self>, cx: &'a LoadContext<Db>) -> Reading<'a>;
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Any + Send>, Error>> + Send + 'a>>;

struct Ids<T: Cached>(HashSet<T::Id>);

impl<T: Load<Db>, Db: Send + Sync + 'static> OfType<Db> for Ids<T> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn read<'a>(self: Box<Self>, cx: &'a LoadContext<Db>) -> Reading<'a> {
        Box::pin(async move {
            let ids: Vec<T::Id> = self.0.into_iter().collect();
            let values = cx.get_many::<T>(&ids).await?;
            let values = ids.into_iter().zip(values);
            let values: Values<T, T::Id> =
                values.filter_map(|(id, value)| Some((id, value?))).collect();
            Ok(Box::new(values) as Box<dyn Any + Send>)
        })
    }
}
