//! A report as a workbook.
//!
//! Owns its sheet. Every cell is text and is marked as such, so that a spreadsheet neither rounds an id nor runs a formula.
//! Rows go to a file as they come: memory does not grow with them.

use std::{
    collections::BTreeMap,
    io::{self, Seek, Write},
};

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::columns::{Columns, Header};
use crate::{journal::Export, manifest::restored, row::Source};

/// A workbook that is being written.
pub(super) struct Book {
    workbook: Workbook,
    header: Header,
    text: Format,
    row: u32,
}

impl Book {
    /// Writes the header.
    pub(super) fn begin(columns: Columns, sources: &BTreeMap<i64, Source>) -> io::Result<Self> {
        let mut workbook = Workbook::new();
        let text = Format::new().set_num_format("@");
        let header = columns.header(sources);
        let sheet = workbook
            .add_worksheet_with_constant_memory()
            .map_err(failed)?;
        sheet.set_name("altfill").map_err(failed)?;
        // What is typed into an empty cell later stays text too.
        for (column, _) in (0..).zip(header.names()) {
            sheet.set_column_format(column, &text).map_err(failed)?;
        }
        let mut book = Self {
            workbook,
            header,
            text,
            row: 0,
        };
        let names: Vec<String> = book.header.names().map(str::to_owned).collect();
        book.write_row(names)?;
        Ok(book)
    }

    pub(super) fn write(
        &mut self,
        item: &Export,
        sources: &BTreeMap<i64, Source>,
    ) -> io::Result<()> {
        let cells: Vec<String> = self.header.row(item, sources).collect();
        self.write_row(cells.into_iter().map(guarded))
    }

    fn write_row(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        for (column, cell) in (0..).zip(cells) {
            if !cell.is_empty() {
                sheet
                    .write_string_with_format(self.row, column, cell, &self.text)
                    .map_err(failed)?;
            }
        }
        self.row += 1;
        Ok(())
    }

    pub(super) fn end(mut self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        // A workbook is written here and there, and what is asked for may be a pipe.
        let mut file = tempfile::tempfile()?;
        self.workbook.save_to_writer(&mut file).map_err(failed)?;
        file.rewind()?;
        io::copy(&mut file, out)?;
        out.flush()
    }
}

/// On the way in an apostrophe before a formula is taken off: one that is the text's own gets another.
fn guarded(cell: String) -> String {
    if restored(&cell) == cell {
        cell
    } else {
        format!("'{cell}")
    }
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        XlsxError::RowColumnLimitError => io::Error::other(
            "a sheet holds 1,048,576 rows and 16,384 columns at most: write it with --format csv",
        ),
        XlsxError::MaxStringLengthExceeded => io::Error::other(
            "a workbook's cell holds 32,767 characters at most: write it with --format csv",
        ),
        other => io::Error::other(other),
    }
}
