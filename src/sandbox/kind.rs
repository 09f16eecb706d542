//! What can go wrong, by name.
//!
//! Owns the names. What a fault does is `answer`'s, and how often it does it `fault`'s.

use std::{fmt, str::FromStr};

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer of this status, 400 to 599, with a plain problem.
    Status(u16),
    /// The connection is reset before anything was done.
    Reset,
    /// The metadata is accepted, then the connection is reset.
    ResetAfter,
    /// The metadata is accepted, and its answer cut off in the middle.
    Truncate,
    /// The metadata is accepted, and answered seconds later.
    Slow,
    /// No answer ever.
    Silent,
    /// 502 with an HTML page, as a proxy sends it.
    Html,
    /// 200 with a body that is not JSON; nothing was accepted.
    Garbage,
    /// 200 that speaks of another media; nothing was accepted.
    OtherId,
    /// 200 with `data` and `errors`: accepted.
    Partial,
    /// 200 with `errors` alone; nothing was accepted.
    Errors,
    /// 200 without a body: accepted.
    Empty,
    /// 404, for this media always.
    NotFound,
    /// 403, for this media always.
    Forbidden,
    /// 400, for this media always.
    Invalid,
    /// 429 that tells no limits.
    RateLimited,
    /// 429 of the monthly cap.
    UsageCapped,
    /// 402, no credits left.
    Credits,
    /// 403, the spend cap is reached.
    SpendCap,
    /// 403, the app belongs to no project.
    NotEnrolled,
    /// 403, a token of the wrong kind.
    UnsupportedAuthentication,
    /// 401.
    Unauthorized,
    /// 302 to a path that is not there.
    Redirect,
}

const NAMES: [(&str, Kind); 22] = [
    ("reset", Kind::Reset),
    ("reset-after", Kind::ResetAfter),
    ("truncate", Kind::Truncate),
    ("slow", Kind::Slow),
    ("silent", Kind::Silent),
    ("html", Kind::Html),
    ("garbage", Kind::Garbage),
    ("other-id", Kind::OtherId),
    ("partial", Kind::Partial),
    ("errors", Kind::Errors),
    ("empty", Kind::Empty),
    ("not-found", Kind::NotFound),
    ("forbidden", Kind::Forbidden),
    ("invalid", Kind::Invalid),
    ("rate-limited", Kind::RateLimited),
    ("usage-capped", Kind::UsageCapped),
    ("credits", Kind::Credits),
    ("spend-cap", Kind::SpendCap),
    ("not-enrolled", Kind::NotEnrolled),
    (
        "unsupported-authentication",
        Kind::UnsupportedAuthentication,
    ),
    ("unauthorized", Kind::Unauthorized),
    ("redirect", Kind::Redirect),
];

impl Kind {
    /// Whether it befalls a media for good, so that no retry helps.
    pub(super) const fn lasts(self) -> bool {
        matches!(self, Self::NotFound | Self::Forbidden | Self::Invalid)
    }

    /// Whether it is a 429, which uses up nothing of a window.
    pub(super) const fn is_free(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::UsageCapped | Self::Status(429)
        )
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, kind)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*kind);
        }
        if let Some(status) = text
            .parse()
            .ok()
            .filter(|status| (400..=599).contains(status))
        {
            return Ok(Self::Status(status));
        }
        let mut names = NAMES.map(|(name, _)| name);
        // Stable, so that what is equally far keeps the order of the table.
        names.sort_by_key(|name| distance(name, text));
        Err(format!(
            "{text:?} is no fault: known are {}, and each HTTP status from 400 to 599",
            names.join(", ")
        ))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            kind => f.write_str(
                NAMES
                    .iter()
                    .find(|(_, named)| named == kind)
                    .map_or("", |(name, _)| name),
            ),
        }
    }
}

/// How many letters have to change to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_as_it_is_written() {
        for (name, kind) in NAMES {
            assert_eq!(
                (name.parse(), kind.to_string()),
                (Ok(kind), name.to_owned())
            );
        }
        assert_eq!("503".parse(), Ok(Kind::Status(503)));
    }

    #[test]
    fn an_unknown_kind_is_told_the_known_ones_nearest_first() {
        let known = |text: &str| text.parse::<Kind>().unwrap_err();
        assert!(known("trunkate").starts_with("\"trunkate\" is no fault: known are truncate, "));
        assert!(known("notfound").contains("known are not-found, "));
        for text in ["399", "600", ""] {
            let error = known(text);
            assert!(
                NAMES.iter().all(|(name, _)| error.contains(name)),
                "{error}"
            );
        }
    }
}
