//! What every manifest promises, whatever its bytes: one reading of it, with all that can be said of it cheaply.
//!
//! Owns [`Reading`], shared by the targets of the readers, and [`forgive_workbook_panics`]. Knows no form: what only one
//! reader promises stands in its target.

use std::{
    collections::BTreeSet,
    io::{self, Cursor, Read},
    sync::{Mutex, PoisonError},
    thread,
};

use altfill::{
    manifest::{Error, Manifest, Options, Record},
    metadata::{Digest, FieldSet, Metadata, Patch},
    row::{Form, Row, Source},
    time::Timestamp,
};
use serde_json::{Value, json};

/// The moment against which all rows are judged, so that a find stays one: 2025-03-01T00:00:00Z.
const NOW: Timestamp = Timestamp(1_740_787_200_000);

/// All that came of one manifest.
#[derive(Debug, PartialEq)]
pub struct Reading {
    /// How it introduced itself at its end; `None` where it could not be opened.
    pub source: Option<Source>,
    /// Its records in order.
    pub records: Vec<Record>,
    /// The notices: rule, count and line.
    pub notices: Vec<(&'static str, u64, u64)>,
    /// What ended it before its end.
    pub error: Option<String>,
}

/// How a reading is begun.
#[must_use]
pub fn options(encoding: Option<&str>) -> Options {
    Options {
        encoding: encoding.map(str::to_owned),
        now: NOW,
        ..Options::default()
    }
}

impl Reading {
    /// Reads `bytes` to their end and holds them to what every manifest promises.
    ///
    /// # Panics
    /// Where a promise is broken.
    #[must_use]
    pub fn of(bytes: impl Read + Send + 'static, options: &Options) -> Self {
        let mut manifest = match Manifest::read("m", bytes, options) {
            Ok(manifest) => manifest,
            Err(error) => {
                return Self {
                    source: None,
                    records: Vec::new(),
                    notices: Vec::new(),
                    error: Some(told(&error)),
                };
            }
        };
        let mut records = Vec::new();
        let mut error = None;
        while let Some(next) = manifest.next() {
            assert!(error.is_none(), "nothing comes behind an error");
            match next {
                Ok(record) => records.push(record),
                Err(why) => error = Some(told(&why)),
            }
        }
        assert!(manifest.next().is_none(), "the end stays the end");
        let notices = manifest.notices();
        for notice in &notices {
            assert!(notice.count > 0 && notice.line > 0, "{notice:?}");
            assert_tame(&notice.to_string());
        }
        let reading = Self {
            source: Some(manifest.source().clone()),
            records,
            notices: notices
                .iter()
                .map(|notice| (notice.rule, notice.count, notice.line))
                .collect(),
            error,
        };
        reading.hold();
        reading
    }

    fn hold(&self) {
        let mut line = 1;
        for record in &self.records {
            let own = match record {
                Record::Row(row) => row.line,
                Record::Invalid(invalid) => {
                    assert!(!invalid.faults.is_empty(), "it says why: {invalid:?}");
                    for fault in &invalid.faults {
                        assert!(fault.line >= invalid.line, "{fault:?}");
                        assert_ne!(fault.column, Some(0), "columns count from 1");
                        assert_tame(&fault.to_string());
                        fault
                            .hint
                            .iter()
                            .chain(&fault.cell)
                            .for_each(|text| assert_tame(text));
                    }
                    invalid.line
                }
            };
            assert!(own >= line, "line {own} comes behind line {line}");
            line = own;
        }
        let rows: Vec<&Row> = self
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Row(row) => Some(row),
                Record::Invalid(_) => None,
            })
            .collect();
        for row in &rows {
            self.hold_carried(row);
            let wanted = wanted(&row.patch);
            let kept = Metadata::from_json(&wanted.to_json().to_string());
            assert_eq!(
                kept.map(|kept| kept.digest()),
                Some(wanted.digest()),
                "what the journal keeps has the digest of what was read: {row:?}"
            );
        }
        hold_rows(&rows);
    }

    /// What a row carries is JSON of the form that reports rely on.
    fn hold_carried(&self, row: &Row) {
        let (Some(source), Some(carried)) = (&self.source, &row.carried) else {
            return;
        };
        match serde_json::from_str(carried) {
            Ok(Value::Array(cells)) => {
                assert_ne!(source.form, Form::JsonLines);
                assert_eq!(cells.len(), source.columns.len(), "{carried}");
                assert!(cells.iter().all(|cell| cell.is_null() || cell.is_string()));
            }
            Ok(Value::Object(_)) => assert_eq!(source.form, Form::JsonLines),
            other => panic!("{carried} is {other:?}"),
        }
    }
}

/// Valid rows, written as JSON lines, are read as the same rows.
fn hold_rows(rows: &[&Row]) {
    if rows.is_empty() {
        return;
    }
    let mut text = String::new();
    for row in rows {
        let metadata: Value = row
            .patch
            .fields()
            .map(|(field, value)| (field.name().to_owned(), value.cloned().unwrap_or_default()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let line = json!({"media_id": row.media_id.as_str(), "metadata": metadata});
        text.push_str(&line.to_string());
        text.push('\n');
    }
    let again = match Manifest::read("again", Cursor::new(text.clone()), &options(None)) {
        Ok(again) => again,
        Err(error) => panic!("{error}: {text}"),
    };
    let mut again: Vec<_> = again.collect();
    // A verdict on all ids together came the first time too.
    if matches!(again.last(), Some(Err(Error::RoundedIds { .. }))) {
        again.pop();
    }
    assert_eq!(again.len(), rows.len(), "{text}");
    for (row, again) in rows.iter().zip(again) {
        let Ok(Record::Row(again)) = again else {
            panic!("a valid row was refused: {again:?} of {text}");
        };
        assert_eq!(again.media_id, row.media_id);
        assert_eq!(said(&again.patch), said(&row.patch), "{text}");
    }
}

fn wanted(patch: &Patch) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.lay_over(patch);
    metadata
}

fn said(patch: &Patch) -> (FieldSet, Digest) {
    (patch.named(), wanted(patch).digest())
}

fn told(error: &Error) -> String {
    let told = error.to_string();
    assert!(!told.is_empty());
    assert_tame(&told);
    told
}

/// No terminal obeys a text, and no reader takes its letters in another order than they stand in.
///
/// # Panics
/// Where one could.
pub fn assert_tame(text: &str) {
    let wild =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(wild), "{text:?}");
}

/// Hands out its bytes in drops: nothing may depend on where one read ends.
pub struct Drops {
    bytes: Cursor<Vec<u8>>,
    size: usize,
}

impl Drops {
    /// Drops of 1 to 7 bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: Cursor::new(bytes.to_vec()),
            size: 0,
        }
    }
}

impl Read for Drops {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.size = self.size % 7 + 1;
        let most = into.len().min(self.size);
        self.bytes.read(&mut into[..most])
    }
}

/// Lets a thread that reads a workbook die without ending the fuzzer: that a foreign reader panics is an error of the
/// file, and `Manifest` says so. Each place is named once. A panic anywhere else is a find, as ever.
pub fn forgive_workbook_panics() {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let is_foreign = ["/calamine-", "/quick-xml-", "/zip-"]
            .iter()
            .any(|krate| place.contains(krate));
        if thread::current().name() == Some("main") || !is_foreign {
            hook(info);
        } else if SEEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place)
        {
            eprintln!("forgiven: {info}");
        }
    }));
}
