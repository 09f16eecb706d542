//! `altfill show`: all that is known of one item.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::print;
use crate::{
    cli::ShowArgs,
    error::{Failure, exit},
    journal::Reader,
    settings::JournalPlace,
};

pub async fn execute(args: &ShowArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal, args.sandbox);
    let mut reader = Reader::open(&place.path, place.bound_to.as_deref()).await?;
    let media_id = args.media_id.trim();
    let item = reader.item(media_id).await?.ok_or_else(|| {
        Failure::usage(format!(
            "{} knows no image {media_id:?}",
            place.path.display()
        ))
    })?;
    let sources = reader.sources().await?;
    let source = sources
        .iter()
        .find(|(id, _)| *id == item.export.source_id)
        .map_or("", |(_, source)| &source.name);
    let export = &item.export;
    let history: Vec<Value> = item
        .history
        .iter()
        .map(|(metadata, accepted)| {
            let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
            json!({"metadata": metadata, "accepted": accepted.map(|moment| moment.to_string())})
        })
        .collect();
    if args.json {
        let attempts: Vec<Value> = item
            .attempts
            .iter()
            .map(|attempt| {
                json!({
                    "number": attempt.number, "run_id": attempt.run_id, "started": attempt.started.to_string(),
                    "ended": attempt.ended.map(|moment| moment.to_string()), "http_status": attempt.http_status,
                    "cause": attempt.cause, "detail": attempt.detail,
                })
            })
            .collect();
        let object = json!({
            "media_id": export.media_id, "state": export.state.word(), "metadata": export.wanted.to_json(),
            "digest": item.digest, "accepted": item.accepted_at.map(|moment| moment.to_string()),
            "cause": export.cause, "detail": export.detail, "dismissed": export.dismissed, "source": source,
            "line": export.line, "first_seen": item.seen.0.to_string(), "updated": item.seen.1.to_string(),
            "history": history, "attempts": attempts,
        });
        print(&object.to_string())?;
        return Ok(exit::OK);
    }
    let mut text = format!("{}: {}", export.media_id, export.state);
    // Writing to a string can't fail.
    if let Some(cause) = &export.cause {
        let _ = write!(text, " ({cause})");
    }
    if let Some(detail) = &export.detail {
        let _ = write!(text, "\n  {detail}");
    }
    let _ = write!(
        text,
        "\nFrom {source}, line {}; first seen {}",
        export.line,
        item.seen.0.local_date_time()
    );
    if let Some(accepted) = item.accepted_at {
        let _ = write!(text, "; accepted {}", accepted.local_date_time());
    }
    let pretty = |value: &Value| {
        serde_json::to_string_pretty(value)
            .unwrap_or_default()
            .replace('\n', "\n  ")
    };
    let _ = write!(text, "\nWanted:\n  {}", pretty(&export.wanted.to_json()));
    for earlier in &history {
        let when = earlier["accepted"].as_str().map_or_else(
            || "Sent earlier, and not known whether X got it".to_owned(),
            |when| format!("Accepted {when}, and replaced since"),
        );
        let _ = write!(text, "\n{when}:\n  {}", pretty(&earlier["metadata"]));
    }
    if export.attempts == 0 {
        text += "\nNot sent yet";
    }
    for attempt in &item.attempts {
        let status = attempt
            .http_status
            .map_or_else(String::new, |status| format!(" HTTP {status}"));
        let cause = attempt
            .cause
            .as_deref()
            .map_or_else(String::new, |cause| format!(" {cause}"));
        let outcome = match (attempt.ended, &attempt.cause) {
            (None, None) => " on its way".to_owned(),
            _ => format!("{status}{cause}"),
        };
        let _ = write!(
            text,
            "\nAttempt {} (run {}) {}:{outcome}",
            attempt.number, attempt.run_id, attempt.started
        );
        if let Some(detail) = &attempt.detail {
            let _ = write!(text, ", {detail}");
        }
    }
    print(&text)?;
    Ok(exit::OK)
}
