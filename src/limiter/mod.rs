//! Whether the next request may start: the windows of `--rate`, what the server's headers tell, pauses, and the pace.
//!
//! Owns [`Limiter`], asked by one task before each start. It never sleeps and never sends; it is told when a request
//! starts and what came back, and answers when the next may start. All of it but the pace is plain arithmetic on
//! timestamps, so that days can be simulated in milliseconds.

mod offset;
mod pace;
mod told;
mod window;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use self::{
    offset::Offset,
    told::{Tick, ToldWindow},
    window::Window,
};
pub use self::{pace::Pace, window::Opening};
use crate::{
    answer::{Limits, RetryAfter, Told, WindowKind},
    rate::{Past, Rate, Rates},
    time::Timestamp,
};

const DAY: Duration = Duration::from_hours(24);
/// How long the first pause is when a 429 tells neither reset nor `Retry-After`; it doubles from there.
const SHORTEST_PAUSE: Duration = Duration::from_secs(15);
/// The longest of those.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// No reset of the API is further away than a day: what is, is a fault of a clock, and not waited for.
const FARTHEST_RESET: Duration = Duration::from_hours(25);

/// A request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    tick: Tick,
    sent: Timestamp,
}

/// Says when requests may start.
#[derive(Debug)]
pub struct Limiter {
    windows: Vec<Window>,
    /// Whether our windows give way to what the headers tell.
    yielding: bool,
    told: BTreeMap<WindowKind, ToldWindow>,
    offset: Offset,
    in_flight: BTreeMap<Tick, Timestamp>,
    next_tick: Tick,
    pause: Option<Pause>,
    untold_pauses: u32,
}

/// A pause after a 429, for everyone.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Timestamp,
    /// 429s of requests that had started before it began are its stragglers.
    began: Tick,
}

impl Limiter {
    /// A limiter that keeps `rates`, knowing what earlier runs did.
    #[must_use]
    pub fn new(rates: &Rates, past: &Past) -> Self {
        let window = |rate: Rate| {
            let ended = if rate.per >= DAY {
                &past.app
            } else {
                &past.account
            };
            Window::with_past(rate, ended.iter().copied())
        };
        let told = past.told.iter().map(|(told, uncounted)| {
            let mut window = ToldWindow::new(*told, told.reset, 0);
            (0..*uncounted).for_each(|_| window.hear_nothing(0));
            (told.kind, window)
        });
        Self {
            windows: rates.windows().into_iter().map(window).collect(),
            yielding: *rates == Rates::Published,
            told: told.collect(),
            offset: Offset::default(),
            in_flight: BTreeMap::new(),
            next_tick: 1,
            pause: None,
            untold_pauses: 0,
        }
    }

    /// When the next request may start.
    pub fn opening(&mut self, now: Timestamp) -> Opening {
        let mut opening = Opening::Now;
        if let Some(pause) = self.pause {
            if now < pause.until {
                return Opening::At(pause.until);
            }
            // It is over; until an answer that is no 429 has come, one at a time goes ahead.
            if self.started_since(pause.until) > 0 {
                opening = Opening::AfterAnswer;
            }
        }
        for told in self.told.values() {
            let since_end = if told.has_ended(now) {
                self.started_since(told.ends())
            } else {
                0
            };
            opening = opening.and(told.opening(now, self.in_flight.len(), since_end));
        }
        for window in &mut self.windows {
            let is_day = window.length() >= DAY;
            let ruled = self.yielding
                && self
                    .told
                    .keys()
                    .any(|kind| (*kind != WindowKind::Endpoint) == is_day);
            if !ruled {
                opening = opening.and(window.opening(now));
            }
        }
        opening
    }

    fn started_since(&self, moment: Timestamp) -> usize {
        self.in_flight
            .values()
            .filter(|sent| **sent >= moment)
            .count()
    }

    /// A request starts now.
    pub fn start(&mut self, now: Timestamp) -> Ticket {
        let ticket = Ticket {
            tick: self.tick(),
            sent: now,
        };
        self.in_flight.insert(ticket.tick, now);
        self.windows.iter_mut().for_each(Window::start);
        ticket
    }

