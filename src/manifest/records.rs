//! A stream of bytes cut into records: rows of delimited text, where quotes may hold line breaks, or plain lines.
//!
//! Owns the bounds: a record ends after at most 1 MiB or 1,000 line breaks, so that a quote that is never closed neither
//! fills memory nor swallows the rows behind it. Where one is broken, reading goes on at the line after the one on which
//! its quote opened. Knows where cells lie, and not what they mean.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memchr2, memchr2_iter, memchr3};

use super::fault::Fault;

/// The most bytes of a record.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// The most line breaks inside one quoted cell.
const MOST_BREAKS: usize = 1_000;
const CHUNK: usize = 64 << 10;

/// Where one cell lies in its record.
pub(super) type Bounds = (usize, usize);

/// The next thing that a stream holds.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// A record without its line end; under a delimiter `cells` says where its cells lie, quotes and all.
    Record {
        line: u64,
        bytes: &'a [u8],
        cells: &'a [Bounds],
        /// Whether a cell is quoted.
        quoted: bool,
    },
    /// A record that has no certain end, with the cells in front of the broken one.
    Broken {
        line: u64,
        fault: Fault,
        bytes: &'a [u8],
        cells: &'a [Bounds],
    },
}

/// A stream of records.
pub(super) struct Records {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    line: u64,
    /// What stands between cells; without it each line is one record and a quote is nothing special.
    delimiter: Option<u8>,
    cells: Vec<Bounds>,
    /// What stood in front of a broken cell.
    front: Vec<u8>,
}

enum Found {
    /// The record is that long.
    Record { length: usize, quoted: bool },
    /// Its end is not among these bytes.
    More,
    /// The quote at `open` is closed and text follows at `stray`, or it is not closed within bounds.
    Broken { open: usize, stray: Option<usize> },
    /// It has more bytes than a record may have.
    TooLong,
}

