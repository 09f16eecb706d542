//! The encoding of a manifest: brought into UTF-8 while it streams, by its byte order mark, its look or by name.
//!
//! Owns [`decode`], and [`likely`] for bytes that are not of the encoding they should be. Guesses only to tell, never to send.

use std::io::{self, Cursor, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::{Error, fault::excerpt, input::read_error};

const CHUNK: usize = 32 << 10;

/// Bytes that are not of this encoding; travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("these bytes are no {0}")]
pub(super) struct Malformed(pub(super) &'static str);

/// A text as UTF-8 bytes, not checked where it claims to be UTF-8 already.
pub(super) struct Text {
    pub(super) input: Box<dyn Read + Send>,
    /// Whether a byte order mark came first.
    pub(super) mark: bool,
}

/// Brings a text into UTF-8: a byte order mark rules, then the encoding asked for, then what looks like UTF-16.
pub(super) fn decode(
    mut input: Box<dyn Read + Send>,
    asked: Option<&str>,
    file: &str,
) -> Result<Text, Error> {
    let asked = asked
        .map(|name| {
            Encoding::for_label_no_replacement(name.trim().as_bytes()).ok_or_else(|| {
                Error::NoSuchEncoding {
                    name: name.to_owned(),
                }
            })
        })
        .transpose()?;
    let mut start = Vec::new();
    (&mut input)
        .take(1_024)
        .read_to_end(&mut start)
        .map_err(|source| read_error(source, file, 0))?;
    let marked = Encoding::for_bom(&start);
    if let Some((_, length)) = marked {
        start.drain(..length);
    }
    let encoding = marked
        .map(|(encoding, _)| encoding)
        .or(asked)
        .or_else(|| utf_16_by_look(&start))
        .unwrap_or(UTF_8);
    if encoding == UTF_8 && start.contains(&0) {
        return Err(Error::Foreign {
            file: file.to_owned(),
            what: "is no text: a manifest is CSV, TSV, JSON lines or XLSX".to_owned(),
        });
    }
    let input = Box::new(Cursor::new(start).chain(input));
    Ok(Text {
        input: if encoding == UTF_8 {
            input
        } else {
            Box::new(Transcoded::new(input, encoding))
        },
        mark: marked.is_some(),
    })
}

/// UTF-16 without a mark: the names of a header have a zero byte in every other place.
fn utf_16_by_look(start: &[u8]) -> Option<&'static Encoding> {
    let (pairs, _) = start.get(..8)?.as_chunks::<2>();
    if pairs.iter().all(|[a, b]| *a != 0 && *b == 0) {
        Some(UTF_16LE)
    } else if pairs.iter().all(|[a, b]| *a == 0 && *b != 0) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The error for a row that is no UTF-8: where, what it likely is, and how the row reads then. `ahead` is what follows it.
pub(super) fn likely(file: &str, line: u64, row: &[u8], ahead: &[u8]) -> Error {
    let valid = std::str::from_utf8(row)
        .err()
        .map_or(row.len(), |error| error.valid_up_to());
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(row, false);
    detector.feed(ahead, true);
    let likely = detector.guess(None, Utf8Detection::Deny);
    let (before, _) = likely.decode_without_bom_handling(&row[..valid]);
    let (shown, _) = likely.decode_without_bom_handling(row);
    let wrong = shown
        .get(before.len()..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    Error::Encoding {
        file: file.to_owned(),
        line,
        column: String::from_utf8_lossy(&row[..valid]).chars().count() as u64 + 1,
        expected: "UTF-8",
        likely: likely.name(),
        shown: excerpt(&shown, Some(before.len()..before.len() + wrong)),
    }
}

struct Transcoded {
    input: Box<dyn Read + Send>,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_from: usize,
    raw_to: usize,
    text: Vec<u8>,
    text_from: usize,
    text_to: usize,
    ended: bool,
    malformed: bool,
}

impl Transcoded {
    fn new(input: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; CHUNK],
            raw_from: 0,
            raw_to: 0,
            text: vec![0; CHUNK],
            text_from: 0,
            text_to: 0,
            ended: false,
            malformed: false,
        }
    }

    /// Decodes more; nothing any more once `ended`.
    fn advance(&mut self) -> io::Result<()> {
        if self.malformed {
            return Err(io::Error::other(Malformed(self.decoder.encoding().name())));
        }
        let mut last = false;
        if self.raw_from == self.raw_to {
            self.raw_from = 0;
            self.raw_to = self.input.read(&mut self.raw)?;
            last = self.raw_to == 0;
        }
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_from..self.raw_to],
            &mut self.text,
            last,
        );
        self.raw_from += read;
        self.text_from = 0;
        self.text_to = written;
        self.malformed = matches!(result, DecoderResult::Malformed(..));
        self.ended = last && result == DecoderResult::InputEmpty;
        Ok(())
    }
}

impl Read for Transcoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.text_from == self.text_to {
            if self.ended {
                return Ok(0);
            }
            self.advance()?;
        }
        let count = into.len().min(self.text_to - self.text_from);
        into[..count].copy_from_slice(&self.text[self.text_from..self.text_from + count]);
        self.text_from += count;
        Ok(count)
    }
}
