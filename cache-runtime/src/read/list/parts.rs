//! Parts of a list, read through the cache: those that are kept, or what the database says of
//! others.

use std::sync::Arc;

use crate::boxed::BoxError;
use crate::cache::Cache;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::local::flight::Hurry;
use crate::model::list::Part;
use crate::read::answer::{CacheStatus, Fetched};
use crate::read::get::{is_json, many, one};
use crate::read::list::ids::{ByKey, IdOf, Ids, LoadList};
use crate::read::load::{Load, LoadContext};
use crate::read::mode::CacheMode;
use crate::read::query::ById;
use crate::read::representation::{AsJson, Decoded};
use crate::read::run::run;
use crate::read::turn::{Turn, is_asked_by_a_loader};
use crate::value::json::Json;

/// A list's values as JSON.
pub(super) async fn json<L: LoadList<Db, Of: Load<Db>>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
    part: Part<IdOf<L>>,
) -> Result<Fetched<Json>, Error> {
    const { is_json::<L::Of>() };
    let (ids, status) = ids(cache, list, part).await?;
    let values = many::<ById<L::Of, Db>, AsJson>(cache, &ids, CacheMode::Default).await?;
    let status = values.iter().fold(status, |status, value| status.and(value.status));
    let page = Json::array(values.into_iter().filter_map(|fetched| fetched.value));
    Ok(Fetched { value: Some(page), status })
}

/// A list's values. One that is gone since its id was read is left out.
pub(crate) async fn values<L: LoadList<Db, Of: Load<Db>>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
    part: Part<IdOf<L>>,
) -> Result<Vec<Arc<L::Of>>, Error> {
    let (ids, _) = ids(cache, list, part).await?;
    let values = many::<ById<L::Of, Db>, Decoded>(cache, &ids, CacheMode::Default).await?;
    Ok(values.into_iter().filter_map(|fetched| fetched.value).collect())
}

/// A list's ids: those that are kept, or what the database says of others.
pub(crate) async fn ids<L: LoadList<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
    part: Part<IdOf<L>>,
) -> Result<(Vec<IdOf<L>>, CacheStatus), Error> {
    let (kept, status) = kept(cache, list).await?;
    if let Some(ids) = kept.part(&part) {
        return Ok((ids.to_vec(), status));
    }
    if !kept.more {
        return Err(Error::not_listed(L::NAME));
    }
    let list = list.clone();
    let found = beyond(cache, list, |cx, list| async move { list.ids(&cx, part).await }).await?;
    let found = found.ok_or_else(|| Error::not_listed(L::NAME))?;
    Ok((found, CacheStatus::bypass(cache.engine().gate.tier())))
}

/// How many ids a list has.
pub(crate) async fn count<L: LoadList<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
) -> Result<usize, Error> {
    let (kept, _) = kept(cache, list).await?;
    match kept.more {
        false => Ok(kept.ids.len()),
        true => {
            let list = list.clone();
            beyond(cache, list, |cx, list| async move { list.count(&cx).await }).await
        }
    }
}

/// Asks the database, in turn as other loads are.
async fn beyond<L, Db, T, F>(
    cache: &Cache<Db>,
    list: L,
    ask: impl FnOnce(LoadContext<Db>, L) -> F,
) -> Result<T, Error>
where
    L: LoadList<Db>,
    Db: Send + Sync + 'static,
    F: Future<Output = Result<T, BoxError>> + Send + 'static,
    T: Send + 'static,
{
    let turn = match is_asked_by_a_loader() {
        true => Turn::Now(None),
        false => Turn::InTurn(Hurry::default()),
    };
    let cx = LoadContext::of_source(cache.clone(), L::NAME);
    run(cx, L::NAME, L::POLICY.load_timeout, turn, |cx| ask(cx, list)).await
}

async fn kept<L: LoadList<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
) -> Result<(Arc<Ids<IdOf<L>>>, CacheStatus), Error> {
    let fetched = one::<ByKey<L, Db>, Decoded>(cache, list.clone()).await?;
    // Nobody stores that there is no list.
    let kept = fetched.value.ok_or_else(|| Error::load_panicked(L::NAME))?;
    Ok((kept, fetched.status))
}

impl<Id: Clone + PartialEq> Ids<Id> {
    /// These of the ids, if they are all kept; none if they are not, or not in the list.
    fn part(&self, part: &Part<Id>) -> Option<&[Id]> {
        let (from, limit) = match part {
            Part::Page { offset, limit } => (*offset, *limit),
            Part::After { id, limit } => (self.ids.iter().position(|it| it == id)? + 1, *limit),
        };
        let end = from.saturating_add(limit);
        let are_kept = end <= self.ids.len() || !self.more;
        let end = end.min(self.ids.len());
        are_kept.then(|| self.ids.get(from..end).unwrap_or_default())
    }
}

/// Reports the list as if a row had moved in it.
pub(super) async fn invalidate<L: LoadList<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    list: &L,
) -> Result<(), Error> {
    is_in_runtime()?;
    cache.schema().admit::<L::Of>()?;
    let mut tags = cache.tags();
    list.tag(&mut tags);
    cache.engine().delivery.report(tags.finish()).await
}
