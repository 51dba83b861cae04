//! Counts the SQL statements of the app, by sqlx's own log. The count is of the
//! whole process: a story that counts runs `.alone()`.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
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
    tracing_subscriber::registry().with(counter).with(printer).init();
}

fn is_statement(event: &Metadata<'_>) -> bool {
    event.target() == "sqlx::query"
}

struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut opening = Opening(false);
        event.record(&mut opening);
        if !opening.0 {
            STATEMENTS.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Whether it is what a connection of SQLite begins with: the pool opens one when it likes.
struct Opening(bool);

impl Visit for Opening {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let statement = format!("{value:?}");
        self.0 |= field.name() == "summary" && statement.trim_matches('"').starts_with("PRAGMA");
    }
}
