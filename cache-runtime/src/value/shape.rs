//! The whole shape of a value: that of the plain structs in it as well, which no derive of ours sees.
//!
//! A struct that is nested in a value may gain a field with `#[serde(default)]`. What an older version of the service has stored
//! would be read with the default then. So the type is asked what it reads: it is deserialized from a source that has
//! whatever is asked for, and notes it. (The idea is that of serde-reflection, <https://docs.rs/serde-reflection>.)
//!
//! What a type reads from a map of any keys (`flatten`, an untagged or internally tagged enum) is not asked for by name, and so not
//! seen: for that there is `version` in `cache.toml`.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::model::fnv;

/// How often a type is asked: once for each variant of its largest enum, and for each field that takes nothing of what it is given.
const MOST_TIMES: usize = 300;

/// How many facts are noted.
const MOST_FACTS: usize = 5_000;

/// How many questions are asked in all: an array of arrays has few facts, and asks for each of its values.
const MOST_QUESTIONS: usize = 200_000;

/// How deep it goes: a thread's stack bounds that, and a frame has a whole value of what it reads.
const DEEPEST: usize = 64;

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
        let _ = catch_unwind(AssertUnwindSafe(|| {
            T::deserialize(Ask(&mut seen)).map(drop)
        }));
        let is_new = seen.facts.len() > facts || seen.failing.len() > failing;
        if !is_new && time >= seen.most_variants {
            break;
        }
    }
    let add = |hash, fact: &String| fnv(fnv(hash, fact.as_bytes()), b"\n");
    seen.facts.iter().fold(own, add)
}

/// What a type was seen to read.
#[derive(Default)]
struct Seen {
    /// Paths, and what was read there.
    facts: BTreeSet<String>,
    /// The fields whose types took nothing: with them the struct's other fields would not be seen.
    failing: BTreeSet<String>,
    /// Where it is.
    path: Vec<&'static str>,
    /// The structs and enums that it is in, by their visitors (a name may be that of several): one in itself is followed once.
    within: Vec<&'static str>,
    /// How deep it is, and how much was asked.
    depth: usize,
    questions: usize,
    /// Which variant of the enums it is given.
    variant: usize,
    most_variants: usize,
}

impl Seen {
    fn note(&mut self, what: impl Display) -> Result<(), Stop> {
        self.questions += 1;
        if self.facts.len() > MOST_FACTS || self.questions > MOST_QUESTIONS {
            return Err(Stop);
        }
        self.facts
            .insert(format!("{}: {what}", self.path.join(".")));
        Ok(())
    }

    /// What is in something else.
    fn deeper<T>(&mut self, ask: impl FnOnce(&mut Seen) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth == DEEPEST {
            return Err(Stop);
        }
        self.depth += 1;
        let value = ask(self);
        self.depth -= 1;
        value
    }
}

/// The type does not take what it is given, or it is enough.
#[derive(Debug)]
struct Stop;

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("asked enough")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        Stop
    }
}

/// Has whatever is asked for.
struct Ask<'s>(&'s mut Seen);

