//! What happens in a cache, as counters and gauges of the `metrics` facade
//! (<https://docs.rs/metrics>); what collects them is the service's choice.
//!
//! | name | what |
//! | --- | --- |
//! | `cache_hits_total{tier}`, `cache_misses_total` | answers of the near cache and the store |
//! | `cache_unreadable_total` | stored bytes that did not decode |
//! | `cache_loads_total{model}`, `cache_load_failures_total{model}` | runs of a loader; those that failed, panicked or took too long |
//! | `cache_unstorable_total{model}` | loaded values that are not stored: too large, too many tags, or not to be decoded again |
//! | `cache_altered_total{model}` | loaded values that come back from their encoding as other ones |
//! | `cache_fills_total{stored}` | values offered to the store; `stored="false"`: refused, or it was away |
//! | `cache_verified_total{model,tier,verdict}` | hits compared with the source (`verify`): `consistent`, `inconsistent`, `undecided` |
//! | `cache_invalidated_tags_total` | tags told to the store |
//! | `cache_outbox_delivered_total` | rows of the outbox delivered |
//! | `cache_outbox_dead_lettered_total` | rows that cannot be tags |
//! | `cache_outbox_lag_seconds` | the age of the oldest row delivered last; 0 when nothing waits |
//! | `cache_outbox_rows` | how many rows there are, roughly: those that wait, and those that stay for `outbox.retention` |
//! | `cache_outbox_waiting_seconds` | the age of the oldest row that waits, also while the store is away |
//! | `cache_store_in_use` | 1, or 0 while reads go to the source |

use ::metrics::{counter, gauge};

use crate::local::near;
use crate::observe::event::Event;

pub(crate) fn near_hit() {
    counter!("cache_hits_total", "tier" => near::NAME).increment(1);
}

pub(crate) fn record(event: &Event<'_>) {
    match *event {
        Event::Hit { tier, .. } => counter!("cache_hits_total", "tier" => tier).increment(1),
        Event::Miss { .. } => counter!("cache_misses_total").increment(1),
        Event::Unreadable { .. } => counter!("cache_unreadable_total").increment(1),
        Event::Loading { model, .. } => {
            counter!("cache_loads_total", "model" => model).increment(1);
        }
        Event::LoadFailed { model, .. } => {
            counter!("cache_load_failures_total", "model" => model).increment(1);
        }
        Event::Unstorable { model, .. } => {
            counter!("cache_unstorable_total", "model" => model).increment(1);
        }
        Event::Altered { model, .. } => {
            counter!("cache_altered_total", "model" => model).increment(1);
        }
        Event::Filled { stored, .. } => {
            let stored = if stored { "true" } else { "false" };
            counter!("cache_fills_total", "stored" => stored).increment(1);
        }
        Event::Verified { model, tier, verdict, .. } => {
            let verdict = verdict.as_str();
            counter!("cache_verified_total", "model" => model, "tier" => tier, "verdict" => verdict)
                .increment(1);
        }
        Event::Invalidated { tags } => {
            counter!("cache_invalidated_tags_total").increment(tags.len() as u64);
        }
        Event::Delivered { rows, lag } => {
            counter!("cache_outbox_delivered_total").increment(rows as u64);
            gauge!("cache_outbox_lag_seconds").set(lag.as_secs_f64());
        }
        Event::Backlog { rows, waiting } => {
            gauge!("cache_outbox_rows").set(rows as f64);
            gauge!("cache_outbox_waiting_seconds").set(waiting.as_secs_f64());
        }
        Event::Idle => gauge!("cache_outbox_lag_seconds").set(0.0),
        Event::DeadLettered { .. } => counter!("cache_outbox_dead_lettered_total").increment(1),
        Event::StoreAway { .. } => gauge!("cache_store_in_use").set(0.0),
        Event::StoreBack => gauge!("cache_store_in_use").set(1.0),
        Event::Loaded { .. } | Event::Committed | Event::Blocked { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use ::metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
        with_local_recorder,
    };

    use super::*;
    use crate::error::Error;
    use crate::model::tag::Tag;
    use crate::observe::observer::Observer;

    /// Every metric by its name and labels, as the text format of Prometheus writes them.
    #[derive(Default)]
    struct Recorded(Mutex<HashMap<String, Arc<AtomicU64>>>);

    impl Recorded {
        fn metric(&self, key: &Key) -> Arc<AtomicU64> {
            let label = |label: &::metrics::Label| format!("{}={}", label.key(), label.value());
            let labels: Vec<String> = key.labels().map(label).collect();
            let name = format!("{}{{{}}}", key.name(), labels.join(","));
            self.0.lock().unwrap().entry(name).or_default().clone()
        }

        fn value(&self, name: &str) -> Option<u64> {
            let metric = self.0.lock().unwrap().get(name).cloned()?;
            Some(metric.load(Ordering::Relaxed))
        }
    }

    impl Recorder for Recorded {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.metric(key))
        }

        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.metric(key))
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn events_count_under_the_names_above() {
        let error = Error::load_panicked("plio");
        let (key, keys, tags) =
            ("plio_1", [], [Tag::from_text("plio#id=1"), Tag::from_text("plio#id=2")]);
        let (rows, lag) = (5, Duration::from_secs(7));
        let events = [
            (Event::Hit { key, tier: "redis" }, "cache_hits_total{tier=redis}", 1),
            (Event::Miss { key }, "cache_misses_total{}", 1),
            (Event::Unreadable { key, why: "" }, "cache_unreadable_total{}", 1),
            (Event::Loading { model: "plio", keys: &keys }, "cache_loads_total{model=plio}", 1),
            (
                Event::LoadFailed { model: "plio", error: &error },
                "cache_load_failures_total{model=plio}",
                1,
            ),
            (
                Event::Unstorable { model: "plio", key, why: "" },
                "cache_unstorable_total{model=plio}",
                1,
            ),
            (Event::Filled { key, stored: true }, "cache_fills_total{stored=true}", 1),
            (Event::Filled { key, stored: false }, "cache_fills_total{stored=false}", 1),
            (Event::Invalidated { tags: &tags }, "cache_invalidated_tags_total{}", 2),
            (Event::Delivered { rows, lag }, "cache_outbox_delivered_total{}", 5),
            (Event::Delivered { rows, lag }, "cache_outbox_lag_seconds{}", 7_f64.to_bits()),
            (Event::Backlog { rows: 9, waiting: lag }, "cache_outbox_rows{}", 9_f64.to_bits()),
            (
                Event::Backlog { rows: 9, waiting: lag },
                "cache_outbox_waiting_seconds{}",
                7_f64.to_bits(),
            ),
            (Event::Idle, "cache_outbox_lag_seconds{}", 0),
            (Event::DeadLettered { id: 1 }, "cache_outbox_dead_lettered_total{}", 1),
            (Event::StoreAway { why: "" }, "cache_store_in_use{}", 0),
            (Event::StoreBack, "cache_store_in_use{}", 1_f64.to_bits()),
        ];
        for (event, name, value) in events {
            let recorded = Recorded::default();
            let what = format!("{event:?}");
            with_local_recorder(&recorded, || Observer::default().tell(event));
            assert_eq!(recorded.value(name), Some(value), "{name} after {what}");
        }

        let recorded = Recorded::default();
        let near = || Observer::default().tell_near_hit(|| panic!("nobody asks for the key"));
        with_local_recorder(&recorded, near);
        assert_eq!(recorded.value("cache_hits_total{tier=near}"), Some(1));
    }
}
