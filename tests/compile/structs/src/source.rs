//! A source of one value, and what a cache in front of it does.

use std::sync::{Arc, Mutex};

use cache_runtime::{Cache, Dialect, Event, Load, Schema, Tag, Tags};

pub static SCHEMA: Schema = cache_runtime::schema!();

/// What a loader returns.
pub struct Source<T>(pub T);

/// Loads it from its source: `served!(Parcel);`
macro_rules! served {
    ($($row:ty),* $(,)?) => {$(
        impl cache_runtime::Load<$crate::source::Source<$row>> for $row {
            async fn load(
                cx: &cache_runtime::LoadContext<$crate::source::Source<$row>>,
                _: &[i64],
            ) -> Result<Vec<$row>, cache_runtime::BoxError> {
                Ok(vec![cx.db().0.clone()])
            }
        }
    )*};
}
pub(crate) use served;

/// What readers got, one after another, and what was said of it.
#[derive(Debug)]
pub struct Read<T> {
    pub loaded: Arc<T>,
    pub again: Arc<T>,
    /// Where it was altered, and why it was not stored.
    pub altered: Vec<String>,
    pub unstorable: Vec<String>,
    pub loads: usize,
}

/// Reads the value twice.
pub async fn read<T>(value: T) -> Read<T>
where
    T: Load<Source<T>, Id = i64> + Clone,
{
    #[derive(Default)]
    struct Said {
        altered: Vec<String>,
        unstorable: Vec<String>,
        loads: usize,
    }
    let said = Arc::new(Mutex::new(Said::default()));
    let hears = said.clone();
    let cache = Cache::builder(Source(value.clone()), &SCHEMA)
        .without_outbox()
        .relay(false)
        .on_event(move |event| {
            let mut said = hears.lock().expect("nobody panics with it");
            match event {
                Event::Altered { at, .. } => said.altered.push((*at).to_owned()),
                Event::Unstorable { why, .. } => said.unstorable.push((*why).to_owned()),
                Event::Loading { .. } => said.loads += 1,
                _ => {}
            }
        })
        .build()
        .await
        .expect("built");
    let id = value.id();
    let get = async || cache.get::<T>(id).await.expect("read").expect("there");
    let (loaded, again) = (get().await, get().await);
    let said = std::mem::take(&mut *said.lock().expect("nobody panics with it"));
    Read { loaded, again, altered: said.altered, unstorable: said.unstorable, loads: said.loads }
}

/// What the value was built from.
pub fn tags<T: Load<Source<T>>>(value: &T) -> Vec<Tag> {
    let mut tags = Tags::of(Dialect::Postgres);
    T::id_tag(&value.id(), &mut tags);
    value.tags(&mut tags);
    tags.finish()
}