macro_rules! simple {
    ($($method:ident: $visit:ident($($value:expr)?),)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.0.note(stringify!($method))?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Stop;

    simple! {
        deserialize_bool: visit_bool(true),
        deserialize_i8: visit_i8(1),
        deserialize_i16: visit_i16(1),
        deserialize_i32: visit_i32(1),
        deserialize_i64: visit_i64(1),
        deserialize_i128: visit_i128(1),
        deserialize_u8: visit_u8(1),
        deserialize_u16: visit_u16(1),
        deserialize_u32: visit_u32(1),
        deserialize_u64: visit_u64(1),
        deserialize_u128: visit_u128(1),
        deserialize_f32: visit_f32(1.0),
        deserialize_f64: visit_f64(1.0),
        deserialize_char: visit_char('1'),
        deserialize_str: visit_str("1"),
        deserialize_string: visit_str("1"),
        deserialize_bytes: visit_bytes(b"1"),
        deserialize_byte_buf: visit_bytes(b"1"),
        deserialize_identifier: visit_str("1"),
        deserialize_unit: visit_unit(),
        deserialize_any: visit_unit(),
        deserialize_ignored_any: visit_unit(),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("option")?;
        self.0.deeper(|seen| visitor.visit_some(Ask(seen)))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        self.0
            .deeper(|seen| visitor.visit_newtype_struct(Ask(seen)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("seq")?;
        visitor.visit_seq(Several {
            seen: self.0,
            left: 1,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(len)?;
        visitor.visit_seq(Several {
            seen: self.0,
            left: len,
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {len}"))?;
        visitor.visit_seq(Several {
            seen: self.0,
            left: len,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("map")?;
        visitor.visit_map(Several {
            seen: self.0,
            left: 1,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {fields:?}"))?;
        let visitor_name = type_name::<V>();
        if self.0.within.contains(&visitor_name) {
            return Err(Stop);
        }
        self.0.within.push(visitor_name);
        let value = visitor.visit_map(Fields {
            seen: &mut *self.0,
            left: fields,
            value: "",
        });
        self.0.within.pop();
        value
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {variants:?}"))?;
        self.0.most_variants = self.0.most_variants.max(variants.len());
        // In itself it is another variant, so that it comes to an end if it can.
        let visitor_name = type_name::<V>();
        let in_itself = self.0.within.iter().filter(|it| **it == visitor_name);
        let in_itself = in_itself.count();
        if in_itself >= variants.len() {
            return Err(Stop);
        }
        self.0.within.push(visitor_name);
        let at = (self.0.variant + in_itself) % variants.len();
        let value = visitor.visit_enum(Variant {
            seen: &mut *self.0,
            name: variants[at],
        });
        self.0.within.pop();
        value
    }
}

/// So many values, or entries of a map.
struct Several<'s> {
    seen: &'s mut Seen,
    left: usize,
}

impl Several<'_> {
    fn value<'de, T: DeserializeSeed<'de>>(
        &mut self,
        name: &'static str,
        seed: T,
    ) -> Result<T::Value, Stop> {
        self.seen.path.push(name);
        let value = self.seen.deeper(|seen| seed.deserialize(Ask(seen)));
        self.seen.path.pop();
        value
    }
}

impl<'de> SeqAccess<'de> for Several<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        self.value("each", seed).map(Some)
    }
}

impl<'de> MapAccess<'de> for Several<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        self.value("key", seed).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stop> {
        self.value("value", seed)
    }
}

/// The fields of a struct, but for those that fail.
struct Fields<'s> {
    seen: &'s mut Seen,
    left: &'static [&'static str],
    value: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        while let Some((field, left)) = self.left.split_first() {
            self.left = left;
            let path = [&self.seen.path[..], &[*field]].concat().join(".");
            if !self.seen.failing.contains(&path) {
                self.value = field;
                return seed.deserialize(StrDeserializer::new(field)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stop> {
        self.seen.path.push(self.value);
        let value = self.seen.deeper(|seen| seed.deserialize(Ask(seen)));
        if value.is_err() {
            self.seen.failing.insert(self.seen.path.join("."));
        }
        self.seen.path.pop();
        value
    }
}

/// One variant of an enum.
struct Variant<'s> {
    seen: &'s mut Seen,
    name: &'static str,
}

impl<'de, 's> EnumAccess<'de> for Variant<'s> {
    type Error = Stop;
    type Variant = Ask<'s>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Ask<'s>), Stop> {
        let name = seed.deserialize(StrDeserializer::<Stop>::new(self.name))?;
        self.seen.note(format_args!("variant {}", self.name))?;
        Ok((name, Ask(self.seen)))
    }
}

impl<'de> VariantAccess<'de> for Ask<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        self.0.deeper(|seen| seed.deserialize(Ask(seen)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

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