impl Records {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            line: 1,
            delimiter: None,
            cells: Vec::new(),
            front: Vec::new(),
        }
    }

    /// What stands between the cells from here on.
    pub(super) fn split_at(&mut self, delimiter: u8) {
        self.delimiter = Some(delimiter);
    }

    /// The line that comes next.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The bytes that come next, as many as fit into one chunk, without consuming them.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        while !self.ended && self.end - self.start < CHUNK {
            self.fill()?;
        }
        Ok(self.ahead())
    }

    /// The next record; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        if !self.skip_breaks()? {
            return Ok(None);
        }
        let found = loop {
            match self.scan() {
                Found::More => self.fill()?,
                found => break found,
            }
        };
        let line = self.line;
        let start = self.start;
        match found {
            Found::Record { length, quoted } => {
                if quoted {
                    self.line += breaks(&self.buffer[start..start + length]);
                }
                self.start += length;
                Ok(Some(Piece::Record {
                    line,
                    bytes: &self.buffer[start..start + length],
                    cells: &self.cells,
                    quoted,
                }))
            }
            Found::Broken { open, stray } => {
                let at = line + breaks(&self.buffer[start..start + open]);
                let fault = self.quote_fault(at, open, stray);
                self.front.clear();
                self.front
                    .extend_from_slice(&self.buffer[start..start + open]);
                self.line = at;
                self.start += open;
                self.skip_line()?;
                Ok(Some(Piece::Broken {
                    line,
                    fault,
                    bytes: &self.front,
                    cells: &self.cells,
                }))
            }
            Found::More | Found::TooLong => {
                self.skip_line()?;
                let fault = Fault::new(line, "row-too-long", "is longer than 1 MiB, and no row is")
                    .hint("Is this a manifest? Each row stands on a line of its own.");
                Ok(Some(Piece::Broken {
                    line,
                    fault,
                    bytes: &[],
                    cells: &[],
                }))
            }
        }
    }

    fn quote_fault(&self, line: u64, open: usize, stray: Option<usize>) -> Fault {
        let bytes = self.ahead();
        let from = bytes[..open]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |at| at + 1);
        let to = memchr2(b'\n', b'\r', &bytes[open..]).map_or(bytes.len(), |at| open + at);
        let to = to.min(open + 4_096);
        let text = |from: usize, to: usize| String::from_utf8_lossy(&bytes[from..to]).into_owned();
        let (fault, mark) = match stray {
            Some(stray) if stray < to => (
                Fault::new(line, "quote-stray", "has text behind its closing quote")
                    .hint("Write each quote inside a quoted cell twice: \"\"."),
                stray,
            ),
            _ => (
                Fault::new(line, "quote-unclosed", "has a quote that opens here and is never closed")
                    .hint("Close the quote, and write each quote inside a quoted cell twice: \"\". Reading went on at the next line."),
                open,
            ),
        };
        let (before, marked) = (text(from, mark), text(mark, mark + 1));
        let shown = format!("{before}{marked}{}", text(mark + 1, to));
        let mark = before.len()..before.len() + marked.len();
        Fault {
            column: Some(self.cells.len() as u64 + 1),
            ..fault.shows(&shown, Some(mark))
        }
    }

    fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn scan(&mut self) -> Found {
        self.cells.clear();
        let bytes = &self.buffer[self.start..self.end];
        match self.delimiter {
            Some(delimiter) => scan_row(bytes, delimiter, self.ended, &mut self.cells),
            None => match memchr2(b'\n', b'\r', bytes) {
                Some(length) if length <= MOST_BYTES => Found::Record {
                    length,
                    quoted: false,
                },
                None if bytes.len() <= MOST_BYTES && !self.ended => Found::More,
                None if bytes.len() <= MOST_BYTES => Found::Record {
                    length: bytes.len(),
                    quoted: false,
                },
                _ => Found::TooLong,
            },
        }
    }

    /// Reads on. Whether something came is told by `end`; that nothing will come any more, by `ended`.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let wanted = self.end + CHUNK.max(self.end);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < wanted {
            match self.input.read(&mut self.buffer[self.end..wanted]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Passes over line ends and empty lines; whether anything comes behind them.
    fn skip_breaks(&mut self) -> io::Result<bool> {
        loop {
            match *self.ahead() {
                [b'\r', b'\n', ..] => self.start += 2,
                [b'\r'] if !self.ended => {
                    self.fill()?;
                    continue;
                }
                [b'\n' | b'\r', ..] => self.start += 1,
                [] if self.ended => return Ok(false),
                [] => {
                    self.fill()?;
                    continue;
                }
                _ => return Ok(true),
            }
            self.line += 1;
        }
    }

    /// Passes over the rest of this line, its end excluded.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr2(b'\n', b'\r', self.ahead()) {
                self.start += at;
                return Ok(());
            }
            self.start = self.end;
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

/// The cells of the first row of a text, quotes and all, as far as they can be told.
pub(super) fn cut_row(bytes: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let mut cells = Vec::new();
    scan_row(bytes, delimiter, true, &mut cells);
    cells
        .into_iter()
        .map(|(from, to)| &bytes[from..to])
        .collect()
}

fn scan_row(bytes: &[u8], delimiter: u8, ended: bool, cells: &mut Vec<Bounds>) -> Found {
    let mut at = 0;
    let mut any_quoted = false;
    loop {
        let cell = at;
        if bytes.get(at) == Some(&b'"') {
            any_quoted = true;
            at = match quoted_cell(bytes, at, delimiter, ended) {
                Ok(end) => end,
                Err(found) => return found,
            };
        } else {
            match memchr3(delimiter, b'\n', b'\r', &bytes[at..]) {
                Some(length) => at += length,
                None if bytes.len() > MOST_BYTES => return Found::TooLong,
                None if !ended => return Found::More,
                None => at = bytes.len(),
            }
        }
        cells.push((cell, at));
        if at > MOST_BYTES {
            return Found::TooLong;
        }
        if bytes.get(at) != Some(&delimiter) {
            return Found::Record {
                length: at,
                quoted: any_quoted,
            };
        }
        at += 1;
    }
}

