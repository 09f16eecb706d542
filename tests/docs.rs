//! The documentation says what the code does: its tables, its commands and its words are compared with the program's own.

#![allow(
    clippy::expect_used,
    reason = "a test that can't go on says why by failing"
)]

use std::{collections::BTreeSet, fs, process::Command};

use altfill::{cli::Cli, error::exit, manifest::lint::Rule, metadata::schema};
use clap::CommandFactory;

const README: &str = include_str!("../README.md");
/// Where the exit codes are named: a constant cannot be listed by the program that has it.
const EXIT_CODES: &str = include_str!("../src/error.rs");

/// The signals that end a run: SIGHUP, SIGINT, SIGTERM.
const SIGNALS: [u8; 3] = [1, 2, 15];

/// The command line with what clap adds to it.
fn cli() -> clap::Command {
    let mut cli = Cli::command();
    cli.build();
    cli
}

/// The long flags of a command, without `--help`.
fn flags(command: &clap::Command) -> BTreeSet<String> {
    command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|long| *long != "help")
        .map(|long| format!("--{long}"))
        .collect()
}

/// The cells of the first table under a heading of the README, without the table's head.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = README
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("the README has no section {heading:?}"));
    let rows: Vec<_> = section
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect();
    assert!(!rows.is_empty(), "there is no table under {heading:?}");
    rows
}

fn cells(line: &str) -> Vec<String> {
    // `\|` is a bar inside a cell.
    line.replace("\\|", "\0")
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().replace('\0', "|"))
        .collect()
}

/// A cell that is code and nothing else, without its backticks.
fn code(cell: &str) -> &str {
    cell.strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'))
        .unwrap_or_else(|| panic!("{cell:?} stands in no backticks"))
}

/// The lines of the README's code blocks.
fn code_lines() -> Vec<&'static str> {
    let mut is_code = false;
    README
        .lines()
        .filter(|line| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            is_code && !is_fence
        })
        .collect()
}

/// The calls of altfill in the README's code blocks: the words after its name, up to a comment or a pipe.
fn calls() -> Vec<Vec<&'static str>> {
    let mut calls = Vec::new();
    for line in code_lines() {
        let words: Vec<_> = line
            .split_whitespace()
            .map(|word| word.trim_matches(['`', '\'', '"', '(', ')']))
            .collect();
        let is_cargo = words.windows(2).any(|pair| pair == ["cargo", "run"]);
        for (index, word) in words.iter().enumerate() {
            let is_name = *word == "altfill" || word.ends_with("/altfill");
            if is_name || (is_cargo && *word == "--") {
                let end = |word: &&str| !matches!(*word, "#" | "|" | "&&" | ";");
                calls.push(words[index + 1..].iter().copied().take_while(end).collect());
            }
        }
    }
    assert!(
        calls.len() > 10,
        "the README shows how altfill is called: {calls:?}"
    );
    calls
}

