//! JSON as a manifest has it: an object whose keys all differ, at every depth.
//!
//! Owns [`Object`]. A key that is there twice would silently lose one of its values: it is an error here.

use std::{collections::HashSet, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The entries of an object in their order.
#[derive(Debug, PartialEq)]
pub(super) struct Object(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Up to so many keys are few.
const FEW: usize = 64;

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        // Few keys are compared faster than they are hashed; very many are hashed, or each would be compared with all.
        let mut hashed = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let is_twice = if entries.len() < FEW {
                entries.iter().any(|(other, _)| *other == key)
            } else {
                if hashed.is_empty() {
                    hashed.extend(entries.iter().map(|(other, _)| other.clone()));
                }
                !hashed.insert(key.clone())
            };
            if is_twice {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} is there twice"
                )));
            }
            entries.push((key, map.next_value_seed(Strict)?));
        }
        Ok(Object(entries))
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut into = Vec::new();
        while let Some(entry) = entries.next_element_seed(Self)? {
            into.push(entry);
        }
        Ok(Value::Array(into))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let Object(entries) = Entries.visit_map(map)?;
        Ok(Value::Object(Map::from_iter(entries)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_an_error_at_any_depth() {
        let object: Object =
            serde_json::from_str(r#"{"b":1,"a":[{"c":null},1.5,"x",true,-1]}"#).unwrap();
        assert_eq!(
            object.0,
            [
                ("b".to_owned(), json!(1)),
                ("a".to_owned(), json!([{"c": null}, 1.5, "x", true, -1]))
            ]
        );
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"m":{"a":1,"a":2}}"#,
            r#"{"m":[{"a":1,"a":2}]}"#,
        ] {
            let error = serde_json::from_str::<Object>(twice)
                .unwrap_err()
                .to_string();
            assert!(error.contains("\"a\" is there twice"), "{error}");
        }
    }
}
