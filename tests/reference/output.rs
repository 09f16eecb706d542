//! `output.md`: what other programs read: the objects of `--json`, the events of `--progress json`, the metrics.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    process::Output,
};

use altfill::{
    commands::keys::{PRINTED, Printed},
    journal::Lock,
    monitor::Figures,
    progress::EVENTS,
    time::Timestamp,
};
use serde_json::{Map, Value};

use super::{
    markdown::{code, prose, table},
    rehearsal::Rehearsal,
};

const OPENING: &str = "\
# What programs read

Exit codes are among the [commands](commands.md#exit-codes), the views of the [journal](journal.md) have a page of their own. Keys, events and metrics may be added: pass over
what you do not know. Moments are RFC 3339 in UTC. Causes, rules and reasons are words that stay, and [errors](../errors.md) explains them.
";

const OBJECTS: &str = "
## Objects

With `--json` these commands print one JSON object on standard output, on one line; everything else goes to standard error.
";

const EVENTS_OPENING: &str = "
## Events

With `--progress json`, `altfill run` and `altfill resume` tell what happens as JSON objects on standard error, one a line, each with a key `event`. An outcome that is told is on disk. Between
them stands what is said to people, which is no JSON.

";

const METRICS: &str = "
## Metrics

`--metrics-file` keeps these in a text file for Prometheus' node_exporter. [Monitoring](../../README.md#monitoring) tells what they are good for. One of which nothing is known yet has no value.

";

/// The page.
pub fn page() -> String {
    let mut page = OPENING.to_owned() + OBJECTS;
    let samples = samples();
    for printed in &PRINTED {
        page.push_str(&object(printed, &samples[printed.command]));
    }
    page.push_str(EVENTS_OPENING);
    let events = EVENTS.iter().map(|event| {
        let keys: Vec<_> = event
            .keys
            .iter()
            .map(|(key, about)| format!("{}: {}", code(key), prose(about)))
            .collect();
        [code(event.name), prose(event.about), keys.join("; ")]
    });
    page.push_str(&table(["event", "comes when", "other keys"], events));
    page.push_str(METRICS);
    page.push_str(&table(["metric", "type", "tells"], metrics()));
    page
}

/// What each command prints, in several cases: its values are not always of one type.
fn samples() -> BTreeMap<&'static str, Vec<Map<String, Value>>> {
    let rehearsal = Rehearsal::run(&["--json", "--progress", "json"]);
    assert_told(&String::from_utf8(rehearsal.output.stderr.clone()).unwrap());
    let print = |words: &[&str]| parsed(&rehearsal.altfill(words));
    let check = print(&["check", "m.csv", "--json"]);
    let plan = print(&["plan", "m.csv", "--sandbox", "--json"]);
    let mut status = vec![print(&["status", "--sandbox", "--json"])];
    let journal = rehearsal.journal();
    let lock = Lock::take(&journal).unwrap();
    status.push(print(&["status", "--sandbox", "--json"]));
    drop(lock);
    let ids = (0..60).map(Rehearsal::media_id);
    let show = ids.map(|id| print(&["show", &id, "--sandbox", "--json"]));
    [
        ("run", vec![parsed(&rehearsal.output)]),
        ("check", vec![check]),
        ("plan", vec![plan]),
        ("status", status),
        ("show", show.collect()),
    ]
    .into()
}

fn parsed(output: &Output) -> Map<String, Value> {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// That the events of a run are among those that are explained.
fn assert_told(said: &str) {
    let mut names = BTreeSet::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let event: Map<String, Value> = serde_json::from_str(line).unwrap();
        let name = event["event"].as_str().unwrap();
        let known = EVENTS.iter().find(|known| known.name == name);
        let known = known
            .unwrap_or_else(|| panic!("{line} is not explained"))
            .keys;
        let keys = event.keys().filter(|key| *key != "event");
        assert!(keys.eq(sorted(known.iter().map(|(key, _)| *key))), "{line}");
        names.insert(name.to_owned());
    }
    assert!(
        names.contains("begun") && names.contains("failed"),
        "{names:?}"
    );
}

fn sorted<'k>(keys: impl Iterator<Item = &'k str>) -> BTreeSet<&'k str> {
    keys.collect()
}

fn object(printed: &Printed, samples: &[Map<String, Value>]) -> String {
    for sample in samples {
        let keys: BTreeSet<_> = sample.keys().map(String::as_str).collect();
        let known = sorted(printed.keys.iter().map(|(key, _)| *key));
        assert_eq!(
            keys, known,
            "the keys that `{}` prints have words, and no other",
            printed.command
        );
    }
    let rows = printed.keys.iter().map(|(key, about)| {
        let kinds = samples.iter().map(|sample| kind(&sample[*key]));
        let mut kinds: BTreeSet<_> = kinds.collect();
        let is_null = kinds.remove("null");
        let may_be_null = about.contains("null");
        assert!(
            !is_null || may_be_null,
            "{key} of `{}` is null, and nothing says when",
            printed.command
        );
        assert_eq!(kinds.len(), 1, "{key} of `{}`: {kinds:?}", printed.command);
        let or_null = if may_be_null { " or null" } else { "" };
        let kind = kinds.pop_first().unwrap();
        [code(key), format!("{kind}{or_null}"), prose(about)]
    });
    let rows = table(["key", "type", "tells"], rows);
    let mut text = format!("\n### {}\n\n", title(printed.command));
    write!(text, "{}{rows}", opening(printed.command)).unwrap();
    text
}

fn title(command: &str) -> String {
    match command {
        "run" => "altfill run, altfill resume".to_owned(),
        command => format!("altfill {command}"),
    }
}

/// What is to be said of an object as a whole.
fn opening(command: &str) -> &'static str {
    match command {
        "run" => {
            "At the end, on every exit. `--notify-url` gets the same object. Counts are of the manifests that were given, or of the whole journal for `resume`.\n\n"
        }
        "check" => {
            "Also where rows are invalid. Where a file can't be read there are `exit_code` and `error` instead, a sentence for people.\n\n"
        }
        "plan" => {
            "Where rows are invalid or a file can't be read there are `exit_code` and `error` instead, a sentence for people.\n\n"
        }
        _ => "",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "whole number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
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
