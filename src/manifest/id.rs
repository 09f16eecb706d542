//! A media id as spreadsheets and scripts leave it: read, mended where that is certain, else refused with the cure.
//!
//! Owns [`read`] for a text, [`from_number`] for what a file holds as a number, and the sign of rounding,
//! [`ends_in_zeros`]. What a valid id is stands in [`crate::item`].

use std::ops::Range;

use super::{
    fault::{Fault, is_invisible},
    notice::Noticed,
};
use crate::item::{MediaId, NoMediaId};

/// Why a cell holds no id that can be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
    /// The bytes of the cell that are wrong, where it is a part.
    pub(super) mark: Option<Range<usize>>,
}

impl Unreadable {
    /// The fault that it is in a row that begins on `line`.
    pub(super) fn fault(self, line: u64, cell: &str) -> Fault {
        Fault {
            hint: self.hint.map(str::to_owned),
            ..Fault::new(line, self.rule, self.message).shows(cell, self.mark)
        }
    }
}

const AS_TEXT: &str =
    "The digits are lost: export again with the id column as text, not as a number.";

/// Reads an id; what had to be mended is told to `mended`.
pub(super) fn read(cell: &str, mut mended: impl FnMut(Noticed)) -> Result<MediaId, Unreadable> {
    // Nearly all ids are plain: they take this way.
    if let Ok(id) = cell.parse() {
        return Ok(id);
    }
    let mut text = cell.trim();
    if text.len() < cell.len() {
        mended(Noticed::Spaces);
    }
    let visible: String;
    if text.chars().any(is_invisible) {
        visible = text.chars().filter(|c| !is_invisible(*c)).collect();
        text = visible.trim();
        mended(Noticed::Invisible);
    }
    if let Some(inner) = text.strip_prefix('\'') {
        text = inner.trim();
        mended(Noticed::Apostrophe);
    }
    if let Some(inner) = text
        .strip_prefix("=\"")
        .and_then(|text| text.strip_suffix('"'))
    {
        text = inner.trim();
        mended(Noticed::Formula);
    }
    if let Some(digits) = behind_media_key(text) {
        text = digits;
        mended(Noticed::MediaKey);
    }
    text.parse().map_err(|why| refuse(cell, text, why))
}

/// Reads an id that the file holds as a number, `written` as it stands there or as it would be written out.
pub(super) fn from_number(written: &str) -> Result<MediaId, Unreadable> {
    const EXACT: u64 = 1 << 53;
    match written.parse::<u64>() {
        Ok(number) if number <= EXACT => {}
        _ if written.contains(['.', 'e', 'E']) || written.starts_with('-') => {
            return Err(refuse(written, written, NoMediaId::NotDigits));
        }
        _ => {
            return Err(Unreadable {
                rule: "id-inexact",
                message: "is a number beyond 2^53, of which many programs keep no exact digits"
                    .to_owned(),
                hint: Some(
                    "Write the id as text: in JSON between quotes, in a spreadsheet in a cell formatted as text before it is filled.",
                ),
                mark: None,
            });
        }
    }
    written.parse().map_err(|why| refuse(written, written, why))
}

/// The digits behind the `_` of a media key such as `3_1900544781383569409`.
fn behind_media_key(text: &str) -> Option<&str> {
    let (kind, digits) = text.split_once('_')?;
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (kind.len() <= 2 && all_digits(kind) && all_digits(digits)).then_some(digits)
}

fn refuse(cell: &str, text: &str, why: NoMediaId) -> Unreadable {
    let unreadable = |rule, message: String, hint| Unreadable {
        rule,
        message,
        hint,
        mark: None,
    };
    match why {
        NoMediaId::Empty => unreadable("id-missing", why.to_string(), None),
        NoMediaId::TooLong(_) => unreadable("media-id", why.to_string(), None),
        NoMediaId::NotDigits if is_scientific(text) => unreadable(
            "id-scientific",
            "is what a spreadsheet makes of a long number: the last digits of the id are gone"
                .to_owned(),
            Some(AS_TEXT),
        ),
        NoMediaId::NotDigits if is_fraction(text) => unreadable(
            "id-float",
            "has a decimal point: a program took the id for a number and may have rounded it"
                .to_owned(),
            Some(
                "Read the id column as text in the program that wrote this file (pandas: dtype=str), and export again.",
            ),
        ),
        NoMediaId::NotDigits if text.contains("://") => unreadable(
            "media-id",
            "is an address, and must be a media id: 1 to 19 digits".to_owned(),
            Some(
                "Call the column media_url: an image's id is read from its address on pbs.twimg.com.",
            ),
        ),
        NoMediaId::NotDigits => Unreadable {
            mark: cell
                .char_indices()
                .find(|(_, c)| !c.is_ascii_digit() && !c.is_whitespace())
                .map(|(at, c)| at..at + c.len_utf8()),
            ..unreadable("media-id", why.to_string(), None)
        },
    }
}

