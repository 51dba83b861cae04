//! How long an answer may take: that depends on how much was asked for, by everybody, as all goes over one connection.
//!
//! A time-out that does not know it takes a store away that is well: a hundred values of 100 kB take 0.8 s over a link of 12 MB/s, and
//! what others ask meanwhile comes after them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::RedisResult;

use super::error;
use crate::store::{StoreError, TIMEOUT};

/// Bytes a second that a link carries at least.
const SLOWEST: u64 = 4 << 20;

/// However much is asked for: after that nobody waits for it any longer.
const LONGEST: Duration = Duration::from_secs(5);

/// What a value is taken to have before any was seen.
const UNKNOWN: u64 = 16 << 10;

/// What is under way over a connection, and what is known of the sizes of values.
#[derive(Debug)]
pub(super) struct Patience {
    under_way: AtomicU64,
    /// Bytes of a value, on the average of late; and of a large one.
    average: AtomicU64,
    large: AtomicU64,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            under_way: AtomicU64::new(0),
            average: AtomicU64::new(UNKNOWN),
            large: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Patience {
    /// How many bytes so many values may have.
    pub(super) fn expected(&self, values: usize) -> u64 {
        let [average, large] = [&self.average, &self.large].map(|it| it.load(Ordering::Relaxed));
        match values {
            0 => 0,
            _ => large + 2 * average * values as u64,
        }
    }

    /// So many values had so many bytes together, the largest of them this many.
    pub(super) fn learn(&self, values: usize, bytes: u64, largest: u64) {
        if values == 0 {
            return;
        }
        // Another's lesson may be lost, which is no harm.
        let average = self.average.load(Ordering::Relaxed);
        let mean = bytes / values as u64;
        self.average
            .store((average * 7 + mean) / 8, Ordering::Relaxed);
        let large = self.large.load(Ordering::Relaxed);
        self.large
            .store(largest.max(large / 8 * 7), Ordering::Relaxed);
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
        (0..100).for_each(|_| patience.learn(10, 5_000, 600));
        let _asked = UnderWay::new(&patience.under_way, patience.expected(1));
        assert!(patience.limit() < TIMEOUT + Duration::from_millis(2));
    }

    #[test]
    fn much_is_waited_for_longer_by_all_and_by_nobody_for_ever() {
        let patience = Patience::default();
        assert_eq!(patience.limit(), TIMEOUT);
        (0..20).for_each(|_| patience.learn(1, 100_000, 100_000));
        let asked = UnderWay::new(&patience.under_way, patience.expected(100));
        assert!(patience.limit() > Duration::from_secs(2));
        let _much = UnderWay::new(&patience.under_way, 1 << 40);
        assert_eq!(patience.limit(), TIMEOUT + LONGEST);
        drop((asked, _much));
        assert_eq!(patience.limit(), TIMEOUT);
    }
}
