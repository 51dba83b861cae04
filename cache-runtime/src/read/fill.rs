//! What is offered to the store for a loaded value: its tags, its bytes, its life; or why it cannot
//! be stored.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::cache::Cache;
use crate::mechanism::Mechanism;
use crate::model::tag::Tag;
use crate::observe::event::Event;
use crate::observe::observer::Observer;
use crate::read::query::Query;
use crate::store::Fill;
use crate::value::compare;
use crate::value::entry::{self, Entry, Unusable};

/// What to store for a key, and the entry in it; `None` when nothing is to be. The value is then
/// what came back from its encoding, so that a miss is answered as a hit is.
pub(super) fn fill<Q: Query>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
    key: &str,
    value: Option<&mut Arc<Q::Value>>,
) -> Option<(Fill, Entry)> {
    let life = match value {
        Some(_) => Q::POLICY.ttl,
        None => Q::POLICY.negative_ttl,
    };
    if life.is_zero() {
        return None;
    }
    let loaded = value.as_deref().map(Arc::as_ref);
    match storable::<Q>(cache, of, key, loaded, life) {
        Ok(Storable { fill, entry, back }) => {
            if let (Some(value), Some(back)) = (value, back) {
                tell_if_altered::<Q>(cache.observer(), key, value, &back, &entry);
                *value = Arc::new(back);
            }
            Some((fill, entry))
        }
        Err((what, why)) => {
            let (observer, model) = (cache.observer(), Q::MODEL);
            if observer.is_time_of(what, model) {
                tracing::warn!(
                    model,
                    key,
                    why,
                    "a value is not stored, but loaded for each who asks"
                );
            }
            let why = &why;
            observer.tell(Event::Unstorable { model, key, why });
            None
        }
    }
}

/// What can be stored.
struct Storable<V> {
    fill: Fill,
    /// What is in it.
    entry: Entry,
    /// What comes out of it.
    back: Option<V>,
}

/// The kind of the reason why a value is not stored, and the reason.
type Unstorable = (&'static str, String);

fn storable<Q: Query>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
    key: &str,
    value: Option<&Q::Value>,
    life: Duration,
) -> Result<Storable<Q::Value>, Unstorable> {
    let mut tags = tags::<Q>(cache, of, value)?;
    let local = Q::local(cache).map_err(|misuse| ("misuse", misuse.to_string()))?;
    let fresh = jittered(life, Q::POLICY.jitter);
    let bytes = encoded::<Q>(value, local.shape, fresh)?;
    let (entry, back) = decoded_again::<Q>(&bytes, local.shape)?;
    if let Some(back) = back.as_ref().filter(|_| !Q::IS_LIST) {
        has_the_same_tags(&tags, &Q::tags(of, Some(back), cache.tags()))?;
    }
    let others = match Q::IS_LIST {
        true => Mechanism::ListSteps,
        false => Mechanism::EmbeddedTags,
    };
    if value.is_some() && !cache.has(others) {
        let mut own = cache.tags();
        Q::own_tag(of, &mut own);
        tags = own.finish();
    }
    // An absence has no grace: strangers may ask for any number of rows that are not there.
    let grace = match value {
        Some(_) => Q::POLICY.grace,
        None => Duration::ZERO,
    };
    let fill = Fill {
        key: key.to_owned(),
        tags,
        value: bytes,
        ttl: fresh + grace,
        strict: Q::POLICY.strict,
    };
    Ok(Storable { fill, entry, back })
}

/// What it depends on.
fn tags<Q: Query>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
    value: Option<&Q::Value>,
) -> Result<Vec<Tag>, Unstorable> {
    let mut tags = Q::tags(of, value, cache.tags());
    if value.is_none() || Q::IS_LIST {
        let installation = &cache.engine().installation;
        tags.extend(installation.of_other_spellings(&tags));
    }
    if let Some(tag) = tags.iter().find(|tag| !tag.is_fit()) {
        let bytes = tag.as_str().len();
        let why = format!(
            "what it depends on has a text of {bytes} bytes, which no report of a write can have"
        );
        return Err(("long", why));
    }
    let (count, most) = (tags.len(), Q::POLICY.max_tags);
    if count > most {
        let why = format!("it depends on {count} facts, more than its `max-tags`, {most}");
        return Err(("tags", why));
    }
    Ok(tags)
}

