//! The bytes of a manifest: a file or standard input, unpacked where its content says that it is packed.
//!
//! Owns the looking at the first bytes and the bounds on what packed data may unfold into. Never writes to disk, except that
//! a workbook that does not lie in a plain file is laid into a temporary one. Reads no text.

use std::{
    fs::File,
    io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Error;

/// Up to here packed data may unfold as it likes: it is streamed, and this costs a second at most.
const FREE: u64 = 64 << 20;
/// How many times its size packed data may unfold to beyond that: texts come to a tenth of this.
const MOST_RATIO: u64 = 500;
/// The largest workbook that is taken from standard input or out of packed data.
const MOST_WORKBOOK: u64 = 512 << 20;
/// 32 MiB: the most that a packed file may want to look back, so that memory stays bounded.
const ZSTD_WINDOW_LOG: u32 = 25;

/// A manifest's bytes.
pub(super) enum Input {
    /// Those of a text.
    Text(Box<dyn Read + Send>),
    /// Those of a workbook.
    Workbook(File),
}

/// More was unfolded than is allowed; travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the packed data unfolds without end")]
pub(super) struct Bomb;

/// Opens a manifest by its path; `-` is standard input.
pub(super) fn open(path: &Path, file: &str) -> Result<Input, Error> {
    let failed = |source: io::Error| Error::Open {
        file: file.to_owned(),
        source,
    };
    if path.as_os_str() == "-" {
        return sort(Box::new(io::stdin()), None, file);
    }
    let opened = File::open(path).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::Folder {
            file: file.to_owned(),
        });
    }
    let again = opened.try_clone().map_err(failed)?;
    // What is written to it from here on is not waited for: somebody could write for ever. A file without a length, such as
    // those of a system's own file systems, has an end of its own.
    let length = Some(metadata.len()).filter(|length| metadata.is_file() && *length > 0);
    let bounded = opened.take(length.unwrap_or(u64::MAX));
    sort(Box::new(bounded), Some(again), file)
}

/// Tells by the first bytes what they are of. `plain` is the file itself where they are its own.
pub(super) fn sort(
    mut input: Box<dyn Read + Send>,
    plain: Option<File>,
    file: &str,
) -> Result<Input, Error> {
    let start = head(&mut input, file)?;
    let packed = |unpack: fn(Counted) -> io::Result<Box<dyn Read + Send>>, input, start| {
        let seen = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            input: chain(start, input),
            seen: Arc::clone(&seen),
        };
        let unpacked = unpack(counted).map_err(|source| read_error(source, file, 0))?;
        let mut bounded: Box<dyn Read + Send> = Box::new(Bounded {
            input: unpacked,
            unfolded: 0,
            seen,
        });
        let start = head(&mut bounded, file)?;
        plain_or_workbook(start, bounded, None, file)
    };
    match start.as_slice() {
        [0x1f, 0x8b, ..] => packed(
            |counted| Ok(Box::new(flate2::read::MultiGzDecoder::new(counted))),
            input,
            start,
        ),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => packed(
            |counted| {
                let mut decoder = zstd::Decoder::new(counted)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(Box::new(decoder))
            },
            input,
            start,
        ),
        _ => plain_or_workbook(start, input, plain, file),
    }
}

fn plain_or_workbook(
    start: Vec<u8>,
    input: Box<dyn Read + Send>,
    plain: Option<File>,
    file: &str,
) -> Result<Input, Error> {
    let foreign = |what: &str| {
        Err(Error::Foreign {
            file: file.to_owned(),
            what: what.to_owned(),
        })
    };
    match start.as_slice() {
        [] => Err(Error::Empty {
            file: file.to_owned(),
        }),
        [b'P', b'K', 3, 4, ..] => {
            let mut book = match plain.filter(is_seekable) {
                Some(book) => book,
                None => spool(chain(start, input), file)?,
            };
            book.seek(SeekFrom::Start(0))
                .map_err(|source| read_error(source, file, 0))?;
            Ok(Input::Workbook(book))
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => foreign(
            "is an old or a password-protected Excel file: save it as an XLSX workbook without a password, or as CSV UTF-8",
        ),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            foreign("is packed twice: unpack it once")
        }
        [b'%', b'P', b'D', b'F', ..] => {
            foreign("is a PDF: a manifest is CSV, TSV, JSON lines or XLSX")
        }
        _ => Ok(Input::Text(chain(start, input))),
    }
}

fn is_seekable(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

/// Lays a workbook into a temporary file: it has to be read at several places at once.
fn spool(input: Box<dyn Read + Send>, file: &str) -> Result<File, Error> {
    let failed = |source| read_error(source, file, 0);
    let mut book = tempfile::tempfile().map_err(failed)?;
    let length = io::copy(&mut input.take(MOST_WORKBOOK + 1), &mut book).map_err(failed)?;
    if length > MOST_WORKBOOK {
        return Err(Error::Foreign {
            file: file.to_owned(),
            what: "is a workbook of more than 512 MiB: save it as CSV UTF-8".to_owned(),
        });
    }
    Ok(book)
}

/// The first four bytes.
fn head(input: &mut Box<dyn Read + Send>, file: &str) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    input
        .take(4)
        .read_to_end(&mut start)
        .map_err(|source| read_error(source, file, 0))?;
    Ok(start)
}

fn chain(start: Vec<u8>, input: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    Box::new(Cursor::new(start).chain(input))
}

/// Whether an I/O error says that too much was unfolded.
pub(super) fn is_bomb(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Bomb>())
        .is_some()
}

/// What an I/O error behind `line` means for the manifest.
pub(super) fn read_error(source: io::Error, file: &str, line: u64) -> Error {
    let file = file.to_owned();
    if is_bomb(&source) {
        return Error::Bomb { file };
    }
    if let Some(malformed) = source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<super::encoding::Malformed>())
    {
        return Error::Malformed {
            file,
            expected: malformed.0,
            line,
        };
    }
    let source = match source.kind() {
        ErrorKind::UnexpectedEof => io::Error::new(
            ErrorKind::UnexpectedEof,
            "it ends too early: was it copied whole?",
        ),
        _ => source,
    };
    Error::Read { file, line, source }
}

struct Counted {
    input: Box<dyn Read + Send>,
    seen: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.seen.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

struct Bounded {
    input: Box<dyn Read + Send>,
    unfolded: u64,
    seen: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.unfolded += count as u64;
        let seen = self.seen.load(Ordering::Relaxed);
        if self.unfolded > FREE && self.unfolded / MOST_RATIO > seen {
            return Err(io::Error::other(Bomb));
        }
        Ok(count)
    }
}
