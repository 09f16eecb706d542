//! What stands between the cells of a delimited text, found by looking at its header.
//!
//! Owns [`find`]. The one under which the header names the most fields wins, then the one that gives more cells.

use super::{Options, header, records::cut_row, target::Target};

const CANDIDATES: [u8; 4] = *b",;\t|";

/// The delimiter, and whether a first line `sep=…`, which Excel writes and obeys, told it.
pub(super) fn find(start: &[u8], options: &Options) -> (u8, bool) {
    let mut lines = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| {
            line.iter()
                .any(|byte| byte.is_ascii_alphanumeric() || *byte > 127)
        });
    let Some(first) = lines.next() else {
        return (b',', false);
    };
    if let Some(told) = told(first) {
        return (told, true);
    }
    let from = first.as_ptr().addr() - start.as_ptr().addr();
    let header = &start[from..];
    let score = |delimiter: u8| {
        let cells = cut_row(header, delimiter);
        let known = cells
            .iter()
            .filter(|cell| {
                let cell = String::from_utf8_lossy(cell);
                let named = cell.trim().trim_matches('"');
                header::target(named, options).is_ok_and(|(target, _)| target != Target::Carried)
            })
            .count();
        (known, cells.len())
    };
    // Of equals the first wins.
    let best = CANDIDATES
        .into_iter()
        .rev()
        .max_by_key(|candidate| score(*candidate));
    (best.unwrap_or(b','), false)
}

fn told(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    match line {
        [s, e, p, b'=', delimiter] | [s, e, p, b'=', delimiter, b'"']
            if [*s, *e, *p].eq_ignore_ascii_case(b"sep")
                && !delimiter.is_ascii_alphanumeric()
                && delimiter.is_ascii() =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_delimiter() {
        let options = Options::default();
        for (start, delimiter) in [
            ("media_id,alt_text\n", b','),
            ("media_id;alt_text\n1;a, b, c, d\n", b';'),
            ("media_id\talt_text\n", b'\t'),
            ("media_id|alt_text", b'|'),
            ("\"media_id\";\"alt_text\"", b';'),
            ("media_id;note, with, commas, inside;alt_text", b';'),
            ("media_id;\"a\nb\";alt_text", b';'),
            ("\n;;;\nmedia_id;alt_text", b';'),
            ("media_id", b','),
            ("", b','),
        ] {
            assert_eq!(
                find(start.as_bytes(), &options),
                (delimiter, false),
                "{start:?}"
            );
        }
        assert_eq!(find(b"sep=;\nmedia_id;alt_text", &options), (b';', true));
    }
}
