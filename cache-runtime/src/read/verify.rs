//! `verify`: a share of the hits is compared with the source, a while later and in the background,
//! and counted: how often the running cache is right.
//!
//! A difference alone proves nothing: the source may have changed after the hit, and the report be
//! on its way. So it is decided in steps, each of which leaves a hit undecided rather than blame
//! the cache for what it may do.
//!
//! 1. **Settle.** What was old for a moment only, as it may be, is gone after this.
//! 2. **Load**, from the source, nested values as well: a stale one that is embedded would be
//!    compared with itself. The same as was served: *consistent*.
//! 3. **Look**, in the tier that had answered: is it still served? If not, something has
//!    invalidated it, and the source may well be another: *undecided*.
//! 4. **Settle, load and look again.** The source says the same as before, and the same is served
//!    still: *inconsistent*.
//!
//! Why the last is never a write's fault: what was served differs from what the source said in step
//! 2, so something was written after it was loaded, and *before step 2 ended*. From then on there
//! was time to report it, all of the settling of step 4; a report deletes the entry. But the look
//! of step 4, the last of all that happens, found it.
//!
//! - The look comes after the load, and there is a settling between the load that differed and the
//!   last look. (The other way round a write between the look and the load would be blamed on what
//!   was served before it.)
//! - "The same" is the same *entry*, not an equal value: one whose header has the same expiry in
//!   the store, or the same generation near. Otherwise: served A; B is written; step 2 loads B; A
//!   is written again, and stored anew, rightly; B is written while step 4 loads it; the look finds
//!   A, which is right for another moment.
//! - The two loads agree: a loader that says another thing each time (a random number, the time)
//!   says nothing of the cache. Nor does one that says the same in another order (no `ORDER BY`, a
//!   `HashSet`): a write that is ignored moves rows about.
//! - Columns that `cache.toml` ignores are left out: what they hold may be old.
//! - JSON is compared as it is answered: what is hidden in it is not there.
//! - A value that has expired, and is served in its `grace`, may be old: it is not sampled, nor
//!   still served.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::boxed::BoxError;
use crate::cache::{Cache, WeakCache};
use crate::local::flight::Hurry;
use crate::local::near::{self, Kept, Tier};
use crate::model::schema::Schema;
use crate::observe::event::{Event, Verdict};
use crate::read::load::LoadContext;
use crate::read::query::Query;
use crate::read::representation::Representation;
use crate::read::turn::Turn;
use crate::store;
use crate::value::compare;
use crate::value::entry::{self, Entry};

/// The near cache has answered with this.
#[inline]
pub(crate) fn near_hit<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
) {
    if is_drawn::<Q>() {
        let tier = tier::<Q, R>(cache);
        // It may be another by now, or gone: what would be served is as good a sample.
        if let Some(kept) = tier.and_then(|tier| tier.kept(of)) {
            start::<Q, R>(cache, of, Served::Near(kept));
        }
    }
}

/// The near cache for what is read in this way, if something is in it.
fn tier<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
) -> Option<&Tier<Q::Key, R::Out>> {
    R::tier(Q::known(cache)?).get()
}

/// The store has answered with these bytes.
pub(crate) fn store_hit<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
    bytes: &Bytes,
) {
    if is_drawn::<Q>() {
        start::<Q, R>(cache, of, Served::Store(bytes.clone()));
    }
}

#[inline]
fn is_drawn<Q: Query>() -> bool {
    Q::POLICY.verify > 0 && fastrand::u32(..) <= Q::POLICY.verify
}

#[cold]
fn start<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
    served: Served<R::Out>,
) {
    // A near hit needs no runtime.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let Ok(place) = cache.verifications().clone().try_acquire_owned() else {
        return;
    };
    let Ok(local) = Q::local(cache) else {
        return;
    };
    let tier = match &served {
        Served::Near(_) => near::NAME,
        Served::Store(_) => cache.engine().gate.tier(),
    };
    let hit = Hit::<Q, R> {
        cache: cache.downgrade(),
        key: Q::key(of),
        of: of.clone(),
        tier,
        served,
        settling: settling(cache.schema()),
        shape: local.shape,
    };
    let (cache, key) = (cache.downgrade(), hit.key.clone());
    runtime.spawn(async move {
        let _place = place;
        // In a task of its own: what decodes and serializes the values may panic.
        let verdict = tokio::spawn(async move { hit.verdict().await }).await;
        let verdict = verdict.ok().flatten().unwrap_or(Verdict::Undecided);
        if let Some(cache) = cache.upgrade() {
            cache.observer().tell(Event::Verified { model: Q::MODEL, key: &key, tier, verdict });
        }
    });
}

