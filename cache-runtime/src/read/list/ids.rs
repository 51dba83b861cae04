//! The ids of a list as they are kept: the first of them, in order.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::boxed::BoxError;
use crate::model::key::KeyWriter;
use crate::model::list::{List, Part};
use crate::model::tag::{Tag, Tags};
use crate::model::{Model, Policy};
use crate::read::load::LoadContext;
use crate::read::query::{Loaded, Query};

/// The id of what a list is of.
pub type IdOf<L> = <<L as List>::Of as Model>::Id;

/// A list whose ids can be loaded from a `Db`.
#[diagnostic::on_unimplemented(
    message = "the list `{Self}` cannot be loaded from `{Db}`",
    note = "a list is loaded by what `cache.toml` declares: its source has to say where its pool is, see `cache_runtime::Source`"
)]
pub trait LoadList<Db>: List {
    /// These of its ids, in order; none where the one that they come after is not in it.
    fn ids(
        &self,
        cx: &LoadContext<Db>,
        part: Part<IdOf<Self>>,
    ) -> impl Future<Output = Result<Option<Vec<IdOf<Self>>>, BoxError>> + Send;

    /// How many there are.
    fn count(&self, cx: &LoadContext<Db>) -> impl Future<Output = Result<usize, BoxError>> + Send;

    /// So many of its ids, the first in order; and what it depends on besides the rows that have
    /// its key. Both are of one moment.
    fn first(
        &self,
        cx: &LoadContext<Db>,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<IdOf<Self>>, Vec<Tag>), BoxError>> + Send;

    /// Prepares its statements.
    fn prepare(cx: &LoadContext<Db>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// What is stored of a list.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ids<Id> {
    pub(crate) ids: Vec<Id>,
    /// Whether there are more than are kept.
    pub(crate) more: bool,
    /// What it depends on besides its key. Nothing is built from a list: the store alone needs it.
    #[serde(skip)]
    followed: Vec<Tag>,
}

/// A list's ids, by its key.
pub(crate) struct ByKey<L, Db>(PhantomData<fn() -> (L, Db)>);

impl<L: LoadList<Db>, Db: Send + Sync + 'static> Query for ByKey<L, Db> {
    type Source = Db;
    type Key = L;
    type Value = Ids<IdOf<L>>;
    type Row = L::Of;
    const MODEL: &'static str = L::NAME;
    const POLICY: Policy = L::POLICY;
    const SHAPE: u64 = L::SHAPE;
    const NUMBER: usize = 0;
    const IS_LIST: bool = true;

    fn key(list: &L) -> String {
        let mut key = KeyWriter::default();
        list.write_key(&mut key);
        key.finish()
    }

    fn own_tag(list: &L, tags: &mut Tags) {
        list.tag(tags);
    }

    fn tags(list: &L, ids: Option<&Ids<IdOf<L>>>, mut tags: Tags) -> Vec<Tag> {
        list.tag(&mut tags);
        let mut tags = tags.finish();
        tags.extend(ids.into_iter().flat_map(|ids| &ids.followed).cloned());
        tags
    }

    fn is_same(one: &Ids<IdOf<L>>, other: &Ids<IdOf<L>>) -> Option<bool> {
        Some(one.ids == other.ids && one.more == other.more)
    }

    fn ignored() -> Vec<&'static str> {
        Vec::new()
    }

    async fn load(cx: &LoadContext<Db>, lists: &[L]) -> Loaded<L, Ids<IdOf<L>>> {
        let mut loaded = Vec::with_capacity(lists.len());
        for list in lists {
            loaded.push((list.clone(), kept(cx, list).await?));
        }
        Ok(loaded)
    }
}

/// Which rows there are, and what leads to them, are read at one moment. With two moments, in
/// whichever order, all would be well once all is told: a write in between that leads to other rows
/// is one to rows of a step that is registered, so that it refuses what is loaded here, or deletes
/// it. But as long as nobody is told of it, a later write to those other rows may be told, and
/// reaches nothing here. `lists.rs` of `tests/search/model` has both orders.
async fn kept<L: LoadList<Db>, Db: Send + Sync + 'static>(
    cx: &LoadContext<Db>,
    list: &L,
) -> Result<Ids<IdOf<L>>, BoxError> {
    let (mut ids, followed) = list.first(cx, L::LIMIT.saturating_add(1)).await?;
    let more = ids.len() > L::LIMIT;
    ids.truncate(L::LIMIT);
    Ok(Ids { ids, more, followed })
}