/// The end of the quoted cell that begins at `open`, just behind its closing quote.
fn quoted_cell(bytes: &[u8], open: usize, delimiter: u8, ended: bool) -> Result<usize, Found> {
    let unclosed = Found::Broken { open, stray: None };
    let mut at = open + 1;
    let end = loop {
        match memchr(b'"', &bytes[at..]) {
            Some(length) => at += length + 1,
            None if ended => return Err(unclosed),
            None if exceeds(&bytes[open..]) => return Err(unclosed),
            None => return Err(Found::More),
        }
        match bytes.get(at) {
            Some(b'"') => at += 1,
            Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => break at,
            Some(_) => {
                return Err(Found::Broken {
                    open,
                    stray: Some(at),
                });
            }
            None if ended => break at,
            None if exceeds(&bytes[open..]) => return Err(unclosed),
            None => return Err(Found::More),
        }
    };
    if exceeds(&bytes[open..end]) {
        return Err(unclosed);
    }
    Ok(end)
}

fn exceeds(cell: &[u8]) -> bool {
    cell.len() > MOST_BYTES || cell.len() > MOST_BREAKS && breaks(cell) > MOST_BREAKS as u64
}

/// How many line ends stand in `bytes`, `\r\n` being one.
fn breaks(bytes: &[u8]) -> u64 {
    memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| bytes[*at] == b'\r' || *at == 0 || bytes[at - 1] != b'\r')
        .count() as u64
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Hands out its bytes one at a time: nothing may depend on where a chunk ends.
    struct Drops(Vec<u8>, usize);

    impl Read for Drops {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match (self.0.get(self.1), into.first_mut()) {
                (Some(byte), Some(place)) => {
                    *place = *byte;
                    self.1 += 1;
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    fn pieces(text: &str) -> Vec<(u64, String)> {
        let mut records = Records::new(Box::new(Drops(text.as_bytes().to_vec(), 0)));
        records.split_at(b',');
        let mut found = Vec::new();
        while let Some(piece) = records.next().unwrap() {
            found.push(match piece {
                Piece::Record {
                    line, bytes, cells, ..
                } => {
                    let cells: Vec<_> = cells
                        .iter()
                        .map(|(from, to)| String::from_utf8(bytes[*from..*to].to_vec()).unwrap())
                        .collect();
                    (line, cells.join("·"))
                }
                Piece::Broken { fault, bytes, .. } => (
                    fault.line,
                    format!("{} {}", fault.rule, String::from_utf8_lossy(bytes)),
                ),
            });
        }
        found
    }

    fn owned(pieces: &[(u64, &str)]) -> Vec<(u64, String)> {
        pieces
            .iter()
            .map(|(line, text)| (*line, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn any_line_end_ends_a_record_and_counts_as_one_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "1,\"x", "y\"", "2,", "3"].join(end);
            let quoted = format!("1·\"x{end}y\"");
            let expected = owned(&[(1, "a·b"), (3, &quoted), (5, "2·"), (6, "3")]);
            assert_eq!(pieces(&text), expected, "{end:?}");
        }
    }

    #[test]
    fn an_unclosed_quote_swallows_no_row_behind_it() {
        let mut text = "1,a\n2,\"b\n".to_owned();
        for row in 3..5_000 {
            writeln!(text, "{row},c").unwrap();
        }
        let found = pieces(&text);
        assert_eq!(found.len(), 4_999);
        assert_eq!(found[1], (2, "quote-unclosed 2,".to_owned()));
        assert_eq!(found[2], (3, "3·c".to_owned()));
        assert_eq!(found[4_998], (4_999, "4999·c".to_owned()));
    }

    #[test]
    fn a_quote_that_the_next_row_closes_is_found_too() {
        assert_eq!(
            pieces("1,\"a\n2,\"b\"\n3,c"),
            owned(&[(1, "quote-unclosed 1,"), (2, "2·\"b\""), (3, "3·c")])
        );
    }

    #[test]
    fn a_quote_inside_a_quoted_cell_must_be_written_twice() {
        assert_eq!(
            pieces("1,\"say \"hi\"\"\n2,\"say \"\"hi\"\"\"\n3,say \"hi\""),
            owned(&[
                (1, "quote-stray 1,"),
                (2, "2·\"say \"\"hi\"\"\""),
                (3, "3·say \"hi\"")
            ])
        );
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let text = format!("1,{}\n2,b", "a".repeat(3 * MOST_BYTES));
        assert_eq!(pieces(&text), owned(&[(1, "row-too-long "), (2, "2·b")]));
    }
}
