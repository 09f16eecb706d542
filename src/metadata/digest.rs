//! The canonical form of metadata and its SHA-256: by this, and nothing else, a row is told to be new or unchanged.
//!
//! Canonical is JSON with sorted keys and no white space, integers as integers, other numbers in their shortest form,
//! and texts in NFC with `\n` as the line end and trimmed. It never changes between versions of altfill: golden digests
//! are tested. It is compared and never sent.

use std::{borrow::Cow, fmt};

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Field, Metadata};

/// The SHA-256 of a canonical form; shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `metadata`.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self::of_fields(metadata.fields())
    }

    /// The digest of metadata with these fields, which come in the order of their names.
    pub(super) fn of_fields<'v>(fields: impl Iterator<Item = (Field, &'v Value)>) -> Self {
        let mut into = String::with_capacity(256);
        into.push('{');
        for (field, value) in fields {
            if into.len() > 1 {
                into.push(',');
            }
            write_text(field.name(), &mut into);
            into.push(':');
            write(value, &mut into);
        }
        into.push('}');
        Self(Sha256::digest(into).into())
    }

    /// A digest from its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The canonical form of any JSON value.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut into = String::new();
    write(value, &mut into);
    into
}

fn write(value: &Value, into: &mut String) {
    match value {
        Value::Null => into.push_str("null"),
        Value::Bool(value) => into.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => into.push_str(&canonical_number(number)),
        Value::String(text) => write_text(&canonical_text(text), into),
        Value::Array(entries) => {
            into.push('[');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write(entry, into);
            }
            into.push(']');
        }
        Value::Object(members) => {
            // Sorted here and not by trust in the map: another crate in the tree could switch on its insertion order.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            into.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write_text(name, into);
                into.push(':');
                write(value, into);
            }
            into.push('}');
        }
    }
}

fn write_text(text: &str, into: &mut String) {
    // Most texts have nothing to escape. Every byte is looked at, without a branch: so many are looked at at once.
    let odd = |byte: u8| u8::from(byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f));
    if text.bytes().fold(0, |any, byte| any | odd(byte)) == 0 {
        into.push('"');
        into.push_str(text);
        into.push('"');
    } else {
        into.push_str(&Value::from(text).to_string());
    }
}

fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        // `{:.0}` writes every digit of a whole number, and none behind a point; -0 is 0.
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{:.0}", float + 0.0),
        _ => number.to_string(),
    }
}

/// A text in NFC, with `\n` for `\r\n` and `\r`, trimmed.
#[must_use]
pub fn canonical_text(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let normal = text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let text = if normal {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    };
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_white_space_is_gone() {
        let value: Value =
            serde_json::from_str(r#"{ "b" : [ 1 , true , null ], "a" : { "z":1, "y":2 } }"#)
                .unwrap();
        assert_eq!(
            canonical(&value),
            r#"{"a":{"y":2,"z":1},"b":[1,true,null]}"#
        );
    }

    #[test]
    fn numbers_take_their_shortest_form() {
        for (written, canon) in [
            ("1.0", "1"),
            ("1e3", "1000"),
            ("-0.0", "0"),
            ("1.780", "1.78"),
            ("9223372036854775807", "9223372036854775807"),
            ("1740787200.0", "1740787200"),
            ("-5.20", "-5.2"),
            ("1e20", "100000000000000000000"),
        ] {
            assert_eq!(
                canonical(&serde_json::from_str(written).unwrap()),
                canon,
                "{written}"
            );
        }
    }

    #[test]
    fn texts_that_read_the_same_are_the_same() {
        for text in ["é\nb", "e\u{301}\r\nb", "  é\rb \n", "\u{a0}é\nb\t"] {
            assert_eq!(canonical(&json!(text)), "\"é\\nb\"", "{text:?}");
        }
        assert_ne!(canonical(&json!("a  b")), canonical(&json!("a b")));
    }

    #[test]
    fn every_character_is_written_as_json_has_it() {
        for c in ('\0'..='\u{2100}').chain(['\u{fffd}', '\u{1f600}', '\u{10ffff}']) {
            let mut written = String::new();
            let text = format!("a{c}b");
            write_text(&text, &mut written);
            assert_eq!(written, Value::from(text).to_string(), "{c:?}");
        }
    }

    #[test]
    fn a_digest_is_of_the_canonical_form_of_all_fields() {
        assert!(Field::ALL.is_sorted_by_key(|field| field.name()));
        for json in [
            json!({}),
            json!({"sticker_info": {"stickers": [{"id": "1", "aspect_ratio": 2.0}]}, "alt_text": {"text": " a "},
                   "management_info": {"managed": true}}),
        ] {
            let metadata = Metadata::from_json(&json.to_string()).unwrap();
            let digest = Digest(Sha256::digest(canonical(&json)).into());
            assert_eq!(metadata.digest(), digest);
        }
    }

    #[test]
    fn golden_digests_never_change() {
        for (json, digest) in [
            (
                json!({}),
                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            ),
            (
                json!({"alt_text": {"text": "A dancing cat"}}),
                "6db059054d9d7a27e1bbb85e9fd58076343fd05f3ee2713f02fd0b3c8545a41e",
            ),
            (
                json!({"geo_restrictions": {"whitelisted_country_codes": ["us", "ca"], "blacklisted_country_codes": []},
                       "content_expiration": {"timestamp_sec": 1_740_787_200.0},
                       "alt_text": {"text": " Cafe\u{301} \u{1f1eb}\u{1f1f7}\r\n\"quoted\" \\ \u{7} "}}),
                "031690f1ae9d3143eeb4cb823b18283d95ae17c86aa9dd2c1640ca1258c545d4",
            ),
        ] {
            let metadata = Metadata::from_json(&json.to_string()).unwrap();
            assert_eq!(metadata.digest().to_string(), digest);
        }
    }
}