fn encoded<Q: Query>(
    value: Option<&Q::Value>,
    shape: u64,
    fresh: Duration,
) -> Result<Bytes, Unstorable> {
    let encoded = entry::encode(value, Q::POLICY.codec, shape, fresh);
    let bytes = encoded.map_err(|error| ("encode", format!("it does not encode: {error}")))?;
    let (size, most) = (bytes.len(), Q::POLICY.max_value);
    if size > most {
        let why = format!("it has {size} bytes, more than its `max-value`, {most}");
        return Err(("size", why));
    }
    Ok(bytes)
}

/// What comes back. What could be stored and never read (`NaN` in JSON, what nests too deep) would
/// be a miss for every reader.
fn decoded_again<Q: Query>(
    bytes: &Bytes,
    shape: u64,
) -> Result<(Entry, Option<Q::Value>), Unstorable> {
    let opened = Entry::open(bytes, shape).and_then(|entry| {
        let decoded = catch_unwind(AssertUnwindSafe(|| entry.decode::<Q::Value>()));
        let back = decoded
            .unwrap_or_else(|_| Err(Unusable::Unreadable("its decoder panicked".to_owned())))?;
        Ok((entry, back))
    });
    opened.map_err(|unusable| {
        let why = match unusable {
            Unusable::Unreadable(why) => why,
            Unusable::Outdated => "another shape".to_owned(),
        };
        let why = format!("it encodes, but does not decode again: {why}");
        ("decode", why)
    })
}

/// Another value may embed what comes back, and would not be found by what is lost. Both are
/// sorted.
fn has_the_same_tags(tags: &[Tag], back: &[Tag]) -> Result<(), Unstorable> {
    if tags == back {
        return Ok(());
    }
    let lost = tags.iter().find(|it| back.binary_search(it).is_err());
    let new = back.iter().find(|it| tags.binary_search(it).is_err());
    let tag = lost.or(new).map_or("", Tag::as_str);
    let why = format!(
        "it comes back from its encoding as another one, which differs in what it depends on (`{tag}`): look at the serde attributes of its struct"
    );
    Err(("altered", why))
}

fn tell_if_altered<Q: Query>(
    observer: &Observer,
    key: &str,
    loaded: &Q::Value,
    back: &Q::Value,
    entry: &Entry,
) {
    // A `PartialEq` that panics is as good as none.
    let altered = catch_unwind(AssertUnwindSafe(|| altered::<Q>(loaded, back, entry)));
    let Some(at) = altered.ok().flatten() else {
        return;
    };
    let (model, at) = (Q::MODEL, &*at);
    if observer.is_time_of("altered", model) {
        tracing::warn!(
            model,
            key,
            at,
            "a value comes back from the store as another one than was loaded: it is served as it comes back; look at the serde attributes of its struct"
        );
    }
    observer.tell(Event::Altered { model, key, at });
}

/// Where what came back differs from what was loaded; without `PartialEq`, in what serde says of
/// the two.
fn altered<Q: Query>(loaded: &Q::Value, back: &Q::Value, entry: &Entry) -> Option<String> {
    let is_same = Q::is_same(loaded, back);
    if is_same == Some(true) || is_same.is_none() && entry.is_of(back, Q::POLICY.codec) {
        return None;
    }
    // A set is written in any order.
    let [loaded, back] = [loaded, back].map(|it| serde_json::to_value(it).map(compare::sorted));
    let (Ok(loaded), Ok(back)) = (loaded, back) else {
        return is_same.map(|_| "what cannot be shown".to_owned());
    };
    let differences = compare::differences(&loaded, &back);
    match (differences.is_empty(), is_same) {
        (true, None) => None,
        (true, Some(_)) => Some("what serde leaves out".to_owned()),
        (false, _) => Some(differences.join(", ")),
    }
}

/// A life that is shortened at random, by up to so many per cent.
fn jittered(life: Duration, percent: u8) -> Duration {
    life.mul_f64(1.0 - fastrand::f64() * f64::from(percent) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_shortens_a_life_by_up_to_so_much() {
        let life = Duration::from_secs(100);
        let lives: Vec<Duration> = (0..1000).map(|_| jittered(life, 20)).collect();
        let between = |from, to| {
            let range = Duration::from_secs(from)..=Duration::from_secs(to);
            lives.iter().filter(|life| range.contains(*life)).count()
        };
        assert_eq!(between(80, 100), lives.len());
        assert!(between(80, 85) > 0 && between(95, 100) > 0);
    }
}
