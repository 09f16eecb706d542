//! `altfill plan`: what a run would do and cost, without sending anything or writing to the journal.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{print, taking};
use crate::{
    cli::PlanArgs,
    error::{Failure, exit},
    journal::{
        Counts, DEFAULT_ACCOUNT, Found, Journal, NewRun, Outlook, Reader, RetryFailed, Scope, look,
    },
    progress::{about, say},
    rate::{Rate, Rates, estimate},
    settings::{JournalPlace, Pacing, ReadSettings, rates},
    time::Timestamp,
};

/// From how many requests on a first run is a large one.
const LARGE: u64 = 100;

pub async fn execute(args: &PlanArgs) -> Result<u8, Failure> {
    let plan = make(args).await?;
    if args.json {
        print(&plan.to_json().to_string())?;
    } else {
        print(&plan.to_text())?;
    }
    Ok(exit::OK)
}

/// A plan.
struct Plan {
    rows: u64,
    counts: Counts,
    outlook: Outlook,
    requests: u64,
    cost: f64,
    /// The windows that it takes, of each rate.
    windows: Vec<(Rate, u64)>,
    time: Duration,
    finish: Timestamp,
    /// Whether nothing has been accepted for this account yet.
    is_first: bool,
}

async fn make(args: &PlanArgs) -> Result<Plan, Failure> {
    let place = JournalPlace::to_plan(&args.journal, args.sandbox);
    let read = ReadSettings::from(&args.read);
    let rates = rates(&args.rate)?;
    let price = args.price.unwrap_or(Pacing::default().price);
    let now = Timestamp::now();
    let is_there = look(&place.path)? == Found::Journal;
    let mut used = vec![0; rates.windows().len()];
    let mut done = 0;
    if is_there {
        let mut reader = Reader::open(&place.path, place.bound_to.as_deref()).await?;
        let past = reader.past(&rates.windows(), now).await?;
        for (used, rate) in used.iter_mut().zip(rates.windows()) {
            *used = past
                .account
                .iter()
                .filter(|ended| **ended + rate.per > now)
                .count() as u64;
        }
        done = reader.tally().await?.done;
    }
    let folder = tempfile::tempdir().map_err(Failure::unexpected)?;
    let mut journal =
        Journal::scratch(folder.path(), is_there.then_some(place.path.as_path())).await?;
    let mut intake = journal
        .intake(DEFAULT_ACCOUNT, read.duplicates, now)
        .await?;
    let mut faults = taking::Faults::new(read.errors.as_deref())?;
    let mut sink = taking::IntoJournal::new(&mut intake);
    let found = taking::take(&args.manifests, &read, &mut sink, &mut faults, false).await?;
    faults.end()?;
    if found.invalid > 0 {
        let rows = if found.invalid == 1 {
            "1 row is".to_owned()
        } else {
            format!("{} rows are", found.invalid)
        };
        return Err(Failure::Invalid(format!(
            "{rows} invalid: mend them first; `altfill check` shows them again"
        )));
    }
    let new_run = NewRun {
        sources: Vec::new(),
        scope: Scope::Manifests,
        price,
        timeout: Duration::ZERO,
        retry_failed: RetryFailed::Passing,
    };
    let requests = intake.due(&new_run).await?;
    let outlook = intake.outlook(now).await?;
    let counts = intake.counts();
    intake.undo().await?;
    journal.close().await?;
    Ok(Plan::new(
        &rates,
        &used,
        found.rows,
        counts,
        outlook,
        requests,
        price,
        now,
        done == 0,
    ))
}

impl Plan {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that a plan tells"
    )]
    fn new(
        rates: &Rates,
        used: &[u64],
        rows: u64,
        counts: Counts,
        outlook: Outlook,
        requests: u64,
        price: f64,
        now: Timestamp,
        is_first: bool,
    ) -> Self {
        let windows = rates.windows();
        let pace = (*rates != Rates::Unlimited).then_some(Pacing::default().max_rps.get());
        // What earlier runs sent still stands in the windows: as if it were sent once more, which is the latest end.
        let of = |(rate, used): (&Rate, &u64)| {
            if requests == 0 {
                Duration::ZERO
            } else {
                estimate(requests + used, std::slice::from_ref(rate), pace)
            }
        };
        let time = windows.iter().zip(used).map(of).max().unwrap_or_default();
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of items stay far below 2^52"
        )]
        let cost = (requests as f64 * price * 1e5).round() / 1e5;
        let needed = windows
            .iter()
            .map(|rate| (*rate, requests.div_ceil(u64::from(rate.count.get()))))
            .collect();
        Self {
            rows,
            counts,
            outlook,
            requests,
            cost,
            windows: needed,
            time,
            finish: now + time,
            is_first,
        }
    }

    fn to_json(&self) -> Value {
        let windows = self
            .windows
            .iter()
            .map(|(rate, count)| json!({"rate": rate.to_string(), "windows": count}));
        json!({
            "rows": self.rows,
            "empty": self.counts.empty,
            "new": self.counts.new,
            "changed": self.counts.changed,
            "unchanged": self.counts.unchanged,
            "failed_before": self.counts.failed_before,
            "resends": self.counts.resends,
            "requests": self.requests,
            "cost_usd": self.cost,
            "windows": windows.collect::<Vec<_>>(),
            "seconds": self.time.as_secs(),
            "finish": self.finish.to_string(),
            "pending_other": self.outlook.others,
            "old_uploads": self.outlook.old_uploads,
        })
    }

    fn to_text(&self) -> String {
        let Counts {
            empty,
            new,
            changed,
            unchanged,
            failed_before,
            ..
        } = self.counts;
        let mut text = String::new();
        // Writing to a string can't fail.
        for (count, what) in [
            (self.rows, "rows"),
            (new, "new"),
            (changed, "changed"),
            (unchanged, "unchanged"),
            (failed_before, "of them failed before"),
            (empty, "name no field"),
        ] {
            if count > 0 || what == "rows" {
                let _ = writeln!(text, "  {count:>9} {what}");
            }
        }
        if self.requests == 0 {
            text.push_str("A run would send nothing");
        } else {
            let images = if self.requests == 1 {
                "1 image".to_owned()
            } else {
                format!("{} images", self.requests)
            };
            let finish = self.finish.local_date_time();
            let _ = write!(
                text,
                "A run would send {images}: ${:.2}, at least {}, until {finish}",
                self.cost,
                about(self.time)
            );
            for (rate, count) in &self.windows {
                let windows = if *count == 1 { "window" } else { "windows" };
                let _ = write!(text, "\n  X's limit {rate}: {count} {windows}");
            }
        }
        if self.outlook.others > 0 {
            let _ = write!(
                text,
                "\n{} images of other manifests are due too, and are not counted here",
                self.outlook.others
            );
        }
        self.warn();
        text
    }

    fn warn(&self) {
        if self.outlook.old_uploads > 0 {
            say(&format!(
                "{} of the images have ids older than 24 hours: X drops an upload that was in no post by then, and answers \
                 that it does not know it",
                self.outlook.old_uploads
            ));
        }
        if self.is_first && self.requests > LARGE {
            say(
                "This would be the first large run. Whether new metadata shows on images that were published long ago is not \
                 documented: try one first, with `altfill run … --max-items 1`, and look at it",
            );
        }
    }
}
