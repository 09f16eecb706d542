//! Points in time: milliseconds since the Unix epoch, read from and shown as RFC 3339.
//!
//! Owns [`Timestamp`], the one type for a moment that leaves the process (journal, report, header), and [`Clock`],
//! which tells it. Never sleeps.

use std::{
    fmt,
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The system's clock, now.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// A moment given in Unix seconds; beyond what fits, the nearest that does.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Unix seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long after `earlier` this is; zero where it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 with an offset (`2030-01-31T12:00:00Z`, `…+01:00`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// Reads the date of an HTTP header (`Sat, 01 Mar 2025 00:00:00 GMT`).
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let moment = jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text.trim())
            .ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// `14:05` on this machine's clock, as people at a terminal read it.
    #[must_use]
    pub fn local_time(self) -> String {
        self.in_local_zone("%H:%M:%S")
    }

    /// `2030-01-31 14:05` on this machine's clock.
    #[must_use]
    pub fn local_date_time(self) -> String {
        self.in_local_zone("%Y-%m-%d %H:%M")
    }

    /// `2030-01-31` on this machine's clock.
    #[must_use]
    pub fn local_day(self) -> String {
        self.in_local_zone("%Y-%m-%d")
    }

    fn in_local_zone(self, format: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(
            |_| self.to_string(),
            |moment| {
                moment
                    .to_zoned_datetime(jiff::tz::TimeZone::system())
                    .strftime(format)
                    .to_string()
            },
        )
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// Tells the time: the system's, or in tests one that follows tokio's paused clock.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that read `wall` when tokio's read `origin`, and runs with it.
    Following {
        /// What it read at `origin`.
        wall: Timestamp,
        /// Tokio's time then.
        origin: Instant,
    },
}

impl Clock {
    /// A clock that reads `wall` now and from here on follows tokio's, paused or not.
    #[must_use]
    pub fn following(wall: Timestamp) -> Self {
        Self::Following {
            wall,
            origin: Instant::now(),
        }
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Following { wall, origin } => *wall + origin.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_rfc_3339_in_utc_with_milliseconds() {
        assert_eq!(
            Timestamp(1_740_787_200_007).to_string(),
            "2025-03-01T00:00:00.007Z"
        );
        assert_eq!(
            Timestamp::parse("2025-03-01T01:00:00.007+01:00"),
            Some(Timestamp(1_740_787_200_007))
        );
    }

    #[test]
    fn a_date_without_an_offset_is_no_moment() {
        assert_eq!(Timestamp::parse("2025-03-01T00:00:00"), None);
        assert_eq!(Timestamp::parse("2025-03-01"), None);
    }
}
