//! The background tasks of a cache, and what becomes of them when their runtime ends.
//!
//! A task lives in the runtime in which it was spawned: that of whoever built the cache. A test, or
//! a thread with a runtime of its own, may end while the cache is used in another. Its tasks are
//! dropped then, and say so; whoever uses the cache next starts them again, where it is.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::engine::stop::{Stop, Stopper};
use crate::engine::under_way::{Begun, UnderWay};
use crate::error::Error;
use crate::lock::locked;

/// A task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// See [`crate::engine::relay`].
    Relay = 1,
    /// See [`crate::engine::recovery`].
    Recovery = 2,
    /// See [`listen`](crate::engine::heartbeat::listen).
    Listening = 4,
    /// See [`tidy`](crate::engine::heartbeat::tidy).
    Tidying = 8,
}

impl Task {
    pub(crate) const ALL: [Task; 4] = [Task::Relay, Task::Recovery, Task::Listening, Task::Tidying];
}

/// An error outside of a Tokio runtime, where nothing can be spawned and no time passes.
pub(crate) fn is_in_runtime() -> Result<(), Error> {
    let outside = |_| {
        Error::misuse(
            "there is no Tokio runtime here\n\
             help: await it under `#[tokio::main]`, or in `Runtime::block_on`, of a runtime with `enable_all()`",
        )
    };
    Handle::try_current().map(drop).map_err(outside)
}

/// How long it is waited for the tasks' ends: a pass over the outbox may take a minute.
const PATIENCE: Duration = Duration::from_secs(65);

/// How long it takes until a runtime that somebody drives runs what was spawned in it.
const DRIVEN: Duration = Duration::from_secs(1);

/// The tasks of one cache. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Tasks {
    /// `None`: the cache was shut down.
    stopper: Mutex<Option<Stopper>>,
    /// Where the last one was spawned.
    runtime: Mutex<Option<Handle>>,
    running: UnderWay,
    /// Those that were dropped before they came to their end, each a bit.
    dropped: Arc<AtomicU8>,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            stopper: Mutex::new(Some(Stopper::new())),
            runtime: Mutex::default(),
            running: UnderWay::default(),
            dropped: Arc::default(),
        }
    }

    /// What ends with the cache; `None` when it was shut down.
    pub(crate) fn stop(&self) -> Option<Stop> {
        locked(&self.stopper).as_ref().map(Stopper::stop)
    }

    /// Spawns a task in the runtime of the caller, unless the cache was shut down.
    pub(crate) fn spawn<F>(&self, task: Task, work: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(stop) = self.stop() else {
            return;
        };
        *locked(&self.runtime) = Some(Handle::current());
        let work = work(stop);
        let alive = Alive {
            _running: self.running.begin(),
            dropped: self.dropped.clone(),
            task,
            is_over: false,
        };
        tokio::spawn(async move {
            work.await;
            alive.end();
        });
    }

    /// The tasks that were dropped since this was last asked.
    #[inline]
    pub(crate) fn dropped(&self) -> impl Iterator<Item = Task> {
        // Nearly always none.
        let dropped = match self.dropped.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.dropped.swap(0, Ordering::SeqCst),
        };
        let is_dropped = move |task: &Task| dropped & *task as u8 != 0;
        Task::ALL.into_iter().filter(is_dropped)
    }

    /// Ends all tasks; returns when each has come to the end of what it was at. A runtime that
    /// stands still ends nothing: that is not waited for.
    pub(crate) async fn shut_down(&self) {
        *locked(&self.stopper) = None;
        let runtime = locked(&self.runtime).clone();
        let is_driven = match runtime.map(|runtime| runtime.spawn(async {})) {
            Some(probe) => timeout(DRIVEN, probe).await.is_ok(),
            None => false,
        };
        if is_driven && timeout(PATIENCE, self.running.ended()).await.is_err() {
            tracing::warn!("a background task has not come to its end within {PATIENCE:?}");
        }
    }
}

/// Says when it is dropped that its task is, unless that has come to its end.
struct Alive {
    _running: Begun,
    dropped: Arc<AtomicU8>,
    task: Task,
    is_over: bool,
}

impl Alive {
    fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.is_over {
            self.dropped.fetch_or(self.task as u8, Ordering::SeqCst);
        }
    }
}
