//! Runs a loader.

use std::time::Duration;

use tracing::Instrument;

use crate::boxed::BoxError;
use crate::error::Error;
use crate::read::load::LoadContext;
use crate::read::turn::{LOADING, Turn};

/// Runs the loader when it is its turn, in a task of its own, so that its panic is an error like
/// others, and that it can be given up.
pub(crate) async fn run<Db, T, F>(
    cx: LoadContext<Db>,
    model: &'static str,
    limit: Duration,
    turn: Turn,
    load: impl FnOnce(LoadContext<Db>) -> F,
) -> Result<T, Error>
where
    Db: Send + Sync + 'static,
    T: Send + 'static,
    F: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    let ending = cx.ending();
    let turn = turn.comes(cx.cache(), model).await?;
    let load = load(cx);
    let load = async move {
        let _turn = turn;
        load.await
    };
    let load = LOADING.scope((), load);
    let mut load = tokio::spawn(load.in_current_span());
    match tokio::time::timeout(limit, &mut load).await {
        Ok(Ok(Ok(loaded))) => Ok(loaded),
        Ok(Ok(Err(source))) => Err(Error::load(model, source)),
        Ok(Err(_)) => Err(Error::load_panicked(model)),
        Err(_) => {
            ending.cut_short();
            load.abort();
            Err(Error::load_timed_out(model, limit))
        }
    }
}
