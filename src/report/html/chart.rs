//! Charts as SVG: bars over time, each with a description and a table that says the same.
//!
//! Owns how a chart is drawn. It is stretched to the width that there is, so its words stand in HTML around it and keep
//! their size. Says nothing about what it shows.

use std::{fmt::Write as _, time::Duration};

use super::escape::{Text, grouped};
use crate::time::Timestamp;

/// How high the drawing is, in its own units.
const HEIGHT: u64 = 1_000;
/// What is there at all is seen: no part of a bar is lower.
const LEAST: u64 = 16;
/// The most bars.
const BARS: i64 = 60;

/// A part of each bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Its name in the legend and the table.
    pub name: &'static str,
    /// Its colour's name in the style sheet.
    pub class: &'static str,
}

/// A chart of bars.
pub(super) struct Chart<'c> {
    /// By which its parts are named in the page.
    pub id: &'c str,
    /// What it shows.
    pub title: &'c str,
    /// The same in a sentence, for who does not see it.
    pub description: &'c str,
    /// What each bar is put together from, from the bottom up.
    pub parts: &'c [Part],
    /// A bound to hold the bars against.
    pub limit: Option<u64>,
    /// How long a bar's stretch is.
    pub width: Duration,
    /// The bars: when each begins, and how much of each part it has.
    pub bars: &'c [(Timestamp, Vec<u64>)],
}

impl Chart<'_> {
    pub(super) fn draw(&self) -> String {
        let Self {
            id,
            title,
            description,
            ..
        } = self;
        let highest = self.bars.iter().map(|(_, parts)| parts.iter().sum());
        let top = rounded(highest.chain(self.limit).max().unwrap_or_default().max(1));
        let mut svg = String::new();
        // Writing to a string can't fail.
        for line in [0, HEIGHT / 2, HEIGHT] {
            let class = if line == HEIGHT { "axis" } else { "grid" };
            let _ = write!(
                svg,
                "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{line}\" y2=\"{line}\"/>"
            );
        }
        for (number, (_, parts)) in self.bars.iter().enumerate() {
            let mut foot = HEIGHT;
            for (part, count) in self
                .parts
                .iter()
                .zip(parts)
                .filter(|(_, count)| **count > 0)
            {
                let high = (count * HEIGHT / top).clamp(LEAST, foot.max(LEAST));
                foot = foot.saturating_sub(high);
                let (class, x) = (part.class, number * 10 + 1);
                let _ = write!(
                    svg,
                    "<rect class=\"fill-{class}\" x=\"{x}\" y=\"{foot}\" width=\"8\" height=\"{high}\"/>"
                );
            }
        }
        if let Some(limit) = self.limit {
            let y = HEIGHT - limit * HEIGHT / top;
            let _ = write!(
                svg,
                "<line class=\"limit\" x1=\"0\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/>"
            );
        }
        let (legend, table, ends) = (self.legend(), self.table(), self.ends());
        let wide = self.bars.len() * 10;
        let (top, half) = (grouped(top), grouped(top / 2));
        format!(
            "<figure>\n<figcaption><h3>{title}</h3>\n<p class=\"note\"><span aria-hidden=\"true\">{description}</span> Each bar is {}.</p></figcaption>\n\
             <div class=\"chart\">\n<div class=\"scale\" aria-hidden=\"true\"><span>{top}</span><span>{half}</span><span>0</span></div>\n\
             <svg role=\"img\" aria-labelledby=\"{id}-title {id}-text\" viewBox=\"0 0 {wide} {HEIGHT}\" preserveAspectRatio=\"none\">\
             <title id=\"{id}-title\">{title}</title><desc id=\"{id}-text\">{description}</desc>{svg}</svg>\n{ends}</div>\n{legend}{table}</figure>\n",
            in_words(self.width),
        )
    }

    /// The first and the last moment, under the chart.
    fn ends(&self) -> String {
        let moment = |bar: Option<&(Timestamp, Vec<u64>)>| {
            bar.map_or_else(String::new, |(from, _)| moment(*from, self.width))
        };
        let first = moment(self.bars.first());
        let last = if self.bars.len() > 1 {
            format!("<span>{}</span>", moment(self.bars.last()))
        } else {
            String::new()
        };
        format!("<div class=\"ends\" aria-hidden=\"true\"><span>{first}</span>{last}</div>\n")
    }

    fn legend(&self) -> String {
        let mut legend = "<ul class=\"legend\">".to_owned();
        for part in self.parts {
            let _ = write!(
                legend,
                "<li><svg aria-hidden=\"true\"><rect class=\"fill-{}\" width=\"100%\" height=\"100%\"/></svg>{}</li>",
                part.class, part.name
            );
        }
        if let Some(limit) = self.limit {
            let _ = write!(
                legend,
                "<li><svg aria-hidden=\"true\"><line class=\"limit\" x1=\"0\" x2=\"100%\" y1=\"50%\" y2=\"50%\"/></svg>X’s limit: {}</li>",
                grouped(limit)
            );
        }
        legend.push_str("</ul>\n");
        legend
    }

    /// The same as a table, for who reads it.
    fn table(&self) -> String {
        let mut table = format!(
            "<details>\n<summary>{title} as a table</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title} as a table\">\
             <table class=\"plain\">\n<caption>{title}, by {}</caption>\n<thead><tr><th scope=\"col\">From (UTC)</th>",
            in_words(self.width),
            title = self.title,
        );
        for part in self.parts {
            let _ = write!(table, "<th scope=\"col\" class=\"n\">{}</th>", part.name);
        }
        table.push_str("</tr></thead>\n<tbody>\n");
        for (from, parts) in self.bars {
            if parts.iter().all(|count| *count == 0) {
                continue;
            }
            let from = moment(*from, self.width);
            let _ = write!(table, "<tr><th scope=\"row\">{}</th>", Text(&from));
            for count in parts {
                let _ = write!(table, "<td class=\"n\">{}</td>", grouped(*count));
            }
            table.push_str("</tr>\n");
        }
        table.push_str("</tbody>\n</table></div>\n</details>\n");
        table
    }
}

