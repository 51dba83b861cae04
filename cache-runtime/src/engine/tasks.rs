//! The tasks that a cache has in the background, and what becomes of them when their runtime ends.
//!
//! A task lives in the runtime in which it was spawned: that of whoever built the cache. A test, or a thread with a runtime
//! of its own, may end while the cache is used in another. Its tasks are dropped then, and say so; whoever uses the cache next
//! starts them again, where it is.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::engine::{Engine, relay};
use crate::error::Error;
use crate::local::near::Moment;

/// A task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    /// See [`relay`].
    Relay = 1,
    /// See [`listen`].
    Listening = 2,
    /// The way back of a store that is away.
    Recovery = 4,
    /// See [`tidy`].
    Tidying = 8,
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

/// The tasks that were dropped before they came to their end, each a bit.
#[derive(Debug, Default)]
pub(crate) struct Background(AtomicU8);

/// How often what has expired is thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// How often at most without a pause: others want something of the store as well.
const TIDY_STEPS: usize = 50;

/// Asks the store for nothing, again and again: its answer says that all it had to tell was told. As long as the cache lives.
pub(crate) fn listen(engine: &Arc<Engine>) {
    let Some(near) = &engine.near else {
        return;
    };
    let pause = near.fence.max_staleness() / 4;
    let weak = Arc::downgrade(engine);
    engine.in_background(Task::Listening, async move {
        let engine = weak;
        while let Some(engine) = engine.upgrade() {
            let asked = Moment::now();
            if let (Some(_), Some(near)) = (engine.read(&[]).await, &engine.near) {
                near.fence.trust(asked);
            }
            drop(engine);
            tokio::time::sleep(pause).await;
        }
    });
}

/// Throws away what has expired in the store, as long as the cache lives.
pub(crate) fn tidy(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    engine.in_background(Task::Tidying, async move {
        loop {
            // Processes that began together do not do it together.
            tokio::time::sleep(TIDY_EVERY.mul_f64(0.5 + fastrand::f64())).await;
            let Some(engine) = weak.upgrade() else {
                return;
            };
            for _ in 0..TIDY_STEPS {
                // An error is found by those who need the store.
                if !engine.health.serves() || engine.store.tidy().await.unwrap_or(true) {
                    break;
                }
            }
        }
    });
}

/// Says when it is dropped that its task is, unless that has come to its end.
struct Alive {
    engine: Weak<Engine>,
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
        if let Some(engine) = self.engine.upgrade().filter(|_| !self.is_over) {
            engine
                .background
                .0
                .fetch_or(self.task as u8, Ordering::SeqCst);
        }
    }
}

impl Engine {
    /// Spawns a task in the runtime of the caller.
    pub(crate) fn in_background(
        self: &Arc<Self>,
        task: Task,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let alive = Alive {
            engine: Arc::downgrade(self),
            task,
            is_over: false,
        };
        tokio::spawn(async move {
            work.await;
            alive.end();
        });
    }

    /// Starts again what was dropped. To be called in a runtime, by whoever uses the cache.
    #[inline]
    pub(crate) fn tend(self: &Arc<Self>) {
        if self.background.0.load(Ordering::Relaxed) != 0 {
            self.start_again();
        }
    }

    #[cold]
    fn start_again(self: &Arc<Self>) {
        let lost = self.background.0.swap(0, Ordering::SeqCst);
        let is_lost = |task: Task| lost & task as u8 != 0;
        tracing::info!(
            "the runtime that the cache was built in has ended: its tasks go on in another"
        );
        if is_lost(Task::Relay) {
            relay::start(self);
        }
        if is_lost(Task::Listening) {
            listen(self);
        }
        if is_lost(Task::Tidying) {
            tidy(self);
        }
        if is_lost(Task::Recovery) {
            self.recover_in_background();
        }
    }
}
