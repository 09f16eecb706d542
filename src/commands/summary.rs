//! How a run ended: its exit code, its JSON object and its last lines.
//!
//! Owns the rule by which one of several exit codes wins.

use std::fmt;

use serde_json::{Value, json};

use super::{cost, counted, taking::Found};
use crate::{
    error::{Failure, exit},
    journal::{Counts, Started, Tally},
    outcome::Stop,
    progress::about,
    runner::{Ending, Summary},
};

/// All that is told of a run at its end.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Whether it began; a run that could not says only why.
    pub has_run: bool,
    /// Whether it was a rehearsal, which costs nothing.
    pub is_rehearsal: bool,
    /// With which code it ends.
    pub exit_code: u8,
    /// What of the words that name the journal belongs to the next command too: nothing, or beginning with a blank.
    pub place: String,
    /// Why, in a word.
    pub exit_reason: String,
    /// How long it took.
    pub elapsed_s: f64,
    /// Dollars for requests that were for no image.
    pub look_ups: f64,
    run_id: Option<i64>,
    rows: u64,
    invalid: u64,
    counts: Counts,
    tally: Tally,
    others: u64,
    summary: Summary,
    cost_usd: f64,
    interrupted: (u64, Vec<String>),
    left_open: (u64, Vec<String>),
}

impl Totals {
    /// What was taken in.
    pub const fn take(&mut self, found: Found, counts: Counts) {
        (self.rows, self.invalid, self.counts) = (found.rows, found.invalid, counts);
    }

    /// The run has begun.
    pub fn begin(&mut self, started: &Started) {
        self.has_run = true;
        self.run_id = Some(started.run_id);
        self.interrupted.clone_from(&started.interrupted);
    }

    /// What was sent.
    pub fn add(&mut self, summary: &Summary, price: f64) {
        self.summary = summary.clone();
        self.cost_usd = cost(summary.spent + summary.cut_off, price);
    }

    /// The run failed.
    pub fn fail(&mut self, failure: &Failure) {
        self.exit_code = failure.code();
        failure.reason().clone_into(&mut self.exit_reason);
    }

    /// How the items stand at the end.
    pub fn conclude(&mut self, tally: Tally, others: u64, left_open: (u64, Vec<String>)) {
        (self.tally, self.others, self.left_open) = (tally, others, left_open);
    }

    /// Finds the exit code: the signal, 7, 8, 69, 6, 5 where items remain, 4.
    pub fn judge(&mut self, summary: Option<&Summary>) {
        let remains = self.tally.due() > 0;
        let ending = summary.and_then(|summary| summary.ending.as_ref());
        let (code, reason) = match ending {
            Some(Ending::Signal(number)) => (
                exit::SIGNAL.saturating_add(u8::try_from(*number).unwrap_or(0)),
                "signal".to_owned(),
            ),
            Some(Ending::Refused(Stop::Access, cause, _)) => {
                (exit::ACCESS, cause.word().to_owned())
            }
            Some(Ending::Refused(Stop::Money, cause, _)) => (exit::MONEY, cause.word().to_owned()),
            Some(Ending::Outage(_)) => (exit::UNAVAILABLE, "outage".to_owned()),
            Some(Ending::HaltAfter(..)) => (exit::HALTED, "halt-after".to_owned()),
            Some(Ending::MaxFailures(..)) => (exit::HALTED, "max-failures".to_owned()),
            Some(Ending::MaxSpend) if remains => (exit::STOPPED, "max-spend".to_owned()),
            Some(Ending::MaxDuration) if remains => (exit::STOPPED, "max-duration".to_owned()),
            Some(Ending::MaxItems) if remains => (exit::STOPPED, "max-items".to_owned()),
            None if remains && summary.is_none() => (exit::STOPPED, "max-items".to_owned()),
            _ if self.tally.failed > 0 => (exit::FAILED_ITEMS, "failed-items".to_owned()),
            _ if self.invalid > 0 => (exit::FAILED_ITEMS, "invalid-rows".to_owned()),
            _ => (exit::OK, "done".to_owned()),
        };
        (self.exit_code, self.exit_reason) = (code, reason);
    }

