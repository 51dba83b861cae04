//! How long an answer may take: that depends on how much was asked for, by everybody, as all goes
//! over one connection.
//!
//! A time-out that does not know it takes a store away that is well: a hundred values of 100 kB
//! take 0.8 s over a link of 12 MB/s, and what others ask meanwhile comes after them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::RedisResult;

use super::error::error;
use crate::store::{StoreError, TIMEOUT};

/// Bytes a second that a link carries at least.
const SLOWEST: u64 = 4 << 20;

/// However much is asked for: after that nobody waits for it any longer.
const LONGEST: Duration = Duration::from_secs(5);

/// What a value is taken to have before any was seen.
const UNKNOWN: u64 = 16 << 10;

/// What one is not taken to have unless it was seen.
const LARGEST: u64 = 1 << 20;

/// Of so many values it may be that they were not there in time because of their size.
const MANY: u64 = 10;

/// For how long at least, and twice that at most, a large value is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);

/// What is known of the sizes of values, in bytes. Most are small, and it is the large ones that
/// take time.
#[derive(Debug)]
pub(super) struct Sizes {
    began: Instant,
    /// Which of the spans of time since then it is.
    span: AtomicU64,
    /// The largest value in it, and in the one before.
    largest: AtomicU64,
    largest_before: AtomicU64,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            began: Instant::now(),
            span: AtomicU64::new(0),
            largest: AtomicU64::new(UNKNOWN),
            largest_before: AtomicU64::new(0),
        }
    }
}

impl Sizes {
    /// There is one of so many bytes.
    pub(super) fn learn(&self, bytes: u64) {
        let span = self.began.elapsed().as_secs() / REMEMBERED.as_secs();
        if self.span.swap(span, Ordering::Relaxed) != span {
            let before = self.largest.swap(0, Ordering::Relaxed);
            self.largest_before.store(before, Ordering::Relaxed);
        }
        self.largest.fetch_max(bytes, Ordering::Relaxed);
    }

    fn largest(&self) -> u64 {
        let [now, before] =
            [&self.largest, &self.largest_before].map(|it| it.load(Ordering::Relaxed));
        now.max(before)
    }
}

/// What is under way over a connection.
#[derive(Debug, Default)]
pub(super) struct Patience {
    under_way: AtomicU64,
    sizes: Arc<Sizes>,
}

impl Patience {
    pub(super) fn new(sizes: Arc<Sizes>) -> Patience {
        Patience { under_way: AtomicU64::new(0), sizes }
    }

    /// How many bytes so many values may have.
    pub(super) fn expected(&self, values: usize) -> u64 {
        self.sizes.largest() * values as u64
    }

    /// There is a value of so many bytes.
    pub(super) fn learn(&self, bytes: usize) {
        self.sizes.learn(bytes as u64);
    }

    /// Waits for an answer, of so many bytes with its question.
    pub(super) async fn wait_for<T>(
        &self,
        bytes: u64,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, StoreError> {
        self.wait(bytes, answer).await?.map_err(error)
    }

    /// The same, for whoever looks at the error.
    pub(super) async fn wait<T>(
        &self,
        bytes: u64,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Result<RedisResult<T>, StoreError> {
        let (began, _under_way) = (Instant::now(), UnderWay::new(&self.under_way, bytes));
        let mut answer = std::pin::pin!(answer);
        loop {
            // Once more if others have asked for much since.
            let limit = self.limit();
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                // Many may be larger together than any that was seen.
                let largest = self.sizes.largest();
                if bytes >= MANY * largest {
                    self.sizes.learn((largest * 4).min(LARGEST));
                }
                let why = format!("it has not answered within {limit:?}");
                return Err(StoreError::away(why));
            }
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                return Ok(answer);
            }
        }
    }

    fn limit(&self) -> Duration {
        let under_way = self.under_way.load(Ordering::Relaxed);
        let transfer = Duration::from_millis(under_way * 1000 / SLOWEST);
        TIMEOUT + transfer.min(LONGEST)
    }
}

/// So many bytes, until they are there or nobody waits for them.
struct UnderWay<'p> {
    all: &'p AtomicU64,
    bytes: u64,
}

impl UnderWay<'_> {
    fn new(all: &AtomicU64, bytes: u64) -> UnderWay<'_> {
        all.fetch_add(bytes, Ordering::Relaxed);
        UnderWay { all, bytes }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_waited_for_no_longer_than_the_time_out() {
        let patience = Patience::default();
        patience.sizes.largest.store(600, Ordering::Relaxed);
        let _asked = UnderWay::new(&patience.under_way, patience.expected(1));
        assert!(patience.limit() < TIMEOUT + Duration::from_millis(2));
    }

    #[test]
    fn much_is_waited_for_longer_by_all_and_by_nobody_for_ever() {
        let patience = Patience::default();
        assert_eq!(patience.limit(), TIMEOUT);
        patience.learn(100_000);
        (0..1000).for_each(|_| patience.learn(10));
        let asked = UnderWay::new(&patience.under_way, patience.expected(100));
        assert!(patience.limit() > Duration::from_secs(2));
        let _much = UnderWay::new(&patience.under_way, 1 << 40);
        assert_eq!(patience.limit(), TIMEOUT + LONGEST);
        drop((asked, _much));
        assert_eq!(patience.limit(), TIMEOUT);
    }
}
