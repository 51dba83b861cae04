//! Durations, shares and codecs.

use crate::shows;

#[test]
fn bad_durations() {
    shows(
        r#"
[cache]
ttl = "5 minutes"
negative-ttl = "30"
max-load = "30m1h"
[model.plio]
key = "plio_{id}"
ttl = "36501d"
"#,
        r#"
error: `ttl` is not a duration
 --> cache.toml:2:7
  |
2 | ttl = "5 minutes"
  |       ^^^^^^^^^^^ `5` has no unit
  |
  = help: write integers with units (d, h, m, s, ms) in a string, such as "90s" or "1h30m"

error: `negative-ttl` is not a duration
 --> cache.toml:3:16
  |
3 | negative-ttl = "30"
  |                ^^^^ `30` has no unit
  |
  = help: write integers with units (d, h, m, s, ms) in a string, such as "90s" or "1h30m"

error: `max-load` is not a duration
 --> cache.toml:4:12
  |
4 | max-load = "30m1h"
  |            ^^^^^^^ `1h` comes after a unit that is not larger
  |
  = help: write integers with units (d, h, m, s, ms) in a string, such as "90s" or "1h30m"

error: `ttl` is not a duration
 --> cache.toml:7:7
  |
7 | ttl = "36501d"
  |       ^^^^^^^^ more than a hundred years
  |
  = help: write integers with units (d, h, m, s, ms) in a string, such as "90s" or "1h30m"

4 errors in cache.toml
"#,
    );
}

/// "No such row" need not be kept; a value must live.
#[test]
fn zero_lives() {
    shows(
        r#"
[cache]
max-load = "0s"
[model.plio]
key = "plio_{id}"
ttl = "0ms"
negative-ttl = "0s"
"#,
        r#"
error: `max-load` is zero
 --> cache.toml:2:12
  |
2 | max-load = "0s"
  |            ^^^^ no load could ever be stored
  |
  = help: write a longer time, such as "30s"

error: `ttl` is zero
 --> cache.toml:5:7
  |
5 | ttl = "0ms"
  |       ^^^^^ a value would be gone before it could be read
  |
  = help: write a longer time, such as "30s"

2 errors in cache.toml
"#,
    );
}

#[test]
fn bad_percentage() {
    shows(
        r#"
[cache]
jitter = "101%"
[model.plio]
key = "plio_{id}"
jitter = "0.1"
"#,
        r#"
error: `jitter` is not a percentage
 --> cache.toml:2:10
  |
2 | jitter = "101%"
  |          ^^^^^^ not a whole number of percent
  |
  = help: write a share from "0%" to "100%" in a string

error: `jitter` is not a percentage
 --> cache.toml:5:10
  |
5 | jitter = "0.1"
  |          ^^^^^ not a whole number of percent
  |
  = help: write a share from "0%" to "100%" in a string

2 errors in cache.toml
"#,
    );
}

#[test]
fn bad_codec() {
    shows(
        r#"
[cache]
codec = "message-pack"
[model.plio]
key = "plio_{id}"
codec = "msgpck"
"#,
        r#"
error: unknown codec `message-pack`
 --> cache.toml:2:9
  |
2 | codec = "message-pack"
  |         ^^^^^^^^^^^^^^ no such codec
  |
  = help: write "json" or "msgpack"

error: unknown codec `msgpck`
 --> cache.toml:5:9
  |
5 | codec = "msgpck"
  |         ^^^^^^^^ no such codec
  |
  = help: did you mean `msgpack`?

2 errors in cache.toml
"#,
    );
}

#[test]
fn bad_consistency_and_outbox() {
    shows(
        r#"
[outbox]
poll = "0s"
retain = "1h"
[model.plio]
key = "plio_{id}"
consistency = "string"
[model.item]
consistency = "strict"
"#,
        r#"
error: `poll` is zero
 --> cache.toml:2:8
  |
2 | poll = "0s"
  |        ^^^^ the relay would never rest
  |
  = help: write a longer time, such as "30s"

error: unknown key `retain`
 --> cache.toml:3:1
  |
3 | retain = "1h"
  | ^^^^^^ [outbox] has no such key
  |
  = help: the keys here are `table`, `retention`, `poll`

error: unknown consistency `string`
 --> cache.toml:6:15
  |
6 | consistency = "string"
  |               ^^^^^^^^ no such consistency
  |
  = help: did you mean `strict`?

error: `consistency` on a model that is not cached
 --> cache.toml:8:1
  |
8 | consistency = "strict"
  | ^^^^^^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "item_{id}"

4 errors in cache.toml
"#,
    );
}
