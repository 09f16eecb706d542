//! `altfill plan`: what a run would do and cost, without sending anything or writing to the journal.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{cost, counted, faults::Faults, limit, print, resend, taking, tell};
use crate::{
    cli::PlanArgs,
    error::{Failure, exit},
    forecast::Forecast,
    journal::{
        Counts, DEFAULT_ACCOUNT, Doubt, Found, Intake, Journal, NewRun, Outlook, Reader, Scope,
        look,
    },
    progress::{about, say},
    rate::{Past, Rate, Rates},
    settings::{PlanSettings, SANDBOX},
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
        tell(&plan.to_text())?;
    }
    Ok(exit::OK)
}

/// A plan.
struct Plan {
    rows: u64,
    /// Rows that are invalid, and skipped.
    invalid: u64,
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
    /// Why a run would refuse the manifests, where it would.
    refusal: Option<String>,
    /// Whether it is of a rehearsal.
    is_rehearsal: bool,
    /// Whether the limits are X's own.
    is_published: bool,
}

async fn make(args: &PlanArgs) -> Result<Plan, Failure> {
    let settings = PlanSettings::of(args)?;
    let path = &settings.journal.path;
    let is_there = look(path)? == Found::Journal;
    let now = Timestamp::now();
    let before = if is_there {
        Before::read(&settings, now)
            .await
            .map_err(|failure| failure.in_journal(path))?
    } else {
        Before::nothing(now)
    };
    let folder = tempfile::tempdir().map_err(Failure::unexpected)?;
    let scratch = Journal::scratch(folder.path(), is_there.then_some(path.as_path())).await;
    let mut journal = scratch.map_err(|error| error.at(path))?;
    let planned = over(&mut journal, &settings, before).await;
    // Also where it failed: what SQLite made to read by goes away.
    journal.close().await?;
    planned.map_err(|failure| failure.in_journal(path))
}

/// What a plan is reckoned from.
struct Before {
    account: i64,
    /// Why a run would send nothing: it is not clear whose the items are.
    doubt: Option<Doubt>,
    past: Past,
    done: u64,
    now: Timestamp,
}

impl Before {
    fn nothing(now: Timestamp) -> Self {
        Self {
            account: DEFAULT_ACCOUNT,
            doubt: None,
            past: Past::default(),
            done: 0,
            now,
        }
    }

    async fn read(settings: &PlanSettings, now: Timestamp) -> Result<Self, Failure> {
        let place = &settings.journal;
        let bound_to = place.bound_to.as_deref().unwrap_or(SANDBOX);
        let (mut reader, doubt) =
            Reader::open_to_plan(&place.path, Some(bound_to), &settings.whose).await?;
        let found = async {
            // What a rehearsal sent leaves X's limits as they are.
            let past = if settings.is_rehearsal {
                Past::default()
            } else {
                reader.past(&settings.rates.windows(), now).await?
            };
            Ok(Self {
                account: reader.account(),
                doubt,
                past,
                done: reader.tally().await?.done,
                now,
            })
        };
        let found = found.await;
        reader.close().await;
        found
    }
}

/// Plans over a scratch journal.
async fn over(
    journal: &mut Journal,
    settings: &PlanSettings,
    before: Before,
) -> Result<Plan, Failure> {
    let (read, rates, now) = (&settings.read, &settings.rates, before.now);
    let mut intake = journal.intake(before.account, read.duplicates, now).await?;
    let mut faults = Faults::new(read.errors.as_deref())?;
    let mut sink = taking::IntoJournal::new(&mut intake);
    let found = taking::take(&settings.manifests, read, &mut sink, &mut faults, false).await;
    faults.end()?;
    let found = found?;
    if found.invalid > 0 && !settings.skip_invalid {
        let rows = found.invalid_rows();
        return Err(Failure::Invalid(format!(
            "{rows} invalid: mend them first, `altfill check` shows them again; or plan for the others with --skip-invalid"
        )));
    }
    let new_run = NewRun {
        sources: Vec::new(),
        scope: Scope::Manifests,
        price: settings.price,
        timeout: Duration::ZERO,
        retry_failed: settings.retry_failed.clone(),
    };
    let counts = intake.counts();
    let refusal = resend::is_too_many(settings.max_resend, counts)
        .then(|| resend::forecast(counts.resends, intake.resent()));
    let requests = intake.due(&new_run).await?;
    if let Some(doubt) = before.doubt.filter(|_| requests > 0) {
        return Err(Failure::usage(doubt.to_string()));
    }
    let outlook = intake.outlook().await?;
    let pace = (*rates != Rates::Unlimited).then_some(settings.max_rps.get());
    let forecast = Forecast::new(rates, &before.past, pace, now);
    let old_uploads = old_uploads(&mut intake, &forecast, now).await?;
    intake.undo().await?;
    let time = forecast.time(requests);
    Ok(Plan {
        rows: found.rows,
        invalid: found.invalid,
        counts,
        outlook,
        old_uploads,
        requests,
        cost: cost(requests, settings.price),
        windows: forecast.windows(requests).collect(),
        time,
        finish: now + time,
        is_first: before.done == 0,
        refusal,
        is_rehearsal: settings.is_rehearsal,
        is_published: *rates == Rates::Published,
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
            "invalid": self.invalid,
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
            "refused": self.refusal.is_some(),
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
            (self.invalid, "invalid, and skipped"),
        ] {
            if count > 0 || what == "rows" {
                let _ = writeln!(text, "  {count:>9} {what}");
            }
        }
        self.say_what_follows(&mut text);
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

    /// What a run would send, what that costs and takes, and what is waited for.
    fn say_what_follows(&self, text: &mut String) {
        if self.requests == 0 {
            text.push_str("A run would send nothing");
            return;
        }
        let images = counted(self.requests, "image");
        let (cost, time) = (self.cost, about(self.time));
        let _ = if self.is_rehearsal {
            write!(
                text,
                "A rehearsal would send {images}; at X that would cost ${cost:.2} and take at least {time}"
            )
        } else {
            let finish = self.finish.local_date_time();
            write!(
                text,
                "A run would send {images}: ${cost:.2}, at least {time}, until {finish}"
            )
        };
        let whose = if self.is_published {
            "X's limit"
        } else {
            "The limit"
        };
        for (rate, used, count) in &self.windows {
            let mut facts = Vec::new();
            if *used > 0 {
                facts.push(format!("{used} used already"));
            }
            match count.saturating_sub(1) {
                0 => facts.push("enough".to_owned()),
                1 => facts.push("waited for once".to_owned()),
                times => facts.push(format!("waited for {times} times")),
            }
            let _ = write!(text, "\n  {whose} of {}: {}", limit(rate), facts.join(", "));
        }
    }

    fn warn(&self) {
        if let Some(refusal) = &self.refusal {
            say(refusal);
        }
        if self.old_uploads > 0 {
            say(&format!(
                "{} of the images would be sent more than 24 hours after they were made. That is fine where something on X uses \
                 them. An upload that nothing uses X has dropped by then, and answers that it does not know it",
                self.old_uploads
            ));
        }
        if self.is_first && self.requests > LARGE && !self.is_rehearsal {
            say(
                "This would be the first large run. Whether new metadata shows on images that have been on X for long is not \
                 documented: try one first, with `altfill run … --max-items 1`, and look at it",
            );
        }
    }
}
