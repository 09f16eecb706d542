//! How often may be asked: fixed windows, and the headers that tell of them.
//!
//! Owns the counting. A window opens at the whole second in which its first request arrives and ends exactly its
//! length later, as X's do. Reads no clock and never waits.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{rate::Rate, time::Timestamp};

const DAY: Duration = Duration::from_hours(24);

/// The rates that a sandbox keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rates {
    /// None; nothing is told of limits either.
    Unlimited,
    /// All of these at once.
    Windows(Vec<Rate>),
}

impl Default for Rates {
    /// X's own: 500 in 15 minutes and 50,000 in 24 hours.
    fn default() -> Self {
        let rates = [
            Rate::new(500, Duration::from_mins(15)),
            Rate::new(50_000, DAY),
        ];
        Self::Windows(rates.into_iter().flatten().collect())
    }
}

struct Window {
    rate: Rate,
    end: Timestamp,
    used: u32,
}

impl Window {
    const fn remaining(&self) -> u32 {
        self.rate.count.get().saturating_sub(self.used)
    }

    /// Its end in Unix seconds, rounded up: who waits until then finds it over.
    const fn reset(&self) -> i64 {
        self.end.0.div_euclid(1_000) + (self.end.0.rem_euclid(1_000) > 0) as i64
    }
}

/// All windows, the shortest first.
pub(super) struct Windows(Vec<Window>);

impl Windows {
    pub(super) fn new(rates: &Rates) -> Self {
        let mut rates = match rates {
            Rates::Unlimited => Vec::new(),
            Rates::Windows(rates) => rates.clone(),
        };
        rates.sort_by_key(|rate| rate.per);
        let unopened = |rate| Window {
            rate,
            end: Timestamp(i64::MIN),
            used: 0,
        };
        Self(rates.into_iter().map(unopened).collect())
    }

    /// Opens anew each window that is over, for a request that arrives `now`.
    pub(super) fn roll(&mut self, now: Timestamp) {
        for window in self.0.iter_mut().filter(|window| window.end <= now) {
            window.end = Timestamp::from_seconds(now.seconds()) + window.rate.per;
            window.used = 0;
        }
    }

    /// Whether one more request is too many.
    pub(super) fn is_exhausted(&self) -> bool {
        self.0.iter().any(|window| window.remaining() == 0)
    }

    /// Counts one request in every window.
    pub(super) fn take(&mut self) {
        for window in &mut self.0 {
            window.used = window.used.saturating_add(1);
        }
    }

    /// The headers that tell of them: one window shorter than a day, one of a day or more.
    pub(super) fn tell(&self) -> HeaderMap {
        let (days, short): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|window| window.rate.per >= DAY);
        let mut headers = HeaderMap::new();
        for (prefix, windows) in [("x-rate-limit", short), ("x-app-limit-24hour", days)] {
            // There is one name for many: the exhausted one that lasts longest matters most, else the shortest.
            let exhausted = windows.iter().filter(|window| window.remaining() == 0);
            let Some(window) = exhausted
                .max_by_key(|window| window.end)
                .or(windows.first())
            else {
                continue;
            };
            for (what, number) in [
                ("limit", i64::from(window.rate.count.get())),
                ("remaining", i64::from(window.remaining())),
                ("reset", window.reset()),
            ] {
                if let Ok(name) = HeaderName::try_from(format!("{prefix}-{what}")) {
                    headers.insert(name, HeaderValue::from(number));
                }
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_740_787_200;

    fn windows(rates: &[&str]) -> Windows {
        Windows::new(&Rates::Windows(
            rates.iter().map(|rate| rate.parse().unwrap()).collect(),
        ))
    }

    /// Whether a request that arrives so many milliseconds after the start is let through.
    fn ask(windows: &mut Windows, after: i64) -> bool {
        windows.roll(Timestamp(START * 1_000 + after));
        let admitted = !windows.is_exhausted();
        if admitted {
            windows.take();
        }
        admitted
    }

    fn told(windows: &Windows, name: &str) -> Option<i64> {
        let headers = windows.tell();
        Some(headers.get(name)?.to_str().unwrap().parse().unwrap())
    }

    #[test]
    fn a_window_opens_at_the_second_of_its_first_request_and_ends_its_length_later() {
        let mut windows = windows(&["2/15m"]);
        assert!(ask(&mut windows, 700));
        assert_eq!(told(&windows, "x-rate-limit-reset"), Some(START + 900));
        assert!(ask(&mut windows, 800_000));
        assert!(!ask(&mut windows, 899_999));
        assert_eq!(told(&windows, "x-rate-limit-remaining"), Some(0));
        assert!(ask(&mut windows, 900_000));
        assert_eq!(told(&windows, "x-rate-limit-remaining"), Some(1));
        assert_eq!(told(&windows, "x-rate-limit-reset"), Some(START + 1_800));
    }

    #[test]
    fn the_next_window_waits_for_its_first_request() {
        let mut windows = windows(&["1/10s"]);
        assert!(ask(&mut windows, 0));
        assert!(ask(&mut windows, 17_300));
        assert_eq!(told(&windows, "x-rate-limit-reset"), Some(START + 27));
        assert!(!ask(&mut windows, 26_999));
    }

    #[test]
    fn a_refused_request_consumes_nothing_in_any_window() {
        let mut windows = windows(&["1/10s", "2/24h"]);
        assert!(ask(&mut windows, 0));
        for after in 1..100 {
            assert!(!ask(&mut windows, after));
        }
        assert_eq!(told(&windows, "x-app-limit-24hour-remaining"), Some(1));
        assert!(ask(&mut windows, 10_000));
        assert!(!ask(&mut windows, 20_000), "the day is spent");
        assert_eq!(told(&windows, "x-rate-limit-remaining"), Some(1));
        assert_eq!(told(&windows, "x-app-limit-24hour-remaining"), Some(0));
        assert_eq!(
            told(&windows, "x-app-limit-24hour-reset"),
            Some(START + 86_400)
        );
    }

    #[test]
    fn of_two_short_windows_the_exhausted_one_is_told() {
        let mut windows = windows(&["10/1s", "1/10s"]);
        assert!(ask(&mut windows, 0));
        assert_eq!(told(&windows, "x-rate-limit-limit"), Some(1));
        assert_eq!(told(&windows, "x-rate-limit-reset"), Some(START + 10));
    }

    #[test]
    fn a_reset_between_two_seconds_is_told_as_the_later() {
        let mut windows = windows(&["1/1500ms"]);
        assert!(ask(&mut windows, 0));
        assert_eq!(told(&windows, "x-rate-limit-reset"), Some(START + 2));
    }

    #[test]
    fn without_rates_nothing_is_refused_or_told() {
        let mut windows = Windows::new(&Rates::Unlimited);
        assert!((0..1_000).all(|after| ask(&mut windows, after)));
        assert!(windows.tell().is_empty());
    }
}
