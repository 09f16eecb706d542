//! Events in words and as JSON.

use serde_json::{Value, json};

use crate::{
    runner::{Ending, Event, Wait},
    time::Timestamp,
};

/// An event for a program.
pub(super) fn to_json(event: &Event) -> Value {
    match event {
        Event::Sent(count) => json!({"event": "sent", "requests": count}),
        Event::Done { media_id, warnings } => {
            let warnings: Vec<_> = warnings.iter().map(|warning| warning.word()).collect();
            json!({"event": "done", "media_id": media_id, "warnings": warnings})
        }
        Event::Failed {
            media_id,
            cause,
            detail,
        } => {
            json!({"event": "failed", "media_id": media_id, "cause": cause.word(), "detail": detail})
        }
        Event::Again {
            media_id,
            cause,
            at,
        } => {
            json!({"event": "again", "media_id": media_id, "cause": cause.word(), "at": at.to_string()})
        }
        Event::Waiting { until, why } => {
            json!({"event": "waiting", "until": until.to_string(), "why": word(*why)})
        }
        Event::Resumed => json!({"event": "resumed"}),
        Event::ClockIsOff(offset) => json!({"event": "clock-is-off", "milliseconds": offset}),
        Event::Stopping(ending) => json!({"event": "stopping", "why": stopping(ending)}),
    }
}

/// What is waited for, in a word.
pub(super) const fn word(why: Wait) -> &'static str {
    match why {
        Wait::Window => "window",
        Wait::RateLimited => "rate-limited",
        Wait::Outage => "outage",
        Wait::Token => "token",
        Wait::Retry => "retry",
    }
}

/// Why nothing is sent for a while.
pub(super) const fn reason(why: Wait) -> &'static str {
    match why {
        Wait::Window => "X's limit is used up",
        Wait::RateLimited => "X said to wait",
        Wait::Outage => "X is out of reach",
        Wait::Token => "no fresh token can be had",
        Wait::Retry => "what is left is tried again",
    }
}

/// A moment as it is said at `now`: with its day where that may be another one.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    if at.local_day() == now.local_day() {
        at.local_time()
    } else {
        at.local_date_time()
    }
}

/// That a run ends.
pub(super) fn stopping(ending: &Ending) -> String {
    match ending {
        Ending::Signal(_) => {
            "stopping; waiting for what is on its way (once more to leave at once)".to_owned()
        }
        _ => "stopping; waiting for what is on its way".to_owned(),
    }
}

/// That the clocks differ.
pub(super) fn clock_is_off(offset: i64) -> String {
    let (minutes, way) = (
        offset.abs() / 60_000,
        if offset > 0 { "behind" } else { "ahead of" },
    );
    format!(
        "this machine's clock is {minutes} min {way} X's; waits are reckoned by X's, but do set it right"
    )
}
