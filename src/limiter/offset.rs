//! How far the server's clock is from ours, learnt from the `Date` of its answers.
//!
//! `Date` has whole seconds, so one answer tells the offset to a second and its way; each further one that falls on
//! another part of a second narrows it. Owns the bounds. Used on the safe side: a reset is never taken to be earlier than
//! it may be.

use std::time::Duration;

use crate::time::Timestamp;

/// Bounds of the server's clock minus ours, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offset {
    bounds: Option<(i64, i64)>,
}

impl Offset {
    /// Learns from an answer with `date` to a request that was sent at `sent` and answered by `received`.
    pub fn learn(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        // The server read its clock somewhere between the two, and it showed at least `date` and less than a second more.
        let (low, high) = (date.0 - received.0, date.0 + 999 - sent.0);
        let narrowed = self
            .bounds
            .map(|(known_low, known_high)| (known_low.max(low), known_high.min(high)));
        // Bounds that contradict each other: one of the clocks was set. What is newest holds.
        self.bounds = Some(
            narrowed
                .filter(|(low, high)| low <= high)
                .unwrap_or((low, high)),
        );
    }

    /// The latest moment of our clock at which the server's may show `moment`.
    #[must_use]
    pub fn latest(&self, moment: Timestamp) -> Timestamp {
        match self.bounds {
            Some((low, _)) => Timestamp(moment.0.saturating_sub(low)),
            // Nothing is known: a second for clocks that are nearly right.
            None => moment + Duration::from_secs(1),
        }
    }

    /// How many milliseconds the server's clock is ahead of ours at the least; negative where it is behind.
    #[must_use]
    pub fn at_least(&self) -> Option<i64> {
        let (low, high) = self.bounds?;
        Some(if low > 0 {
            low
        } else if high < 0 {
            high
        } else {
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_narrow_the_offset_and_never_make_a_reset_early() {
        // The server's clock is 90,250 ms ahead of ours, the way takes 20 ms in each direction.
        let ahead = 90_250;
        let mut offset = Offset::default();
        for step in 0..50 {
            let sent = 1_000_000 + step * 137;
            let date = (sent + 20 + ahead) / 1_000 * 1_000;
            offset.learn(Timestamp(date), Timestamp(sent), Timestamp(sent + 40));
            let reset = offset.latest(Timestamp(2_000_000 + ahead));
            assert!(reset >= Timestamp(2_000_000), "{reset:?}");
        }
        assert!(offset.latest(Timestamp(2_000_000 + ahead)) < Timestamp(2_000_060));
        assert!(
            offset
                .at_least()
                .is_some_and(|least| (90_000..=ahead).contains(&least))
        );
    }

    #[test]
    fn a_clock_that_was_set_is_learnt_anew() {
        let mut offset = Offset::default();
        offset.learn(Timestamp(5_000), Timestamp(5_000), Timestamp(5_010));
        offset.learn(Timestamp(3_605_000), Timestamp(6_000), Timestamp(6_010));
        assert_eq!(offset.at_least(), Some(3_605_000 - 6_010));
    }
}
