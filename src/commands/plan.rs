//! `altfill plan`: what a run would do and cost, without sending anything or writing to the journal.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{cost, counted, faults::Faults, print, reading, taking};
use crate::{
    cli::PlanArgs,
    error::{Failure, exit},
    forecast::Forecast,
    journal::{
        Counts, DEFAULT_ACCOUNT, Found, Intake, Journal, NewRun, Outlook, RetryFailed, Scope, look,
    },
    progress::{about, say},
    rate::{Past, Rate, Rates},
    settings::{JournalPlace, Pacing, ReadSettings, rates},
    time::Timestamp,
};

/// From how many requests on a first run is a large one.
const LARGE: u64 = 100;
/// X drops an upload that nothing has used for so long.
const UNUSED: Duration = Duration::from_hours(24);
/// How many items are looked at together.
const PAGE: i64 = 5_000;

pub async fn execute(args: &PlanArgs) -> Result<u8, Failure> {
    let made = make(args).await;
    if let (Err(failure), true) = (&made, args.json) {
        print(&json!({"exit_code": failure.code(), "error": failure.to_string()}).to_string())?;
    }
    let plan = made?;
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
    /// Items that would be sent more than a day after the time in their id.
    old_uploads: u64,
    requests: u64,
    cost: f64,
    /// The windows: how much of each is taken already, and how many of them the requests need.
    windows: Vec<(Rate, u64, u64)>,
    time: Duration,
    finish: Timestamp,
    /// Whether nothing has been accepted for this account yet.
    is_first: bool,
}

async fn make(args: &PlanArgs) -> Result<Plan, Failure> {
    let place = JournalPlace::to_plan(&args.journal);
    let read = ReadSettings::from(&args.read);
    let rates = rates(&args.rate)?;
    let price = args.price.unwrap_or(Pacing::default().price);
    let now = Timestamp::now();
    let is_there = look(&place.path)? == Found::Journal;
    let mut past = Past::default();
    let mut done = 0;
    let mut account = DEFAULT_ACCOUNT;
    if is_there {
        (account, past, done) = reading(&place, async |reader| {
            let past = reader.past(&rates.windows(), now).await?;
            Ok((reader.account(), past, reader.tally().await?.done))
        })
        .await?;
    }
    let folder = tempfile::tempdir().map_err(Failure::unexpected)?;
    let scratch = Journal::scratch(folder.path(), is_there.then_some(place.path.as_path())).await;
    let mut journal = scratch.map_err(|error| error.at(&place.path))?;
    let before = Before {
        account,
        past,
        done,
        rates,
        price,
        now,
    };
    let planned = over(&mut journal, args, &read, before).await;
    // Also where it failed: what SQLite made to read by goes away.
    journal.close().await?;
    planned.map_err(|failure| failure.in_journal(&place.path))
}

/// What a plan is reckoned from.
struct Before {
    account: i64,
    past: Past,
    done: u64,
    rates: Rates,
    price: f64,
    now: Timestamp,
}

/// Plans over a scratch journal.
async fn over(
    journal: &mut Journal,
    args: &PlanArgs,
    read: &ReadSettings,
    before: Before,
) -> Result<Plan, Failure> {
    let Before {
        account,
        past,
        done,
        rates,
        price,
        now,
    } = before;
    let mut intake = journal.intake(account, read.duplicates, now).await?;
    let mut faults = Faults::new(read.errors.as_deref())?;
    let mut sink = taking::IntoJournal::new(&mut intake);
    let found = taking::take(&args.manifests, read, &mut sink, &mut faults, false).await;
    faults.end()?;
    let found = found?;
    if found.invalid > 0 {
        let rows = found.invalid_rows();
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
    let outlook = intake.outlook().await?;
    let pace = (rates != Rates::Unlimited).then_some(Pacing::default().max_rps.get());
    let forecast = Forecast::new(&rates, &past, pace, now);
    let old_uploads = old_uploads(&mut intake, &forecast, now).await?;
    let counts = intake.counts();
    intake.undo().await?;
    let time = forecast.time(requests);
    Ok(Plan {
        rows: found.rows,
        counts,
        outlook,
        old_uploads,
        requests,
        cost: cost(requests, price),
        windows: forecast.windows(requests).collect(),
        time,
        finish: now + time,
        is_first: done == 0,
    })
}

/// How many items would be sent more than a day after they were made.
async fn old_uploads(
    intake: &mut Intake<'_>,
    forecast: &Forecast,
    now: Timestamp,
) -> Result<u64, Failure> {
    let (mut after, mut number, mut old) = (0, 0, 0);
    loop {
        let page = intake.due_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(old);
        };
        after = *last;
        for (_, media_id) in &page {
            old += u64::from(now + forecast.start(number) > media_id.made() + UNUSED);
            number += 1;
        }
    }
}

impl Plan {
    fn to_json(&self) -> Value {
        let windows = self.windows.iter().map(
            |(rate, used, count)| json!({"rate": rate.to_string(), "used": used, "windows": count}),
        );
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
            "old_uploads": self.old_uploads,
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
            let images = counted(self.requests, "image");
            let finish = self.finish.local_date_time();
            let _ = write!(
                text,
                "A run would send {images}: ${:.2}, at least {}, until {finish}",
                self.cost,
                about(self.time)
            );
            for (rate, used, count) in &self.windows {
                let _ = write!(text, "\n  X's limit {rate}: {}", counted(*count, "window"));
                if *used > 0 {
                    let _ = write!(text, ", {used} of the first used already");
                }
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
        if self.old_uploads > 0 {
            say(&format!(
                "{} of the images would be sent more than 24 hours after the time in their ids: by then X has dropped an upload \
                 that nothing uses, and answers that it does not know it",
                self.old_uploads
            ));
        }
        if self.is_first && self.requests > LARGE {
            say(
                "This would be the first large run. Whether new metadata shows on images that have been on X for long is not \
                 documented: try one first, with `altfill run … --max-items 1`, and look at it",
            );
        }
    }
}
