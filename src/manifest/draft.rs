//! A row while it is being read: what it says so far, and all that is wrong with it.
//!
//! Owns [`Draft`], which turns into a row or an invalid one. Leaves the schema's rules to [`crate::metadata`].

use std::ops::Range;

use serde_json::{Map, Value};

use super::{
    Record,
    fault::{Fault, Invalid},
};
use crate::{
    item::MediaId,
    metadata::{
        Field, Patch, Violation,
        schema::{self, Kind, Place},
    },
    row::Row,
    time::Timestamp,
};

/// How many faults of one row are told: what is wrong with more is wrong in the same way, and each takes memory.
const MOST_FAULTS: usize = 1_000;

/// A row that is being read.
pub(super) struct Draft {
    pub(super) line: u64,
    pub(super) id: Option<MediaId>,
    pub(super) faults: Vec<Fault>,
    /// How many more there are beyond the bound.
    untold: usize,
    object: Map<String, Value>,
    /// The fields of which a cell could not be read: nothing else may be said of what they lack.
    spoiled: Vec<Field>,
    /// The fields that a `null` below them withdraws where nothing else of them is given.
    withdrawn: Vec<Field>,
}

impl Draft {
    pub(super) fn new(line: u64) -> Self {
        Self {
            line,
            id: None,
            faults: Vec::new(),
            untold: 0,
            object: Map::new(),
            spoiled: Vec::new(),
            withdrawn: Vec::new(),
        }
    }

    /// Puts a value at a place; false where something else stands there already.
    pub(super) fn put(&mut self, path: &str, value: Value) -> bool {
        let mut names = path.rsplit('.');
        let Some(mut name) = names.next() else {
            return true;
        };
        let mut value = value;
        for outer in names {
            value = Value::Object(Map::from_iter([(name.to_owned(), value)]));
            name = outer;
        }
        lay(&mut self.object, name, value)
    }

    /// Withdraws a place: the whole field, unless the row gives other parts of it.
    pub(super) fn withdraw(&mut self, place: &Place) {
        self.withdrawn.push(place.field);
    }

    /// Lays whole metadata in; the name of the first field that stands there already with another value.
    pub(super) fn put_all(&mut self, metadata: Map<String, Value>) -> Option<String> {
        metadata
            .into_iter()
            .find_map(|(name, value)| (!lay(&mut self.object, &name, value)).then_some(name))
    }

    /// Leaves out a cell that cannot be read.
    pub(super) fn spoil(&mut self, place: &Place) {
        self.spoiled.push(place.field);
    }

    /// Notes one of very many faults, or counts it where enough have been told.
    pub(super) fn note(&mut self, fault: impl FnOnce() -> Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault());
        } else {
            self.untold += 1;
        }
    }

    /// Checks what was said; `place` tells where each violation stands.
    pub(super) fn finish(
        mut self,
        now: Timestamp,
        mut place: impl FnMut(Violation, u64) -> Fault,
        carried: impl FnOnce(&Patch) -> Option<Box<str>>,
    ) -> Record {
        for field in std::mem::take(&mut self.withdrawn) {
            self.object.entry(field.name()).or_insert(Value::Null);
        }
        let object = std::mem::take(&mut self.object);
        match (Patch::parse(object, now), self.id.take()) {
            (Ok(patch), Some(media_id)) if self.faults.is_empty() => Record::Row(Row {
                line: self.line,
                media_id,
                carried: carried(&patch),
                patch,
            }),
            (parsed, media_id) => {
                let spoiled = |violation: &Violation| {
                    matches!(violation.rule, "missing" | "geo-lists")
                        && self
                            .spoiled
                            .iter()
                            .any(|field| field.name() == first_name(&violation.path))
                };
                let mut violations = parsed.err().unwrap_or_default();
                violations.retain(|violation| !spoiled(violation));
                let line = self.line;
                for violation in violations {
                    self.note(|| place(violation, line));
                }
                if self.untold > 0 {
                    let message = format!("has {} further faults", self.untold);
                    let hint = "Mend those that are told, and check again.";
                    self.faults
                        .push(Fault::new(line, "more-faults", message).hint(hint));
                }
                // As they stand in the row; what has no column of its own comes last.
                self.faults
                    .sort_by_key(|fault| fault.column.unwrap_or(u64::MAX));
                Record::Invalid(Invalid {
                    line: self.line,
                    media_id,
                    faults: self.faults,
                })
            }
        }
    }
}

/// Lays a value into an object, objects into each other; false where another value stands there already.
fn lay(object: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    match (object.get_mut(name), value) {
        (None, value) => {
            object.insert(name.to_owned(), value);
            true
        }
        (Some(Value::Object(into)), Value::Object(members)) => members
            .into_iter()
            .fold(true, |fits, (name, value)| lay(into, &name, value) && fits),
        (Some(there), value) => *there == value,
    }
}

/// The first name of a dotted path.
pub(super) fn first_name(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// Whether `inner` is `outer` or lies in it.
pub(super) fn lies_in(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The part of a cell that a violation means, where it is a part.
pub(super) fn mark(violation: &Violation, cell: &str) -> Option<Range<usize>> {
    if violation.rule == "too-long" {
        let Kind::Text {
            at_most: Some(most),
        } = schema::place(&violation.path)?.member.kind
        else {
            return None;
        };
        return cell
            .char_indices()
            .nth(most)
            .map(|(from, _)| from..cell.len());
    }
    let index: usize = violation
        .path
        .strip_suffix(']')?
        .rsplit_once('[')?
        .1
        .parse()
        .ok()?;
    if cell.trim_start().starts_with('[') {
        return None;
    }
    let from = match index.checked_sub(1) {
        None => 0,
        Some(before) => cell.match_indices('|').nth(before)?.0 + 1,
    };
    let entry = cell.get(from..)?.split('|').next()?;
    let trimmed = entry.trim();
    let from = from + entry.len() - entry.trim_start().len();
    Some(from..from + trimmed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_a_list_that_is_wrong_is_marked() {
        let violation = |path: &str| Violation::new(path, "country-code", "");
        assert_eq!(mark(&violation("a.b[1]"), "us| usa |de"), Some(4..7));
        assert_eq!(mark(&violation("a.b[0]"), "usa"), Some(0..3));
        assert_eq!(mark(&violation("a.b[1]"), "[\"us\",\"usa\"]"), None);
        assert_eq!(mark(&violation("a.b"), "us"), None);
        let long = "ä".repeat(1_001);
        let violation = Violation::new("alt_text.text", "too-long", "");
        assert_eq!(mark(&violation, &long), Some(2_000..2_002));
    }

    #[test]
    fn the_same_value_twice_is_one_and_another_is_refused() {
        let mut draft = Draft::new(1);
        assert!(draft.put("shared_info.shared", Value::Bool(true)));
        assert!(draft.put("shared_info", serde_json::json!({"shared": true})));
        assert!(!draft.put("shared_info.shared", Value::Bool(false)));
    }
}
