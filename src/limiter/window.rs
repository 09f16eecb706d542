//! A window of our own, kept exactly: at most N requests in any stretch of its length.
//!
//! A request occupies the window from its start until its answer plus the length, since it is not known when in between
//! the server counted it. So no stretch of that length holds more than N moments at which the server may have counted
//! one, whatever the phase of its own windows. Owns that account and nothing else; costs O(1) a request.

use std::{collections::VecDeque, time::Duration};

use crate::{rate::Rate, time::Timestamp};

/// One window and what occupies it.
#[derive(Debug, Clone)]
pub struct Window {
    rate: Rate,
    in_flight: usize,
    /// When the places of answered requests become free, the earliest first.
    freed: VecDeque<Timestamp>,
}

/// When the next request may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At once.
    Now,
    /// At this moment, if nothing else happens before.
    At(Timestamp),
    /// Not before one of those in flight has its answer.
    AfterAnswer,
}

impl Opening {
    /// The later of two: both must be open.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Now, other) | (other, Self::Now) => other,
            (Self::At(one), Self::At(two)) => Self::At(one.max(two)),
            (Self::AfterAnswer, _) | (_, Self::AfterAnswer) => Self::AfterAnswer,
        }
    }
}

impl Window {
    /// A window with what earlier runs sent: when each of those requests ended, in any order.
    #[must_use]
    pub fn with_past(rate: Rate, ended: impl Iterator<Item = Timestamp>) -> Self {
        let mut freed: Vec<_> = ended.map(|ended| ended + rate.per).collect();
        freed.sort_unstable();
        Self {
            rate,
            in_flight: 0,
            freed: freed.into(),
        }
    }

    /// Its length.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.rate.per
    }

    /// When the next request may start.
    pub fn opening(&mut self, now: Timestamp) -> Opening {
        while self.freed.front().is_some_and(|freed| *freed <= now) {
            self.freed.pop_front();
        }
        let count = self.rate.count.get() as usize;
        // More than it holds may be in it where the rate was lowered between two runs: then several must go.
        match (self.in_flight + self.freed.len()).checked_sub(count) {
            None => Opening::Now,
            Some(surplus) => self
                .freed
                .get(surplus)
                .map_or(Opening::AfterAnswer, |freed| Opening::At(*freed)),
        }
    }

    /// A request starts.
    pub fn start(&mut self) {
        self.in_flight += 1;
    }

    /// A request that started has ended, with an answer or without.
    pub fn end(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let freed = now + self.rate.per;
        // The clock may have been set back: the queue stays in order, and the place is held the longer.
        self.freed
            .push_back(self.freed.back().map_or(freed, |last| freed.max(*last)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(rate: &str) -> Window {
        Window::with_past(rate.parse().unwrap(), std::iter::empty())
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds)
    }

    #[test]
    fn a_window_is_full_until_the_first_answer_is_its_length_ago() {
        let mut window = window("2/1s");
        window.start();
        window.start();
        assert_eq!(window.opening(at(0)), Opening::AfterAnswer);
        window.end(at(300));
        window.end(at(500));
        assert_eq!(window.opening(at(500)), Opening::At(at(1_300)));
        assert_eq!(window.opening(at(1_300)), Opening::Now);
        window.start();
        assert_eq!(window.opening(at(1_300)), Opening::At(at(1_500)));
    }

    #[test]
    fn what_earlier_runs_sent_occupies_it_too_in_whatever_order_it_is_read() {
        let mut window = Window::with_past(
            "2/1s".parse().unwrap(),
            [at(700), at(100), at(400)].into_iter(),
        );
        assert_eq!(window.opening(at(800)), Opening::At(at(1_400)));
        assert_eq!(window.opening(at(1_400)), Opening::Now);
    }

    proptest! {
        #[test]
        fn no_stretch_of_its_length_ever_holds_more_than_it_may(
            count in 1_u32..6,
            steps in proptest::collection::vec((0_i64..400, 0_i64..900), 1..200),
        ) {
            let mut window = Window::with_past(Rate::new(count, Duration::from_secs(1)).unwrap(), std::iter::empty());
            let (mut now, mut starts, mut flying) = (at(0), Vec::new(), Vec::<Timestamp>::new());
            for (pause, latency) in steps {
                now = now + Duration::from_millis(pause.unsigned_abs());
                flying.sort_unstable();
                while flying.first().is_some_and(|end| *end <= now) {
                    window.end(flying.remove(0));
                }
                if window.opening(now) == Opening::Now {
                    window.start();
                    starts.push(now);
                    flying.push(at(now.0 + latency));
                }
            }
            for (index, start) in starts.iter().enumerate() {
                let within = starts[index..].iter().take_while(|other| other.since(*start) < Duration::from_secs(1)).count();
                prop_assert!(within <= count as usize);
            }
        }

        #[test]
        fn it_is_no_slower_than_it_must_be(count in 1_u32..6, total in 1_usize..60) {
            // With answers that come at once, N requests go out every length, and not one later.
            let mut window = Window::with_past(Rate::new(count, Duration::from_secs(1)).unwrap(), std::iter::empty());
            let mut now = at(0);
            for index in 0..total {
                if let Opening::At(opening) = window.opening(now) {
                    now = opening;
                }
                prop_assert_eq!(window.opening(now), Opening::Now);
                prop_assert_eq!(now, at(1_000 * i64::try_from(index / count as usize).unwrap()));
                window.start();
                window.end(now);
            }
        }
    }
}
