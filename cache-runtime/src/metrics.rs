//! What happens in a cache, as counters and gauges of the `metrics` facade
//! (<https://docs.rs/metrics>); what collects them is the service's choice.
//!
//! | name | what |
//! | --- | --- |
//! | `cache_hits_total{tier}`, `cache_misses_total` | answers of the near cache and the store |
//! | `cache_unreadable_total` | stored bytes that did not decode |
//! | `cache_loads_total{model}`, `cache_load_failures_total{model}` | runs of a loader; those that failed, panicked or took too long |
//! | `cache_fills_total{stored}` | values offered to the store; `stored="false"`: refused, or it was away |
//! | `cache_verified_total{model,tier,verdict}` | hits compared with the source (`verify`): `consistent`, `inconsistent`, `undecided` |
//! | `cache_invalidated_tags_total` | tags told to the store |
//! | `cache_outbox_delivered_total` | rows of the outbox delivered |
//! | `cache_outbox_set_aside_total` | rows that cannot be tags |
//! | `cache_outbox_lag_seconds` | the age of the oldest row delivered last; 0 when nothing waits |
//! | `cache_store_in_use` | 1, or 0 while reads go to the source |

use ::metrics::{counter, gauge};

use crate::event::Event;
use crate::near;

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
        Event::Filled { stored, .. } => {
            let stored = if stored { "true" } else { "false" };
            counter!("cache_fills_total", "stored" => stored).increment(1);
        }
        Event::Verified {
            model,
            tier,
            verdict,
            ..
        } => {
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
        Event::Idle => gauge!("cache_outbox_lag_seconds").set(0.0),
        Event::SetAside { .. } => counter!("cache_outbox_set_aside_total").increment(1),
        Event::StoreAway { .. } => gauge!("cache_store_in_use").set(0.0),
        Event::StoreBack => gauge!("cache_store_in_use").set(1.0),
        Event::Loaded { .. } | Event::Committed | Event::Blocked { .. } => {}
    }
}
