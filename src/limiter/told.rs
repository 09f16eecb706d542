//! A window as the server's headers tell it: what is left of it, until when.
//!
//! Answers overtake each other, some carry no headers, and others may use the same account: so what was told last is not
//! what holds. Owns the careful reading: the lowest that was told of one window, less all that may not be counted in it
//! yet. When the window has ended its successor is unknown until one request, sent alone, has told it.

use crate::{answer::Told, time::Timestamp};

use super::window::Opening;

/// The order of starts and answers, by which it is told which of them can know of which.
pub type Tick = u64;

/// What is known of one of the server's windows.
#[derive(Debug, Clone)]
pub struct ToldWindow {
    /// The window as it was told, with the lowest of what was told to remain.
    told: Told,
    /// When it ends by our clock, at the latest.
    ends: Timestamp,
    /// When the answer came that told it.
    as_of: Tick,
    /// When those answers came since that told nothing: each may have taken a place.
    silent: Vec<Tick>,
}

impl ToldWindow {
    /// A window told by an answer that came at `as_of`, and ends at `ends` by our clock.
    #[must_use]
    pub const fn new(told: Told, ends: Timestamp, as_of: Tick) -> Self {
        Self {
            told,
            ends,
            as_of,
            silent: Vec::new(),
        }
    }

    /// What an answer told, that came at `answered` to a request started at `started`.
    pub fn learn(&mut self, told: Told, ends: Timestamp, started: Tick, answered: Tick) {
        // A request that started after the last teller's answer knows all that one knew, and more.
        let is_newer = started > self.as_of;
        if is_newer || told.reset > self.told.reset {
            *self = Self {
                told,
                ends,
                as_of: answered,
                silent: std::mem::take(&mut self.silent),
            };
        } else if told.reset == self.told.reset {
            self.told.remaining = self.told.remaining.min(told.remaining);
            self.ends = ends;
            self.as_of = answered;
        } else {
            return;
        }
        // What was answered before this one started is in what it tells.
        self.silent.retain(|silent| *silent > started);
    }

    /// An answer came at `answered` that told nothing of this window.
    pub fn hear_nothing(&mut self, answered: Tick) {
        self.silent.push(answered);
    }

    /// Whether it is over, and its successor not known.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.ends
    }

    /// When the next request may start, while `in_flight` are, of which `since_end` started after its end.
    #[must_use]
    pub fn opening(&self, now: Timestamp, in_flight: usize, since_end: usize) -> Opening {
        if self.has_ended(now) {
            // One goes ahead alone and tells what holds now.
            return if since_end == 0 {
                Opening::Now
            } else {
                Opening::AfterAnswer
            };
        }
        // Each in flight may be counted already in what remains, or not: it is taken not to be.
        if self.left(in_flight) > 0 {
            Opening::Now
        } else if (self.told.remaining as usize) > self.silent.len() && in_flight > 0 {
            Opening::AfterAnswer
        } else {
            Opening::At(self.ends)
        }
    }

    /// How many more may start for sure.
    #[must_use]
    pub fn left(&self, in_flight: usize) -> usize {
        (self.told.remaining as usize).saturating_sub(in_flight + self.silent.len())
    }

    /// The window as it was told.
    #[must_use]
    pub const fn told(&self) -> Told {
        self.told
    }

    /// When it ends by our clock.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::WindowKind;

    fn told(remaining: u32, reset: i64) -> Told {
        Told {
            kind: WindowKind::Endpoint,
            limit: Some(10),
            remaining,
            reset: Timestamp(reset),
        }
    }

    fn learn(window: &mut ToldWindow, remaining: u32, reset: i64, started: Tick, answered: Tick) {
        window.learn(told(remaining, reset), Timestamp(reset), started, answered);
    }

    const NOW: Timestamp = Timestamp(0);

    #[test]
    fn answers_that_overtake_each_other_leave_the_lowest() {
        // Two requests start at 1 and 2; the server counts the first one first, its answer comes second.
        let mut window = ToldWindow::new(told(8, 1_000), Timestamp(1_000), 3);
        learn(&mut window, 9, 1_000, 1, 4);
        assert_eq!(window.left(0), 8);
    }

    #[test]
    fn those_in_flight_are_taken_not_to_be_counted_yet() {
        let window = ToldWindow::new(told(3, 1_000), Timestamp(1_000), 3);
        assert_eq!(window.opening(NOW, 2, 0), Opening::Now);
        assert_eq!(window.opening(NOW, 3, 0), Opening::AfterAnswer);
        let spent = ToldWindow::new(told(0, 1_000), Timestamp(1_000), 3);
        assert_eq!(spent.opening(NOW, 0, 0), Opening::At(Timestamp(1_000)));
        assert_eq!(spent.opening(NOW, 3, 0), Opening::At(Timestamp(1_000)));
    }

    #[test]
    fn an_answer_that_tells_nothing_may_have_taken_a_place_until_a_later_one_tells() {
        let mut window = ToldWindow::new(told(3, 1_000), Timestamp(1_000), 3);
        window.hear_nothing(4);
        assert_eq!(window.left(0), 2);
        learn(&mut window, 2, 1_000, 2, 5);
        assert_eq!(window.left(0), 1, "it started before, and may not know");
        learn(&mut window, 2, 1_000, 6, 7);
        assert_eq!(window.left(0), 2, "it started after, and knows");
    }

    #[test]
    fn what_a_later_request_was_told_rules_also_when_it_is_more_or_ends_earlier() {
        let mut window = ToldWindow::new(told(0, 1_000), Timestamp(1_000), 3);
        learn(&mut window, 5, 900, 4, 5);
        assert_eq!((window.left(0), window.ends()), (5, Timestamp(900)));
    }

    #[test]
    fn a_late_answer_of_the_window_before_changes_nothing() {
        let mut window = ToldWindow::new(told(9, 2_000), Timestamp(2_000), 5);
        learn(&mut window, 0, 1_000, 1, 6);
        assert_eq!((window.left(0), window.ends()), (9, Timestamp(2_000)));
    }

    #[test]
    fn after_its_end_one_request_goes_ahead_alone() {
        let window = ToldWindow::new(told(0, 1_000), Timestamp(1_000), 3);
        let after = Timestamp(1_000);
        assert_eq!(window.opening(after, 2, 0), Opening::Now);
        assert_eq!(window.opening(after, 3, 1), Opening::AfterAnswer);
    }
}
