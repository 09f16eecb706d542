//! `output.md`: what other programs read, the object of a run and the metrics.

use std::collections::BTreeSet;

use altfill::{commands::RUN_KEYS, monitor::Figures, time::Timestamp};
use serde_json::{Map, Value};

use super::{
    markdown::{code, prose, table},
    rehearsal::Rehearsal,
};

const OPENING: &str = "\
# What programs read

Exit codes are among the [commands](commands.md#exit-codes), and the views of the [journal](journal.md) have a page of their own. Everything here may be added to: pass over what
you do not know.

## The object of a run

`altfill run --json` and `altfill resume --json` print one JSON object on standard output, on one line, at the end and on every exit. `--notify-url` gets the same object. Counts of rows are of
the manifests that were given; those of images too, but for `resume`, where they are of the whole journal. Reasons are listed among the [errors](../errors.md#how-a-run-ends).

";

const METRICS: &str = "
## Metrics

`--metrics-file` keeps these in a text file for Prometheus' node_exporter. [Monitoring](../../README.md#monitoring) tells what they are good for. One of which nothing is known yet has no value.

";

/// The page.
pub fn page() -> String {
    let printed = Rehearsal::run(&["--json"]).output;
    let object: Map<String, Value> = serde_json::from_str(&printed).unwrap();
    let printed: BTreeSet<_> = object.keys().map(String::as_str).collect();
    let known: BTreeSet<_> = RUN_KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        printed, known,
        "the keys that are printed have words, and no other"
    );
    let keys = RUN_KEYS.iter().map(|(key, about)| {
        let kind = match &object[*key] {
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "whole number",
            Value::String(_) => "text",
            other => panic!("{key} is {other}"),
        };
        let or_null = if about.contains("null") {
            " or null"
        } else {
            ""
        };
        [code(key), format!("{kind}{or_null}"), prose(about)]
    });
    let keys = table(["key", "type", "tells"], keys);
    format!(
        "{OPENING}{keys}{METRICS}{}",
        table(["metric", "type", "tells"], metrics())
    )
}

/// Of the file itself: its lines of help and of types.
fn metrics() -> Vec<[String; 3]> {
    let text = Figures::default().to_text(Timestamp::now());
    let lines = |word: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word));
        lines
            .map(|line| line.trim().split_once(' ').unwrap())
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
            .collect()
    };
    let (helps, types) = (lines("# HELP"), lines("# TYPE"));
    assert!(helps.len() > 5 && helps.len() == types.len());
    let rows = helps
        .into_iter()
        .zip(types)
        .map(|((name, help), (same, kind))| {
            assert_eq!(name, same);
            [code(&name), kind, help.trim_end_matches('.').to_owned()]
        });
    rows.collect()
}
