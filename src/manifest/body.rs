//! What stands behind a manifest's header, in each of the three forms.
//!
//! Owns [`Body`], the step from one record to the next. What comes out is the same whatever the form.

use super::{
    Error, Invalid, Record,
    cells::Unquoter,
    encoding,
    ids::Ids,
    input::read_error,
    json_lines::JsonLines,
    notice::Tally,
    records::{Piece, Records},
    rows::Rows,
    workbook::Sheet,
};

/// A manifest behind its header.
pub(super) enum Body {
    /// Delimited text.
    Delimited {
        records: Records,
        unquoter: Unquoter,
        rows: Rows,
    },
    /// JSON lines.
    Lines {
        records: Records,
        lines: Box<JsonLines>,
    },
    /// A sheet.
    Workbook { sheet: Sheet, rows: Rows },
}

impl Body {
    /// The next row; none at the end.
    pub(super) fn advance(
        &mut self,
        file: &str,
        ids: &mut Ids,
        tally: &mut Tally,
    ) -> Result<Option<Record>, Error> {
        loop {
            let record = match self {
                Self::Workbook { sheet, rows } => match sheet.next()? {
                    None => return Ok(None),
                    Some(row) => rows.read(&row.cells(), ids, tally),
                },
                Self::Delimited {
                    records,
                    unquoter,
                    rows,
                } => match records.next() {
                    Err(error) => {
                        return Err(read_error(error, file, records.line()));
                    }
                    Ok(None) => return Ok(None),
                    Ok(Some(Piece::Broken {
                        line,
                        fault,
                        bytes,
                        cells,
                    })) => {
                        ids.row();
                        Some(Record::Invalid(rows.broken(line, fault, bytes, cells)))
                    }
                    Ok(Some(Piece::Record {
                        line,
                        bytes,
                        cells,
                        quoted,
                    })) => {
                        let Some(cells) = unquoter.cells(line, bytes, cells, quoted) else {
                            let row = bytes.to_vec();
                            return Err(not_utf_8(file, line, &row, records));
                        };
                        rows.read(&cells, ids, tally)
                    }
                },
                Self::Lines { records, lines } => match records.next() {
                    Err(error) => {
                        return Err(read_error(error, file, records.line()));
                    }
                    Ok(None) => return Ok(None),
                    Ok(Some(Piece::Broken { line, fault, .. })) => {
                        ids.row();
                        Some(Record::Invalid(Invalid {
                            line,
                            media_id: None,
                            faults: vec![fault],
                        }))
                    }
                    Ok(Some(Piece::Record { line, bytes, .. })) => {
                        let Ok(text) = std::str::from_utf8(bytes) else {
                            let row = bytes.to_vec();
                            return Err(not_utf_8(file, line, &row, records));
                        };
                        lines.read(line, text, ids, tally)
                    }
                },
            };
            if let Some(record) = record {
                return Ok(Some(record));
            }
        }
    }
}

/// The error for a row that is no UTF-8.
pub(super) fn not_utf_8(file: &str, line: u64, row: &[u8], records: &mut Records) -> Error {
    // What follows only helps the guess: where it cannot be read the row must do.
    let ahead = records.peek().unwrap_or_default();
    encoding::likely(file, line, row, ahead)
}
