//! Events in words and as JSON.

use serde_json::{Value, json};

use crate::{
    runner::{Ending, Event, Wait},
    time::Timestamp,
};

/// An event as a program reads it.
#[derive(Debug)]
pub struct Told {
    /// The value of its key `event`.
    pub name: &'static str,
    /// When it comes.
    pub about: &'static str,
    /// Its other keys, and what each tells.
    pub keys: &'static [(&'static str, &'static str)],
}

const MEDIA_ID: (&str, &str) = ("media_id", "the image");

/// The events of `--progress json`.
pub const EVENTS: [Told; 10] = [
    Told {
        name: "begun",
        about: "sending begins",
        keys: &[("due", "images to be sent")],
    },
    Told {
        name: "sent",
        about: "requests have left",
        keys: &[("requests", "how many")],
    },
    Told {
        name: "done",
        about: "X has accepted an image",
        keys: &[
            MEDIA_ID,
            (
                "warnings",
                "what to look at: `unconfirmed`, `errors-beside-data`, `other-metadata`; mostly none",
            ),
        ],
    },
    Told {
        name: "failed",
        about: "an image has failed",
        keys: &[
            MEDIA_ID,
            ("cause", "why, in a word that stays"),
            ("detail", "what was said; null where nothing was"),
        ],
    },
    Told {
        name: "again",
        about: "an image will be sent again",
        keys: &[
            MEDIA_ID,
            ("cause", "why, in a word that stays"),
            ("at", "when, at the earliest"),
        ],
    },
    Told {
        name: "waiting",
        about: "nothing can be sent for a while",
        keys: &[
            ("until", "until when"),
            (
                "why",
                "`window` (X's limit is used up), `rate-limited`, `outage`, `token` or `retry`",
            ),
        ],
    },
    Told {
        name: "resumed",
        about: "sending goes on after that",
        keys: &[],
    },
    Told {
        name: "clock-is-off",
        about: "this machine's clock is not X's",
        keys: &[("milliseconds", "by how much X's is ahead")],
    },
    Told {
        name: "stopping",
        about: "nothing starts any more",
        keys: &[("why", "in words for people")],
    },
    Told {
        name: "status",
        about: "somebody asked, by SIGUSR1; before and after the sending there is only `stage`, in words for people",
        keys: &[
            ("due", "images that were to be sent at the start"),
            ("done", "images accepted since"),
            ("failed", "images failed since"),
            ("again", "images that were to be sent again"),
            ("seconds", "how long it has gone on"),
            (
                "seconds_left",
                "how long it may still take; null where that is not known",
            ),
            (
                "waiting_until",
                "until when nothing can be sent; null where it can",
            ),
            ("waiting_for", "why, as in `waiting`; null as well"),
            ("stopping", "whether nothing starts any more"),
        ],
    },
];

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::board::Board, *};
    use crate::{
        forecast::Forecast,
        outcome::{Cause, Warning},
        rate::{Past, Rates},
    };

    const AT: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn every_key_of_every_event_is_explained_and_no_other() {
        let media_id = || "1".to_owned();
        let events = [
            Event::Sent(1),
            Event::Done {
                media_id: media_id(),
                warnings: Vec::new(),
            },
            Event::Failed {
                media_id: media_id(),
                cause: Cause::TIMEOUT,
                detail: None,
            },
            Event::Again {
                media_id: media_id(),
                cause: Cause::TIMEOUT,
                at: AT,
            },
            Event::Waiting {
                until: AT,
                why: Wait::Outage,
            },
            Event::Resumed,
            Event::ClockIsOff(1),
            Event::Stopping(Ending::MaxItems),
        ];
        let board = Board::new(
            1,
            Forecast::new(&Rates::Published, &Past::default(), None, AT),
        );
        let mut told: Vec<Value> = events.iter().map(to_json).collect();
        told.push(board.to_json());
        for told in &told {
            let explained = EVENTS
                .iter()
                .find(|known| told["event"] == known.name)
                .unwrap();
            let keys = explained.keys.iter().map(|(key, _)| *key);
            let keys: BTreeSet<_> = keys.chain(["event"]).collect();
            let object = told.as_object().unwrap();
            assert_eq!(
                object.keys().map(String::as_str).collect::<BTreeSet<_>>(),
                keys
            );
        }
        // `begun` is told by the view itself, before any event.
        assert_eq!(told.len() + 1, EVENTS.len());
    }

    #[test]
    fn every_word_in_an_event_is_explained() {
        let about = |name: &str, key: &str| {
            let event = EVENTS.iter().find(|event| event.name == name).unwrap();
            let (_, about) = event.keys.iter().find(|(known, _)| *known == key).unwrap();
            *about
        };
        for why in [
            Wait::Window,
            Wait::RateLimited,
            Wait::Outage,
            Wait::Token,
            Wait::Retry,
        ] {
            assert!(about("waiting", "why").contains(word(why)), "{why:?}");
        }
        for warning in [
            Warning::Unconfirmed,
            Warning::Errors,
            Warning::OtherMetadata,
        ] {
            assert!(
                about("done", "warnings").contains(warning.word()),
                "{warning:?}"
            );
        }
    }
}
