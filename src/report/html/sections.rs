//! The page's sections of sums: what was asked for, done, failed and is left; failures by cause; files; runs.
//!
//! Owns their words and markup. Reads nothing: what they tell stands in [`Facts`].

use std::fmt::Write as _;

use super::{
    chart::minute,
    escape::{Text, counted, grouped},
    facts::{Facts, RUNS},
};
use crate::{journal::Tally, report::hint};

/// How wide the bar of shares is, in its own units.
const SHARES: u64 = 1_000;

/// What the page is about, and from when.
pub(super) fn about(facts: &Facts) -> String {
    let to = if facts.api_url == "sandbox" {
        "A rehearsal: sent to a simulated X, and not to the real one".to_owned()
    } else {
        format!("Sent to {}", Text(&facts.api_url))
    };
    // Until X's user is known there is no name worth telling.
    let whose = if facts.account == "default" {
        String::new()
    } else {
        format!(" Account: {}.", Text(&facts.account))
    };
    let version = env!("CARGO_PKG_VERSION");
    let now = minute(facts.now);
    format!("{to}.{whose} Written {now} UTC by altfill {version}.")
}

pub(super) fn summary(facts: &Facts) -> String {
    let Tally {
        sending,
        done,
        failed,
        dismissed,
        ..
    } = facts.tally;
    let (total, due) = (facts.tally.total(), facts.tally.due());
    let files = facts.files.len() as u64;
    let figures = [
        (
            "asked",
            "Asked for",
            total,
            format!("in {}", counted(files, "file")),
        ),
        ("done", "Done", done, share(done, total)),
        (
            "failed",
            "Failed",
            failed + dismissed,
            if dismissed > 0 {
                format!("{} of them known", grouped(dismissed))
            } else {
                share(failed, total)
            },
        ),
        (
            "left",
            "Left to send",
            due,
            if sending > 0 {
                format!("{} on their way or cut off", grouped(sending))
            } else {
                share(due, total)
            },
        ),
        (
            "sent",
            "Requests",
            facts.sent.requests,
            if facts.is_rehearsal() {
                format!("at X about {}", dollars(facts.sent.dollars))
            } else {
                format!("about {}", dollars(facts.sent.dollars))
            },
        ),
    ];
    let mut html = "<dl class=\"figures\">\n".to_owned();
    // Writing to a string can't fail.
    for (class, name, number, note) in figures {
        let number = grouped(number);
        let _ = writeln!(
            html,
            "<div class=\"is-{class}\"><dt>{name}</dt><dd><span class=\"number\">{number}</span> <span class=\"note\">{note}</span></dd></div>"
        );
    }
    html.push_str("</dl>\n");
    html.push_str(&shares(&facts.tally));
    html.push_str(&next(facts));
    html
}

/// How large a part is, in words that never make all of what is not all.
fn share(part: u64, total: u64) -> String {
    let permille = (part.saturating_mul(1_000) + total / 2)
        .checked_div(total)
        .unwrap_or(0);
    match permille {
        _ if part == 0 => "none".to_owned(),
        _ if part == total => "all".to_owned(),
        0 => "less than 0.1%".to_owned(),
        1_000 => "more than 99.9%".to_owned(),
        permille => format!("{}.{}%", permille / 10, permille % 10),
    }
}

/// Done, failed and left as one bar.
fn shares(tally: &Tally) -> String {
    let total = tally.total();
    if total == 0 {
        return String::new();
    }
    let failed = tally.failed + tally.dismissed;
    let parts = [
        ("done", tally.done),
        ("failed", failed),
        ("left", tally.due()),
    ];
    let mut svg = String::new();
    let mut from = 0;
    for (class, part) in parts.into_iter().filter(|(_, part)| *part > 0) {
        // What is there at all is seen.
        let wide = (part * SHARES / total).max(4);
        let _ = write!(
            svg,
            "<rect class=\"fill-{class}\" x=\"{from}\" y=\"0\" width=\"{wide}\" height=\"10\"/>"
        );
        from += wide + 3;
    }
    format!(
        "<svg class=\"share\" role=\"img\" aria-labelledby=\"share-title\" viewBox=\"0 0 {from} 10\" preserveAspectRatio=\"none\">\
         <title id=\"share-title\">Of {}: {} done, {} failed, {} left</title>{svg}</svg>\n",
        counted(total, "image"),
        grouped(tally.done),
        grouped(failed),
        grouped(tally.due()),
    )
}

/// What to do next, where there is something.
fn next(facts: &Facts) -> String {
    let tally = &facts.tally;
    let sandbox = if facts.is_rehearsal() {
        " --sandbox"
    } else {
        ""
    };
    if tally.total() == 0 {
        return "<p>There is no image in this journal yet: <code>altfill run MANIFEST</code> takes a file in and sends it.</p>"
            .to_owned();
    }
    let mut steps = String::new();
    if tally.due() > 0 {
        let _ = writeln!(
            steps,
            "<li>To send what is left ({}): <code>altfill resume{sandbox}</code>, or run the file again.</li>",
            counted(tally.due(), "image")
        );
    }
    if tally.failed > 0 {
        let _ = writeln!(
            steps,
            "<li>To mend what failed ({}): <code>altfill report{sandbox} --state failed -o failed.csv</code>, mend the rows, then <code>altfill run failed.csv{sandbox}</code>.</li>",
            counted(tally.failed, "image")
        );
    }
    if steps.is_empty() {
        return "<p>There is nothing left to do.</p>".to_owned();
    }
    format!("<ul class=\"next\">\n{steps}</ul>")
}

