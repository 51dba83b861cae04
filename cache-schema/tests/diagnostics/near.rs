//! `near`, `lease`, and what else says how values are served.

use crate::shows;

/// A value need not outlive its life, and nobody has to wait; a load must have time.
#[test]
fn zero_times() {
    shows(
        r#"
[cache]
grace = "0s"
lease = "0s"
load-timeout = "0s"
near = { max-staleness = "0s" }
[model.plio]
key = "plio_{id}"
grace = "0s"
lease = "0s"
load-timeout = "0ms"
"#,
        r#"
error: `load-timeout` is zero
 --> cache.toml:4:16
  |
4 | load-timeout = "0s"
  |                ^^^^ no load could ever end in time
  |
  = help: write a longer time, such as "30s"

error: `max-staleness` is zero
 --> cache.toml:5:26
  |
5 | near = { max-staleness = "0s" }
  |                          ^^^^ a near cache could never answer
  |
  = help: write a longer time, such as "30s"

error: `load-timeout` is zero
  --> cache.toml:10:16
   |
10 | load-timeout = "0ms"
   |                ^^^^^ no load could ever end in time
   |
   = help: write a longer time, such as "30s"

3 errors in cache.toml
"#,
    );
}

#[test]
fn near_of_the_cache() {
    shows(
        r#"
[cache]
near = { entries = 10, max_staleness = "1s" }
"#,
        r#"
error: unknown key `entries`
 --> cache.toml:2:10
  |
2 | near = { entries = 10, max_staleness = "1s" }
  |          ^^^^^^^ `near` of [cache] has no such key
  |
  = help: the keys here are `max-staleness`

error: unknown key `max_staleness`
 --> cache.toml:2:24
  |
2 | near = { entries = 10, max_staleness = "1s" }
  |                        ^^^^^^^^^^^^^ `near` of [cache] has no such key
  |
  = help: did you mean `max-staleness`?

2 errors in cache.toml
"#,
    );
    shows(
        r#"
[cache]
near = "2s"
"#,
        r#"
error: `near` is of the wrong type
 --> cache.toml:2:8
  |
2 | near = "2s"
  |        ^^^^ this is a string
  |
  = help: write a table, such as { max-staleness = "2s" }

1 error in cache.toml
"#,
    );
}

#[test]
fn bad_on_write() {
    shows(
        r#"
[model.plio]
key = "plio_{id}"
on-write = "refersh"
"#,
        r#"
error: unknown on-write `refersh`
 --> cache.toml:3:12
  |
3 | on-write = "refersh"
  |            ^^^^^^^^^ no such on-write
  |
  = help: did you mean `refresh`?

1 error in cache.toml
"#,
    );
}

#[test]
fn they_need_a_key() {
    shows(
        r#"
[model.plio]
grace = "1m"
load-timeout = "5s"
lease = "1s"
near = { entries = 10 }
on-write = "refresh"
verify = 0.001
"#,
        r#"
error: `grace` on a model that is not cached
 --> cache.toml:2:1
  |
2 | grace = "1m"
  | ^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `load-timeout` on a model that is not cached
 --> cache.toml:3:1
  |
3 | load-timeout = "5s"
  | ^^^^^^^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `lease` on a model that is not cached
 --> cache.toml:4:1
  |
4 | lease = "1s"
  | ^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `near` on a model that is not cached
 --> cache.toml:5:1
  |
5 | near = { entries = 10 }
  | ^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `on-write` on a model that is not cached
 --> cache.toml:6:1
  |
6 | on-write = "refresh"
  | ^^^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

error: `verify` on a model that is not cached
 --> cache.toml:7:1
  |
7 | verify = 0.001
  | ^^^^^^ says how a value is stored, but there is none
  |
  = help: remove it, or cache the model: key = "plio_{id}"

6 errors in cache.toml
"#,
    );
}

/// A number, whole or not; how else a share could be written, and what is none.
#[test]
fn bad_shares() {
    shows(
        r#"
[cache]
verify = "0.1%"
[model.plio]
key = "plio_{id}"
verify = -0.001
[model.item]
key = "item_{id}"
verify = 100
[model.user]
key = "user_{id}"
verify = nan
[model.video]
key = "video_{id}"
verify = true
"#,
        r#"
error: `verify` is of the wrong type
 --> cache.toml:2:10
  |
2 | verify = "0.1%"
  |          ^^^^^^ this is a string
  |
  = help: write a number from 0 (none) to 1 (all), such as 0.001

error: `verify` is not a share
 --> cache.toml:5:10
  |
5 | verify = -0.001
  |          ^^^^^^ less than none
  |
  = help: write a number from 0 (none) to 1 (all), such as 0.001

error: `verify` is not a share
 --> cache.toml:8:10
  |
8 | verify = 100
  |          ^^^ more than all
  |
  = help: write a number from 0 (none) to 1 (all), such as 0.001

error: `verify` is not a share
  --> cache.toml:11:10
   |
11 | verify = nan
   |          ^^^ not a number
   |
   = help: write a number from 0 (none) to 1 (all), such as 0.001

error: `verify` is of the wrong type
  --> cache.toml:14:10
   |
14 | verify = true
   |          ^^^^ this is a boolean
   |
   = help: write a number from 0 (none) to 1 (all), such as 0.001

5 errors in cache.toml
"#,
    );
}

#[test]
fn a_strict_model_is_not_near_has_no_lease_and_is_not_refreshed() {
    shows(
        r#"
[model.plio]
key = "plio_{id}"
consistency = "strict"
grace = "1m"
on-write = "refresh"
lease = "1s"
near = { entries = 10 }
"#,
        r#"
error: `on-write` on a model that is strict
 --> cache.toml:5:1
  |
5 | on-write = "refresh"
  | ^^^^^^^^ what is deleted before a commit would be read again too early
  |
  = help: remove it, or `consistency = "strict"`

error: `lease` on a model that is strict
 --> cache.toml:6:1
  |
6 | lease = "1s"
  | ^^^^^ what another process loads may not be stored: nobody should wait for it
  |
  = help: remove it, or `consistency = "strict"`

error: `near` on a model that is strict
 --> cache.toml:7:1
  |
7 | near = { entries = 10 }
  | ^^^^ what a process remembers cannot be linearizable
  |
  = help: remove it, or `consistency = "strict"`

3 errors in cache.toml
"#,
    );
}

/// Here through a model that is not cached.
#[test]
fn what_a_strict_model_is_built_from_is_not_near_either() {
    shows(
        r#"
[model.image]
key = "image_{id}"
near = { bytes = "16MB" }
lease = "1s"
[model.question]
references = { plio_id = "plio", image_id = "image" }
depends-on = ["image"]
[model.plio]
key = "plio_{id}"
consistency = "strict"
depends-on = ["question"]
"#,
        r#"
error: `near` on a model that is strict
 --> cache.toml:3:1
  |
3 | near = { bytes = "16MB" }
  | ^^^^ what a process remembers cannot be linearizable
...
8 | [model.plio]
  |        ---- strict, and built from `image`
  |
  = help: remove it, or `consistency = "strict"` from `plio`

error: `lease` on a model that is strict
 --> cache.toml:4:1
  |
4 | lease = "1s"
  | ^^^^^ what another process loads may not be stored: nobody should wait for it
...
8 | [model.plio]
  |        ---- strict, and built from `image`
  |
  = help: remove it, or `consistency = "strict"` from `plio`

2 errors in cache.toml
"#,
    );
}
