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
        .lines()
        .filter(|line| line.starts_with("  "))
        .flat_map(|line| {
            let end = line.find(|c: char| c.is_alphabetic()).expect("a meaning");
            numbers(line[..end].trim()).collect::<Vec<_>>()
        })
        .collect();
    for command in ["run", "resume"] {
        let own = cli
            .find_subcommand(command)
            .expect("a command")
            .get_after_help();
        assert_eq!(
            own.map(ToString::to_string),
            Some(help.clone()),
            "{command}"
        );
    }
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

const ERRORS: &str = include_str!("../docs/errors.md");

/// The rows of the tables under a heading of the catalogue of errors, up to the next heading of the same rank.
fn catalogue(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = ERRORS
        .split_once(&format!("\n## {heading}\n"))
        .expect("a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let rows: Vec<_> = rows
        .map(cells)
        .filter(|row| !row.last().is_some_and(|cell| cell.ends_with("what to do")))
        .collect();
    assert!(rows.len() > 3, "{heading}");
    rows
}

/// The program's sources, without their tests and comments, by path.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &std::path::Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let text = text
                    .split("#[cfg(test)]\nmod tests {")
                    .next()
                    .unwrap_or_default();
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                into.push((
                    path.display().to_string(),
                    code.collect::<Vec<_>>().join("\n"),
                ));
            }
        }
    }
    let mut sources = Vec::new();
    walk(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut sources,
    );
    sources.retain(|(path, _)| !path.contains("/tests") && !path.contains("/sandbox/"));
    sources
}

/// The string literals of a source, as they are written, with the line breaks that a backslash joins taken out.
fn literals(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        // A quote in single quotes begins no string.
        if c == '\'' && chars.peek() == Some(&'"') {
            chars.next();
            continue;
        }
        if c != '"' {
            continue;
        }
        let mut literal = String::new();
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            match (c, chars.peek().copied()) {
                ('\\', Some('\n')) => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                ('\\', Some(escaped)) => {
                    chars.next();
                    literal.push(if escaped == 'n' { '\n' } else { escaped });
                }
                (c, _) => literal.push(c),
            }
        }
        literals.push(literal);
    }
    literals
}

/// A message without what differs from case to case.
fn form(message: &str) -> String {
    let mut form = String::new();
    let mut depth = 0;
    for c in message.chars() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                form.push('…');
            }
            c if depth == 0 => form.push(c),
            _ => {}
        }
    }
    form
}

#[test]
fn every_error_is_in_the_catalogue_and_no_other() {
    let mut said = BTreeSet::new();
    for (_, code) in sources() {
        for after in code.split("#[error(").skip(1) {
            if after.trim_start().starts_with("transparent") {
                continue;
            }
            let form = form(literals(after).first().expect("a message"));
            // What is all made of others' words has none of its own.
            if form.replace("line", "").chars().any(char::is_alphabetic) {
                said.insert(form);
            }
        }
    }
    let explained: BTreeSet<_> = catalogue("What is said")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let missing: Vec<_> = said.difference(&explained).collect();
    let surplus: Vec<_> = explained.difference(&said).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing: {missing:#?}\nsaid by nobody: {surplus:#?}"
    );
}

#[test]
fn every_end_of_a_run_is_in_the_catalogue_and_no_other() {
    let sources = sources();
    let source = |name: &str| {
        let (_, code) = sources
            .iter()
            .find(|(path, _)| path.ends_with(name))
            .expect("a source");
        code.clone()
    };
    let errors = source("src/error.rs");
    let (_, reasons) = errors.split_once("fn reason(").expect("the reasons");
    let summary = source("commands/summary.rs");
    let (_, judging) = summary.split_once("fn judge(").expect("the judge");
    let (judging, _) = judging.split_once("\n    }\n").expect("its end");
    let told: BTreeSet<_> = literals(reasons)
        .into_iter()
        .chain(literals(judging))
        .collect();
    let rows = catalogue("How a run ends");
    let explained: BTreeSet<_> = rows
        .iter()
        .filter(|row| row[0].starts_with('`'))
        .map(|row| code(&row[0]).to_owned())
        .collect();
    assert_eq!(explained, told);
    let codes: BTreeSet<u8> = rows
        .iter()
        .flat_map(|row| numbers(&row[1]).collect::<Vec<_>>())
        .collect();
    assert_eq!(codes, known_exit_codes());
}

#[test]
fn every_cause_is_in_the_catalogue_and_no_other() {
    let mut known: BTreeSet<String> = ["http-STATUS".to_owned()].into();
    for (path, code) in sources() {
        if path.ends_with("src/outcome.rs") {
            let named = code
                .split("Self::known(")
                .skip(1)
                .filter(|after| after.starts_with('"'));
            known.extend(named.filter_map(|after| literals(after).first().cloned()));
        }
        if path.ends_with("src/problem.rs") {
            let (_, words) = code.split_once("const WORDS").expect("the kinds");
            let (words, _) = words.split_once("];").expect("their end");
            known.extend(literals(words));
        }
    }
    let explained: BTreeSet<_> = catalogue("Why an image failed")
        .iter()
        .map(|row| code(&row[0]).to_owned())
        .collect();
    assert_eq!(explained, known);
}