/// Within this every report of a write has been delivered, or nothing is served that it should have
/// deleted: the relay looks every `outbox.poll`, and again after one that failed or looked just
/// before the commit; a store that has not answered it is out of use after its time-out; and a near
/// cache that hears nothing serves nothing after `near.max-staleness`.
fn settling(schema: &Schema) -> Duration {
    let near = schema.max_staleness.unwrap_or_default();
    schema.poll.saturating_mul(2) + store::TIMEOUT + near
}

/// A hit that is verified.
struct Hit<Q: Query, R: Representation<Q::Value>> {
    /// Weak: a cache that nobody has any more needs no verdict.
    cache: WeakCache<Q::Source>,
    of: Q::Key,
    key: String,
    tier: &'static str,
    served: Served<R::Out>,
    settling: Duration,
    shape: u64,
}

/// What was served: by the near cache, or as it is stored.
enum Served<V> {
    Near(Kept<V>),
    Store(Bytes),
}

impl<Q: Query, R: Representation<Q::Value>> Hit<Q, R> {
    /// The four steps; `None`: undecided.
    async fn verdict(&self) -> Option<Verdict> {
        self.settle().await;
        let served = self.served()?;
        let first = self.load().await?;
        if first == served {
            return Some(Verdict::Consistent);
        }
        let [a, b] = [&first, &served].map(|value| compare::sorted(value.clone()));
        if a == b || !self.is_still_served().await {
            return None;
        }
        self.settle().await;
        let second = self.load().await?;
        if second != first || !self.is_still_served().await {
            return None;
        }
        // Where, not what: values may be private.
        let differs = compare::differences(&served, &first).join(", ");
        tracing::error!(
            key = self.key,
            tier = self.tier,
            differs,
            "what is served from the cache is not what the source says"
        );
        Some(Verdict::Inconsistent)
    }

    /// In parts: if this process stands still for a while, there is time left to hear, and to
    /// deliver, what it has missed.
    async fn settle(&self) {
        const PARTS: u32 = 4;
        for _ in 0..PARTS {
            tokio::time::sleep(self.settling / PARTS).await;
        }
    }

    /// No such row is `null`, which no row is.
    fn served(&self) -> Option<Value> {
        let value = match &self.served {
            Served::Near(kept) => kept.value.as_ref().map(R::compared).transpose(),
            Served::Store(bytes) => stored::<Q::Value, R>(bytes, self.shape),
        };
        self.comparable(value)
    }

    /// What the source says.
    async fn load(&self) -> Option<Value> {
        let turn = Turn::InTurn(Hurry::default());
        let cx = LoadContext::of_source(self.cache.upgrade()?, Q::MODEL);
        let loaded = Q::run(cx, vec![self.of.clone()], turn).await;
        let value = loaded.map_err(BoxError::from).and_then(|values| {
            let Some((_, value)) = values.into_iter().find(|(of, _)| *of == self.of) else {
                return Ok(None);
            };
            // As it would be served: it may come back from its encoding as another one.
            let bytes = entry::encode(Some(&value), Q::POLICY.codec, self.shape, Q::POLICY.ttl)?;
            stored::<Q::Value, R>(&bytes, self.shape)
        });
        self.comparable(value)
    }

    fn comparable(&self, value: Result<Option<Value>, BoxError>) -> Option<Value> {
        match value {
            Ok(value) => Some(compare::without(value.unwrap_or_default(), &Q::ignored())),
            Err(error) => {
                tracing::debug!(key = self.key, %error, "a hit cannot be verified");
                None
            }
        }
    }

    async fn is_still_served(&self) -> bool {
        let Some(cache) = self.cache.upgrade() else {
            return false;
        };
        match &self.served {
            Served::Near(served) => {
                let tier = tier::<Q, R>(&cache);
                let kept = tier.and_then(|tier| tier.kept(&self.of));
                kept.is_some_and(|kept| kept.validity == served.validity)
            }
            Served::Store(served) => {
                let read = cache.engine().gate.read(std::slice::from_ref(&self.key)).await;
                let found = read.and_then(|read| read.values.into_iter().next()?);
                let is_fresh = |entry: Entry| entry.fresh_for().is_ok();
                found.is_some_and(|found| {
                    found == *served && Entry::open(&found, self.shape).is_ok_and(is_fresh)
                })
            }
        }
    }
}

/// What is served of what is stored in these bytes.
fn stored<V, R: Representation<V>>(bytes: &Bytes, shape: u64) -> Result<Option<Value>, BoxError> {
    let served = Entry::open(bytes, shape).and_then(|entry| R::stored(&entry));
    let served = served.map_err(|unusable| format!("{unusable:?}"))?;
    served.as_ref().map(R::compared).transpose()
}
