//! Bounds that the user has set on a run, and whether one of them is reached.
//!
//! Owns the counting of failures for `--halt-after` and `--max-failures`, and the arithmetic of `--max-items`,
//! `--max-spend` and `--max-duration`. Ends nothing itself.

use std::{str::FromStr, time::Duration};

use super::{
    Options,
    event::{Ending, Summary},
};
use crate::{outcome::Cause, time::Timestamp};

/// How many of the items may fail, as a number or as a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many.
    Count(u64),
    /// So many in a hundred.
    Percent(f64),
}

impl Share {
    /// Whether `count` of so many is more than it.
    #[must_use]
    pub fn is_exceeded(self, count: u64, of: u64) -> bool {
        match self {
            Self::Count(most) => count > most,
            #[expect(
                clippy::cast_precision_loss,
                reason = "counts of items stay far below 2^52"
            )]
            Self::Percent(percent) => count as f64 * 100.0 > percent * of as f64,
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a number nor a percentage: write 20 or 5%");
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
                (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Self::Percent(percent))
                    .ok_or_else(wrong)
            }
            None => text.trim().parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

/// From how many items on a percentage says something.
const ENOUGH: u64 = 100;

/// The failures of a run so far.
#[derive(Debug, Default)]
pub struct Failures {
    row: Option<(Cause, u32)>,
}

impl Failures {
    /// An item failed; `summary` counts it already. Returns the bound that is reached by it.
    pub fn learn(&mut self, cause: &Cause, summary: &Summary, options: &Options) -> Option<Ending> {
        let count = match self.row.take() {
            Some((known, count)) if known == *cause => count + 1,
            _ => 1,
        };
        self.row = Some((cause.clone(), count));
        if summary.done == 0 && options.halt_after != 0 && count >= options.halt_after {
            return Some(Ending::HaltAfter(count, cause.clone()));
        }
        let ended = summary.done + summary.failed;
        let counts_at_all = match options.max_failures {
            Share::Count(_) => true,
            Share::Percent(_) => ended >= ENOUGH,
        };
        let is_over = counts_at_all && options.max_failures.is_exceeded(summary.failed, ended);
        is_over.then_some(Ending::MaxFailures(summary.failed, ended))
    }
}

/// The bound that forbids one more start at `now`, with so many in flight; a retry is of an item that was started.
#[must_use]
pub fn forbids(
    options: &Options,
    summary: &Summary,
    (items, in_flight): (u64, usize),
    is_retry: bool,
    now: Timestamp,
    longest_answer: Duration,
) -> Option<Ending> {
    if !is_retry && options.max_items.is_some_and(|most| items >= most) {
        return Some(Ending::MaxItems);
    }
    if let Some(most) = options.max_spend {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of requests stay far below 2^52"
        )]
        let cost =
            (options.spent_before + summary.spent + in_flight as u64 + 1) as f64 * options.price;
        // A millionth of a dollar for the rounding of sums such as 3 * 0.005.
        if cost > most + 1e-6 {
            return Some(Ending::MaxSpend);
        }
    }
    if deadline(options).is_some_and(|deadline| now + longest_answer >= deadline) {
        return Some(Ending::MaxDuration);
    }
    None
}

/// When `--max-duration` is over.
#[must_use]
pub fn deadline(options: &Options) -> Option<Timestamp> {
    options
        .max_duration
        .map(|duration| options.started + duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            halt_after: 3,
            ..Options::default()
        }
    }

    #[test]
    fn a_row_of_failures_for_one_cause_halts_only_while_nothing_is_done() {
        let (gone, redirect) = (Cause::known("resource-not-found"), Cause::REDIRECT);
        let mut failures = Failures::default();
        let mut summary = Summary::default();
        for cause in [&gone, &gone, &redirect, &gone, &gone] {
            assert_eq!(failures.learn(cause, &summary, &options()), None);
        }
        assert_eq!(
            failures.learn(&gone, &summary, &options()),
            Some(Ending::HaltAfter(3, gone.clone()))
        );
        summary.done = 1;
        assert_eq!(failures.learn(&gone, &summary, &options()), None);
        summary.done = 0;
        assert_eq!(
            failures.learn(
                &gone,
                &summary,
                &Options {
                    halt_after: 0,
                    ..options()
                }
            ),
            None
        );
    }

    #[test]
    fn a_percentage_of_failures_counts_from_a_hundred_items_on() {
        let mut failures = Failures::default();
        let mut over = |done, failed| {
            let summary = Summary {
                done,
                failed,
                ..Summary::default()
            };
            failures
                .learn(&Cause::TIMEOUT, &summary, &options())
                .is_some()
        };
        assert!(!over(10, 89));
        assert!(!over(50, 50));
        assert!(over(49, 51));
    }

    #[test]
    fn spending_stops_before_the_cap_with_those_in_flight_counted() {
        let options = Options {
            max_spend: Some(0.025),
            spent_before: 1,
            ..options()
        };
        let ending = |spent, in_flight| {
            let summary = Summary {
                spent,
                ..Summary::default()
            };
            forbids(
                &options,
                &summary,
                (0, in_flight),
                false,
                Timestamp(0),
                Duration::ZERO,
            )
        };
        assert_eq!(ending(3, 0), None);
        assert_eq!(ending(3, 1), Some(Ending::MaxSpend));
        assert_eq!(ending(4, 0), Some(Ending::MaxSpend));
    }
}
