//! What the page tells above the list of images: all sums, read from the journal at one moment.
//!
//! Owns the reading, in the order in which it is shown. Keeps nothing that grows with the images.

use std::{collections::BTreeMap, time::Duration};

use super::chart::width_for;
use crate::{
    item::State,
    journal::{self, Bucket, Reader, RunSum, Sum, Tally, Usage},
    rate::{Rate, Rates},
    row::Source,
    time::Timestamp,
};

/// How many runs are shown.
pub(super) const RUNS: i64 = 20;
/// Windows of a day and longer are the app's, whichever account it sends for.
const DAY: Duration = Duration::from_hours(24);

/// The sums.
pub(super) struct Facts {
    /// When they were read.
    pub now: Timestamp,
    /// Where the images are sent, or the word sandbox.
    pub api_url: String,
    /// Whose images they are.
    pub account: String,
    /// How the images stand.
    pub tally: Tally,
    /// What was sent in all.
    pub sent: Sum,
    /// Why images failed: cause, count, and how many of them are dismissed.
    pub failures: Vec<(String, i64, i64)>,
    /// How the images of each manifest stand.
    pub files: Vec<(String, Tally)>,
    /// The latest runs.
    pub runs: Vec<RunSum>,
    /// How long a bar of the charts is.
    pub width: Duration,
    /// What came of requests over time.
    pub over_time: Vec<Bucket>,
    /// X's windows, and how full they were.
    pub windows: Vec<(Rate, Usage)>,
}

impl Facts {
    /// Whether they are of a simulated X.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.api_url == "sandbox"
    }

    pub(super) async fn read(
        reader: &mut Reader,
        sources: &BTreeMap<i64, Source>,
        now: Timestamp,
    ) -> Result<Self, journal::Error> {
        let width = match reader.span().await? {
            Some((first, last)) => width_for(first, last),
            None => Duration::from_secs(1),
        };
        let mut windows = Vec::new();
        for rate in Rates::Published.windows() {
            let usage = reader.usage(rate.per, rate.per >= DAY, width, now).await?;
            windows.push((rate, usage));
        }
        // One name may stand for several forms of the file.
        let mut files: Vec<(String, Tally)> = Vec::new();
        for (source, tally) in reader.by_source().await? {
            let name = sources.get(&source).map_or("", |source| &source.name);
            match files.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => sum.add(&tally),
                None => files.push((name.to_owned(), tally)),
            }
        }
        Ok(Self {
            now,
            api_url: reader.api_url().await?,
            tally: reader.tally().await?,
            account: reader.account_name().await?,
            sent: reader
                .sums(&[], Some(reader.account()))
                .await?
                .pop()
                .unwrap_or_default(),
            failures: reader.failures().await?,
            files,
            runs: reader.runs(RUNS).await?,
            width,
            over_time: reader.over_time(width).await?,
            windows,
        })
    }

    /// How many images are listed where those in `state` are asked for.
    pub(super) const fn listed(&self, state: Option<State>) -> u64 {
        match state {
            None => self.tally.total(),
            Some(State::Pending) => self.tally.pending,
            Some(State::Sending) => self.tally.sending,
            Some(State::Done) => self.tally.done,
            Some(State::Failed) => self.tally.failed + self.tally.dismissed,
        }
    }
}
