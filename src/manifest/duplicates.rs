//! Two values for one field of one id, found without a journal and without memory that grows with the manifests.
//!
//! Owns [`Duplicates`], which `check` tells every row. Of each field that a row names it keeps 32 bytes: the id, the
//! field, where the row stands, and a hash of the value. Many of them go to temporary files, parted by id, so that in the
//! end one part at a time is sorted in memory. What contradicts what is the journal's rule too, which meets rows one by one.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

use super::Fault;
use crate::{
    metadata::{Field, digest::canonical},
    row::Row,
};

/// In how many parts the entries are kept: a hundred million of them are then 50 MB at a time.
const PARTS: usize = 64;
/// How many entries stay in memory before files are made.
const IN_MEMORY: usize = 100_000;
const SIZE: usize = 32;

/// What is kept of one field of one row, in the order in which it is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The id as a number; its length tells `01` from `1`.
    id: u64,
    length: u8,
    field: u8,
    source: u16,
    line: u64,
    value: u64,
}

impl Entry {
    fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.id.to_le_bytes());
        (bytes[8], bytes[9]) = (self.length, self.field);
        bytes[10..12].copy_from_slice(&self.source.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.line.to_le_bytes());
        bytes[24..].copy_from_slice(&self.value.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; SIZE]) -> Self {
        let number = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            u64::from_le_bytes(eight)
        };
        Self {
            id: number(0),
            length: bytes[8],
            field: bytes[9],
            source: u16::from_le_bytes([bytes[10], bytes[11]]),
            line: number(16),
            value: number(24),
        }
    }

    fn part(&self) -> usize {
        // Ids of one time share their upper bits, and their lower ones hold a machine and a count: a mix of all parts them.
        (self.id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
    }
}

/// Finds duplicates among all rows it is told.
#[derive(Debug, Default)]
pub struct Duplicates {
    entries: Vec<Entry>,
    parts: Vec<BufWriter<File>>,
}

