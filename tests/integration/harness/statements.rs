//! Counts the SQL statements of the app, by sqlx's own log. The count is of the whole process: a story that counts
//! runs `.alone()`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, dynamic_filter_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

static COUNTING: AtomicBool = AtomicBool::new(false);
static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// How many statements ran while this future did.
pub async fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    STATEMENTS.store(0, Ordering::SeqCst);
    COUNTING.store(true, Ordering::SeqCst);
    let value = future.await;
    COUNTING.store(false, Ordering::SeqCst);
    (value, STATEMENTS.load(Ordering::SeqCst))
}

/// Listens to the log; with `RUST_LOG`, prints it as well.
pub fn listen() {
    let counter = Counter.with_filter(dynamic_filter_fn(|event, _| {
        COUNTING.load(Ordering::Relaxed) && is_statement(event)
    }));
    let printer = std::env::var("RUST_LOG").ok().map(|filter| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_filter(EnvFilter::new(filter))
    });
    tracing_subscriber::registry()
        .with(counter)
        .with(printer)
        .init();
}

fn is_statement(event: &Metadata<'_>) -> bool {
    event.target() == "sqlx::query"
}

struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        STATEMENTS.fetch_add(1, Ordering::SeqCst);
    }
}
