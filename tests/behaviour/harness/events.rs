//! What the cache says happened, and holds: a load stopped in
//! the middle until the story lets it go on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::soon::PATIENCE;
use cache_runtime::{Builder, Event, Verdict};
use tokio::sync::Notify;
use tokio::time::timeout;

/// One event, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Hit(String),
    Miss(String),
    Loading(&'static str, Vec<String>),
    Loaded(&'static str, Vec<String>),
    Filled(String, bool),
    Invalidated(Vec<String>),
    Verified(String, &'static str, Verdict),
    Committed,
    Blocked(Vec<String>),
    Delivered(usize),
    DeadLettered(i64),
    /// How many rows, and for how long one has waited.
    Backlog(u64, Duration),
    Idle,
    StoreAway,
    StoreBack,
    Other(String),
}

impl Seen {
    fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Hit { key, .. } => Self::Hit((*key).to_owned()),
            Event::Miss { key } => Self::Miss((*key).to_owned()),
            Event::Loading { model, keys } => Self::Loading(model, keys.to_vec()),
            Event::Loaded { model, keys } => Self::Loaded(model, keys.to_vec()),
            Event::Filled { key, stored } => Self::Filled((*key).to_owned(), *stored),
            Event::Verified { key, tier, verdict, .. } => {
                Self::Verified((*key).to_owned(), tier, *verdict)
            }
            Event::Invalidated { tags, .. } => {
                Self::Invalidated(tags.iter().map(ToString::to_string).collect())
            }
            Event::Delivered { rows, .. } => Self::Delivered(*rows),
            Event::Blocked { tags } => {
                Self::Blocked(tags.iter().map(ToString::to_string).collect())
            }
            Event::DeadLettered { id } => Self::DeadLettered(*id),
            Event::Backlog { rows, waiting } => Self::Backlog(*rows, *waiting),
            Event::Committed => Self::Committed,
            Event::Idle => Self::Idle,
            Event::StoreAway { .. } => Self::StoreAway,
            Event::StoreBack => Self::StoreBack,
            other => Self::Other(format!("{other:?}")),
        }
    }
}

/// Everything that one app's cache told, in order.
#[derive(Default)]
pub struct Events {
    seen: Mutex<Vec<Seen>>,
    more: Notify,
    holds: Mutex<Vec<Arc<Point>>>,
}

/// The cache that this builds, and what it will have told.
pub fn observed<Db: Send + Sync + 'static>(builder: Builder<Db>) -> (Builder<Db>, Arc<Events>) {
    let events = Arc::new(Events::default());
    let observer = Arc::clone(&events);
    (builder.on_event(move |event| observer.record(event)), events)
}

impl Events {
    /// Told by the cache, where it happens: blocking here blocks there.
    pub fn record(&self, event: &Event<'_>) {
        let seen = Seen::of(event);
        let hold = {
            let mut holds = lock(&self.holds);
            let found = holds.iter().position(|point| point.is(&seen));
            found.map(|index| holds.remove(index))
        };
        lock(&self.seen).push(seen);
        self.more.notify_waiters();
        if let Some(point) = hold {
            // The other tasks of this thread are handed over: only the load stands still.
            tokio::task::block_in_place(|| point.hold());
        }
    }

    /// Stops the next load of this key just before its loader runs.
    pub fn hold_before_load(&self, key: &str) -> Hold {
        self.hold(Moment::Loading, key)
    }

    /// Stops the next load of this key when it has read the database, before anything is stored.
    pub fn hold_after_load(&self, key: &str) -> Hold {
        self.hold(Moment::Loaded, key)
    }

    /// Stops the next fill of this key when the store has answered
    /// it, before anybody is given the value.
    pub fn hold_after_fill(&self, key: &str) -> Hold {
        self.hold(Moment::Filled, key)
    }

    /// Stops the next delivery that invalidates this tag when the store
    /// has done so, before its rows are marked.
    pub fn hold_after_invalidation(&self, tag: &str) -> Hold {
        self.hold(Moment::Invalidated, tag)
    }

    /// Stops the next delivery when it has marked some rows, before it marks more.
    pub fn hold_after_marking(&self) -> Hold {
        self.hold(Moment::Marked, "")
    }

