//! `altfill status`: counts, windows, and what a further run would do, from the journal alone.

use std::fmt::Write as _;

use serde_json::json;

use super::{code_at_rest, print};
use crate::{
    cli::StatusArgs,
    error::{Failure, exit},
    journal::Reader,
    progress::about,
    rate::{Rates, estimate},
    settings::JournalPlace,
    time::Timestamp,
};

pub async fn execute(args: &StatusArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal, args.sandbox);
    let mut reader = Reader::open(&place.path, place.bound_to.as_deref()).await?;
    let now = Timestamp::now();
    let tally = reader.tally().await?;
    let rates = Rates::Published.windows();
    let past = reader.past(&rates, now).await?;
    let windows: Vec<_> = rates
        .iter()
        .map(|rate| {
            (
                rate,
                past.account
                    .iter()
                    .filter(|ended| **ended + rate.per > now)
                    .count(),
            )
        })
        .collect();
    let failures = reader.failures().await?;
    let latest = reader.latest_run().await?;
    let holder = Reader::holder(&place.path);
    let api_url = reader.api_url().await?;
    let time = estimate(tally.due(), &rates, Some(20));
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of items stay far below 2^52"
    )]
    let cost = tally.due() as f64 * 0.005;
    let code = if args.exit_code {
        code_at_rest(tally.due(), tally.failed)
    } else {
        exit::OK
    };
    if args.json {
        let object = json!({
            "journal": place.path.display().to_string(),
            "api_url": api_url,
            "done": tally.done,
            "failed": tally.failed + tally.dismissed,
            "dismissed": tally.dismissed,
            "pending": tally.due(),
            "sending": tally.sending,
            "failures": failures.iter().map(|(cause, count, _)| (cause.clone(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "windows": windows.iter().map(|(rate, used)| json!({"rate": rate.to_string(), "used": used})).collect::<Vec<_>>(),
            "told": past.told.iter().map(|(told, _)| json!({
                "window": told.kind.prefix(), "limit": told.limit, "remaining": told.remaining,
                "reset": told.reset.to_string(),
            })).collect::<Vec<_>>(),
            "next_run": {"requests": tally.due(), "cost_usd": (cost * 1e5).round() / 1e5, "seconds": time.as_secs()},
            "running": holder.as_ref().map(|holder| json!({"pid": holder.pid, "since": holder.since})),
            "latest_run": latest.as_ref().map(|run| json!({
                "run_id": run.run_id, "started": run.started.to_string(),
                "ended": run.ended.map(|ended| ended.to_string()), "exit_code": run.exit_code,
                "exit_reason": run.exit_reason, "requests": run.requests,
            })),
            "exit_code": code_at_rest(tally.due(), tally.failed),
        });
        print(&object.to_string())?;
        return Ok(code);
    }
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(text, "{} ({api_url})", place.path.display());
    let _ = writeln!(text, "  {:>9} done", tally.done);
    let _ = writeln!(text, "  {:>9} failed", tally.failed);
    for (cause, count, dismissed) in &failures {
        let note = if *dismissed > 0 {
            format!(" ({dismissed} dismissed)")
        } else {
            String::new()
        };
        let _ = writeln!(text, "  {:>9}   {cause}{note}", count);
    }
    let _ = writeln!(
        text,
        "  {:>9} left{}",
        tally.due(),
        if tally.sending > 0 {
            format!(", {} of them on their way or cut off", tally.sending)
        } else {
            String::new()
        }
    );
    for (rate, used) in &windows {
        let _ = writeln!(text, "Window {rate}: {used} used");
    }
    if let Some(holder) = &holder {
        let _ = writeln!(
            text,
            "A run goes on: process {} since {}",
            holder.pid, holder.since
        );
    } else if let Some(run) = &latest {
        let how = run.exit_reason.as_deref().unwrap_or("unknown");
        let _ = writeln!(
            text,
            "Latest run: {} of {}, {} requests",
            how,
            run.started.local_date_time(),
            run.requests
        );
    }
    if tally.due() > 0 {
        let _ = write!(
            text,
            "A further run would send {} images, about ${cost:.2}, in {} at the least",
            tally.due(),
            about(time)
        );
    } else {
        let _ = write!(text, "A further run would send nothing");
    }
    print(&text)?;
    Ok(code)
}
