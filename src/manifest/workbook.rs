//! A spreadsheet in XLSX: its first sheet, or the one asked for, as rows of cells.
//!
//! Owns the thread that reads it, so that rows stream, and the bounds: a workbook whose parts unfold without end is refused
//! before it is opened. Tells numbers from texts and gives no cell a meaning.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use calamine::{DataRef, Reader, Xlsx};
use memchr::memrchr;

use super::{
    Error,
    cells::{Cells, Mark},
    fault::excerpt,
    input::{Bomb, is_bomb, read_error},
    records::{Bounds, MOST_BYTES},
};

/// The most bytes that all parts of a workbook may unfold to.
const MOST_UNFOLDED: u64 = 4 << 30;
/// The most bytes of a part that is held in memory: all but the sheets.
const MOST_HELD: u64 = 256 << 20;
/// Up to here a part may unfold as it likes, beyond it to so many times its size.
const FREE: u64 = 16 << 20;
const MOST_RATIO: u64 = 100;
/// The columns of the widest sheet that Excel knows.
const MOST_COLUMNS: usize = 16_384;
const ROWS_AHEAD: usize = 64;

/// One row, on its way out of the thread.
#[derive(Default)]
pub(super) struct SheetRow {
    line: u64,
    text: String,
    bounds: Vec<Bounds>,
    marks: Vec<Mark>,
}

impl SheetRow {
    pub(super) fn cells(&self) -> Cells<'_> {
        Cells::new(self.line, &self.text, &self.bounds, &self.marks)
    }
}

enum Told {
    Row(SheetRow),
    Failed(Error),
    End,
}

/// A sheet that is being read.
pub(super) struct Sheet {
    rows: Receiver<Told>,
    file: String,
}

impl Sheet {
    /// Begins to read; `wanted` is the sheet's name, without which it is the first.
    pub(super) fn open(book: File, wanted: Option<&str>, file: &str) -> Self {
        let (sender, rows) = sync_channel(ROWS_AHEAD);
        let wanted = wanted.map(str::to_owned);
        let name = file.to_owned();
        thread::spawn(move || {
            let last = match read(book, wanted.as_deref(), &name, &sender) {
                Ok(()) => Told::End,
                Err(error) => Told::Failed(error),
            };
            // Where nobody listens any more there is nobody to tell.
            drop(sender.send(last));
        });
        Self {
            rows,
            file: file.to_owned(),
        }
    }

    /// The next row that has a cell; none at the end.
    pub(super) fn next(&self) -> Result<Option<SheetRow>, Error> {
        match self.rows.recv() {
            Ok(Told::Row(row)) => Ok(Some(row)),
            Ok(Told::End) => Ok(None),
            Ok(Told::Failed(error)) => Err(error),
            // The thread died over a file that its reader cannot stand.
            Err(_) => Err(damaged(&self.file, "it cannot be read")),
        }
    }
}

/// The error for a workbook that cannot be read; in `why` its own bytes may stand.
fn damaged(file: &str, why: &str) -> Error {
    let why = excerpt(why, None);
    Error::Foreign {
        file: file.to_owned(),
        what: format!(
            "is a damaged XLSX workbook ({why}): open it in a spreadsheet and save it again, or save it as CSV UTF-8"
        ),
    }
}

fn read(
    book: File,
    wanted: Option<&str>,
    file: &str,
    sender: &SyncSender<Told>,
) -> Result<(), Error> {
    let failed = |error: calamine::XlsxError| match error {
        calamine::XlsxError::Io(source) => read_error(source, file, 0),
        other => damaged(file, &other.to_string()),
    };
    let book = weigh(book, file)?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(book)).map_err(failed)?;
    let sheets = book.sheet_names();
    let sheet = match wanted {
        Some(wanted) => sheets.iter().find(|sheet| *sheet == wanted),
        None => sheets.first(),
    };
    let Some(sheet) = sheet.cloned() else {
        return Err(Error::NoSuchSheet {
            file: file.to_owned(),
            sheet: wanted.unwrap_or_default().to_owned(),
            sheets: sheets
                .iter()
                .map(|sheet| excerpt(sheet, None))
                .collect::<Vec<_>>()
                .join(", "),
        });
    };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(failed)?;
    let mut row = SheetRow::default();
    while let Some(cell) = cells.next_cell().map_err(failed)? {
        let (line, column) = cell.get_position();
        let line = u64::from(line) + 1;
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= MOST_COLUMNS {
            return Err(damaged(file, "it has a cell beyond the last column"));
        }
        // No spreadsheet writes them so, and a row could come in pieces.
        if line < row.line {
            return Err(damaged(file, "its rows are out of order"));
        }
        if line != row.line && !row.bounds.is_empty() {
            let full = std::mem::take(&mut row);
            if sender.send(Told::Row(full)).is_err() {
                return Ok(());
            }
        }
        row.line = line;
        put(&mut row, column, cell.get_value());
        if row.text.len() > MOST_BYTES {
            return Err(damaged(file, "it has a row of more than 1 MiB"));
        }
    }
    if !row.bounds.is_empty() {
        drop(sender.send(Told::Row(row)));
    }
    Ok(())
}

