//! Manifests: files of media ids and the metadata each shall have, as media teams really have them.
//!
//! Owns [`Manifest`], which streams a file's rows, each valid or with everything that is wrong with it. The way of a row:
//! [`input`] opens and unpacks, [`encoding`] brings into UTF-8, [`records`] cuts (or [`workbook`] does), [`header`] says
//! what the columns mean, [`rows`] or [`json_lines`] reads into a [`draft`], and the domain judges. Never prints, and holds
//! one record in memory, whatever the file's length.

mod body;
mod cells;
mod delimiter;
mod draft;
mod duplicates;
mod encoding;
mod error;
mod fault;
mod header;
mod id;
mod ids;
mod input;
mod json;
mod json_lines;
pub mod lint;
mod mojibake;
mod notice;
mod options;
mod records;
mod render;
mod rows;
mod target;
mod url;
mod workbook;

use std::{io::Read, path::Path};

use self::{
    body::{Body, not_utf_8},
    cells::{Cells, Unquoter},
    ids::Ids,
    input::{Input, read_error},
    json_lines::JsonLines,
    notice::Tally,
    records::{Piece, Records},
    rows::Rows,
    workbook::Sheet,
};
pub use self::{
    duplicates::{Contradiction, Duplicates, contradiction},
    error::{Error, NamedColumn},
    fault::{Fault, Invalid, excerpt},
    notice::Notice,
    options::Options,
    render::{cell, neutralised, render, restored},
    target::Target,
};
use crate::row::{Form, Row, Source};

/// One row of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A valid one; where it names no field its patch is empty.
    Row(Row),
    /// One that breaks a rule.
    Invalid(Invalid),
}

/// A manifest that is being read.
pub struct Manifest {
    source: Source,
    body: Body,
    ids: Ids,
    tally: Tally,
    ended: bool,
}

