//! Is the token still good, and when is another one had?
//!
//! Owns that question. A token is renewed ahead of its end, and when X has refused it; a token that came after a refusal,
//! is not past its own end and is refused too ends the run, because another one would fare no better. Where no token can
//! be had for the moment, it is tried again a tenth of that time later. Pure arithmetic; the runner asks before each start.

use std::time::Duration;

use crate::time::Timestamp;

const SHORTEST_GAP: Duration = Duration::from_millis(500);
const LONGEST_GAP: Duration = Duration::from_mins(1);

/// What is known of the token, counted from 0; each renewal counts one further.
#[derive(Debug, Default)]
pub struct Renewal {
    /// The last one that was had.
    current: u32,
    /// The first one that was refused, while none that came later was accepted.
    first_refused: Option<u32>,
    /// Whether the last one was refused.
    is_refused: bool,
    /// Since when none can be had, and when to try next.
    failing: Option<(Timestamp, Timestamp)>,
}

/// How much another token is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The one there is will do.
    None,
    /// It is about to run out: another one should be had now.
    Soon,
    /// It was refused: nothing can be sent with it.
    Now,
}

impl Renewal {
    /// What is known before the first request: which token was refused already, if one was.
    pub const fn after(refused: Option<u32>) -> Self {
        Self {
            current: 0,
            first_refused: refused,
            is_refused: false,
            failing: None,
        }
    }

    /// X accepted the token of `generation`, whatever it said of the item.
    pub fn accepted(&mut self, generation: u32) {
        self.current = self.current.max(generation);
        if self.first_refused.is_some_and(|first| first < generation) {
            self.first_refused = None;
        }
    }

    /// X refused the token of `generation`. Returns whether another one may help.
    #[must_use]
    pub fn refused(&mut self, generation: u32, is_over: bool) -> bool {
        self.current = self.current.max(generation);
        if generation < self.current {
            // It was renewed while this request was on its way.
            return true;
        }
        let came_after_a_refusal = self.first_refused.is_some_and(|first| first < generation);
        if came_after_a_refusal && !is_over {
            return false;
        }
        self.first_refused.get_or_insert(generation);
        self.is_refused = true;
        true
    }

    /// Another token was had.
    pub fn renewed(&mut self, generation: u32) {
        self.current = generation;
        self.is_refused = false;
        self.failing = None;
    }

    /// No token could be had at `now`, but it may be otherwise later.
    pub fn failed(&mut self, now: Timestamp) {
        let since = self.failing.map_or(now, |(since, _)| since);
        let gap = (now.since(since) / 10).clamp(SHORTEST_GAP, LONGEST_GAP);
        self.failing = Some((since, now + gap));
    }

    /// Whether another token is needed at `now`, when the one there is should be renewed at `renew_at`.
    #[must_use]
    pub fn need(&self, renew_at: Option<Timestamp>, now: Timestamp) -> Need {
        if self.is_refused {
            Need::Now
        } else if renew_at.is_some_and(|at| at <= now) {
            Need::Soon
        } else {
            Need::None
        }
    }

    /// When the next renewal may begin, where an earlier one failed.
    #[must_use]
    pub fn next_try(&self) -> Option<Timestamp> {
        self.failing.map(|(_, next)| next)
    }

    /// How long nothing could be sent for want of a token.
    #[must_use]
    pub fn lacking(&self, now: Timestamp) -> Option<Duration> {
        let (since, _) = self.failing.filter(|_| self.is_refused)?;
        Some(now.since(since))
    }

    /// The last one that was had.
    #[must_use]
    pub const fn current(&self) -> u32 {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_token_that_came_after_a_refusal_and_is_refused_ends_it() {
        let mut renewal = Renewal::default();
        assert!(renewal.refused(0, false));
        // Other requests that were on their way with it.
        assert!(renewal.refused(0, false));
        renewal.renewed(1);
        assert!(renewal.refused(0, false), "it comes late");
        assert!(!renewal.refused(1, false));
    }

    #[test]
    fn a_token_past_its_own_end_is_renewed_however_often() {
        let mut renewal = Renewal::default();
        for generation in 0..10 {
            assert!(renewal.refused(generation, true));
            assert_eq!(renewal.need(None, NOW), Need::Now);
            renewal.renewed(generation + 1);
        }
        assert_eq!(renewal.need(None, NOW), Need::None);
    }

    #[test]
    fn a_token_that_was_accepted_may_be_renewed_again() {
        let mut renewal = Renewal::default();
        assert!(renewal.refused(0, false));
        renewal.renewed(1);
        renewal.accepted(0);
        renewal.accepted(1);
        assert!(renewal.refused(1, false));
        // Renewed ahead of its end, not after a refusal: that one is refused for the first time.
        let mut renewal = Renewal::default();
        renewal.renewed(1);
        assert!(renewal.refused(1, false));
    }

    #[test]
    fn it_is_tried_again_ever_more_rarely() {
        let mut renewal = Renewal::default();
        assert!(renewal.refused(0, false));
        renewal.failed(NOW);
        assert_eq!(renewal.next_try(), Some(NOW + SHORTEST_GAP));
        renewal.failed(NOW + Duration::from_secs(100));
        assert_eq!(renewal.next_try(), Some(NOW + Duration::from_secs(110)));
        assert_eq!(
            renewal.lacking(NOW + Duration::from_secs(100)),
            Some(Duration::from_secs(100))
        );
        renewal.renewed(1);
        assert_eq!((renewal.next_try(), renewal.lacking(NOW)), (None, None));
    }

    #[test]
    fn it_is_needed_soon_from_the_moment_that_was_set() {
        let renewal = Renewal::default();
        let at = NOW + Duration::from_secs(5);
        assert_eq!(renewal.need(Some(at), NOW), Need::None);
        assert_eq!(renewal.need(Some(at), at), Need::Soon);
    }
}