fn put(row: &mut SheetRow, column: usize, value: &DataRef) {
    let number;
    let (text, mark) = match value {
        DataRef::Empty => return,
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            (text.as_str(), Mark::Text)
        }
        DataRef::SharedString(text) => (*text, Mark::Text),
        DataRef::Bool(true) => ("true", Mark::Text),
        DataRef::Bool(false) => ("false", Mark::Text),
        DataRef::Int(value) => {
            number = value.to_string();
            (number.as_str(), Mark::Number)
        }
        DataRef::Float(value) => {
            number = value.to_string();
            (number.as_str(), Mark::Number)
        }
        DataRef::DateTime(moment) => {
            number = date(moment);
            (number.as_str(), Mark::Text)
        }
        DataRef::Error(error) => {
            number = error.to_string();
            (number.as_str(), Mark::Failed)
        }
    };
    let from = row.text.len();
    if row.bounds.len() <= column {
        row.bounds.resize(column + 1, (from, from));
        row.marks.resize(column + 1, Mark::Text);
    }
    row.text.push_str(text);
    row.bounds[column] = (from, row.text.len());
    row.marks[column] = mark;
}

/// A date of a spreadsheet, which knows no time zone.
fn date(moment: &calamine::ExcelDateTime) -> String {
    if moment.is_datetime() {
        let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    } else {
        moment.as_f64().to_string()
    }
}

/// Unfolds all parts once without keeping them, and refuses a workbook that has one beyond the bounds.
fn weigh(book: File, file: &str) -> Result<File, Error> {
    let zip_error = |error: zip::result::ZipError| damaged(file, &error.to_string());
    let bomb = || read_error(io::Error::other(Bomb), file, 0);
    let mut archive = zip::ZipArchive::new(BufReader::new(book)).map_err(zip_error)?;
    let mut unfolded = 0;
    let mut held = 0;
    let mut is_workbook = false;
    let mut is_open_document = false;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(zip_error)?;
        let name = part.name().map_err(zip_error)?.to_ascii_lowercase();
        is_workbook |= name.ends_with("workbook.xml");
        is_open_document |= name == "content.xml";
        let is_sheet = name.contains("worksheets/");
        let size = part.compressed_size();
        let length = measure(&mut part, size).map_err(|source| {
            if is_bomb(&source) {
                read_error(source, file, 0)
            } else {
                damaged(file, &source.to_string())
            }
        })?;
        unfolded += length;
        if !is_sheet {
            held += length;
        }
        if unfolded > MOST_UNFOLDED || held > MOST_HELD {
            return Err(bomb());
        }
    }
    if is_workbook {
        Ok(archive.into_inner().into_inner())
    } else {
        Err(Error::Foreign {
            file: file.to_owned(),
            what: if is_open_document {
                "is an OpenDocument spreadsheet: save it as XLSX or as CSV UTF-8".to_owned()
            } else {
                "is a ZIP archive and no XLSX workbook: unpack it first".to_owned()
            },
        })
    }
}

/// How many bytes a part unfolds to. Between two tags stands one cell at most: a longer stretch is refused too.
fn measure(part: &mut impl Read, size: u64) -> io::Result<u64> {
    let mut chunk = vec![0; 64 << 10];
    let mut length: u64 = 0;
    let mut since_tag = 0;
    loop {
        let count = match part.read(&mut chunk) {
            Ok(0) => return Ok(length),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        length += count as u64;
        since_tag = match memrchr(b'<', &chunk[..count]) {
            Some(at) => count - at,
            None => since_tag + count,
        };
        if since_tag > 4 * MOST_BYTES
            || length > FREE && length / MOST_RATIO > size
            || length > MOST_UNFOLDED
        {
            return Err(io::Error::other(Bomb));
        }
    }
}
