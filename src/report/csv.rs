//! A report as delimited text.
//!
//! Owns its form: the delimiter and byte order mark of the first manifest. A cell that a spreadsheet would run as a
//! formula is neutralised, as the manifest's room has it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::columns::{Columns, Header};
use crate::{
    journal::Export,
    manifest::neutralised,
    row::{Form, Source},
};

/// A table that is being written.
pub(super) struct Table<'o> {
    writer: ::csv::Writer<&'o mut (dyn Write + Send)>,
    header: Header,
}

impl<'o> Table<'o> {
    /// Writes the header.
    pub(super) fn begin(
        columns: Columns,
        sources: &BTreeMap<i64, Source>,
        out: &'o mut (dyn Write + Send),
    ) -> io::Result<Self> {
        let (delimiter, mark) = match columns.first_form(sources) {
            Some(Form::Delimited { delimiter, mark }) => (delimiter, mark),
            _ => (b',', false),
        };
        if mark {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let header = columns.header(sources);
        let mut writer = ::csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(out);
        writer.write_record(header.names())?;
        Ok(Self { writer, header })
    }

    pub(super) fn write(
        &mut self,
        item: &Export,
        sources: &BTreeMap<i64, Source>,
    ) -> io::Result<()> {
        let record: Vec<String> = self
            .header
            .row(item, sources)
            .map(|cell| neutralised(&cell).into_owned())
            .collect();
        Ok(self.writer.write_record(record)?)
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
