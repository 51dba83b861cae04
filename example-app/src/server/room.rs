//! Who has a connection, and who gives one up when all are taken.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// So many connections and no more. When all are taken and another client comes, the one that has
/// kept the service waiting for the longest has to go: who sends half a request shuts nobody out.
/// But not before it has had a moment: of a crowd whose requests are on their way, each is served.
pub(super) struct Room {
    seats: usize,
    moment: Duration,
    taken: Mutex<Taken>,
    /// A seat is free, or somebody has begun to wait.
    changed: Notify,
}

#[derive(Default)]
struct Taken {
    seats: usize,
    /// The next place in the line.
    next: u64,
    /// Those who are waited for; the first the longest.
    line: BTreeMap<u64, Waiting>,
}

struct Waiting {
    since: Instant,
    closed: Arc<Notify>,
}

/// A connection's seat; free again when it is dropped.
pub(super) struct Seat {
    room: Arc<Room>,
    place: Mutex<Option<u64>>,
    closed: Arc<Notify>,
}

impl Room {
    pub(super) fn new(seats: usize, moment: Duration) -> Arc<Room> {
        Arc::new(Room { seats, moment, taken: Mutex::default(), changed: Notify::new() })
    }

    /// A seat, as soon as there is one. For one caller at a time.
    pub(super) async fn seat(self: &Arc<Room>) -> Seat {
        let mut leaving = false;
        loop {
            if let Some(seat) = self.free_seat() {
                return seat;
            }
            // One has to go, and no more, however often the line changes before its seat is free.
            leaving = leaving || self.close_longest();
            let changed = self.changed.notified();
            match self.longest() {
                Some(since) if !leaving => drop(timeout_at(since + self.moment, changed).await),
                _ => changed.await,
            }
        }
    }

    fn free_seat(self: &Arc<Room>) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.seats >= self.seats {
            return None;
        }
        taken.seats += 1;
        drop(taken);
        let seat = Seat { room: Arc::clone(self), place: Mutex::default(), closed: Arc::default() };
        seat.waits();
        Some(seat)
    }

    /// Since when the client that is waited for the longest is.
    fn longest(&self) -> Option<Instant> {
        let taken = self.taken();
        let (_, longest) = taken.line.first_key_value()?;
        Some(longest.since)
    }

    /// Closes the connection whose client is waited for the longest, if it has had its moment;
    /// whether it was.
    pub(super) fn close_longest(&self) -> bool {
        let mut taken = self.taken();
        let longest = taken.line.first_entry();
        let longest = longest.filter(|it| it.get().since.elapsed() >= self.moment);
        let longest = longest.map(OccupiedEntry::remove);
        if let Some(waiting) = &longest {
            waiting.closed.notify_one();
        }
        longest.is_some()
    }

    /// Waits until a seat may be free.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// It is the client's turn: to send a request, or to take an answer.
    pub(super) fn waits(&self) {
        let mut taken = self.room.taken();
        let place = taken.next;
        taken.next += 1;
        let waiting = Waiting { since: Instant::now(), closed: Arc::clone(&self.closed) };
        taken.line.insert(place, waiting);
        self.moves(&mut taken, Some(place));
        drop(taken);
        self.room.changed.notify_one();
    }

    /// It is the service's turn, and the client keeps its seat.
    pub(super) fn works(&self) {
        self.moves(&mut self.room.taken(), None);
    }

    /// Ends when the seat is wanted by somebody else.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    fn moves(&self, taken: &mut Taken, to: Option<u64>) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = std::mem::replace(&mut *place, to) {
            taken.line.remove(&place);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        self.moves(&mut taken, None);
        taken.seats -= 1;
        drop(taken);
        self.room.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    /// Whether this connection is to be closed.
    async fn is_closed(seat: &Seat) -> bool {
        let mut closed = std::pin::pin!(seat.closed());
        std::future::poll_fn(|cx| Poll::Ready(closed.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn who_is_waited_for_the_longest_gives_way() {
        let room = Room::new(3, Duration::ZERO);
        let (first, second, third) = (room.seat().await, room.seat().await, room.seat().await);
        first.works();
        third.works();
        third.waits();
        assert!(room.free_seat().is_none());

        room.close_longest();
        assert!(is_closed(&second).await);
        drop(second);
        let fourth = room.seat().await;
        room.close_longest();
        assert!(is_closed(&third).await);
        assert!(!is_closed(&first).await && !is_closed(&fourth).await);
    }

    #[tokio::test]
    async fn for_each_who_comes_one_goes() {
        let room = Room::new(2, Duration::ZERO);
        let (first, second) = (room.seat().await, room.seat().await);
        let mut next = std::pin::pin!(room.seat());
        for _ in 0..3 {
            second.waits();
            let waiting =
                std::future::poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_pending()));
            assert!(waiting.await);
        }
        assert!(is_closed(&first).await && !is_closed(&second).await);
        drop(first);
        next.await;
    }

    #[tokio::test]
    async fn a_seat_is_given_as_soon_as_its_owner_waits() {
        let room = Room::new(1, Duration::ZERO);
        let working = room.seat().await;
        working.works();
        let next = tokio::spawn({
            let room = Arc::clone(&room);
            async move { room.seat().await }
        });
        tokio::task::yield_now().await;
        working.waits();
        working.closed().await;
        drop(working);
        next.await.expect("a seat");
    }
}