/// A row that contradicts an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Which manifest the row is of.
    pub source: u16,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Duplicates {
    /// Takes a row of the `source`-th manifest in.
    pub fn note(&mut self, source: u16, row: &Row) -> io::Result<()> {
        let id = row.media_id.as_str();
        for (field, value) in row.patch.fields() {
            let mut hasher = DefaultHasher::new();
            value.map(canonical).hash(&mut hasher);
            let entry = Entry {
                id: id.parse().unwrap_or(u64::MAX),
                length: u8::try_from(id.len()).unwrap_or(u8::MAX),
                field: field as u8,
                source,
                line: row.line,
                value: hasher.finish(),
            };
            if self.parts.is_empty() {
                self.entries.push(entry);
            } else {
                self.parts[entry.part()].write_all(&entry.to_bytes())?;
            }
        }
        if self.parts.is_empty() && self.entries.len() >= IN_MEMORY {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let part = || tempfile::tempfile().map(|file| BufWriter::with_capacity(16 << 10, file));
        self.parts = (0..PARTS).map(|_| part()).collect::<io::Result<_>>()?;
        for entry in std::mem::take(&mut self.entries) {
            self.parts[entry.part()].write_all(&entry.to_bytes())?;
        }
        Ok(())
    }

    /// Tells each row that contradicts an earlier one to `found`, and returns how many different ids there were.
    pub fn find(self, sources: &[String], mut found: impl FnMut(Contradiction)) -> io::Result<u64> {
        if self.parts.is_empty() {
            return Ok(sift(self.entries, sources, &mut found));
        }
        let mut ids = 0;
        for part in self.parts {
            let mut file = part.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            let mut reader = BufReader::with_capacity(256 << 10, file);
            let mut entries = Vec::new();
            let mut bytes = [0; SIZE];
            loop {
                match reader.read_exact(&mut bytes) {
                    Ok(()) => entries.push(Entry::from_bytes(&bytes)),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                    Err(error) => return Err(error),
                }
            }
            ids += sift(entries, sources, &mut found);
        }
        Ok(ids)
    }
}

/// Goes through the entries of some ids. The first value of a field holds; each later row with another contradicts it.
fn sift(mut entries: Vec<Entry>, sources: &[String], found: &mut impl FnMut(Contradiction)) -> u64 {
    entries.sort_unstable();
    let same_id = |one: &Entry, other: &Entry| (one.id, one.length) == (other.id, other.length);
    let mut ids = 0;
    for of_id in entries.chunk_by(same_id) {
        ids += 1;
        // A row is told once, however many fields it contradicts.
        let mut told: Vec<(u16, u64)> = Vec::new();
        for of_field in of_id.chunk_by(|one, other| one.field == other.field) {
            let Some((first, later)) = of_field.split_first() else {
                continue;
            };
            for entry in later.iter().filter(|entry| entry.value != first.value) {
                if told.contains(&(entry.source, entry.line)) {
                    continue;
                }
                told.push((entry.source, entry.line));
                let name = sources
                    .get(usize::from(first.source))
                    .map_or("", String::as_str);
                let field = Field::ALL[usize::from(entry.field)].name();
                let id = format!("{:0>1$}", entry.id, usize::from(entry.length));
                found(Contradiction {
                    source: entry.source,
                    fault: contradiction(entry.line, &id, field, (name, first.line)),
                });
            }
        }
    }
    ids
}

/// The fault of a row on `line` that gives `field` of `id` another value than the `earlier` one.
#[must_use]
pub fn contradiction(line: u64, id: &str, field: &str, earlier: (&str, u64)) -> Fault {
    let (name, earlier_line) = earlier;
    Fault::new(
        line,
        "duplicate",
        format!("gives {id} another {field} than line {earlier_line} of {name}"),
    )
    .hint("Remove one of the two rows, or say --duplicates first or last.")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{metadata::Patch, time::Timestamp};

    fn row(line: u64, id: &str, fields: Value) -> Row {
        let Value::Object(object) = fields else {
            panic!("an object")
        };
        let patch = Patch::parse(object, Timestamp(0)).unwrap();
        Row {
            line,
            media_id: id.parse().unwrap(),
            patch,
            carried: None,
        }
    }

    fn text(line: u64, id: &str, text: &str) -> Row {
        row(line, id, json!({"alt_text": {"text": text}}))
    }

    fn found(rows: &[(u16, Row)], spill: bool) -> (u64, Vec<(u16, u64)>) {
        let mut duplicates = Duplicates::default();
        for (source, row) in rows {
            duplicates.note(*source, row).unwrap();
        }
        if spill {
            duplicates.spill().unwrap();
        }
        let mut found = Vec::new();
        let names = ["a.csv".to_owned(), "b.csv".to_owned()];
        let ids = duplicates
            .find(&names, |it| found.push((it.source, it.fault.line)))
            .unwrap();
        found.sort_unstable();
        (ids, found)
    }

    #[test]
    fn another_value_is_a_duplicate_and_the_same_one_or_another_field_is_not() {
        let rows = [
            (0, text(2, "1", "a")),
            (0, text(3, "1", " a\r\n")),
            (0, row(4, "1", json!({"shared_info": {"shared": true}}))),
            (0, text(5, "1", "b")),
            (0, text(6, "01", "b")),
            (1, row(2, "1", json!({"alt_text": null}))),
            (1, text(3, "9999999999999999999", "a")),
            (1, text(4, "9999999999999999998", "b")),
        ];
        for spill in [false, true] {
            assert_eq!(found(&rows, spill), (4, vec![(0, 5), (1, 2)]), "{spill}");
        }
    }

    #[test]
    fn the_fault_names_both_lines() {
        let mut duplicates = Duplicates::default();
        duplicates.note(0, &text(7, "0012", "a")).unwrap();
        duplicates.note(1, &text(9, "0012", "b")).unwrap();
        let mut said = Vec::new();
        duplicates
            .find(&["a.csv".to_owned(), "b.csv".to_owned()], |it| {
                said.push(it.fault.to_string());
            })
            .unwrap();
        assert_eq!(
            said,
            ["line 9: gives 0012 another alt_text than line 7 of a.csv"]
        );
    }
}
