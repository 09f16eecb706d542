//! One row under a header: its cells as text, whatever kind of file they came from.
//!
//! Owns [`Cells`] and the unquoting of a record. Gives no cell a meaning.

use super::records::Bounds;

/// What a file tells of a cell beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is a text, as every cell of a delimited one.
    Text,
    /// It is a number.
    Number,
    /// It is the error of a formula.
    Failed,
}

/// The cells of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    /// The line on which it begins.
    pub(super) line: u64,
    text: &'a str,
    bounds: &'a [Bounds],
    marks: &'a [Mark],
}

impl<'a> Cells<'a> {
    pub(super) const fn new(
        line: u64,
        text: &'a str,
        bounds: &'a [Bounds],
        marks: &'a [Mark],
    ) -> Self {
        Self {
            line,
            text,
            bounds,
            marks,
        }
    }

    /// The cell at a position; empty beyond the last.
    pub(super) fn get(&self, position: usize) -> &'a str {
        self.bounds
            .get(position)
            .and_then(|(from, to)| self.text.get(*from..*to))
            .unwrap_or_default()
    }

    /// What the file tells of that cell.
    pub(super) fn mark(&self, position: usize) -> Mark {
        self.marks.get(position).copied().unwrap_or(Mark::Text)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Whether no cell holds anything.
    pub(super) fn is_blank(&self) -> bool {
        self.bounds
            .iter()
            .enumerate()
            .all(|(position, (from, to))| from == to || self.get(position).trim().is_empty())
    }
}

/// Takes the quotes off the cells of a record.
pub(super) struct Unquoter {
    reader: Box<csv_core::Reader>,
    text: Vec<u8>,
    ends: Vec<usize>,
    bounds: Vec<Bounds>,
}

impl Unquoter {
    pub(super) fn new(delimiter: u8) -> Self {
        let mut reader = Box::new(csv_core::ReaderBuilder::new().delimiter(delimiter).build());
        // The first record that it sees it frees from a byte order mark: here that is no cell's.
        reader.read_record(b"x\n", &mut [0; 2], &mut [0; 2]);
        Self {
            reader,
            text: Vec::new(),
            ends: Vec::new(),
            bounds: Vec::new(),
        }
    }

    /// The cells of a record that was cut into `cells`; none where it is no UTF-8.
    pub(super) fn cells<'a>(
        &'a mut self,
        line: u64,
        record: &'a [u8],
        cells: &'a [Bounds],
        quoted: bool,
    ) -> Option<Cells<'a>> {
        let (text, bounds) = if quoted {
            self.unquote(record, cells.len())
        } else {
            (record, cells)
        };
        let text = std::str::from_utf8(text).ok()?;
        Some(Cells::new(line, text, bounds, &[]))
    }

    /// The cells of a whole record of so many, and where they lie.
    fn unquote(&mut self, record: &[u8], cells: usize) -> (&[u8], &[Bounds]) {
        self.text.resize(self.text.len().max(record.len()), 0);
        self.ends.resize(self.ends.len().max(cells + 1), 0);
        // The whole record, then the line end that completes it: room for both was made.
        let (_, _, text, ends) = self
            .reader
            .read_record(record, &mut self.text, &mut self.ends);
        let (_, _, more, last) =
            self.reader
                .read_record(b"\n", &mut self.text[text..], &mut self.ends[ends..]);
        self.bounds.clear();
        let mut from = 0;
        for end in &self.ends[..ends + last] {
            self.bounds.push((from, *end));
            from = *end;
        }
        (&self.text[..text + more], &self.bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_taken_off() {
        let mut unquoter = Unquoter::new(b';');
        for (record, cells) in [
            ("\u{feff};\"a;b\"", vec!["\u{feff}", "a;b"]),
            ("1;\"a;b\"", vec!["1", "a;b"]),
            ("\"1\";\"say \"\"hi\"\"\"", vec!["1", "say \"hi\""]),
            ("\"a\r\nb\";", vec!["a\r\nb", ""]),
            ("\"\"", vec![""]),
            ("\"a\rb\";\"\";c", vec!["a\rb", "", "c"]),
        ] {
            let (text, bounds) = unquoter.unquote(record.as_bytes(), cells.len());
            let text = std::str::from_utf8(text).unwrap();
            let row = Cells::new(1, text, bounds, &[]);
            assert_eq!(row.len(), cells.len(), "{record:?}");
            for (position, cell) in cells.into_iter().enumerate() {
                assert_eq!(row.get(position), cell, "{record:?}");
            }
        }
    }
}
