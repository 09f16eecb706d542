//! What came back for one request, before anybody says what it means.
//!
//! Owns [`Reply`] and the reading of the headers that speak of limits. Judges nothing: that is [`crate::outcome`]'s.

use std::time::Duration;

use crate::time::Timestamp;

/// What came back for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status line and headers came, and a body as far as it did.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Body,
        /// What the headers tell of limits.
        limits: Limits,
    },
    /// There was no connection, or it broke before a status line came.
    NoConnection(String),
    /// `--timeout` passed.
    TimedOut,
}

/// A body, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// All of it: the length that was announced, or the last chunk, was reached.
    Complete(Vec<u8>),
    /// It broke off.
    CutOff,
    /// It was longer than any answer of the API, and was not read to its end.
    OverLong,
}

impl Reply {
    /// A complete answer without headers.
    #[must_use]
    pub fn complete(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answered {
            status,
            body: Body::Complete(body.into()),
            limits: Limits::default(),
        }
    }

    /// The HTTP status, where one came.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::NoConnection(_) | Self::TimedOut => None,
        }
    }

    /// Whether X may charge for it: every 200, and every request without a complete answer.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        match self {
            Self::Answered { status, body, .. } => {
                *status == 200 || !matches!(body, Body::Complete(_))
            }
            Self::NoConnection(_) | Self::TimedOut => true,
        }
    }
}

/// Which of X's windows a header speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowKind {
    /// `x-rate-limit-*`: the user's 15 minutes.
    Endpoint,
    /// `x-user-limit-24hour-*`.
    UserDay,
    /// `x-app-limit-24hour-*`.
    AppDay,
}

impl WindowKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Endpoint, Self::UserDay, Self::AppDay];

    /// The beginning of its headers' names.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        let [limit, ..] = self.headers();
        limit.strip_suffix("-limit").unwrap_or(limit)
    }

    /// Its headers: how many it holds, how many of them are left, and when it begins anew.
    #[must_use]
    pub const fn headers(self) -> [&'static str; 3] {
        match self {
            Self::Endpoint => [
                "x-rate-limit-limit",
                "x-rate-limit-remaining",
                "x-rate-limit-reset",
            ],
            Self::UserDay => [
                "x-user-limit-24hour-limit",
                "x-user-limit-24hour-remaining",
                "x-user-limit-24hour-reset",
            ],
            Self::AppDay => [
                "x-app-limit-24hour-limit",
                "x-app-limit-24hour-remaining",
                "x-app-limit-24hour-reset",
            ],
        }
    }
}

/// One window as the headers of an answer tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Which window.
    pub kind: WindowKind,
    /// How many requests it holds, where that was told.
    pub limit: Option<u32>,
    /// How many of them are left.
    pub remaining: u32,
    /// When it begins anew, by the server's clock.
    pub reset: Timestamp,
}

/// What the headers of an answer tell of limits. Absent is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The windows told.
    pub windows: Vec<Told>,
    /// `Retry-After`.
    pub retry_after: Option<RetryAfter>,
    /// `Date`: the server's clock when it answered.
    pub date: Option<Timestamp>,
}

/// `Retry-After`, in either of its forms (RFC 9110, 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long from now.
    Delay(Duration),
    /// Not before this moment of the server's clock.
    Date(Timestamp),
}

impl Limits {
    /// Reads them from headers by name. What is malformed or absurd is as if it were absent.
    #[must_use]
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let number = |name: &str| header(name)?.trim().parse::<i64>().ok();
        let told = |kind: WindowKind| {
            let [limit, remaining, reset] = kind.headers();
            Some(Told {
                kind,
                limit: number(limit).and_then(|limit| u32::try_from(limit).ok()),
                remaining: u32::try_from(number(remaining)?).ok()?,
                reset: Timestamp::from_seconds(number(reset).filter(|reset| *reset > 0)?),
            })
        };
        let retry_after = header("retry-after").and_then(|text| match text.trim().parse::<u32>() {
            Ok(seconds) => Some(RetryAfter::Delay(Duration::from_secs(seconds.into()))),
            Err(_) => Timestamp::parse_http_date(text).map(RetryAfter::Date),
        });
        Self {
            windows: WindowKind::ALL.into_iter().filter_map(told).collect(),
            retry_after,
            date: header("date").and_then(Timestamp::parse_http_date),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> Limits {
        Limits::read(|name| {
            headers
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        })
    }

    #[test]
    fn windows_are_read_from_their_headers() {
        let limits = read(&[
            ("x-rate-limit-limit", "500"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1740787200"),
            ("x-app-limit-24hour-remaining", "7"),
            ("x-app-limit-24hour-reset", "1740787201"),
            ("date", "Sat, 01 Mar 2025 00:00:00 GMT"),
            ("retry-after", "120"),
        ]);
        let reset = Timestamp::from_seconds(1_740_787_200);
        assert_eq!(
            limits.windows,
            [
                Told {
                    kind: WindowKind::Endpoint,
                    limit: Some(500),
                    remaining: 0,
                    reset
                },
                Told {
                    kind: WindowKind::AppDay,
                    limit: None,
                    remaining: 7,
                    reset: reset + Duration::from_secs(1)
                },
            ]
        );
        assert_eq!(limits.date, Some(reset));
        assert_eq!(
            limits.retry_after,
            Some(RetryAfter::Delay(Duration::from_secs(120)))
        );
    }

    #[test]
    fn a_header_that_is_missing_or_malformed_is_unknown_and_never_zero() {
        for headers in [
            &[][..],
            &[("x-rate-limit-remaining", "0")],
            &[
                ("x-rate-limit-remaining", "none"),
                ("x-rate-limit-reset", "1740787200"),
            ],
            &[
                ("x-rate-limit-remaining", "-1"),
                ("x-rate-limit-reset", "1740787200"),
            ],
            &[
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "99999999999999999999"),
            ],
            &[("retry-after", "soon")],
        ] {
            assert_eq!(read(headers), Limits::default(), "{headers:?}");
        }
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let limits = read(&[("retry-after", "Sat, 01 Mar 2025 00:00:00 GMT")]);
        assert_eq!(
            limits.retry_after,
            Some(RetryAfter::Date(Timestamp::from_seconds(1_740_787_200)))
        );
    }

    #[test]
    fn every_200_and_every_request_without_a_complete_answer_is_spent() {
        let cut_off = Reply::Answered {
            status: 404,
            body: Body::CutOff,
            limits: Limits::default(),
        };
        for (reply, spent) in [
            (Reply::complete(200, ""), true),
            (Reply::complete(404, "{}"), false),
            (Reply::complete(503, ""), false),
            (cut_off, true),
            (Reply::TimedOut, true),
            (Reply::NoConnection(String::new()), true),
        ] {
            assert_eq!(reply.is_spent(), spent, "{reply:?}");
        }
    }
}
