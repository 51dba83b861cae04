//! The whole shape of a value: that of the plain structs in it as well, which no derive of ours
//! sees.
//!
//! A struct that is nested in a value may gain a field with `#[serde(default)]`. What an older
//! version of the service has stored would be read with the default then. So the type is asked what
//! it reads: it is deserialized from a source that has whatever is asked for, and notes it. (The
//! idea is that of serde-reflection, <https://docs.rs/serde-reflection>.)
//!
//! What a type reads from a map of any keys (`flatten`, an untagged or internally tagged enum) is
//! not asked for by name, and so not seen: for that there is `version` in `cache.toml`.

mod ask;
mod seen;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use crate::model::fnv;
use ask::Ask;
use seen::Seen;

/// How often a type is asked: once for each variant of its largest enum, and for each field that
/// takes nothing of what it is given.
const MOST_TIMES: usize = 300;

/// Mixed with this: a hash of all that the type reads.
pub(crate) fn of<T: DeserializeOwned>(own: u64) -> u64 {
    let mut seen = Seen::default();
    for time in 0..MOST_TIMES {
        seen.variant = time;
        seen.path.clear();
        seen.within.clear();
        seen.depth = 0;
        let (facts, failing) = (seen.facts.len(), seen.failing.len());
        // What is not ours may panic for what it is given.
        let _ = catch_unwind(AssertUnwindSafe(|| T::deserialize(Ask(&mut seen)).map(drop)));
        let is_new = seen.facts.len() > facts || seen.failing.len() > failing;
        if !is_new && time >= seen.most_variants {
            break;
        }
    }
    let add = |hash, fact: &String| fnv(fnv(hash, fact.as_bytes()), b"\n");
    seen.facts.iter().fold(own, add)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::Deserializer;

    use super::*;

    macro_rules! shape {
        ({ $($item:item)* } $type:ty) => {{
            $(#[allow(dead_code)] #[derive(Deserialize)] $item)*
            of::<$type>(7)
        }};
    }

    #[test]
    fn a_field_of_a_plain_struct_makes_another_shape_wherever_that_is() {
        macro_rules! both {
            ($of:ty) => {{
                let before = shape!({ struct Address { street: String } struct Outer { of: $of } } Outer);
                let after = shape!({ struct Address { street: String, #[serde(default)] city: String }
                    struct Outer { of: $of } } Outer);
                assert_ne!(before, after, stringify!($of));
                let again = shape!({ struct Address { street: String } struct Outer { of: $of } } Outer);
                assert_eq!(before, again, stringify!($of));
            }};
        }
        both!(Address);
        both!(Option<Address>);
        both!(Vec<Address>);
        both!(Box<[Address]>);
        both!(std::collections::HashMap<String, Address>);
        both!((i32, Address));
        both!(Result<i32, Address>);
        both!([Address; 3]);
    }

    #[test]
    fn a_field_is_seen_behind_one_that_takes_nothing() {
        let shape = |last: bool| match last {
            true => shape!({ struct Inner { #[serde(default)] n: i32 }
                struct Outer { at: std::net::IpAddr, more: Vec<std::net::IpAddr>, inner: Inner } } Outer),
            false => shape!({ struct Inner {}
                struct Outer { at: std::net::IpAddr, more: Vec<std::net::IpAddr>, inner: Inner } } Outer),
        };
        assert_ne!(shape(true), shape(false));
    }

    #[test]
    fn every_variant_of_an_enum_is_looked_into() {
        let before = shape!({ struct Address { street: String }
            enum Kind { A, B(i32), C { at: Address }, D(Address, i32) } } Vec<Kind>);
        let after = shape!({ struct Address { street: String, #[serde(default)] city: String }
            enum Kind { A, B(i32), C { at: Address }, D(Address, i32) } } Vec<Kind>);
        assert_ne!(before, after);
    }

    #[test]
    fn a_type_in_itself_and_one_that_panics_come_to_an_end() {
        #[allow(dead_code)]
        #[derive(Deserialize)]
        struct Node {
            left: Option<Box<Node>>,
            right: Vec<Node>,
            value: Value,
        }
        #[allow(dead_code)]
        enum Value {
            A,
        }
        impl<'de> Deserialize<'de> for Value {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Value, D::Error> {
                panic!("nobody expects it")
            }
        }
        let _ = of::<Node>(7);
    }

    #[test]
    fn an_enum_in_itself_comes_to_an_end_however_it_is() {
        #[allow(dead_code, clippy::large_enum_variant)]
        #[derive(Deserialize)]
        enum Expr {
            Not(Box<Expr>),
            And(Box<Expr>, Box<Expr>),
            Any(Vec<Expr>),
            Of { expr: Option<Box<Expr>>, or: Chain },
            Large([u64; 32]),
        }
        #[allow(dead_code)]
        #[derive(Deserialize)]
        struct Chain(Option<Box<Chain>>);
        // Less than a thread of tokio has.
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let asked = thread.spawn(|| [of::<Expr>(7), of::<Chain>(7), of::<Expr>(7)]);
        let shapes = asked.expect("a thread").join().expect("an end");
        assert_eq!(shapes[0], shapes[2]);
    }

    #[test]
    fn a_field_is_seen_behind_an_enum_in_itself() {
        macro_rules! after {
            ($inner:item) => { shape!({
                $inner
                enum Expr { Not(Box<Expr>, Inner), All } struct Outer { of: Expr }
            } Outer) };
        }
        let before = after!(
            struct Inner {}
        );
        let after = after!(
            struct Inner {
                #[serde(default)]
                n: i32,
            }
        );
        assert_ne!(before, after);
    }

    #[test]
    fn what_has_the_name_and_the_fields_of_what_it_is_in_is_looked_into() {
        macro_rules! generic {
            ($address:item) => { shape!({ struct Of<T> { inner: T } $address } Of<Of<Address>>) };
        }
        let before = generic!(
            struct Address {}
        );
        let after = generic!(
            struct Address {
                #[serde(default)]
                city: String,
            }
        );
        assert_ne!(before, after);
        macro_rules! variants {
            ($address:item) => { shape!({ enum A { V { at: B } } enum B { W { at: Address } } $address } A) };
        }
        let before = variants!(
            struct Address {}
        );
        let after = variants!(
            struct Address {
                #[serde(default)]
                city: String,
            }
        );
        assert_ne!(before, after);
    }
}
