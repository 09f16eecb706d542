//! The page's charts over time: what came of requests, and how full X's windows were.
//!
//! Owns what they show and the sentences that say the same. How a chart is drawn stands in [`super::chart`].

use std::{collections::BTreeMap, time::Duration};

use super::{
    chart::{Chart, Part, minute, moment},
    escape::{counted, grouped},
    facts::Facts,
};
use crate::{journal::Bucket, time::Timestamp};

const OUTCOMES: [Part; 4] = [
    Part {
        name: "Done",
        class: "done",
    },
    Part {
        name: "Failed",
        class: "failed",
    },
    Part {
        name: "Sent again",
        class: "again",
    },
    Part {
        name: "Outcome not known",
        class: "open",
    },
];

/// Every stretch from the first to the last has a bar, also where nothing was sent.
fn without_gaps(facts: &Facts) -> Vec<(Timestamp, Vec<u64>)> {
    let known: BTreeMap<Timestamp, &Bucket> = facts
        .over_time
        .iter()
        .map(|bucket| (bucket.from, bucket))
        .collect();
    let mut bars = Vec::new();
    let (Some((first, _)), Some((last, _))) = (known.first_key_value(), known.last_key_value())
    else {
        return bars;
    };
    let mut at = *first;
    while at <= *last {
        let parts = known.get(&at).map_or_else(
            || vec![0; OUTCOMES.len()],
            |bucket| vec![bucket.done, bucket.failed, bucket.again, bucket.open],
        );
        bars.push((at, parts));
        at = at + facts.width;
    }
    bars
}

pub(super) fn outcomes(facts: &Facts) -> String {
    let bars = without_gaps(facts);
    let (Some((first, _)), Some((last, _))) = (bars.first(), bars.last()) else {
        return "<p>Nothing was sent yet.</p>".to_owned();
    };
    let sums = bars
        .iter()
        .fold([0; OUTCOMES.len()], |mut sums, (_, parts)| {
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += part;
            }
            sums
        });
    // What never was needs no colour in the legend.
    let is_there: Vec<bool> = sums.iter().map(|sum| *sum > 0).collect();
    let parts: Vec<Part> = kept(&OUTCOMES, &is_there);
    let bars: Vec<_> = bars
        .iter()
        .map(|(from, parts)| (*from, kept(parts, &is_there)))
        .collect();
    let [done, failed, again, open] = sums.map(grouped);
    let description = format!(
        "{} between {} and {} UTC: {done} done, {failed} failed, {again} to be sent again, {open} without a known outcome.",
        counted(sums.iter().sum(), "request"),
        moment(*first, facts.width),
        moment(*last, facts.width),
    );
    Chart {
        id: "outcomes",
        title: "Requests by outcome",
        description: &description,
        parts: &parts,
        limit: None,
        width: facts.width,
        bars: &bars,
    }
    .draw()
}

fn kept<T: Clone>(all: &[T], which: &[bool]) -> Vec<T> {
    all.iter()
        .zip(which)
        .filter(|(_, is_kept)| **is_kept)
        .map(|(one, _)| one.clone())
        .collect()
}

pub(super) fn limits(facts: &Facts) -> String {
    let mut html = String::new();
    for (number, (rate, usage)) in facts.windows.iter().enumerate() {
        let (limit, stretch) = (u64::from(rate.count.get()), length(rate.per));
        let Some((at, most)) = usage.busiest.iter().max_by_key(|(_, most)| *most) else {
            return "<p>Nothing was sent yet.</p>".to_owned();
        };
        let over = if *most > limit {
            " That is more than X allows: a rehearsal has no limits, or others were given by hand."
        } else {
            ""
        };
        let title = format!("Requests in any {stretch}");
        let words = format!(
            "X’s limit is {} requests in {stretch}. The most were {} ({}), at about {} UTC; the last {stretch} hold {}.{over}",
            grouped(limit),
            grouped(*most),
            percent(*most, limit),
            minute(*at),
            grouped(usage.now),
        );
        let parts = [Part {
            name: "Most requests",
            class: "bar",
        }];
        let bars: Vec<_> = usage
            .busiest
            .iter()
            .map(|(from, most)| (*from, vec![*most]))
            .collect();
        html.push_str(
            &Chart {
                id: &format!("window-{number}"),
                title: &title,
                description: &words,
                parts: &parts,
                limit: Some(limit),
                width: facts.width,
                bars: &bars,
            }
            .draw(),
        );
    }
    html
}

/// How long a window is, as X says it.
fn length(window: Duration) -> String {
    match window.as_secs() / 60 {
        minutes if minutes >= 60 => counted(minutes / 60, "hour"),
        minutes => counted(minutes, "minute"),
    }
}

/// How much of a limit was used, rounded down: 100% is all of it.
fn percent(used: u64, limit: u64) -> String {
    let permille = used.saturating_mul(1_000) / limit.max(1);
    format!("{}.{}%", grouped(permille / 10), permille % 10)
}