#[test]
fn the_rules_of_rows_are_in_the_catalogue() {
    let explained: BTreeSet<String> = catalogue("What is wrong with a row")
        .iter()
        .map(|row| code(&row[0]).to_owned())
        .collect();
    // Each is a word of the program's.
    let words: BTreeSet<String> = sources()
        .iter()
        .filter(|(path, _)| path.contains("/manifest/") || path.contains("/metadata/"))
        .flat_map(|(_, code)| literals(code))
        .collect();
    let surplus: Vec<_> = explained.difference(&words).collect();
    assert!(surplus.is_empty(), "{surplus:?}");
    // And each that the manifests of the tests and samples break stands here, or among the lint's.
    let folder = tempfile::tempdir().expect("a folder");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root).expect("manifests") {
        let path = entry.expect("a manifest").path();
        let is_small = fs::metadata(&path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() < 100_000);
        let is_bomb = path.to_string_lossy().contains("bomb");
        if !is_small || is_bomb {
            continue;
        }
        let checked = altfill(folder.path())
            .args(["check", "--json"])
            .arg(&path)
            .output()
            .expect("altfill runs");
        let said: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap_or_default();
        found.extend(
            said["faults"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(rule, _)| rule.clone()),
        );
    }
    assert!(found.len() > 10, "{found:?}");
    let lint: BTreeSet<_> = Rule::ALL
        .iter()
        .map(|rule| rule.name().to_owned())
        .collect();
    let missing: Vec<_> = found
        .iter()
        .filter(|rule| !explained.contains(*rule) && !lint.contains(*rule))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_shown_speaks_of_images_and_sends_them() {
    const WORDS: [&str; 16] = [
        "post",
        "posts",
        "posted",
        "posting",
        "tweet",
        "tweets",
        "item",
        "items",
        "digest",
        "digests",
        "window",
        "windows",
        "endpoint",
        "endpoints",
        "dispatcher",
        "queue",
    ];
    let wrong = |text: &str| -> Option<String> {
        // Options, columns and keys are names, and may be shown: `--max-items`, `altfill_items`.
        text.split(|c: char| !(c.is_alphanumeric() || "-_./`".contains(c)))
            .map(|word| word.trim_matches(['.', '`', '/']))
            .find(|word| WORDS.contains(&word.to_lowercase().as_str()) && *word != "POST")
            .map(ToOwned::to_owned)
    };
    let mut cli = cli();
    let mut texts = vec![cli.render_long_help().to_string()];
    for command in cli.get_subcommands_mut() {
        texts.push(command.render_long_help().to_string());
    }
    for text in texts.iter().flat_map(|text| text.lines()) {
        assert_eq!(wrong(text), None, "{text}");
    }
    // What has a blank is a sentence; SQL is none, and what only a log or a lint of the code sees is not shown.
    let is_sql = |text: &str| {
        [
            "SELECT ", "UPDATE ", "INSERT ", "DELETE ", "WHERE ", "FROM ", "CREATE ",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    let mut seen = 0;
    for (path, code) in sources() {
        let shown = code
            .split("reason = ")
            .enumerate()
            .flat_map(|(index, part)| {
                let skipped = usize::from(index > 0);
                literals(part).into_iter().skip(skipped)
            });
        for text in shown.filter(|text| text.contains(' ') && !is_sql(text)) {
            seen += 1;
            // What the reference says of keys names them as they are, in backticks: `window`.
            let explains_keys =
                path.ends_with("commands/keys.rs") || path.ends_with("progress/event.rs");
            let text = if explains_keys {
                text.split('`').step_by(2).collect()
            } else {
                text
            };
            // Of HTML the words between the tags are shown.
            let text = text
                .split('<')
                .map(|part| part.split_once('>').map_or(part, |(_, shown)| shown))
                .collect::<String>();
            assert_eq!(wrong(&text), None, "{path}: {text}");
        }
    }
    assert!(seen > 300, "only {seen} sentences were found");
    let run = cli
        .find_subcommand("run")
        .and_then(clap::Command::get_about)
        .expect("run")
        .to_string();
    assert!(
        run.starts_with(
            "Send alt text and other metadata for images already on X, and publish nothing"
        ),
        "{run}"
    );
}

#[test]
fn the_workflows_are_yaml_and_test_the_oldest_rust_that_is_promised() {
    use yaml_rust2::YamlLoader;

    let cargo = include_str!("../Cargo.toml");
    let promised = cargo
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .expect("the oldest Rust")
        .trim_matches('"');
    // The file is not part of the published package.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows");
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).expect("a workflow");
    let ci = YamlLoader::load_from_str(&read("ci.yml")).expect("YAML");
    let tested = &ci[0]["jobs"]["tests"]["strategy"]["matrix"]["rust"];
    assert_eq!(tested[0].as_str(), Some(promised));
    let release = YamlLoader::load_from_str(&read("release.yml")).expect("YAML");
    let built = release[0]["jobs"]["build"]["strategy"]["matrix"]["include"]
        .as_vec()
        .expect("systems");
    let targets: Vec<_> = built
        .iter()
        .filter_map(|entry| entry["target"].as_str())
        .collect();
    for system in [
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "apple-darwin",
        "windows",
    ] {
        assert!(
            targets.iter().any(|target| target.contains(system)),
            "{system}"
        );
    }
    for text in [README, include_str!("../CONTRIBUTING.md")] {
        assert!(
            text.contains(&format!("{promised} or newer")),
            "the oldest Rust is {promised}"
        );
    }
    let image = include_str!("../samples/schedule/Dockerfile");
    assert!(
        image.contains(&format!("FROM rust:{promised}")),
        "the image is built by {promised}"
    );
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
