//! JSON lines: one object a line, the request body itself or flat with the names of a CSV, both in one file if need be.
//!
//! Owns [`JsonLines`], which reads one line into a [`Record`]. The two forms are one here: `metadata` is a name as any other.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Error, Options, Record,
    draft::{Draft, lies_in, mark},
    fault::{Fault, Invalid, excerpt, violation_with_path},
    header, id,
    ids::{Ids, Naming, Spot},
    json::Object,
    mojibake,
    notice::{Noticed, Tally},
    rows::{account_is_reserved, named_twice},
    target::{self, Target},
};
use crate::metadata::{
    self, Violation,
    schema::{Kind, Place},
};

/// How many different keys are remembered: a file with more has data for keys.
const MOST_KEYS: usize = 1_000;

/// What a key means.
struct Key {
    target: Target,
    /// Whether a report adds it, so that it is dropped from one that comes back.
    is_added: bool,
    /// Whether a report is known by it.
    is_report: bool,
}

/// Reads JSON lines.
pub(super) struct JsonLines {
    options: Options,
    known: HashMap<String, Arc<Key>>,
    /// The keys that are no field, in the order in which they first came.
    pub(super) carried: Vec<String>,
}

impl JsonLines {
    /// Fails where the options map a header to no field.
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        for (_, header) in &options.map {
            header::target(header, &options)?;
        }
        Ok(Self {
            options,
            known: HashMap::new(),
            carried: Vec::new(),
        })
    }

    /// Reads one line; none where it is blank.
    pub(super) fn read(
        &mut self,
        line: u64,
        text: &str,
        ids: &mut Ids,
        tally: &mut Tally,
    ) -> Option<Record> {
        if text.trim().is_empty() {
            return None;
        }
        let entries = match serde_json::from_str::<Object>(text) {
            Ok(Object(entries)) => entries,
            Err(error) => return Some(Record::Invalid(syntax(line, text, &error))),
        };
        Some(self.row(line, text, entries, ids, tally))
    }

    fn row(
        &mut self,
        line: u64,
        text: &str,
        entries: Vec<(String, Value)>,
        ids: &mut Ids,
        tally: &mut Tally,
    ) -> Record {
        let mut draft = Draft::new(line);
        let keys: Vec<_> = entries.iter().map(|(key, _)| self.key(key)).collect();
        let is_report = keys.iter().any(|key| key.is_report);
        let targets: Vec<_> = keys
            .iter()
            .map(|key| match &key.target {
                _ if is_report && key.is_added => &Target::Dropped,
                target => target,
            })
            .collect();
        self.read_id(&entries, &targets, &mut draft, ids, tally);
        let supplied = header::supplied(targets.iter().copied());
        let mut carried = Map::new();
        let mut placed = Vec::new();
        for ((key, value), target) in entries.into_iter().zip(targets) {
            let at = |fault: Fault| fault.at(None, &key);
            match target {
                Target::Id | Target::Url | Target::Dropped => {}
                Target::Account if is_empty(&value) || value.is_null() => {}
                Target::Account => draft.faults.push(at(account_is_reserved(line))),
                Target::Metadata => {
                    read_metadata(&key, value, &mut draft);
                    placed.push((String::new(), key));
                }
                Target::Place(place, path) => {
                    // `alt_text` is short for `alt_text.text`, and in JSON the field itself all the same.
                    let path = match (&value, path.as_str()) {
                        (Value::Object(_), "alt_text.text") => "alt_text",
                        (_, path) => path,
                    };
                    read_place(&key, place, path, value, &mut draft, tally);
                    placed.push((path.to_owned(), key));
                }
                Target::Carried => {
                    if let Some(field) = header::near_miss(&key, &supplied, &self.options) {
                        draft.faults.push(at(Fault::new(
                            line,
                            "near-miss",
                            format!("is nearly {field}, and no field"),
                        )
                        .hint(format!(
                            "Rename it, or say --ignore {key:?} to carry it along."
                        ))));
                    } else {
                        self.note_carried(&key);
                    }
                    carried.insert(key, value);
                }
            }
        }
        let carried =
            (!carried.is_empty()).then(|| Value::Object(carried).to_string().into_boxed_str());
        let mut whole = None;
        draft.finish(
            self.options.now,
            |violation, line| {
                // Only what is wrong is shown, so only then it is read again.
                let whole = whole.get_or_insert_with(|| serde_json::from_str(text).ok());
                fault(violation, line, whole.as_ref(), &placed)
            },
            |_| carried,
        )
    }

    fn key(&mut self, key: &str) -> Arc<Key> {
        if let Some(known) = self.known.get(key) {
            return Arc::clone(known);
        }
        // That each mapping names a field was seen to at the start.
        let target =
            header::target(key, &self.options).map_or(Target::Carried, |(target, _)| target);
        let known = Arc::new(Key {
            target,
            is_added: header::is_added(key),
            is_report: target::normal(key) == header::REPORT,
        });
        if self.known.len() < MOST_KEYS {
            self.known.insert(key.to_owned(), Arc::clone(&known));
        }
        known
    }

    fn note_carried(&mut self, key: &str) {
        if self.carried.len() < MOST_KEYS && !self.carried.iter().any(|other| other == key) {
            self.carried.push(key.to_owned());
        }
    }

    fn read_id(
        &self,
        entries: &[(String, Value)],
        targets: &[&Target],
        draft: &mut Draft,
        ids: &mut Ids,
        tally: &mut Tally,
    ) {
        let written: Vec<Cow<str>> = entries
            .iter()
            .zip(targets)
            .map(|((_, value), target)| match (value, target) {
                (Value::String(text), Target::Id | Target::Url) => text.into(),
                (Value::Null, _) => "".into(),
                (other, Target::Id | Target::Url) => other.to_string().into(),
                _ => "".into(),
            })
            .collect();
        let mut naming = Naming::default();
        for (((key, value), cell), target) in entries.iter().zip(&written).zip(targets) {
            let spot = Spot {
                position: None,
                header: key,
                cell,
            };
            match target {
                Target::Url => naming.url(spot, self.options.now, draft),
                Target::Id if value.is_number() => naming.id(spot, id::from_number(cell), draft),
                Target::Id => {
                    let line = draft.line;
                    let read = id::read(cell, |noticed| {
                        if !cell.trim().is_empty() {
                            tally.count(noticed, line, cell);
                        }
                    });
                    naming.id(spot, read, draft);
                }
                _ => {}
            }
        }
        naming.settle(draft, ids, tally);
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn read_metadata(key: &str, value: Value, draft: &mut Draft) {
    let line = draft.line;
    let value = match value {
        Value::String(text) if text.trim().is_empty() => return,
        Value::String(text) if text.trim_start().starts_with('{') => {
            match serde_json::from_str(&text) {
                Ok(Object(entries)) => Value::Object(Map::from_iter(entries)),
                Err(error) => {
                    let message = format!("is no valid JSON: {error}");
                    draft
                        .faults
                        .push(Fault::new(line, "json", message).at(None, key));
                    return;
                }
            }
        }
        other => other,
    };
    let Value::Object(object) = value else {
        let fault = Fault::new(line, "type", "must be an object: the metadata as a whole");
        return draft.faults.push(fault.at(None, key));
    };
    if let Some(field) = draft.put_all(object) {
        draft.faults.push(named_twice(line, &field).at(None, key));
    }
}

fn read_place(
    key: &str,
    place: &Place,
    path: &str,
    value: Value,
    draft: &mut Draft,
    tally: &mut Tally,
) {
    let line = draft.line;
    let kind = &place.member.kind;
    let is_text = matches!(kind, Kind::Text { .. });
    let read = match value {
        Value::Null if place.depth > 1 => return draft.withdraw(place),
        Value::String(text) if text.is_empty() || !is_text && text.trim().is_empty() => return,
        Value::String(text) if is_text => {
            if !text.is_ascii() && mojibake::mended(&text).is_some() {
                tally.count(Noticed::Mojibake, line, &text);
            }
            Ok(Value::String(text))
        }
        Value::String(text) => metadata::cell::read(&text, kind, path).map_err(|why| (why, text)),
        other => Ok(other),
    };
    match read {
        Ok(value) => {
            if !draft.put(path, value) {
                draft.faults.push(named_twice(line, path).at(None, key));
            }
        }
        Err((violation, text)) => {
            draft.spoil(place);
            let mark = mark(&violation, &text);
            draft
                .faults
                .push(Fault::of(violation, line).at(None, key).shows(&text, mark));
        }
    }
}

/// The fault of a violation, at the key in which it lies.
fn fault(
    violation: Violation,
    line: u64,
    whole: Option<&Object>,
    placed: &[(String, String)],
) -> Fault {
    let key = placed
        .iter()
        .filter(|(path, _)| path.is_empty() || lies_in(&violation.path, path))
        .max_by_key(|(path, _)| path.len());
    let message = match key {
        Some((path, _)) if *path == violation.path => violation.message.clone(),
        _ => violation_with_path(&violation),
    };
    let cell = key.and_then(|(path, key)| {
        let Object(entries) = whole?;
        let (_, value) = entries.iter().find(|(other, _)| other == key)?;
        let inner = violation.path.strip_prefix(path.as_str())?;
        let inner = inner
            .trim_start_matches('.')
            .replace(['.', '['], "/")
            .replace(']', "");
        let value = if inner.is_empty() {
            Some(value)
        } else {
            value.pointer(&format!("/{inner}"))
        }?;
        Some(match value {
            Value::String(text) => excerpt(text, mark(&violation, text)),
            other => excerpt(&other.to_string(), None),
        })
    });
    let header = key.map(|(_, key)| key.clone());
    Fault {
        header,
        message,
        cell,
        ..Fault::of(violation, line)
    }
}

/// The fault of a line that is no JSON object.
fn syntax(line: u64, text: &str, error: &serde_json::Error) -> Invalid {
    let at = error.column().saturating_sub(1).min(text.len());
    let from = (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default();
    let to = text[from..]
        .chars()
        .next()
        .map_or(from, |c| from + c.len_utf8());
    // The place is told by the column: in the error's own words the line would be the first one.
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    let fault = Fault::new(line, "json", format!("is no valid JSON object: {told}"))
        .hint("Each line is one whole object: {\"id\":\"…\",\"alt_text\":\"…\"}.")
        .shows(text, Some(from..to));
    Invalid {
        line,
        media_id: None,
        faults: vec![Fault {
            column: Some(text[..from].chars().count() as u64 + 1),
            ..fault
        }],
    }
}
