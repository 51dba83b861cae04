//! A source that has whatever a type asks for, and notes it.

use std::any::type_name;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::seen::{Seen, Stop};

/// Has whatever is asked for.
pub(super) struct Ask<'s>(pub(super) &'s mut Seen);

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
        self.0.deeper(|seen| visitor.visit_newtype_struct(Ask(seen)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("seq")?;
        visitor.visit_seq(Several { seen: self.0, left: 1 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(len)?;
        visitor.visit_seq(Several { seen: self.0, left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {len}"))?;
        visitor.visit_seq(Several { seen: self.0, left: len })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("map")?;
        visitor.visit_map(Several { seen: self.0, left: 1 })
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
        let value = visitor.visit_map(Fields { seen: &mut *self.0, left: fields, value: "" });
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
        let value = visitor.visit_enum(Variant { seen: &mut *self.0, name: variants[at] });
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