    fn tick(&mut self) -> Tick {
        self.next_tick += 1;
        self.next_tick - 1
    }

    /// A request has ended: with this status and these limits, or without an answer.
    pub fn end(&mut self, ticket: Ticket, now: Timestamp, answer: Option<(u16, &Limits)>) {
        self.in_flight.remove(&ticket.tick);
        self.windows.iter_mut().for_each(|window| window.end(now));
        let answered = self.tick();
        let none = Limits::default();
        let (status, limits) =
            answer.map_or((None, &none), |(status, limits)| (Some(status), limits));
        if let Some(date) = limits.date {
            self.offset.learn(date, ticket.sent, now);
        }
        // 401 to 403 can carry another endpoint's limits, and faults of the server none.
        let is_trusted = status.is_some_and(|status| !matches!(status, 401..=403 | 500..));
        for kind in WindowKind::ALL {
            let told = limits
                .windows
                .iter()
                .find(|told| told.kind == kind)
                .filter(|_| is_trusted);
            let told = told.map(|told| (*told, self.offset.latest(told.reset)));
            match (
                told.filter(|(_, ends)| ends.since(now) <= FARTHEST_RESET),
                self.told.get_mut(&kind),
            ) {
                (Some((told, ends)), Some(window)) => {
                    window.learn(told, ends, ticket.tick, answered);
                }
                (Some((told, ends)), None) => drop(
                    self.told
                        .insert(kind, ToldWindow::new(told, ends, answered)),
                ),
                // The server has stopped telling it: ours hold again.
                (None, Some(window)) if window.has_ended(ticket.sent) && status == Some(200) => {
                    drop(self.told.remove(&kind));
                }
                (None, Some(window)) => window.hear_nothing(answered),
                (None, None) => {}
            }
        }
        match status {
            Some(429) => self.pause(ticket, now, limits),
            Some(_) if self.pause.is_some_and(|pause| ticket.sent >= pause.until) => {
                self.pause = None;
                self.untold_pauses = 0;
            }
            _ => {}
        }
    }

    /// A 429 came: everyone waits until the latest reset of a window that is exhausted, or as long as was told.
    fn pause(&mut self, ticket: Ticket, now: Timestamp, limits: &Limits) {
        let exhausted = limits.windows.iter().filter(|told| told.remaining == 0);
        let resets = exhausted
            .map(|told| self.offset.latest(told.reset))
            .filter(|ends| ends.since(now) <= FARTHEST_RESET);
        let retry_after = limits.retry_after.map(|after| match after {
            RetryAfter::Delay(delay) => now + delay.min(FARTHEST_RESET),
            RetryAfter::Date(date) => self.offset.latest(date).min(now + FARTHEST_RESET),
        });
        let until = resets.chain(retry_after).max().unwrap_or_else(|| {
            let is_straggler = self.pause.is_some_and(|pause| ticket.tick < pause.began);
            if !is_straggler || self.untold_pauses == 0 {
                self.untold_pauses += 1;
            }
            let doublings = (self.untold_pauses - 1).min(10);
            now + SHORTEST_PAUSE
                .saturating_mul(1 << doublings)
                .min(LONGEST_PAUSE)
        });
        let until = until.max(self.pause.map_or(until, |pause| pause.until));
        let began = self.tick();
        self.pause = Some(Pause { until, began });
    }

    /// Until when everyone waits because of a 429, if so.
    #[must_use]
    pub fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.pause
            .map(|pause| pause.until)
            .filter(|until| *until > now)
    }

    /// What is known of the server's windows, with ends by our clock, to be kept for the next run: what answers without
    /// headers may have taken is taken.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        self.told.values().map(|window| Told {
            reset: window.ends(),
            remaining: u32::try_from(window.left(0)).unwrap_or(u32::MAX),
            ..window.told()
        })
    }

    /// How many milliseconds the server's clock is ahead of ours, at the least.
    #[must_use]
    pub fn clock_offset(&self) -> Option<i64> {
        self.offset.at_least()
    }
}

