//! Closed loops: of tasks, and of threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::{Metric, Outcome, Sample};

/// What [`tasks`] measures.
pub(crate) const THROUGHPUT: [Metric; 2] = [Metric::more("ops/s"), Metric::less("p99 µs")];

/// So many tasks, each of which does one after another, for so long. They count from far apart.
pub(crate) async fn tasks<F, Fut>(tasks: i64, length: Duration, op: F) -> Outcome<Sample>
where
    F: Fn(i64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Outcome<()>> + Send,
{
    let mut all = JoinSet::new();
    let began = Instant::now();
    for task in 0..tasks {
        let op = op.clone();
        all.spawn(async move {
            let mut took = Vec::with_capacity(1 << 16);
            for n in task * 7919.. {
                let start = Instant::now();
                if start.duration_since(began) >= length {
                    break;
                }
                op(n).await?;
                took.push(start.elapsed());
            }
            Outcome::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(done) = all.join_next().await {
        took.extend(done??);
    }
    let elapsed = began.elapsed();
    Ok(vec![
        took.len() as f64 / elapsed.as_secs_f64(),
        micros(p99(&mut took)),
    ])
}

/// So many threads, each of which does one after another, for so long: nanoseconds that one takes.
pub(crate) async fn threads<F>(threads: usize, length: Duration, op: Arc<F>) -> Outcome<Sample>
where
    F: AsyncFn(i64) + Send + Sync + 'static,
{
    let all: Vec<_> = (0..threads)
        .map(|thread| {
            let op = op.clone();
            spawn_blocking(move || alone(thread, length, &*op))
        })
        .collect();
    let mut sum = 0.0;
    for one in all {
        sum += one.await??;
    }
    Ok(vec![sum / threads as f64])
}

fn alone(thread: usize, length: Duration, op: &impl AsyncFn(i64)) -> Outcome<f64> {
    /// Between two looks at the clock.
    const BATCH: i64 = 100;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut n = thread as i64 * 7919;
        let (first, began) = (n, Instant::now());
        loop {
            for _ in 0..BATCH {
                op(n).await;
                n += 1;
            }
            let elapsed = began.elapsed();
            if elapsed >= length {
                return Ok(elapsed.as_nanos() as f64 / (n - first) as f64);
            }
        }
    })
}

pub(crate) fn p99(took: &mut [Duration]) -> Duration {
    took.sort_unstable();
    took.get(took.len() * 99 / 100).copied().unwrap_or_default()
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e3
}
