//! In which form a reader takes a value: decoded, or its JSON.

use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::boxed::BoxError;
use crate::local::near::Tier;
use crate::local::query::Local;
use crate::model::Rows;
use crate::value::entry::{Entry, Unusable};
use crate::value::json::Json;

/// In which form a reader takes a value.
pub(crate) trait Representation<V>: 'static {
    type Out: Clone + Send + Sync + 'static;
    /// The near cache of such.
    fn tier<K>(local: &Local<K, V>) -> &OnceLock<Tier<K, Self::Out>>;
    fn stored(entry: &Entry) -> Result<Option<Self::Out>, Unusable>;
    /// `entry`: as it was offered to the store, if it was.
    fn loaded(value: &Arc<V>, entry: Option<&Entry>) -> Result<Self::Out, BoxError>;
    /// As a value that can be compared.
    fn compared(out: &Self::Out) -> Result<serde_json::Value, BoxError>;
}

/// The struct.
pub(crate) struct Decoded;

impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> Representation<V> for Decoded {
    type Out = Arc<V>;

    fn tier<K>(local: &Local<K, V>) -> &OnceLock<Tier<K, Arc<V>>> {
        &local.decoded
    }

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

/// The bytes of its JSON, without what is hidden.
pub(crate) struct AsJson;

impl<V: Rows + Serialize + 'static> Representation<V> for AsJson {
    type Out = Json;

    fn tier<K>(local: &Local<K, V>) -> &OnceLock<Tier<K, Json>> {
        &local.json
    }

    fn stored(entry: &Entry) -> Result<Option<Json>, Unusable> {
        let unreadable = || Unusable::Unreadable("what is hidden in it cannot be told".to_owned());
        let json = entry.json()?;
        json.map(|json| json.without_hidden::<V>().ok_or_else(unreadable)).transpose()
    }

    fn loaded(value: &Arc<V>, entry: Option<&Entry>) -> Result<Json, BoxError> {
        match entry.map(<AsJson as Representation<V>>::stored) {
            Some(Ok(Some(json))) => Ok(json),
            _ => Json::shown(&**value),
        }
    }

    fn compared(json: &Json) -> Result<serde_json::Value, BoxError> {
        Ok(serde_json::from_slice(json.bytes())?)
    }
}
