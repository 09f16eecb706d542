//! `altfill status`: counts, windows, and what a further run would do, from the journal alone.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::{code_at_rest, cost, counted, limit, place_in_words, print, reading, tell};
use crate::{
    cli::StatusArgs,
    error::{Failure, exit},
    forecast::least,
    journal::{Holder, LatestRun, Reader, Tally},
    progress::about,
    rate::{Past, Rate, Rates},
    settings::{API_URL, JournalPlace, Pacing, SANDBOX},
    time::Timestamp,
};

pub async fn execute(args: &StatusArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal);
    let words = place_in_words(&args.journal, |_| true);
    let standing = reading(&place, async |reader| {
        Standing::read(&place, words.clone(), reader).await
    })
    .await?;
    if args.json {
        print(&standing.to_json().to_string())?;
    } else {
        tell(&standing.to_text())?;
    }
    Ok(if args.exit_code {
        standing.code()
    } else {
        exit::OK
    })
}

/// How a journal stands.
struct Standing {
    path: PathBuf,
    /// What the next command says of where the journal is.
    place: String,
    api_url: String,
    tally: Tally,
    /// Failed images that a further run sends again by itself.
    returning: u64,
    failures: Vec<(String, i64, i64)>,
    windows: Vec<(Rate, usize)>,
    past: Past,
    holder: Option<Holder>,
    latest: Option<LatestRun>,
    /// What a further run would cost and take.
    cost: f64,
    time: Duration,
}

impl Standing {
    async fn read(
        place: &JournalPlace,
        words: String,
        reader: &mut Reader,
    ) -> Result<Self, Failure> {
        let now = Timestamp::now();
        let tally = reader.tally().await?;
        let rates = Rates::Published.windows();
        let past = reader.past(&rates, now).await?;
        let used = |rate: &Rate| {
            past.account
                .iter()
                .filter(|ended| **ended + rate.per > now)
                .count()
        };
        let pacing = Pacing::default();
        let returning = reader.returning().await?;
        let next = tally.due() + returning;
        let api_url = reader.api_url().await?;
        let is_usual = api_url == SANDBOX || api_url == API_URL;
        let api_option = if is_usual || words.contains(" --api-url ") {
            String::new()
        } else {
            format!(" --api-url {api_url}")
        };
        Ok(Self {
            api_url,
            failures: reader.failures().await?,
            windows: rates.iter().map(|rate| (*rate, used(rate))).collect(),
            holder: Reader::holder(&place.path),
            latest: reader.latest_run().await?,
            cost: cost(next, pacing.price),
            time: least(&Rates::Published, next, Some(pacing.max_rps.get())),
            path: place.path.clone(),
            place: words + &api_option,
            tally,
            returning,
            past,
        })
    }

    /// How many images a further run sends.
    const fn next(&self) -> u64 {
        self.tally.due() + self.returning
    }

    /// With which code a run would end that sends nothing more.
    const fn code(&self) -> u8 {
        code_at_rest(self.next(), self.tally.failed)
    }

    fn to_json(&self) -> Value {
        let failures = self
            .failures
            .iter()
            .map(|(cause, count, _)| (cause.clone(), json!(count)));
        let windows = self
            .windows
            .iter()
            .map(|(rate, used)| json!({"rate": rate.to_string(), "used": used}));
        let told = self.past.told.iter().map(|(told, _)| {
            let reset = told.reset.to_string();
            json!({"window": told.kind.prefix(), "limit": told.limit, "remaining": told.remaining, "reset": reset})
        });
        let latest = self.latest.as_ref().map(|run| {
            json!({
                "run_id": run.run_id,
                "started": run.started.to_string(),
                "ended": run.ended.map(|ended| ended.to_string()),
                "exit_code": run.exit_code,
                "exit_reason": run.exit_reason,
                "requests": run.requests,
            })
        });
        json!({
            "journal": self.path.display().to_string(),
            "api_url": self.api_url,
            "done": self.tally.done,
            "failed": self.tally.failed + self.tally.dismissed,
            "dismissed": self.tally.dismissed,
            "pending": self.tally.due(),
            "sending": self.tally.sending,
            "failures": failures.collect::<serde_json::Map<_, _>>(),
            "windows": windows.collect::<Vec<_>>(),
            "told": told.collect::<Vec<_>>(),
            "next_run": {"requests": self.next(), "cost_usd": self.cost, "seconds": self.time.as_secs()},
            "running": self.holder.as_ref().map(|holder| json!({"pid": holder.pid, "since": holder.since})),
            "latest_run": latest,
            "exit_code": self.code(),
        })
    }

    fn to_text(&self) -> String {
        let Tally {
            done,
            failed,
            sending,
            dismissed,
            ..
        } = self.tally;
        let due = self.tally.due();
        let mut text = format!("{} ({})\n", self.path.display(), self.api_url);
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {done:>9} done");
        let _ = writeln!(text, "  {:>9} failed", failed + dismissed);
        for (cause, count, dismissed) in &self.failures {
            let note = if *dismissed > 0 {
                format!(" ({dismissed} dismissed)")
            } else {
                String::new()
            };
            let _ = writeln!(text, "  {count:>9}   {cause}{note}");
        }
        let note = if sending > 0 {
            format!(", {sending} of them on their way or cut off")
        } else {
            String::new()
        };
        let _ = writeln!(text, "  {due:>9} left{note}");
        // A rehearsal has sent nothing that X would count.
        for (rate, used) in self.windows.iter().filter(|_| self.api_url != SANDBOX) {
            let _ = writeln!(text, "X's limit of {}: {used} used", limit(rate));
        }
        if let Some(holder) = &self.holder {
            let _ = writeln!(
                text,
                "A run goes on: process {} since {}",
                holder.pid, holder.since
            );
        } else if let Some(run) = &self.latest {
            let how = run.exit_reason.as_deref().unwrap_or("unknown");
            let when = run.started.local_date_time();
            let _ = writeln!(
                text,
                "Latest run: {how}, begun {when}, {} requests",
                run.requests
            );
        }
        if self.returning > 0 {
            let _ = writeln!(
                text,
                "{} failed for a cause that passes, and a further run sends them again",
                counted(self.returning, "image")
            );
        }
        if self.tally.failed > 0 {
            let _ = writeln!(
                text,
                "What failed and why: `altfill report{} --state failed`",
                self.place
            );
        }
        if self.next() == 0 {
            text.push_str("A further run would send nothing");
        } else {
            let images = counted(self.next(), "image");
            let time = about(self.time);
            let _ = write!(
                text,
                "A further run would send {images}: about ${:.2}, at least {time}",
                self.cost
            );
            if self.holder.is_none() {
                let _ = write!(text, "\nTo go on: `altfill resume{}`", self.place);
            }
        }
        text
    }
}
