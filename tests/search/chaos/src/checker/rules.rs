//! The rules: behind what a read may be, and how far.

use chaos_service::clock::Nanos;
use chaos_service::record::{Model, Tier};
use serde::Serialize;

use super::stairs::Stairs;
use super::{Bounds, Known, Read};

/// What a read must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It returns nothing that was not written.
    Future,
    /// What it returns was there at one moment.
    Torn,
    /// A process sees what it has written itself through the cache.
    Own,
    /// Who shows the token of a commit sees what it wrote, in whichever process and line.
    Promised,
    /// Nothing stale survives: what the line's store was told of is seen by
    /// every read of that line that begins after that.
    Applied,
    /// A near value is behind that by `near.max-staleness` at most.
    Near,
    /// What the store was not told of, or another line's, is seen when it must have been delivered.
    Delivered,
    /// Near, `near.max-staleness` later.
    NearDelivered,
    /// In the line that writes it, a strict value is never behind: not
    /// what is committed, nor what anybody has seen.
    Strict,
    /// Nor is what comes from the source.
    Source,
    /// What the database has lost is served no more when a relay must have noticed,
    Lost,
    /// and never by who was started later.
    LostBefore,
}

impl Rule {
    /// Whether it waits for a relay, which a fault may hold up.
    pub(super) fn is_by_delivery(self) -> bool {
        matches!(self, Rule::Delivered | Rule::NearDelivered | Rule::Lost)
    }
}

/// Which rules a read is under: what it may be behind, and for how long.
pub(super) fn of<'k>(
    read: &Read,
    known: &'k Known,
    bounds: &Bounds,
) -> impl Iterator<Item = (Rule, &'k Stairs, Nanos)> + use<'k> {
    let own = known.own.get(&read.process);
    let own = own.filter(|_| read.tier != Tier::Database);
    let (applied, delivered) = match read.tier {
        Tier::Near | Tier::NearList => {
            ((Rule::Near, bounds.near), (Rule::NearDelivered, bounds.delivery + bounds.near))
        }
        _ => ((Rule::Applied, 0), (Rule::Delivered, bounds.delivery)),
    };
    [
        own.map(|own| (Rule::Own, own, 0)),
        Some((applied.0, &known.applied[read.line as usize], applied.1)),
        Some((delivered.0, &known.committed, delivered.1)),
        is_strict(read).then_some((Rule::Strict, &known.committed, 0)),
        is_from_source(read).then_some((Rule::Source, &known.committed, 0)),
        known.lost(read.version).map(|lost| match read.process {
            old if old <= lost.newest => (Rule::Lost, &lost.over, delivered.1),
            _ => (Rule::LostBefore, &lost.over, 0),
        }),
    ]
    .into_iter()
    .flatten()
}

fn is_strict(read: &Read) -> bool {
    read.register.is_strict_in() == Some(read.line)
}

/// Whether a query that began after the read has answered it. A collapsed read may have another's,
/// and so may a page, which another process loads (`lease`).
fn is_from_source(read: &Read) -> bool {
    let loaded = matches!(read.tier, Tier::Miss | Tier::Bypass);
    let own = read.direct && read.register.model != Model::Page;
    read.tier == Tier::Database || loaded && own
}
