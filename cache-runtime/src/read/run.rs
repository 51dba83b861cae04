//! Runs a loader.

use tracing::Instrument;

use crate::error::Error;
use crate::read::load::LoadContext;
use crate::read::query::Query;
use crate::read::turn::{LOADING, Turn};

/// Runs the loader when it is its turn, in a task of its own, so that its panic is an error like
/// others, and that it can be given up.
pub(crate) async fn run<Q: Query>(
    cx: LoadContext<Q::Source>,
    of: Vec<Q::Key>,
    turn: Turn,
) -> Result<Vec<(Q::Key, Q::Value)>, Error> {
    let limit = Q::POLICY.load_timeout;
    let ending = cx.ending();
    let turn = turn.comes(cx.cache(), Q::MODEL).await?;
    let load = async move {
        let _turn = turn;
        Q::load(&cx, &of).await
    };
    let load = LOADING.scope((), load);
    let mut load = tokio::spawn(load.in_current_span());
    match tokio::time::timeout(limit, &mut load).await {
        Ok(Ok(Ok(values))) => Ok(values),
        Ok(Ok(Err(source))) => Err(Error::load(Q::MODEL, source)),
        Ok(Err(_)) => Err(Error::load_panicked(Q::MODEL)),
        Err(_) => {
            ending.cut_short();
            load.abort();
            Err(Error::load_timed_out(Q::MODEL, limit))
        }
    }
}
