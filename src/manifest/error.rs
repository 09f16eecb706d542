//! Why a manifest as a whole cannot be read: each error says which file, what is the matter, and the cure.
//!
//! Owns [`Error`]. What is wrong with one row is a [`super::Fault`] and ends nothing.

use std::io;

use super::fault::Fault;

/// A column that is, or nearly is, a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    /// Its position, counted from 1.
    pub column: usize,
    /// Its header as it is written.
    pub header: String,
    /// The field.
    pub field: String,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened.
    #[error("{file}: cannot be opened: {source}. Check its name, and who may read it")]
    Open {
        /// The manifest.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is a folder.
    #[error("{file} is a folder: name a manifest in it")]
    Folder {
        /// The manifest.
        file: String,
    },
    /// It has no byte, or none that is more than white space.
    #[error("{file} is empty: a manifest has at least a header row")]
    Empty {
        /// The manifest.
        file: String,
    },
    /// Reading failed half-way.
    #[error("{file}: cannot be read on behind line {line}: {source}. Fetch or export it again")]
    Read {
        /// The manifest.
        file: String,
        /// The last line that was read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// It was written to while it was read.
    #[error(
        "{file} was changed while it was read, so its rows may be of two versions: run it again once it is written"
    )]
    Changed {
        /// The manifest.
        file: String,
    },
    /// It is something else than a manifest.
    #[error("{file} {what}")]
    Foreign {
        /// The manifest.
        file: String,
        /// What it is, and what to do.
        what: String,
    },
    /// Its packed data unfolds into far more than a manifest does.
    #[error(
        "{file} unfolds into far more than a manifest of its size does: is it a decompression bomb? Unpack it yourself if you trust it"
    )]
    Bomb {
        /// The manifest.
        file: String,
    },
    /// Its bytes are not of the encoding they should be.
    #[error(
        "{file}, line {line}, column {column}: these bytes are no {expected}. The file is likely {likely}: read so, the row is “{shown}”. If that is right, say --encoding {likely}"
    )]
    Encoding {
        /// The manifest.
        file: String,
        /// The line.
        line: u64,
        /// The position of the first such byte in its line, from 1.
        column: u64,
        /// The encoding that was expected.
        expected: &'static str,
        /// The encoding that it likely is.
        likely: &'static str,
        /// The row, read in that.
        shown: String,
    },
    /// Its bytes are not of the encoding that was asked for.
    #[error(
        "{file}: its bytes are no {expected} near line {line}: name another encoding with --encoding"
    )]
    Malformed {
        /// The manifest.
        file: String,
        /// The encoding that was expected.
        expected: &'static str,
        /// About the line.
        line: u64,
    },
    /// There is no encoding of that name.
    #[error(
        "there is no encoding {name:?}: known are utf-8, utf-16le, windows-1252, shift_jis and the others of the WHATWG Encoding Standard"
    )]
    NoSuchEncoding {
        /// The name.
        name: String,
    },
    /// Its header row is broken.
    #[error("{file}, {fault}")]
    Header {
        /// The manifest.
        file: String,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// No column names the media.
    #[error("{file}, line {line}: no column names the media. {cure}")]
    NoIdColumn {
        /// The manifest.
        file: String,
        /// The line of its header.
        line: u64,
        /// The ways to get ids.
        cure: String,
    },
    /// Two columns mean the same.
    #[error("{file}, line {line}: columns {} ({:?}) and {} ({:?}) both mean {}: remove one, or pass it over with --ignore {:?}", first.column, first.header, second.column, second.header, first.field, second.header)]
    SameColumnTwice {
        /// The manifest.
        file: String,
        /// The line of its header.
        line: u64,
        /// The first.
        first: Box<NamedColumn>,
        /// The second.
        second: Box<NamedColumn>,
    },
    /// Columns are nearly fields.
    #[error("{file}, line {line}: {}", near_misses(columns))]
    NearMisses {
        /// The manifest.
        file: String,
        /// The line of its header.
        line: u64,
        /// The columns.
        columns: Vec<NamedColumn>,
    },
    /// A mapping names no field.
    #[error(
        "--map {field}={header}: {field:?} is no field: it must be media_id, media_url, metadata, or a field such as alt_text"
    )]
    NoSuchField {
        /// What it names.
        field: String,
        /// The header.
        header: String,
    },
    /// A mapping names a header that the manifest does not have.
    #[error(
        "{file}, line {line}: no column is called {header:?}, as --map {field}={header} has it. Its columns are: {columns}"
    )]
    NoSuchHeader {
        /// The manifest.
        file: String,
        /// The line of its header.
        line: u64,
        /// The field that it should supply.
        field: String,
        /// The header.
        header: String,
        /// The columns that there are.
        columns: String,
    },
    /// A workbook has no such sheet.
    #[error("{file} has no sheet {sheet:?}: its sheets are {sheets}")]
    NoSuchSheet {
        /// The manifest.
        file: String,
        /// The sheet asked for.
        sheet: String,
        /// The sheets that there are.
        sheets: String,
    },
    /// Too many ids look rounded.
    #[error(
        "{file}: {count} of {rows} ids end in zeros behind their 15th digit (first on line {line}: {example}): a spreadsheet has rounded them, and their last digits are lost. Export again with the id column as text, not as a number"
    )]
    RoundedIds {
        /// The manifest.
        file: String,
        /// How many.
        count: u64,
        /// Of how many rows.
        rows: u64,
        /// The line of the first.
        line: u64,
        /// The first.
        example: String,
    },
}

fn near_misses(columns: &[NamedColumn]) -> String {
    const MOST: usize = 20;
    let mut each: Vec<_> = columns
        .iter()
        .take(MOST)
        .map(|near| {
            format!(
                "column {} ({:?}) is nearly {}",
                near.column, near.header, near.field
            )
        })
        .collect();
    if columns.len() > MOST {
        each.push(format!("and {} more", columns.len() - MOST));
    }
    let (it, header) = match columns {
        [one] => ("it", one.header.as_str()),
        _ => ("them", "COLUMN"),
    };
    format!(
        "{}: rename {it}, or say --ignore {header:?} to carry {it} along",
        each.join(", ")
    )
}
