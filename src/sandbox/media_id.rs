//! A media id, `^[0-9]{1,19}$`, in the little space that a million of them can have.
//!
//! Owns the pattern. Knows nothing of whether such a media exists.

use std::fmt;

/// The pattern, as X's answers spell it.
pub(super) const PATTERN: &str = "^[0-9]{1,19}$";

/// A media id: 19 digits fit a `u64`, and their number keeps `007` apart from `7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MediaId {
    number: u64,
    digits: usize,
}

impl MediaId {
    /// Reads one; `None` for what the pattern does not match.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fits = (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = fits.then(|| text.parse().ok())??;
        Some(Self {
            number,
            digits: text.len(),
        })
    }

    /// Another id, as like this one as can be: its last digit is one further.
    pub(super) fn neighbour(self) -> Self {
        let last = self.number % 10;
        Self {
            number: self.number - last + (last + 1) % 10,
            ..self
        }
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.number, width = self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_shows_as_it_was_read_with_its_leading_zeros() {
        for text in [
            "0",
            "007",
            "7",
            "1146654567674912769",
            "9999999999999999999",
        ] {
            assert_eq!(MediaId::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "a",
            "-1",
            "+1",
            " 1",
            "1.0",
            "11466545676749127690",
            "١",
        ] {
            assert_eq!(MediaId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_neighbour_is_another_id() {
        for (id, other) in [("0", "1"), ("9", "0"), ("129", "120"), ("120", "121")] {
            assert_eq!(MediaId::parse(id).unwrap().neighbour().to_string(), other);
        }
    }
}
