//! How old a read may be.
//!
//! From docs/guide/consistency.md, "What a reader may see", and the numbers of `cache.toml`:
//!
//! - What the store was told (a commit that returned while the store was in use) is never old
//!   again, by whatever fault: 0. Nor is what a process has written itself through the cache, in
//!   that process, told or not: 0. Nor strict values: 0.
//! - A **near** value is old until the message comes; without a message
//!   nothing near is served after `near.max-staleness`.
//! - What the store was *not* told when it was committed (plain SQL; Redis away for the
//!   writer; the writer killed between commit and invalidation) is told by a relay. Every
//!   process that is answered by the store runs one, and:
//!     - it looks at the outbox every `outbox.poll`, whoever wakes it;
//!     - a pass asks the store twice, who it is and to invalidate, and waits for each answer no
//!       longer than the store's time-out of 500 ms: after that the store is away, nobody is
//!       answered from it, and on the way back all that waits is delivered before the first read;
//!     - it asks the database a few times, and its turn on a busy
//!       machine comes a little late: [`ROOM`].
//!
//!   So a hit is old for at most `poll + 2 * 500 ms + ROOM`. That holds however long Redis, the
//!   link to it or a process stood still: who was answered by the store all the time has relayed
//!   all the time, and who was not has caught up. A near value comes with `max-staleness` on top,
//!   as the delivery tells it like a commit does.
//! - Who is **alone in its line** and stands still relays to its store no more,
//!   and serves at once when it goes on: what was committed before that is old in
//!   its line until it goes on, and the bound more.
//! - Nor does a line relay whose **connections to PostgreSQL all stand still**, until they are
//!   given up and made anew, which takes [`WITHOUT_ANSWERS`] at most, however long the old ones
//!   stand. From then on the bound is as ever.
//! - What is written while the **triggers are others** than those of `cache.toml`
//!   may go unreported; a process notices at its next pass, which is to end as soon
//!   as any other. From then on it reads from the source, and with the right
//!   triggers begins anew. So that is [`Unreported`], and under the rules for what
//!   no store was told of: old for as long, here as well.
//! - What the **database has lost** was committed, and exists nowhere any more: a relay notices at
//!   its next pass, and from then on nothing from before is served; so that is served for as long
//!   as what is not delivered. Who is started later never serves it.
//! - What some faults add while they last, as they make a pass longer (a slow link),
//!   or let one fail (a connection to the database is ended: the next one is a
//!   `poll` later), is said by the fault: [`Allowance`].

use std::time::Duration;

use cache_runtime::Schema;
use chaos_service::clock::{Nanos, nanos};
use chaos_service::record::{Line, Model};

use super::Write;

/// The store's time-out.
pub const STORE_TIMEOUT: Duration = Duration::from_millis(500);

/// From when PostgreSQL answers nothing on the connections that there
/// are to when deliveries go on, over new ones.
pub const WITHOUT_ANSWERS: Duration = Duration::from_secs(15);

/// For the database and the scheduler.
const ROOM: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From a commit that the store was not told of to the delivery.
    pub delivery: Nanos,
    /// From what the store was told to what every near cache knows.
    pub near: Nanos,
}

impl Bounds {
    pub fn of(schema: &Schema) -> Bounds {
        Bounds {
            delivery: nanos(schema.poll + 2 * STORE_TIMEOUT + ROOM),
            near: nanos(schema.max_staleness.unwrap_or_default()),
        }
    }
}

/// What a fault adds to a delivery that it meets.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Whose reads; none for those of all lines.
    pub line: Option<Line>,
    pub from: Nanos,
    pub to: Nanos,
    /// If none, nothing is delivered until it is over.
    pub adds: Option<Nanos>,
}

impl Allowance {
    /// What it adds to the delivery of what was committed at this
    /// moment, when it is read at that one.
    pub(super) fn adds(&self, committed: Nanos, read: Nanos) -> Nanos {
        if self.from > read || self.to < committed {
            return 0;
        }
        let rest = self.to - self.from.max(committed);
        self.adds.unwrap_or(rest)
    }
}

/// For how long the triggers are others, which may not report new versions of these models.
#[derive(Debug, Clone, Copy)]
pub struct Unreported {
    pub models: &'static [Model],
    pub from: Nanos,
    pub to: Nanos,
}

impl Unreported {
    /// Whether this write, which ended at that moment, may be one of them.
    pub(super) fn meets(&self, write: &Write, end: Nanos) -> bool {
        self.from <= end && self.to >= write.start && self.models.contains(&write.register.model)
    }
}