/// All `--flag`s in a text.
fn flags_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'))
        .filter(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// The numbers in a text of them, such as `129, 130, 143`.
fn numbers(text: &str) -> impl Iterator<Item = u8> {
    text.split(", ")
        .map(|number| number.trim().parse().expect("an exit code"))
}

fn known_exit_codes() -> BTreeSet<u8> {
    let (_, constants) = EXIT_CODES
        .split_once("pub mod exit {")
        .expect("the exit codes");
    let (constants, _) = constants.split_once("\n}").expect("their end");
    let named: BTreeSet<u8> = constants
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const "))
        .map(|line| {
            let (_, value) = line.split_once(": u8 = ").expect("a code");
            value.trim_end_matches(';').parse().expect("a number")
        })
        .collect();
    assert!(named.contains(&exit::OK) && named.contains(&exit::LOCKED));
    named
        .into_iter()
        .filter(|code| *code != exit::SIGNAL)
        .chain(SIGNALS.map(|signal| exit::SIGNAL + signal))
        .collect()
}

#[test]
fn the_readme_explains_every_exit_code_and_no_other() {
    let explained: Vec<u8> = table("Exit codes")
        .iter()
        .flat_map(|row| numbers(&row[0]).collect::<Vec<_>>())
        .collect();
    assert!(
        explained.is_sorted_by(|one, next| one < next),
        "{explained:?}"
    );
    assert_eq!(BTreeSet::from_iter(explained), known_exit_codes());
}

#[test]
fn the_help_names_every_exit_code_and_no_other() {
    let cli = cli();
    let help = cli.get_after_help().expect("the exit codes").to_string();
    let named: BTreeSet<u8> = help
        .trim_start_matches("Exit codes: ")
        .split("; ")
        .flat_map(|entry| {
            let end = entry.find(|c: char| c.is_alphabetic()).expect("a meaning");
            numbers(entry[..end].trim()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(named, known_exit_codes());
}

#[test]
fn the_readme_has_a_row_for_each_column_of_the_schema() {
    let rows = table("Manifests");
    let named: Vec<_> = rows.iter().map(|row| code(&row[0])).collect();
    assert_eq!(named, schema::paths());
}

#[test]
fn the_rules_of_the_lint_are_explained_by_name() {
    const MANIFESTS: &str = include_str!("../docs/manifests.md");
    let explained: Vec<_> = MANIFESTS
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| code(&cells(line)[0]).to_owned())
        .collect();
    assert_eq!(explained, Rule::ALL.map(Rule::name));
}

#[test]
fn the_examples_of_the_columns_are_valid() {
    let rows = table("Manifests");
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("examples.csv");
    let mut csv = csv::Writer::from_path(&manifest).expect("a manifest");
    // One of the two geo lists may be given, so they stand in two rows.
    let is_blacklist = |path: &str| path == "geo_restrictions.blacklisted_country_codes";
    let pairs: Vec<_> = rows
        .iter()
        .map(|row| (code(&row[0]), code(&row[2])))
        .collect();
    let row = |id, wanted: &dyn Fn(&str) -> bool| {
        let cells = pairs
            .iter()
            .map(move |(path, example)| if wanted(path) { *example } else { "" });
        std::iter::once(id).chain(cells).collect::<Vec<_>>()
    };
    let header = std::iter::once("media_id").chain(pairs.iter().map(|(path, _)| *path));
    csv.write_record(header).expect("a header");
    csv.write_record(row("1147723568417013761", &|path| !is_blacklist(path)))
        .expect("a row");
    csv.write_record(row("1147723568417013763", &is_blacklist))
        .expect("a row");
    csv.flush().expect("a file");
    drop(csv);
    let checked = altfill(folder.path())
        .arg("check")
        .arg(&manifest)
        .output()
        .expect("altfill runs");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(i32::from(exit::OK)), "{said}");
}

#[test]
fn the_readme_calls_only_commands_that_exist() {
    let cli = cli();
    for call in calls() {
        let word = call.first().copied().unwrap_or_default();
        assert!(
            cli.find_subcommand(word).is_some(),
            "there is no `altfill {word}`: {call:?}"
        );
    }
}

#[test]
fn the_readme_calls_commands_with_flags_that_they_have() {
    let cli = cli();
    for call in calls() {
        let Some(command) = call.first().and_then(|word| cli.find_subcommand(word)) else {
            continue; // Said by another test.
        };
        // `auth` has commands of its own.
        let inner = call.get(1).and_then(|word| command.find_subcommand(word));
        let command = inner.unwrap_or(command);
        let mut known = flags(command);
        known.insert("--help".to_owned());
        // What stands behind `--` is for the run that is scheduled.
        let own = call.split(|word| *word == "--").next().unwrap_or_default();
        for flag in flags_in(&own.join(" ")) {
            assert!(known.contains(&flag), "`altfill {}` has no {flag}", call[0]);
        }
    }
}

#[test]
fn the_readme_names_no_flag_that_no_command_has() {
    let cli = cli();
    let inner = cli
        .get_subcommands()
        .flat_map(clap::Command::get_subcommands);
    let mut known: BTreeSet<_> = cli.get_subcommands().chain(inner).flat_map(flags).collect();
    // And cargo's own.
    known.extend(["--help", "--release", "--locked", "--path"].map(ToOwned::to_owned));
    let unknown: Vec<_> = flags_in(README).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_table_of_options_is_complete_and_its_defaults_are_true() {
    let cli = cli();
    let run = cli.find_subcommand("run").expect("run");
    let rows = table("Options");
    let mut named = BTreeSet::new();
    for row in &rows {
        let flag = flags_in(&row[0]).pop_first().expect("a flag");
        let arg = run
            .get_arguments()
            .find(|arg| arg.get_long() == flag.strip_prefix("--"))
            .unwrap_or_else(|| panic!("`altfill run` has no {flag}"));
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let default = help
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'))
            // An address may stand in angle brackets, for rustdoc.
            .map_or("", |(default, _)| default.trim_matches(['<', '>']));
        assert_eq!(row[1], default, "the default of {flag}");
        assert!(named.insert(flag), "{row:?} stands there twice");
    }
    assert_eq!(named, flags(run));
}

#[test]
fn the_quick_start_shows_what_is_really_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let samples = folder.path().join("samples");
    fs::create_dir(&samples).expect("a folder");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/newsroom.csv");
    fs::copy(sample, samples.join("newsroom.csv")).expect("a sample");
    let (_, section) = README
        .split_once("\n## Quick start\n")
        .expect("a quick start");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let blocks: Vec<_> = section.split("```console\n").skip(1).collect();
    assert_eq!(blocks.len(), 2, "the first run and the second one");
    for block in blocks {
        let (block, _) = block.split_once("```").expect("its end");
        let mut lines = block.lines();
        let command = lines.next().expect("a command");
        let words = command
            .strip_prefix("$ cargo run --release -- ")
            .expect("a run");
        let ran = altfill(folder.path())
            .args(words.split(' '))
            .output()
            .expect("altfill runs");
        assert_eq!(ran.status.code(), Some(i32::from(exit::OK)));
        let said = String::from_utf8(ran.stderr).expect("text");
        let said: Vec<_> = said.lines().map(without_time).collect();
        for line in lines {
            assert!(
                said.contains(&without_time(line)),
                "{line:?} is not said, but {said:#?}"
            );
        }
    }
}

/// How long a run took differs from machine to machine.
fn without_time(line: &str) -> String {
    match line.split_once(" requests in ") {
        Some((before, after)) => {
            let (_, after) = after.split_once(", $").unwrap_or_default();
            format!("{before} requests, ${after}")
        }
        None => line.to_owned(),
    }
}

#[test]
fn nothing_that_people_read_says_that_altfill_publishes() {
    let mut cli = cli();
    let mut texts = vec![README.to_owned(), cli.render_long_help().to_string()];
    for command in cli.get_subcommands_mut() {
        texts.push(command.render_help().to_string());
        texts.push(command.render_long_help().to_string());
    }
    // The HTTP method is written in capitals, and may be named.
    let is_wrong = |word: &str| {
        word != "POST"
            && ["post", "posts", "posted", "posting"].contains(&word.to_lowercase().as_str())
    };
    for line in texts.iter().flat_map(|text| text.lines()) {
        let wrong = line
            .split(|c: char| !c.is_alphabetic())
            .find(|word| is_wrong(word));
        assert_eq!(wrong, None, "altfill sends, it publishes nothing: {line:?}");
    }
}

#[test]
fn the_alerts_ask_for_metrics_that_are_written_and_the_readme_explains_them_all() {
    use yaml_rust2::{Yaml, YamlLoader};

    let written: BTreeSet<_> = altfill::monitor::Figures::default()
        .to_text(altfill::time::Timestamp::now())
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next().map(ToOwned::to_owned))
        .collect();
    let names = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("altfill_"))
            .map(ToOwned::to_owned)
            .collect()
    };
    let alerts = include_str!("../samples/alerts.yml");
    let yaml = YamlLoader::load_from_str(alerts).expect("YAML");
    let Yaml::Array(rules) = &yaml[0]["groups"][0]["rules"] else {
        panic!("there are no rules");
    };
    assert!(rules.len() > 3);
    for rule in rules {
        let asked = names(rule["expr"].as_str().expect("an expression"));
        assert!(!asked.is_empty() && asked.is_subset(&written), "{asked:?}");
        assert!(rule["annotations"]["summary"].as_str().is_some());
    }
    let (_, section) = README.split_once("\n## Monitoring\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let mut explained = names(section);
    explained.remove("altfill_report");
    assert_eq!(explained, written);
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    for link in README.split("](").skip(1) {
        let target = link.split([')', '#']).next().unwrap_or_default();
        if !target.is_empty() && !target.contains("://") {
            let path = format!("{}/{target}", env!("CARGO_MANIFEST_DIR"));
            assert!(fs::exists(&path).expect("a path"), "{target} is missing");
        }
    }
}

/// The built program, in a folder of its own and without anything that the environment could set.
fn altfill(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_altfill"));
    command
        .current_dir(folder)
        // A developer's own configuration file is none of the tests'.
        .env("HOME", folder)
        .env_remove("XDG_CONFIG_HOME");
    for (name, _) in std::env::vars_os() {
        let is_ours = name
            .to_str()
            .is_some_and(|name| name.starts_with("ALTFILL_") || name.starts_with("X_"));
        if is_ours {
            command.env_remove(name);
        }
    }
    command
}
