//! The item: one media id of one account, with the metadata wanted for it.
//!
//! Owns the id and what it may look like. How a spreadsheet damages one, and what can be mended, is the manifest's.

use std::{fmt, str::FromStr};

use crate::time::Timestamp;

/// A media id: 1 to 19 digits, as X's schema has it (`^[0-9]{1,19}$`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(Box<str>);

/// Why a text is no media id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMediaId {
    /// It has no character.
    #[error("is empty, and must be a media id: 1 to 19 digits")]
    Empty,
    /// It has something other than digits.
    #[error("is no media id: that is 1 to 19 digits and nothing else")]
    NotDigits,
    /// It has more than 19 digits.
    #[error("is no media id: it has {0} digits, and a media id has at most 19")]
    TooLong(usize),
}

impl MediaId {
    /// The id as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it was made, which its upper bits tell. What is older than that form of id tells its beginning, in 2010.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        const BEGINNING: i64 = 1_288_834_974_657;
        let number: u64 = self.0.parse().unwrap_or(u64::MAX);
        Timestamp(BEGINNING.saturating_add_unsigned(number >> 22))
    }
}

impl FromStr for MediaId {
    type Err = NoMediaId;

    fn from_str(text: &str) -> Result<Self, NoMediaId> {
        if text.is_empty() {
            Err(NoMediaId::Empty)
        } else if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            Err(NoMediaId::NotDigits)
        } else if text.len() > 19 {
            Err(NoMediaId::TooLong(text.len()))
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an item has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// To be sent.
    Pending,
    /// May have been sent: the outcome is not known (yet).
    Sending,
    /// X accepted it.
    Done,
    /// X refused it, or it could not be sent in as many attempts as it may have.
    Failed,
}

impl State {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sending, Self::Done, Self::Failed];

    /// Its word, as the public views have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Its number in the journal's tables.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The state of that number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let states = Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| format!("{word:?} is no state; it is one of {states}"))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_id_tells_when_it_was_made() {
        let made = |id: &str| id.parse::<MediaId>().unwrap().made().to_string();
        assert!(made("1146654567674912769").starts_with("2019-07-04T"));
        assert!(made("7").starts_with("2010-11-04T"));
    }

    #[test]
    fn a_media_id_is_one_to_nineteen_digits() {
        for id in ["1", "0", "1146654567674912769", "9999999999999999999"] {
            assert_eq!(id.parse::<MediaId>().unwrap().as_str(), id);
        }
        for (text, why) in [
            ("", NoMediaId::Empty),
            ("12345678901234567890", NoMediaId::TooLong(20)),
            ("-1", NoMediaId::NotDigits),
            ("1.0", NoMediaId::NotDigits),
            ("１２", NoMediaId::NotDigits),
            (" 1", NoMediaId::NotDigits),
        ] {
            assert_eq!(text.parse::<MediaId>(), Err(why), "{text}");
        }
    }
}
