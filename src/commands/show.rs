//! `altfill show`: all that is known of one item.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{print, reading};
use crate::{
    cli::ShowArgs,
    error::{Failure, exit},
    journal::{Attempt, ItemDetails},
    settings::JournalPlace,
    time::Timestamp,
};

pub async fn execute(args: &ShowArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal);
    let media_id = args.media_id.trim();
    let (item, sources) = reading(&place, async |reader| {
        let item = reader.item(media_id).await?.ok_or_else(|| {
            Failure::usage(format!(
                "{} knows no image {media_id:?}",
                place.path.display()
            ))
        })?;
        Ok((item, reader.sources().await?))
    })
    .await?;
    let source = sources.iter().find(|(id, _)| *id == item.export.source_id);
    let source = source.map_or("", |(_, source)| &source.name);
    print(&if args.json {
        to_json(&item, source).to_string()
    } else {
        to_text(&item, source)
    })?;
    Ok(exit::OK)
}

fn shown(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

/// What was sent earlier, as it was written.
fn metadata(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn to_json(item: &ItemDetails, source: &str) -> Value {
    let history = item.history.iter();
    let history = history
        .map(|(json, accepted)| json!({"metadata": metadata(json), "accepted": shown(*accepted)}));
    let attempts = item.attempts.iter().map(|attempt| {
        json!({
            "number": attempt.number,
            "run_id": attempt.run_id,
            "started": attempt.started.to_string(),
            "ended": shown(attempt.ended),
            "http_status": attempt.http_status,
            "cause": attempt.cause,
            "detail": attempt.detail,
        })
    });
    let export = &item.export;
    json!({
        "media_id": export.media_id.as_str(),
        "state": export.state.word(),
        "metadata": export.wanted.to_json(),
        "digest": item.digest,
        "accepted": shown(item.accepted_at),
        "cause": export.cause,
        "detail": export.detail,
        "dismissed": export.dismissed,
        "source": source,
        "line": export.line,
        "first_seen": item.seen.0.to_string(),
        "updated": item.seen.1.to_string(),
        "history": history.collect::<Vec<_>>(),
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

fn to_text(item: &ItemDetails, source: &str) -> String {
    let export = &item.export;
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
    for (json, accepted) in &item.history {
        let when = match accepted {
            Some(moment) => format!("Accepted {}, and replaced since", moment.local_date_time()),
            None => "Sent earlier, and not known whether X got it".to_owned(),
        };
        let _ = write!(text, "\n{when}:\n  {}", pretty(&metadata(json)));
    }
    if item.attempts.is_empty() {
        text.push_str("\nNot sent yet");
    }
    for attempt in &item.attempts {
        let _ = write!(text, "\n{}", line(attempt));
    }
    text
}

fn line(attempt: &Attempt) -> String {
    let Attempt {
        number,
        run_id,
        started,
        http_status,
        cause,
        detail,
        ended,
    } = attempt;
    let mut line = format!(
        "Attempt {number} (run {run_id}) {}:",
        started.local_date_time()
    );
    if let Some(status) = http_status {
        let _ = write!(line, " HTTP {status}");
    }
    match cause {
        Some(cause) => line.extend([" ", cause.as_str()]),
        None if ended.is_none() => line.push_str(" on its way"),
        None => {}
    }
    if let Some(detail) = detail {
        line.extend([", ", detail.as_str()]);
    }
    line
}
