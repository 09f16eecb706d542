//! The metadata that X keeps of an image or video: the schema's 13 fields, and what a valid set of them is.
//!
//! Owns [`Metadata`] (what an item shall have), [`Patch`] (what one manifest row says of it) and the laying of one over
//! the other. The schema stands in [`schema`], its enforcement in [`rules`], the canonical form in [`digest`]. Knows no
//! file, no database and no network: what reads a row asks here whether it is valid, and nobody asks again.

pub mod cell;
pub mod digest;
pub mod rules;
pub mod schema;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::{digest::Digest, rules::Violation, schema::Field};

/// A set of valid fields, as they are sent to X.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(BTreeMap<Field, Value>);

/// What one row says: the fields it names, in the order of the schema, each with its new value or `None` where it
/// withdraws the field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch(Vec<(Field, Option<Value>)>);

impl Metadata {
    /// Lays `patch` over: each field that it names is replaced as a whole or withdrawn, the others stay.
    pub fn lay_over(&mut self, patch: &Patch) {
        for (field, value) in &patch.0 {
            match value {
                Some(value) => drop(self.0.insert(*field, value.clone())),
                None => drop(self.0.remove(field)),
            }
        }
    }

    /// The value of one field, where it has one.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.get(&field)
    }

    /// Its fields, in the order of the schema.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// Whether it has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON object that is sent as `metadata`, its values as they were written.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(
            self.0
                .iter()
                .map(|(field, value)| (field.name().to_owned(), value.clone()))
                .collect(),
        )
    }

    /// The same as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        text_of(self.fields())
    }

    /// Reads back what [`Metadata::to_text`] wrote. Its values were checked when their row was parsed and are not again:
    /// an expiry that has passed since is for X to judge.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        Self::from_object(serde_json::from_str(json).ok()?)
    }

    /// The same of what is parsed already.
    #[must_use]
    pub fn from_object(object: Map<String, Value>) -> Option<Self> {
        object
            .into_iter()
            .map(|(name, value)| Some((Field::named(&name)?, value)))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The SHA-256 of its canonical form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

impl Patch {
    /// The patch of a JSON object with the schema's field names, checked by every rule; `null` withdraws a field.
    ///
    /// `now` is the moment against which an expiry is judged.
    ///
    /// # Errors
    /// Every violation found, never only the first.
    pub fn parse(
        object: Map<String, Value>,
        now: crate::time::Timestamp,
    ) -> Result<Self, Vec<Violation>> {
        rules::parse(object, now).map(Self)
    }

    /// Whether it names no field: such a row is `empty`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields it names, each with its value or `None` where it is withdrawn.
    pub fn fields(&self) -> impl Iterator<Item = (Field, Option<&Value>)> {
        self.0.iter().map(|(field, value)| (*field, value.as_ref()))
    }

    /// What it wants of an item of which nothing else is wanted, as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        text_of(self.given())
    }

    /// The digest of that.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_fields(self.given())
    }

    fn given(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.fields()
            .filter_map(|(field, value)| Some((field, value?)))
    }

    /// The fields it names, as a set of bits.
    #[must_use]
    pub fn named(&self) -> FieldSet {
        self.0
            .iter()
            .fold(FieldSet::default(), |set, (field, _)| set.with(*field))
    }

    /// The same patch without the fields of `set`.
    #[must_use]
    pub fn without(&self, set: FieldSet) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(field, _)| !set.contains(*field))
                .cloned()
                .collect(),
        )
    }
}

/// Fields as the JSON object that is sent as `metadata`.
fn text_of<'v>(fields: impl Iterator<Item = (Field, &'v Value)>) -> String {
    let mut text = Vec::with_capacity(256);
    text.push(b'{');
    for (field, value) in fields {
        if text.len() > 1 {
            text.push(b',');
        }
        // No name needs escaping, and writing values to memory can't fail.
        text.push(b'"');
        text.extend_from_slice(field.name().as_bytes());
        text.extend_from_slice(b"\":");
        let _ = serde_json::to_writer(&mut text, value);
    }
    text.push(b'}');
    String::from_utf8(text).unwrap_or_default()
}

/// A set of the 13 fields, small enough to stand in a database column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldSet(pub u16);

impl FieldSet {
    /// The set with `field` in it.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u16)
    }

    /// Whether `field` is in it.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    /// All that is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::Timestamp;

    fn patch(json: Value) -> Patch {
        let Value::Object(object) = json else {
            panic!("an object")
        };
        Patch::parse(object, Timestamp(0)).unwrap()
    }

    #[test]
    fn a_patch_replaces_whole_fields_and_leaves_the_others() {
        let mut wanted = Metadata::default();
        wanted.lay_over(&patch(
            json!({"alt_text": {"text": "a"}, "sensitive_media_warning": {"adult_content": true}}),
        ));
        wanted.lay_over(&patch(json!({"sensitive_media_warning": {"other": true}})));
        assert_eq!(
            wanted.to_json(),
            json!({"alt_text": {"text": "a"}, "sensitive_media_warning": {"other": true}})
        );
    }

    #[test]
    fn what_a_patch_wants_alone_is_what_it_makes_of_nothing() {
        let patch = patch(
            json!({"shared_info": null, "upload_source": {"upload_source": "x"}, "alt_text": {"text": "a\"b"}}),
        );
        let mut wanted = Metadata::default();
        wanted.lay_over(&patch);
        assert_eq!(patch.to_text(), wanted.to_text());
        assert_eq!(patch.digest(), wanted.digest());
    }

    #[test]
    fn null_withdraws_a_field() {
        let mut wanted = Metadata::default();
        wanted.lay_over(&patch(
            json!({"alt_text": {"text": "a"}, "shared_info": {"shared": false}}),
        ));
        wanted.lay_over(&patch(json!({"alt_text": null})));
        assert_eq!(wanted.to_json(), json!({"shared_info": {"shared": false}}));
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let mut wanted = Metadata::default();
        wanted.lay_over(&patch(
            json!({"alt_text": {"text": " e\u{301}\r\n "}, "management_info": {"managed": true}}),
        ));
        assert_eq!(wanted.to_text(), wanted.to_json().to_string());
        assert_eq!(Metadata::from_json(&wanted.to_text()), Some(wanted));
    }

    #[test]
    fn a_set_of_fields_holds_each_of_the_thirteen() {
        for field in Field::ALL {
            let set = FieldSet::default().with(field);
            assert!(
                Field::ALL
                    .into_iter()
                    .all(|other| set.contains(other) == (other == field))
            );
        }
    }
}
