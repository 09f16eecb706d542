//! Is it one item that fails, or is X out of reach?
//!
//! Owns that question: five attempts in a row, of five different items, that ended without an answer or with 502, 503 or
//! 504 are an outage. From there one probe at a time goes out, a tenth of the outage so far apart, until one gets through.
//! Pure arithmetic; the runner asks before each start.

use std::time::Duration;

use crate::{answer::Reply, time::Timestamp};

/// How many attempts in a row, of as many different items, make an outage.
const ATTEMPTS: usize = 5;
const SHORTEST_GAP: Duration = Duration::from_millis(500);
const LONGEST_GAP: Duration = Duration::from_mins(1);

/// What is known of X's health.
#[derive(Debug, Default)]
pub struct Health {
    /// The different items of the attempts in a row that got nowhere, and when the first of these ended.
    streak: Vec<i64>,
    since: Option<Timestamp>,
    next_probe: Option<Timestamp>,
    /// Whether X has answered anything in this run.
    has_answered: bool,
}

/// Whether a reply may be a sign of an outage.
#[must_use]
pub fn is_sign(reply: &Reply) -> bool {
    matches!(reply.status(), None | Some(502..=504))
}

impl Health {
    /// An attempt for `item_id` ended at `now`. Returns whether there is an outage.
    pub fn learn(&mut self, item_id: i64, reply: &Reply, now: Timestamp) -> bool {
        self.has_answered |= reply.status().is_some();
        if !is_sign(reply) {
            self.streak.clear();
            self.since = None;
            self.next_probe = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        if self.streak.len() < ATTEMPTS && !self.streak.contains(&item_id) {
            self.streak.push(item_id);
        }
        if self.is_outage() {
            self.next_probe = Some(now + (now.since(since) / 10).clamp(SHORTEST_GAP, LONGEST_GAP));
        }
        self.is_outage()
    }

    /// Whether there is an outage.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        self.streak.len() >= ATTEMPTS
    }

    /// Whether the last attempt got an answer that is no sign of an outage.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.streak.is_empty()
    }

    /// When the next probe may start, while there is an outage.
    #[must_use]
    pub fn next_probe(&self) -> Option<Timestamp> {
        self.next_probe.filter(|_| self.is_outage())
    }

    /// How long the outage has lasted.
    #[must_use]
    pub fn lasted(&self, now: Timestamp) -> Option<Duration> {
        self.since
            .filter(|_| self.is_outage())
            .map(|since| now.since(since))
    }

    /// Whether X has answered anything in this run.
    #[must_use]
    pub const fn has_answered(&self) -> bool {
        self.has_answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn five_different_items_in_a_row_are_an_outage() {
        let mut health = Health::default();
        for item in [1, 2, 3, 4] {
            assert!(!health.learn(item, &Reply::TimedOut, at(item)));
        }
        assert!(
            !health.learn(4, &Reply::complete(503, ""), at(5)),
            "the fourth once more"
        );
        assert!(health.learn(5, &Reply::NoConnection(String::new()), at(6)));
        assert_eq!(health.lasted(at(11)), Some(Duration::from_secs(10)));
    }

    #[test]
    fn any_other_answer_breaks_the_row_and_ends_the_outage() {
        for status in [200, 404, 429, 500] {
            let mut health = Health::default();
            for item in 1..=4 {
                health.learn(item, &Reply::complete(502, ""), at(0));
            }
            health.learn(9, &Reply::complete(status, ""), at(0));
            assert!(
                !health.learn(5, &Reply::complete(504, ""), at(0)),
                "{status}"
            );
            for item in 6..=9 {
                health.learn(item, &Reply::TimedOut, at(0));
            }
            assert!(health.is_outage());
            health.learn(1, &Reply::complete(status, ""), at(0));
            assert!(!health.is_outage());
        }
    }

    #[test]
    fn probes_are_a_tenth_of_the_outage_apart_from_half_a_second_to_a_minute() {
        let mut health = Health::default();
        for item in 1..=5 {
            health.learn(item, &Reply::TimedOut, at(0));
        }
        assert_eq!(health.next_probe(), Some(at(0) + SHORTEST_GAP));
        health.learn(1, &Reply::TimedOut, at(100));
        assert_eq!(health.next_probe(), Some(at(110)));
        health.learn(1, &Reply::TimedOut, at(10_000));
        assert_eq!(health.next_probe(), Some(at(10_060)));
    }
}
