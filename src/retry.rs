//! How long to wait before the next attempt: exponential with jitter, by the `backoff` crate.
//!
//! Owns the delays and nothing else: attempts are counted in the journal, so the crate's own bound on elapsed time is
//! off and one step is taken at a time. The crate is no longer maintained and stands behind this file alone.

use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

/// The delay before a first retry, without jitter.
const FIRST: Duration = Duration::from_millis(500);
/// The longest delay, without jitter.
pub const LONGEST: Duration = Duration::from_mins(1);
/// How far jitter goes to either side.
const JITTER: f64 = 0.5;

/// The delay after the `failures`-th failure in a row: 0.5 s, 1 s, 2 s … 60 s, each up to a half shorter or longer.
#[must_use]
pub fn delay(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let mut delays = ExponentialBackoff {
        current_interval: FIRST.saturating_mul(1 << doublings).min(LONGEST),
        initial_interval: FIRST,
        max_interval: LONGEST,
        randomization_factor: JITTER,
        multiplier: 2.0,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    delays.next_backoff().unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_minute_with_a_half_of_jitter() {
        for (failures, middle) in [
            (1, 0.5),
            (2, 1.0),
            (3, 2.0),
            (7, 32.0),
            (8, 60.0),
            (60_000, 60.0),
        ] {
            let delays: Vec<_> = (0..200).map(|_| delay(failures).as_secs_f64()).collect();
            assert!(
                delays
                    .iter()
                    .all(|delay| (middle * 0.5..=middle * 1.5).contains(delay)),
                "{failures}: {delays:?}"
            );
            // Jitter that always gave the same delay would send a whole pool again at one moment.
            assert!(
                delays
                    .iter()
                    .any(|delay| (delay - delays[0]).abs() > middle * 0.1),
                "{failures}"
            );
        }
    }
}
