//! What one row of a manifest says, once it is known to be valid: the hand-over from the manifest to the journal.
//!
//! Owns [`Row`] and [`Source`], where it came from. Both are data: who reads them and who keeps them stands elsewhere.

use crate::{item::MediaId, metadata::Patch};

/// One valid row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line of the file on which it begins, counted from 1.
    pub line: u64,
    /// The item it speaks of.
    pub media_id: MediaId,
    /// What it says of it.
    pub patch: Patch,
    /// Its cells as they were written, as JSON, for a report that goes back: for a row under a header an array that
    /// matches [`Source::columns`], with `null` for each cell that can be written again from the item's wanted metadata
    /// and id; for a JSON object the keys that are no field. `None` where every cell is of the first kind.
    pub carried: Option<Box<str>>,
}

/// The form of a manifest, so that a report on it can have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Delimited text under a header: the delimiter, and whether a byte order mark came first.
    Delimited {
        /// What stands between two cells.
        delimiter: u8,
        /// Whether the file began with a byte order mark.
        mark: bool,
    },
    /// One JSON object a line.
    #[default]
    JsonLines,
    /// A spreadsheet.
    Workbook,
}

/// One manifest, as it introduces itself before its first row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Its path as it was given, or `-`.
    pub name: String,
    /// Its form.
    pub form: Form,
    /// The columns of its header as they are written, in order; none for JSON lines.
    pub columns: Vec<String>,
    /// Which of the columns are no field and are only carried into reports.
    pub carried: Vec<String>,
}