/// How long a bar's stretch is when all of `first` to `last` shall be seen.
pub(super) fn width_for(first: Timestamp, last: Timestamp) -> Duration {
    const MINUTE: u64 = 60;
    const DAY: u64 = 24 * 60 * MINUTE;
    let fits = |width: &Duration| {
        let width = i64::try_from(width.as_millis()).unwrap_or(i64::MAX);
        last.0.div_euclid(width) - first.0.div_euclid(width) < BARS
    };
    let nice = [
        1,
        10,
        MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        60 * MINUTE,
        180 * MINUTE,
        360 * MINUTE,
        DAY,
        7 * DAY,
        30 * DAY,
        90 * DAY,
        365 * DAY,
    ];
    // A clock that was wrong by centuries makes bars as long as they must be.
    let longer = (1..=24).map(|doubled| (365 * DAY) << doubled);
    nice.into_iter()
        .chain(longer)
        .map(Duration::from_secs)
        .find(fits)
        .unwrap_or(Duration::MAX)
}

/// The next number that is easily read, and can be halved.
fn rounded(number: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [2, 4, 6, 8, 10] {
            let bound = unit.saturating_mul(step);
            if bound >= number {
                return bound;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A moment in UTC, as exactly as bars of `width` need it.
pub(super) fn moment(moment: Timestamp, width: Duration) -> String {
    let text = moment.to_string();
    let end = match width.as_secs() {
        0..60 => 19,
        60..86_400 => 16,
        _ => 10,
    };
    text.get(..end).unwrap_or(&text).replace('T', " ")
}

/// A moment in UTC to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    moment(at, Duration::from_secs(60))
}

fn in_words(width: Duration) -> String {
    let seconds = width.as_secs();
    let (length, unit) = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ]
    .into_iter()
    .find(|(length, _)| seconds >= *length)
    .unwrap_or((1, "second"));
    super::escape::counted(seconds / length, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_at_most_as_many_bars_as_can_be_told_apart() {
        for (milliseconds, width) in [
            (0, 1),
            (59_000, 1),
            (61_000, 10),
            (3_600_000, 300),
            (2 * 86_400_000, 3_600),
            (400 * 86_400_000, 7 * 86_400),
        ] {
            let first = Timestamp(1_700_000_000_000);
            let last = first + Duration::from_millis(milliseconds);
            assert_eq!(width_for(first, last), Duration::from_secs(width));
        }
        let forever = width_for(Timestamp(i64::MIN / 4), Timestamp(i64::MAX / 4));
        assert!(forever > Duration::from_secs(365 * 86_400));
    }

    #[test]
    fn a_scale_ends_in_a_round_number_that_can_be_halved() {
        let of = [1, 2, 3, 99, 500, 501, 50_000].map(rounded);
        assert_eq!(of, [2, 2, 4, 100, 600, 600, 60_000]);
    }

    #[test]
    fn what_is_few_is_seen_beside_what_is_many() {
        let parts = ["done", "failed"].map(|name| Part { name, class: name });
        let chart = Chart {
            id: "c",
            title: "T",
            description: "D",
            parts: &parts,
            limit: None,
            width: Duration::from_secs(60),
            bars: &[(Timestamp(0), vec![100_000, 1])],
        };
        let failed = format!(
            "<rect class=\"fill-failed\" x=\"1\" y=\"484\" width=\"8\" height=\"{LEAST}\"/>"
        );
        let drawn = chart.draw();
        assert!(drawn.contains(&failed), "{drawn}");
    }
}
