//! A rate as people write it (`500/15m`), and the durations in it (`5s`, `15m`, `24h`, `30d`).
//!
//! Owns the reading and showing of both, and what a journal's past leaves for the windows. Says nothing about how a rate is kept: that is the limiter's.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use crate::{answer::Told, time::Timestamp};

/// At most `count` requests in any stretch of `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many requests.
    pub count: NonZeroU32,
    /// In how long a stretch.
    pub per: Duration,
}

impl Rate {
    /// A rate, if both of its parts are above zero.
    #[must_use]
    pub fn new(count: u32, per: Duration) -> Option<Self> {
        let count = NonZeroU32::new(count)?;
        (!per.is_zero()).then_some(Self { count, per })
    }
}

/// The rates to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rates {
    /// X's published ones, as long as its headers tell nothing else: 500 in 15 minutes, 50,000 in 24 hours.
    Published,
    /// The user's own. They hold whatever the headers tell.
    Own(Vec<Rate>),
    /// None of ours. What the headers tell still holds.
    Unlimited,
}

impl Rates {
    /// The rates, one window each.
    #[must_use]
    pub fn windows(&self) -> Vec<Rate> {
        match self {
            Self::Published => [
                (500, Duration::from_mins(15)),
                (50_000, Duration::from_hours(24)),
            ]
            .into_iter()
            .filter_map(|(n, d)| Rate::new(n, d))
            .collect(),
            Self::Own(rates) => rates.clone(),
            Self::Unlimited => Vec::new(),
        }
    }
}

/// What earlier runs of a journal leave for the windows of the next.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// When each earlier request of this account ended (or at the latest did).
    pub account: Vec<Timestamp>,
    /// The same for all accounts of the journal: windows of a day and longer belong to the app.
    pub app: Vec<Timestamp>,
    /// What the headers told last, and how many requests may not be counted in it; resets are by our clock.
    pub told: Vec<(Told, usize)>,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no rate: write it as COUNT/DURATION, for example 500/15m");
        let (count, per) = text.trim().split_once('/').ok_or_else(wrong)?;
        let count = count.trim().parse().map_err(|_| wrong())?;
        Self::new(count, parse_duration(per)?).ok_or_else(wrong)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, show_duration(self.per))
    }
}

/// Reads a duration: a whole number and one unit, `ms`, `s`, `m`, `h` or `d`; `0` needs none.
///
/// # Errors
/// A sentence that shows the text and the form that is wanted.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || {
        format!(
            "{text:?} is no duration: write a whole number and s, m, h or d, for example 5s, 15m, 24h, 30d"
        )
    };
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    // A century is more than anyone means, and keeps all sums of times far from overflow.
    number
        .checked_mul(milliseconds)
        .filter(|total| *total <= 100 * 366 * 86_400_000)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Writes a duration in the form that [`parse_duration`] reads, in the largest unit that is exact.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (length, unit) in [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ] {
        // 24h stays 24h: that is how X and our options write it.
        if milliseconds.is_multiple_of(length) && milliseconds / length > u128::from(unit == "d") {
            return format!("{}{unit}", milliseconds / length);
        }
    }
    if milliseconds == 0 {
        "0".to_owned()
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_as_it_is_written() {
        for text in ["500/15m", "50000/24h", "1/1s", "20/30d", "7/1500ms"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_form_that_is_wanted() {
        for text in [
            "",
            "500",
            "500/",
            "/15m",
            "0/15m",
            "500/0s",
            "500/15",
            "-1/5s",
            "1.5/5s",
            "500/15 m",
            "5/99999999999d",
        ] {
            assert!(
                text.parse::<Rate>().unwrap_err().contains("for example"),
                "{text}"
            );
        }
    }
}