    /// Stops the next commit of strict values when they are blocked, before the database commits.
    pub fn hold_before_commit(&self) -> Hold {
        self.hold(Moment::Blocked, "")
    }

    /// Stops the next commit when the database has committed, before anything is invalidated.
    pub fn hold_after_commit(&self) -> Hold {
        self.hold(Moment::Committed, "")
    }

    fn hold(&self, moment: Moment, key: &str) -> Hold {
        let key = key.to_owned();
        let point = Arc::new(Point {
            moment,
            key,
            reached: Notify::new(),
            open: Mutex::new(false),
            opened: Condvar::new(),
        });
        lock(&self.holds).push(Arc::clone(&point));
        Hold(point)
    }

    /// Forgets what was seen so far.
    pub fn forget(&self) {
        lock(&self.seen).clear();
    }

    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// What was seen, but for passes of the relay that found nothing.
    pub fn told(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| *seen != Seen::Idle);
        seen
    }

    /// How often a loader of this model ran.
    pub fn loads(&self, model: &str) -> usize {
        self.count(|seen| matches!(seen, Seen::Loading(of, _) if *of == model))
    }

    /// How often a loader was asked for this key.
    pub fn loads_of(&self, key: &str) -> usize {
        self.count(|seen| matches!(seen, Seen::Loading(_, keys) if keys.iter().any(|loaded| loaded == key)))
    }

    pub fn count(&self, is: impl Fn(&Seen) -> bool) -> usize {
        lock(&self.seen).iter().filter(|seen| is(seen)).count()
    }

    /// Waits until so many passes of the relay have found nothing. The first such pass is the end
    /// of whatever it was delivering; each further one began after this was asked.
    pub async fn idle(&self, passes: usize) {
        let idle = |seen: &Seen| *seen == Seen::Idle;
        let passes = self.count(idle) + passes;
        while self.count(idle) < passes {
            self.wait_for_more().await;
        }
    }

    /// Waits for whatever comes next.
    pub async fn wait_for_more(&self) {
        if timeout(PATIENCE, self.more.notified()).await.is_err() {
            panic!("nothing happens any more; seen were {:#?}", self.seen());
        }
    }

    /// Waits until such an event was seen.
    pub async fn wait_for(&self, what: &str, is: impl Fn(&Seen) -> bool) {
        let waiting = async {
            loop {
                let more = self.more.notified();
                if self.count(&is) > 0 {
                    return;
                }
                more.await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("no such event: {what}; seen were {:#?}", self.seen());
        }
    }

    /// Waits until something was invalidated.
    pub async fn wait_for_invalidation(&self) {
        self.wait_for("an invalidation", |seen| matches!(seen, Seen::Invalidated(_))).await;
    }
}

/// A load that stands still, or will. Dropped, it goes on: a
/// story that fails leaves nothing hanging.
pub struct Hold(Arc<Point>);

impl Hold {
    /// Waits until a load stands still here.
    pub async fn reached(&self) {
        if timeout(PATIENCE, self.0.reached.notified()).await.is_err() {
            panic!("nothing came to the hold at {}", self.0.key);
        }
    }

    /// Lets it go on.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        *lock(&self.0.open) = true;
        self.0.opened.notify_all();
    }
}

#[derive(Clone, Copy)]
enum Moment {
    Loading,
    Loaded,
    Filled,
    Invalidated,
    Marked,
    Blocked,
    Committed,
}

struct Point {
    moment: Moment,
    key: String,
    reached: Notify,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Point {
    fn is(&self, seen: &Seen) -> bool {
        match (self.moment, seen) {
            (Moment::Loading, Seen::Loading(_, keys)) | (Moment::Loaded, Seen::Loaded(_, keys)) => {
                keys.contains(&self.key)
            }
            (Moment::Filled, Seen::Filled(key, _)) => *key == self.key,
            (Moment::Invalidated, Seen::Invalidated(tags)) => tags.contains(&self.key),
            (Moment::Marked, Seen::Delivered(_))
            | (Moment::Blocked, Seen::Blocked(_))
            | (Moment::Committed, Seen::Committed) => true,
            _ => false,
        }
    }

    fn hold(&self) {
        self.reached.notify_one();
        let open = lock(&self.open);
        drop(self.opened.wait_timeout_while(open, PATIENCE, |open| !*open));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