/// `1.14665E+18`, also with a decimal comma.
fn is_scientific(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && !exponent.is_empty()
        && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1146654567674912769.0`.
fn is_fraction(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// Whether an id looks rounded to the 15 digits that a spreadsheet keeps: `L` ≥ 16 digits, the last `L` − 15 all zero.
pub(super) fn ends_in_zeros(id: &str) -> bool {
    id.len() >= 16 && id.as_bytes().iter().skip(15).all(|digit| *digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(cell: &str) -> (Result<String, &'static str>, Vec<Noticed>) {
        let mut what = Vec::new();
        let id = read(cell, |noticed| what.push(noticed));
        (id.map(|id| id.to_string()).map_err(|why| why.rule), what)
    }

    #[test]
    fn what_is_certain_is_mended_and_said() {
        for (cell, what) in [
            ("1146654567674912769", vec![]),
            (" 1146654567674912769\t", vec![Noticed::Spaces]),
            ("\u{a0}1146654567674912769", vec![Noticed::Spaces]),
            ("'1146654567674912769", vec![Noticed::Apostrophe]),
            ("1146654567674912769\u{200b}", vec![Noticed::Invisible]),
            ("\u{feff}1146654567674912769", vec![Noticed::Invisible]),
            ("=\"1146654567674912769\"", vec![Noticed::Formula]),
            ("3_1146654567674912769", vec![Noticed::MediaKey]),
            ("13_1146654567674912769", vec![Noticed::MediaKey]),
            (
                " '3_1146654567674912769",
                vec![Noticed::Spaces, Noticed::Apostrophe, Noticed::MediaKey],
            ),
        ] {
            assert_eq!(
                mended(cell),
                (Ok("1146654567674912769".to_owned()), what),
                "{cell:?}"
            );
        }
    }

    #[test]
    fn what_is_lost_is_refused_by_name() {
        for (cell, rule) in [
            ("1.14665E+18", "id-scientific"),
            ("1,14665E+18", "id-scientific"),
            ("1e18", "id-scientific"),
            ("1146654567674912769.0", "id-float"),
            ("1,146,654", "media-id"),
            ("12345678901234567890", "media-id"),
            ("abc", "media-id"),
            (
                "https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg",
                "media-id",
            ),
            ("  ", "id-missing"),
            ("'", "id-missing"),
            ("123_1146654567674912769", "media-id"),
            ("-1", "media-id"),
        ] {
            assert_eq!(mended(cell).0, Err(rule), "{cell:?}");
        }
    }

    #[test]
    fn a_number_is_an_id_only_as_far_as_it_is_exact() {
        assert_eq!(
            from_number("9007199254740992").unwrap().as_str(),
            "9007199254740992"
        );
        for (number, rule) in [
            ("9007199254740993", "id-inexact"),
            ("1146654567674912769", "id-inexact"),
            ("18446744073709551616", "id-inexact"),
            ("1.14665e18", "id-scientific"),
            ("12.5", "id-float"),
            ("-5", "media-id"),
        ] {
            assert_eq!(from_number(number).unwrap_err().rule, rule, "{number}");
        }
    }

    #[test]
    fn rounding_leaves_zeros_behind_the_fifteenth_digit() {
        assert!(ends_in_zeros("1146654567674910000"));
        assert!(ends_in_zeros("1234567890123450"));
        assert!(!ends_in_zeros("123456789012340"));
        assert!(!ends_in_zeros("1146654567674910001"));
        assert!(!ends_in_zeros("1146654567674910100"));
    }
}
