//! When requests can start at the earliest, given what the windows hold already.
//!
//! Owns that arithmetic: for `plan` from the windows as they stand, and for a first word on a run from empty ones. It takes answers to come at once and nothing to be sent twice, so what it tells is the
//! least; that no window is exceeded is the limiter's.

use std::time::Duration;

use crate::{
    answer::WindowKind,
    rate::{Past, Rate, Rates},
    time::Timestamp,
};

const DAY: Duration = Duration::from_hours(24);

/// The windows as they stand, and the pace.
#[derive(Debug, Clone)]
pub struct Forecast {
    windows: Vec<Window>,
    per_second: Option<u32>,
}

/// One window.
#[derive(Debug, Clone)]
struct Window {
    rate: Rate,
    /// How many more may start now.
    free: u64,
    opens: Opens,
}

/// How a window opens again.
#[derive(Debug, Clone)]
enum Opens {
    /// Place by place: when each taken one is free again, in order.
    ByPlace(Vec<Duration>),
    /// All at once, so far from now: a window that the headers told.
    AtOnce(Duration),
}

impl Window {
    /// One of ours, of which earlier requests that ended then hold places.
    fn ours(rate: Rate, ended: &[Timestamp], now: Timestamp) -> Self {
        let mut taken: Vec<Duration> = ended
            .iter()
            .map(|ended| (*ended + rate.per).since(now))
            .filter(|left| !left.is_zero())
            .collect();
        taken.sort_unstable();
        let count = rate.count.get() as usize;
        // Of more than there are places the latest ones say when the next is free.
        let taken = taken.split_off(taken.len().saturating_sub(count));
        Self {
            rate,
            free: (count - taken.len()) as u64,
            opens: Opens::ByPlace(taken),
        }
    }

    /// When the request of this number starts, counted from 0.
    fn start(&self, number: u64, per_second: Option<u32>) -> Duration {
        let paced = |number| per_second.map_or(Duration::ZERO, |pace| in_seconds(number, pace));
        let count = u64::from(self.rate.count.get());
        let rounds = |number: u64| {
            let rounds = u32::try_from(number / count).unwrap_or(u32::MAX);
            self.rate.per.saturating_mul(rounds)
        };
        match &self.opens {
            Opens::ByPlace(taken) => {
                let place = number % count;
                let behind = place.checked_sub(self.free);
                let free = behind
                    .and_then(|behind| taken.get(usize::try_from(behind).unwrap_or(usize::MAX)));
                rounds(number) + paced(place).max(free.copied().unwrap_or_default())
            }
            Opens::AtOnce(reset) => match number.checked_sub(self.free) {
                None => paced(number),
                Some(behind) => *reset + rounds(behind) + paced(behind % count),
            },
        }
    }

    /// How many windows so many requests need, this one counted.
    fn needed(&self, requests: u64) -> u64 {
        let count = u64::from(self.rate.count.get());
        match self.opens {
            _ if requests == 0 => 0,
            Opens::ByPlace(_) => (requests + count - self.free).div_ceil(count),
            Opens::AtOnce(_) => 1 + requests.saturating_sub(self.free).div_ceil(count),
        }
    }
}

impl Forecast {
    /// The windows of `rates` after what the journal tells of the past, with so many starts a second in them.
    #[must_use]
    pub fn new(rates: &Rates, past: &Past, per_second: Option<u32>, now: Timestamp) -> Self {
        let told = past.told.iter().filter(|(told, _)| told.reset > now);
        let told: Vec<_> = told
            .filter_map(|(told, uncounted)| {
                let (published, per) = match told.kind {
                    WindowKind::Endpoint => (500, Duration::from_mins(15)),
                    WindowKind::UserDay | WindowKind::AppDay => (50_000, DAY),
                };
                let rate = Rate::new(told.limit.unwrap_or(published), per)?;
                let free = u64::from(told.remaining).saturating_sub(*uncounted as u64);
                let opens = Opens::AtOnce(told.reset.since(now));
                Some((told.kind, Window { rate, free, opens }))
            })
            .collect();
        let ours = rates.windows().into_iter().filter(|rate| {
            // The published ones give way to what X tells of them.
            let is_told = |(kind, _): &(WindowKind, Window)| {
                (*kind != WindowKind::Endpoint) == (rate.per >= DAY)
            };
            *rates != Rates::Published || !told.iter().any(is_told)
        });
        let ours = ours.map(|rate| {
            let ended = if rate.per >= DAY {
                &past.app
            } else {
                &past.account
            };
            Window::ours(rate, ended, now)
        });
        let mut windows: Vec<_> = ours.collect();
        windows.extend(told.into_iter().map(|(_, window)| window));
        Self {
            windows,
            per_second,
        }
    }