    /// The JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "run_id": self.run_id,
            "exit_code": self.exit_code,
            "exit_reason": self.exit_reason,
            "rows": self.rows,
            "empty": self.counts.empty,
            "invalid": self.invalid,
            "new": self.counts.new,
            "changed": self.counts.changed,
            "unchanged": self.counts.unchanged,
            "done": self.tally.done,
            "failed": self.tally.failed + self.tally.dismissed,
            "dismissed": self.tally.dismissed,
            "pending": self.tally.due(),
            "pending_other": self.others,
            "requests": self.summary.requests,
            "retries": self.summary.retries,
            "rate_limited": self.summary.rate_limited,
            "warnings": self.summary.warnings,
            "interrupted": self.interrupted.0,
            "left_open": self.left_open.0,
            "cost_usd": self.cost(),
            "elapsed_s": (self.elapsed_s * 1e3).round() / 1e3,
        })
    }

    /// What X may charge for the run, in dollars.
    fn cost(&self) -> f64 {
        ((self.cost_usd + self.look_ups) * 1e5).round() / 1e5
    }

    /// Why it ended before all was sent, and what to do.
    fn ending(&self) -> Option<String> {
        let said = |said: &Option<String>| {
            said.as_ref()
                .map_or_else(String::new, |said| format!(": {said}"))
        };
        Some(match self.summary.ending.as_ref()? {
            Ending::Signal(_) => "Stopped by a signal.".to_owned(),
            Ending::Refused(Stop::Access, cause, detail) => {
                format!(
                    "X refuses access ({cause}){}. {}, then go on.",
                    said(detail),
                    advice(cause.word())
                )
            }
            Ending::Refused(Stop::Money, cause, detail) => {
                format!(
                    "X takes nothing more for want of money ({cause}){}. See the console of X's developer portal, then go on.",
                    said(detail)
                )
            }
            Ending::Outage(detail) => format!("X could not be reached{}.", said(detail)),
            Ending::HaltAfter(count, cause) => {
                format!(
                    "Halted: the first {count} images all failed ({cause}), so something is wrong with all of them."
                )
            }
            Ending::MaxFailures(failed, of) => format!("Halted: {failed} of {of} images failed."),
            Ending::MaxItems => "Stopped as told by --max-items.".to_owned(),
            Ending::MaxSpend => "Stopped as told by --max-spend.".to_owned(),
            Ending::MaxDuration => "Stopped as told by --max-duration.".to_owned(),
        })
    }
}

/// What to do about a refusal that only a person can mend.
fn advice(cause: &str) -> &'static str {
    match cause {
        "unsupported-authentication" => {
            "The token is an app's own, and X wants a user's: log in with `altfill auth login`, or give a user's token"
        }
        "oauth1-permissions" => {
            "The app's keys may only read: let it read and write at X's developer portal, make its access token anew"
        }
        "client-forbidden" => {
            "The app is enrolled nowhere: attach it to a project at X's developer portal"
        }
        "unauthorized" => "Log in with `altfill auth login`, or give a fresh token",
        _ => "See to the app and its scopes at X's developer portal",
    }
}

fn named((count, names): &(u64, Vec<String>)) -> String {
    let more = count.saturating_sub(names.len() as u64);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("{}{more}", names.join(", "))
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ending) = self.ending() {
            writeln!(f, "{ending}")?;
        }
        let Tally {
            done,
            failed,
            dismissed,
            ..
        } = self.tally;
        let mut parts = vec![format!("{done} done")];
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if dismissed > 0 {
            parts.push(format!("{dismissed} dismissed"));
        }
        if self.tally.due() > 0 {
            parts.push(format!("{} left", self.tally.due()));
        }
        write!(
            f,
            "{}: {}",
            counted(self.tally.total(), "image"),
            parts.join(", ")
        )?;
        let time = about(std::time::Duration::from_secs_f64(self.elapsed_s));
        let at_x = if self.is_rehearsal {
            "; at X that would cost"
        } else {
            ","
        };
        let cost = format!("{at_x} ${:.3}", self.cost());
        match self.summary.requests {
            0 => write!(f, ". Nothing was sent.")?,
            requests => write!(f, ". {} in {time}{cost}.", counted(requests, "request"))?,
        }
        if self.counts.empty > 0 {
            write!(
                f,
                "\n{} rows name no field, and were passed over.",
                self.counts.empty
            )?;
        }
        if self.invalid > 0 {
            write!(f, "\n{} invalid rows were skipped.", self.invalid)?;
        }
        if self.summary.warnings > 0 {
            write!(
                f,
                "\n{} accepted with a warning.",
                counted(self.summary.warnings, "image")
            )?;
        }
        if self.interrupted.0 > 0 {
            let named = named(&self.interrupted);
            write!(
                f,
                "\nAn earlier run was cut off while these were on their way; they were due again: {named}"
            )?;
        }
        if self.left_open.0 > 0 {
            let named = named(&self.left_open);
            write!(
                f,
                "\nIt is not known whether X got these; the next run sends them again: {named}"
            )?;
        }
        if self.others > 0 {
            write!(
                f,
                "\n{} of other manifests are due too: `altfill resume{}` sends all.",
                counted(self.others, "image"),
                self.place
            )?;
        }
        if self.tally.due() > 0 {
            write!(
                f,
                "\nTo go on: the same command again, or `altfill resume{}`.",
                self.place
            )?;
        } else if failed > 0 {
            write!(
                f,
                "\nWhat failed and why: `altfill report{} --state failed`.",
                self.place
            )?;
        }
        Ok(())
    }
}
