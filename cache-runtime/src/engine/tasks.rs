//! The background tasks of a cache, and what becomes of them when their runtime ends.
//!
//! A task lives in the runtime in which it was spawned: that of whoever built the cache. A test, or
//! a thread with a runtime of its own, may end while the cache is used in another. Its tasks are
//! dropped then, and say so; whoever uses the cache next starts them again, where it is.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::engine::stop::{Stop, Stopper};
use crate::error::Error;

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

/// The tasks of one cache. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Tasks {
    running: Mutex<Running>,
    /// Those that were dropped before they came to their end, each a bit.
    dropped: Arc<AtomicU8>,
}

#[derive(Debug)]
struct Running {
    /// `None`: the cache was shut down.
    stopper: Option<Stopper>,
    handles: Vec<(Task, JoinHandle<()>)>,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            running: Mutex::new(Running {
                stopper: Some(Stopper::new()),
                handles: Vec::new(),
            }),
            dropped: Arc::default(),
        }
    }

    /// Spawns a task in the runtime of the caller, unless the cache was shut down.
    pub(crate) fn spawn<F>(&self, task: Task, work: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = self.running();
        let Some(stop) = running.stopper.as_ref().map(Stopper::stop) else {
            return;
        };
        let work = work(stop);
        let alive = Alive {
            dropped: self.dropped.clone(),
            task,
            is_over: false,
        };
        let handle = tokio::spawn(async move {
            work.await;
            alive.end();
        });
        running.handles.retain(|(other, _)| *other != task);
        running.handles.push((task, handle));
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

    /// Ends all tasks; returns when each has come to the end of what it was at.
    pub(crate) async fn shut_down(&self) {
        let handles = {
            let mut running = self.running();
            running.stopper = None;
            std::mem::take(&mut running.handles)
        };
        for (_, handle) in handles {
            // One that panicked, or was dropped with its runtime, is over as well.
            let _ = handle.await;
        }
    }

    /// Nothing panics while it holds the lock.
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says when it is dropped that its task is, unless that has come to its end.
struct Alive {
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