impl Manifest {
    /// Opens a manifest and reads its header; `-` is standard input. Blocks until its first bytes are there.
    ///
    /// # Errors
    /// Why it cannot be read as a whole.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let name = path.display().to_string();
        let input = input::open(path, &name)?;
        Self::over(input, name, options)
    }

    /// Begins to read the bytes of a manifest that stands in no file; `name` is what messages call it.
    ///
    /// # Errors
    /// Why it cannot be read as a whole.
    pub fn read(
        name: &str,
        bytes: impl Read + Send + 'static,
        options: &Options,
    ) -> Result<Self, Error> {
        let input = input::sort(Box::new(bytes), None, name)?;
        Self::over(input, name.to_owned(), options)
    }

    fn over(input: Input, name: String, options: &Options) -> Result<Self, Error> {
        match input {
            Input::Workbook(book) => Self::workbook(book, name, options),
            Input::Text(input) => {
                let text = encoding::decode(input, options.encoding.as_deref(), &name)?;
                let mut records = Records::new(text.input);
                let start = records
                    .peek()
                    .map_err(|source| read_error(source, &name, 0))?;
                if is_json_lines(start, &name)? {
                    Self::lines(records, name, options)
                } else {
                    let (delimiter, told) = delimiter::find(start, options);
                    Self::delimited(records, delimiter, told, text.mark, name, options)
                }
            }
        }
    }

    /// How the manifest introduces itself. For JSON lines `carried` grows while they are read.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// What was noticed since the last time: best asked for at the end, when each is counted.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.tally.drain()
    }

    fn lines(records: Records, name: String, options: &Options) -> Result<Self, Error> {
        let lines = Box::new(JsonLines::new(options.clone())?);
        let source = Source {
            name,
            form: Form::JsonLines,
            ..Source::default()
        };
        Ok(Self::new(source, Body::Lines { records, lines }))
    }

    fn delimited(
        mut records: Records,
        delimiter: u8,
        told: bool,
        mark: bool,
        name: String,
        options: &Options,
    ) -> Result<Self, Error> {
        if told {
            records
                .next()
                .map_err(|source| read_error(source, &name, 0))?;
        }
        records.split_at(delimiter);
        let mut unquoter = Unquoter::new(delimiter);
        let rows = loop {
            let piece = records
                .next()
                .map_err(|source| read_error(source, &name, 0))?;
            match piece {
                None => return Err(Error::Empty { file: name }),
                Some(Piece::Broken { fault, .. }) => {
                    return Err(Error::Header {
                        file: name,
                        fault: Box::new(fault),
                    });
                }
                Some(Piece::Record {
                    line,
                    bytes,
                    cells,
                    quoted,
                }) => {
                    let Some(cells) = unquoter.cells(line, bytes, cells, quoted) else {
                        let row = bytes.to_vec();
                        return Err(not_utf_8(&name, line, &row, &mut records));
                    };
                    if !cells.is_blank() {
                        break Self::rows(&cells, options, &name)?;
                    }
                }
            }
        };
        let form = Form::Delimited { delimiter, mark };
        Ok(Self::under_header(name, form, rows, |rows| {
            Body::Delimited {
                records,
                unquoter,
                rows,
            }
        }))
    }

    fn workbook(book: std::fs::File, name: String, options: &Options) -> Result<Self, Error> {
        let sheet = Sheet::open(book, options.sheet.as_deref(), &name);
        let rows = loop {
            match sheet.next()? {
                None => return Err(Error::Empty { file: name }),
                Some(row) if row.cells().is_blank() => {}
                Some(row) => break Self::rows(&row.cells(), options, &name)?,
            }
        };
        Ok(Self::under_header(name, Form::Workbook, rows, |rows| {
            Body::Workbook { sheet, rows }
        }))
    }

    fn rows(header: &Cells, options: &Options, name: &str) -> Result<Rows, Error> {
        let mut headers: Vec<_> = (0..header.len())
            .map(|position| header.get(position))
            .collect();
        // Spreadsheets write empty columns behind the last one.
        while headers
            .last()
            .is_some_and(|header| header.trim().is_empty())
        {
            headers.pop();
        }
        let columns = header::resolve(&headers, options, name, header.line)?;
        Ok(Rows::new(columns, options, header.line))
    }

    fn under_header(name: String, form: Form, rows: Rows, body: impl FnOnce(Rows) -> Body) -> Self {
        let headers = |only: fn(&Target) -> bool| -> Vec<String> {
            rows.columns()
                .filter(|column| only(&column.target))
                .map(|column| column.header.clone())
                .collect()
        };
        let source = Source {
            name,
            form,
            columns: headers(|_| true),
            carried: headers(|target| *target == Target::Carried),
        };
        let line = rows.header_line();
        let mut manifest = Self::new(source, body(rows));
        manifest.notice_carried(line);
        manifest
    }

    fn new(source: Source, body: Body) -> Self {
        Self {
            source,
            body,
            ids: Ids::default(),
            tally: Tally::default(),
            ended: false,
        }
    }

    fn notice_carried(&mut self, line: u64) {
        if !self.source.carried.is_empty() {
            self.tally.say(Notice::carried(&self.source.carried, line));
        }
    }

    /// Says what can only be said at the end.
    fn close(&mut self) -> Option<Error> {
        if let Body::Lines { lines, .. } = &mut self.body {
            self.source.carried = std::mem::take(&mut lines.carried);
            self.notice_carried(1);
        }
        self.ids.verdict(&self.source.name)
    }
}

impl Iterator for Manifest {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self
            .body
            .advance(&self.source.name, &mut self.ids, &mut self.tally)
            .transpose();
        if !matches!(next, Some(Ok(_))) {
            self.ended = true;
        }
        next.or_else(|| self.close().map(Err))
    }
}

/// Whether a text is JSON lines: its first character is that of an object.
fn is_json_lines(start: &[u8], name: &str) -> Result<bool, Error> {
    let foreign = |what: &str| {
        Err(Error::Foreign {
            file: name.to_owned(),
            what: what.to_owned(),
        })
    };
    let text = start.trim_ascii_start();
    match text.first() {
        None => Err(Error::Empty {
            file: name.to_owned(),
        }),
        Some(b'[') => foreign(
            "is one JSON array, and JSON lines are wanted: one object a line, as jq -c '.[]' writes them",
        ),
        Some(b'{') => {
            let first = text
                .split(|byte| matches!(byte, b'\n' | b'\r'))
                .next()
                .unwrap_or_default();
            if first.trim_ascii() == b"{" {
                return foreign(
                    "is JSON over many lines, and JSON lines are wanted: one object a line, as jq -c . writes them",
                );
            }
            Ok(true)
        }
        Some(_) => {
            let lower = name.to_ascii_lowercase();
            Ok([".jsonl", ".ndjson"].iter().any(|end| {
                lower
                    .trim_end_matches(".gz")
                    .trim_end_matches(".zst")
                    .ends_with(end)
            }))
        }
    }
}