pub(super) fn failures(facts: &Facts) -> String {
    if facts.failures.is_empty() {
        return "<p>No image is failed.</p>".to_owned();
    }
    let mut html = "<table class=\"causes stack\" role=\"table\">\n<caption>Failed images by cause, the most frequent first</caption>\n\
         <thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Cause</th>\
         <th role=\"columnheader\" scope=\"col\" class=\"n\">Images</th><th role=\"columnheader\" scope=\"col\">What to do</th>\
         <th role=\"columnheader\" scope=\"col\">In the list</th></tr></thead>\n<tbody role=\"rowgroup\">\n"
        .to_owned();
    for (cause, count, dismissed) in &facts.failures {
        let what = hint(cause).unwrap_or(
            "This is X’s own word for why: see the detail of each image in the list below",
        );
        let known = if *dismissed > 0 {
            let known = grouped(dismissed.unsigned_abs());
            format!(" <span class=\"note\">({known} known)</span>")
        } else {
            String::new()
        };
        let (cause, count) = (Text(cause), grouped(count.unsigned_abs()));
        let _ = writeln!(
            html,
            "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><code>{cause}</code></th>\
             <td role=\"cell\" class=\"n\" data-label=\"Images\">{count}{known}</td>\
             <td role=\"cell\" class=\"what\" data-label=\"What to do\">{}.</td>\
             <td role=\"cell\"><button type=\"button\" data-cause=\"{cause}\" hidden>Show<span class=\"unseen\"> the images that failed with {cause}</span></button></td></tr>",
            Text(what)
        );
    }
    html.push_str("</tbody>\n</table>");
    html
}

pub(super) fn files(facts: &Facts) -> String {
    if facts.files.is_empty() {
        return "<p>No file was taken in yet.</p>".to_owned();
    }
    let mut html = "<table class=\"files stack\" role=\"table\">\n<caption>How the images stand by the file that named them last</caption>\n\
         <thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">File</th>"
        .to_owned();
    for column in ["Images", "Done", "Failed", "Left"] {
        let _ = write!(
            html,
            "<th role=\"columnheader\" scope=\"col\" class=\"n\">{column}</th>"
        );
    }
    html.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for (name, tally) in &facts.files {
        let _ = write!(
            html,
            "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi dir=\"auto\">{}</bdi></th>",
            Text(name)
        );
        let failed = tally.failed + tally.dismissed;
        let counts = [
            ("Images", tally.total()),
            ("Done", tally.done),
            ("Failed", failed),
            ("Left", tally.due()),
        ];
        numbers(
            &mut html,
            &counts.map(|(name, count)| (name, grouped(count))),
        );
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>");
    html
}

pub(super) fn runs(facts: &Facts) -> String {
    if facts.runs.is_empty() {
        return "<p>There was no run yet.</p>".to_owned();
    }
    let which = if facts.runs.len() as u64 == RUNS.unsigned_abs() {
        format!("The latest {RUNS} runs, the newest first")
    } else {
        "All runs, the newest first".to_owned()
    };
    let mut html = format!(
        "<table class=\"runs stack\" role=\"table\">\n<caption>{which}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">\
         <th role=\"columnheader\" scope=\"col\">Run</th><th role=\"columnheader\" scope=\"col\">Begun (UTC)</th>\
         <th role=\"columnheader\" scope=\"col\">Ended (UTC)</th><th role=\"columnheader\" scope=\"col\">How it ended</th>",
    );
    for column in ["Requests", "Done", "Failed", "Cost"] {
        let _ = write!(
            html,
            "<th role=\"columnheader\" scope=\"col\" class=\"n\">{column}</th>"
        );
    }
    html.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for run in &facts.runs {
        let ended = run.ended.map_or_else(|| "not yet".to_owned(), minute);
        let _ = write!(
            html,
            "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" data-label=\"Run\">{}</th><td role=\"cell\" data-label=\"Begun (UTC)\">{}</td>\
             <td role=\"cell\" data-label=\"Ended (UTC)\">{ended}</td><td role=\"cell\" data-label=\"How it ended\">{}</td>",
            run.run_id,
            minute(run.started),
            Text(run.exit_reason.as_deref().unwrap_or("it goes on")),
        );
        let counts = [
            ("Requests", run.requests),
            ("Done", run.done),
            ("Failed", run.failed),
        ];
        numbers(
            &mut html,
            &counts.map(|(name, count)| (name, grouped(count.unsigned_abs()))),
        );
        numbers(&mut html, &[("Cost", dollars(run.dollars))]);
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>");
    html
}

/// Cells of numbers, each with the name of its column for where the table is stacked.
fn numbers(html: &mut String, cells: &[(&str, String)]) {
    for (name, number) in cells {
        let _ = write!(
            html,
            "<td role=\"cell\" class=\"n\" data-label=\"{name}\">{number}</td>"
        );
    }
}

/// An amount as people read it; what is less than a cent keeps its thousandths.
fn dollars(amount: f64) -> String {
    if amount != 0.0 && amount < 1.0 {
        return format!("${amount:.3}");
    }
    let text = format!("{amount:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    format!("${whole}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_says_all_and_none_only_where_it_is_so() {
        for (part, total, words) in [
            (0, 0, "none"),
            (0, 10, "none"),
            (10, 10, "all"),
            (1, 100_000, "less than 0.1%"),
            (99_999, 100_000, "more than 99.9%"),
            (1, 3, "33.3%"),
        ] {
            assert_eq!(share(part, total), words);
        }
    }

    #[test]
    fn dollars_are_read_by_people() {
        let of = [0.0, 0.005, 2.0, 1234.5].map(dollars);
        assert_eq!(of, ["$0.00", "$0.005", "$2.00", "$1,234.50"]);
    }
}