/// The pace for `rates`: none where they are unlimited.
#[must_use]
pub fn pace(rates: &Rates, per_second: NonZeroU32) -> Option<Pace> {
    (*rates != Rates::Unlimited).then(|| Pace::new(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn telling(remaining: u32, reset: i64) -> Limits {
        let told = Told {
            kind: WindowKind::Endpoint,
            limit: Some(500),
            remaining,
            reset: at(reset),
        };
        // An answer at second 100 by both clocks.
        Limits {
            windows: vec![told],
            retry_after: None,
            date: Some(at(100)),
        }
    }

    fn answer(limiter: &mut Limiter, status: u16, limits: &Limits) {
        let ticket = limiter.start(at(100));
        limiter.end(ticket, at(100), Some((status, limits)));
    }

    #[test]
    fn what_is_kept_for_the_next_run_counts_answers_that_told_nothing() {
        let mut limiter = Limiter::new(&Rates::Published, &Past::default());
        answer(&mut limiter, 200, &telling(2, 900));
        answer(&mut limiter, 503, &Limits::default());
        let kept: Vec<_> = limiter.told().collect();
        assert_eq!(kept[0].remaining, 1);
        let past = Past {
            told: vec![(kept[0], 1)],
            ..Past::default()
        };
        let mut next = Limiter::new(&Rates::Published, &past);
        assert_eq!(next.opening(at(101)), Opening::At(kept[0].reset));
    }

    #[test]
    fn the_published_rates_give_way_to_what_is_told_and_the_users_own_do_not() {
        let full = Past {
            account: vec![at(90); 500],
            app: vec![at(90); 500],
            told: Vec::new(),
        };
        let own = Rates::Own(vec![Rate::new(500, Duration::from_secs(900)).unwrap()]);
        for (rates, opening) in [
            (Rates::Published, Opening::Now),
            (own, Opening::At(at(990))),
        ] {
            let mut limiter = Limiter::new(&rates, &full);
            assert_eq!(limiter.opening(at(100)), Opening::At(at(990)));
            answer(&mut limiter, 200, &telling(400, 900));
            assert_eq!(limiter.opening(at(100)), opening, "{rates:?}");
        }
    }

    #[test]
    fn what_is_told_holds_when_no_rate_is_ours() {
        let mut limiter = Limiter::new(&Rates::Unlimited, &Past::default());
        answer(&mut limiter, 200, &telling(0, 900));
        assert!(matches!(limiter.opening(at(100)), Opening::At(opening) if opening >= at(900)));
    }

    #[test]
    fn limits_of_another_endpoint_on_a_refusal_are_not_believed() {
        let mut limiter = Limiter::new(&Rates::Unlimited, &Past::default());
        for status in [401, 402, 403, 500, 503] {
            answer(&mut limiter, status, &telling(0, 900));
            assert_eq!(limiter.opening(at(100)), Opening::Now, "{status}");
        }
    }

    #[test]
    fn a_pause_only_moves_forward_and_no_straggler_ends_it() {
        let mut limiter = Limiter::new(&Rates::Unlimited, &Past::default());
        let early = limiter.start(at(99));
        let after = |seconds| Limits {
            retry_after: Some(RetryAfter::Delay(Duration::from_secs(seconds))),
            ..Limits::default()
        };
        answer(&mut limiter, 429, &after(120));
        answer(&mut limiter, 429, &after(10));
        assert_eq!(limiter.paused_until(at(100)), Some(at(220)));
        limiter.end(early, at(101), Some((200, &Limits::default())));
        assert_eq!(limiter.opening(at(101)), Opening::At(at(220)));
        // When it is over one goes ahead, and the others when that one got through.
        let probe = limiter.start(at(220));
        assert_eq!(limiter.opening(at(220)), Opening::AfterAnswer);
        limiter.end(probe, at(221), Some((200, &Limits::default())));
        assert_eq!(limiter.opening(at(221)), Opening::Now);
    }
}
