//! How much a near cache holds.

use crate::shows;

#[test]
fn near_says_how_much_it_holds() {
    shows(
        r#"
[model.both]
key = "both_{id}"
near = { entries = 10, bytes = "1MB" }
[model.neither]
key = "neither_{id}"
near = {}
[model.other]
key = "other_{id}"
near = true
"#,
        r#"
error: `near` has two limits
 --> cache.toml:3:8
  |
3 | near = { entries = 10, bytes = "1MB" }
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `entries` or `bytes`, not both
  |
  = help: write how many values, { entries = 10000 }, or how many encoded bytes, { bytes = "16MB" }

error: `near` has no limit
 --> cache.toml:6:8
  |
6 | near = {}
  |        ^^ neither `entries` nor `bytes`
  |
  = help: write how many values, { entries = 10000 }, or how many encoded bytes, { bytes = "16MB" }

error: `near` is of the wrong type
 --> cache.toml:9:8
  |
9 | near = true
  |        ^^^^ this is a boolean
  |
  = help: write how many values, { entries = 10000 }, or how many encoded bytes, { bytes = "16MB" }

3 errors in cache.toml
"#,
    );
}

/// An unknown key is all that is said: it may be the limit, misspelt.
#[test]
fn unknown_keys_of_near() {
    shows(
        r#"
[model.plio]
key = "plio_{id}"
near = { entires = 10 }
[model.user]
key = "user_{id}"
near = { bytes = "1MB", size = 10 }
"#,
        r#"
error: unknown key `entires`
 --> cache.toml:3:10
  |
3 | near = { entires = 10 }
  |          ^^^^^^^ `near` of a model has no such key
  |
  = help: did you mean `entries`?

error: unknown key `size`
 --> cache.toml:6:25
  |
6 | near = { bytes = "1MB", size = 10 }
  |                         ^^^^ `near` of a model has no such key
  |
  = help: the keys here are `entries`, `bytes`

2 errors in cache.toml
"#,
    );
}

#[test]
fn bad_counts() {
    shows(
        r#"
[model.a]
key = "a_{id}"
near = { entries = 0 }
[model.b]
key = "b_{id}"
near = { entries = -1 }
[model.c]
key = "c_{id}"
near = { entries = 0xffff_ffff_ffff_ffff_ffff }
[model.d]
key = "d_{id}"
near = { entries = "10" }
"#,
        r#"
error: `entries` is zero
 --> cache.toml:3:20
  |
3 | near = { entries = 0 }
  |                    ^ no value could be held
  |
  = help: write a positive integer, such as 10000

error: `entries` is negative
 --> cache.toml:6:20
  |
6 | near = { entries = -1 }
  |                    ^^ not a number of values
  |
  = help: write a positive integer, such as 10000

error: `entries` is too large
 --> cache.toml:9:20
  |
9 | near = { entries = 0xffff_ffff_ffff_ffff_ffff }
  |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^ more than a process can hold
  |
  = help: write a positive integer, such as 10000

error: `entries` is of the wrong type
  --> cache.toml:12:20
   |
12 | near = { entries = "10" }
   |                    ^^^^ this is a string
   |
   = help: write a positive integer, such as 10000

4 errors in cache.toml
"#,
    );
}

#[test]
fn sizes_without_a_right_unit() {
    shows(
        r#"
[model.a]
key = "a_{id}"
near = { bytes = "0KB" }
[model.b]
key = "b_{id}"
near = { bytes = "500" }
[model.c]
key = "c_{id}"
near = { bytes = "500B" }
"#,
        r#"
error: `bytes` is zero
 --> cache.toml:3:18
  |
3 | near = { bytes = "0KB" }
  |                  ^^^^^ no value could be held
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

error: `bytes` is not a size
 --> cache.toml:6:18
  |
6 | near = { bytes = "500" }
  |                  ^^^^^ `500` has no unit
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

error: `bytes` is not a size
 --> cache.toml:9:18
  |
9 | near = { bytes = "500B" }
  |                  ^^^^^^ `B` is none of the units
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

3 errors in cache.toml
"#,
    );
}

#[test]
fn sizes_without_a_right_number() {
    shows(
        r#"
[model.a]
key = "a_{id}"
near = { bytes = "MB" }
[model.b]
key = "b_{id}"
near = { bytes = 500 }
[model.c]
key = "c_{id}"
near = { bytes = "99999999999GiB" }
"#,
        r#"
error: `bytes` is not a size
 --> cache.toml:3:18
  |
3 | near = { bytes = "MB" }
  |                  ^^^^ this does not begin with an integer
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

error: `bytes` is of the wrong type
 --> cache.toml:6:18
  |
6 | near = { bytes = 500 }
  |                  ^^^ this is an integer
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

error: `bytes` is not a size
 --> cache.toml:9:18
  |
9 | near = { bytes = "99999999999GiB" }
  |                  ^^^^^^^^^^^^^^^^ more than a process can hold
  |
  = help: write an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as "16MB"

3 errors in cache.toml
"#,
    );
}