    /// How far from now the request of this number can start, counted from 0.
    #[must_use]
    pub fn start(&self, number: u64) -> Duration {
        let by_pace = self
            .per_second
            .map_or(Duration::ZERO, |pace| in_seconds(number, pace));
        self.windows
            .iter()
            .map(|window| window.start(number, self.per_second))
            .fold(by_pace, Duration::max)
    }

    /// How long so many requests take at the least.
    #[must_use]
    pub fn time(&self, requests: u64) -> Duration {
        requests
            .checked_sub(1)
            .map_or(Duration::ZERO, |last| self.start(last))
    }

    /// Each window with how many places of it are taken, and how many such windows so many requests need.
    pub fn windows(&self, requests: u64) -> impl Iterator<Item = (Rate, u64, u64)> {
        self.windows.iter().map(move |window| {
            let used = u64::from(window.rate.count.get()).saturating_sub(window.free);
            (window.rate, used, window.needed(requests))
        })
    }
}

/// How long so many requests take at the least when nothing stands in the windows yet.
#[must_use]
pub fn least(rates: &Rates, requests: u64, per_second: Option<u32>) -> Duration {
    Forecast::new(rates, &Past::default(), per_second, Timestamp::default()).time(requests)
}

fn in_seconds(requests: u64, pace: u32) -> Duration {
    Duration::from_millis(requests.saturating_mul(1_000) / u64::from(pace.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Told;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn own(text: &str) -> Rates {
        Rates::Own(vec![text.parse().unwrap()])
    }

    /// Requests that ended so many seconds ago.
    fn past(ago: &[u64]) -> Past {
        let account: Vec<_> = ago.iter().map(|ago| NOW - seconds(*ago)).collect();
        Past {
            app: account.clone(),
            account,
            told: Vec::new(),
        }
    }

    #[test]
    fn a_hundred_thousand_requests_take_more_than_two_days() {
        let rates = Rates::Published;
        let paced = |requests| Duration::from_millis(50) * requests;
        for (requests, time) in [
            (0, seconds(0)),
            (1, seconds(0)),
            (21, seconds(1)),
            (500, paced(499)),
            (501, seconds(900)),
            (50_001, seconds(100 * 900)),
            (100_000, seconds(199 * 900) + paced(499)),
        ] {
            assert_eq!(least(&rates, requests, Some(20)), time, "{requests}");
        }
        assert_eq!(least(&Rates::Unlimited, 21, Some(20)), seconds(1));
        assert_eq!(least(&Rates::Unlimited, 1_000_000, None), seconds(0));
    }

    #[test]
    fn places_that_are_taken_are_waited_for_one_by_one() {
        let forecast = Forecast::new(&own("3/60s"), &past(&[50, 20, 61]), None, NOW);
        let starts: Vec<_> = (0..6).map(|number| forecast.start(number)).collect();
        assert_eq!(starts, [0, 10, 40, 60, 70, 100].map(seconds));
        assert_eq!(
            forecast
                .windows(2)
                .next()
                .map(|(_, used, needed)| (used, needed)),
            Some((2, 2))
        );
    }

    #[test]
    fn more_than_a_window_holds_is_waited_for_too() {
        let forecast = Forecast::new(&own("2/60s"), &past(&[50, 40, 30]), None, NOW);
        assert_eq!(forecast.start(0), seconds(20));
        assert_eq!(forecast.start(1), seconds(30));
    }

    #[test]
    fn what_x_tells_of_a_window_stands_for_the_published_one() {
        let mut past = past(&[1; 500]);
        let told = Told {
            kind: WindowKind::Endpoint,
            limit: Some(100),
            remaining: 10,
            reset: NOW + seconds(30),
        };
        past.told = vec![(told, 3)];
        let forecast = Forecast::new(&Rates::Published, &past, None, NOW);
        assert_eq!(forecast.start(6), seconds(0));
        assert_eq!(forecast.start(7), seconds(30));
        assert_eq!(forecast.start(106), seconds(30));
        assert_eq!(forecast.start(107), seconds(930));
    }
}
