//! The text of an `altfill.toml`, read: which option it sets to what, on which line, and every mistake in it.
//!
//! Owns the language: TOML whose keys are the long options' names. It is a function of the text alone. It opens no file and
//! knows no environment, and what a value means is left to the parser that reads the same option's words.

use std::ops::Range;

use toml::{Spanned, de::DeTable, de::DeValue};

use super::{
    House,
    options::{Known, Options},
};

/// What a file sets an option to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The long option's name.
    pub key: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// Its values, as they would be typed.
    pub values: Vec<String>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to write.
    pub words: String,
}

/// All that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// What is right, in the order of the lines.
    pub entries: Vec<Entry>,
    /// What is not, in the order of the lines.
    pub mistakes: Vec<Mistake>,
}

/// How near a key must be to an option's name to be taken for it.
const NEAR: f64 = 0.75;
/// How much of a value is shown in a mistake.
const SHOWN: usize = 200;

impl Contents {
    /// Reads a file's text; where the file stands decides what it may set.
    #[must_use]
    pub fn read(text: &str, options: &Options, house: House) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = Lines::new(text);
        let mut contents = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| lines.of(&span));
                let words = format!("this is no TOML: {}", plain(error.message()));
                contents.mistakes.push(Mistake { line, words });
                return contents;
            }
        };
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let (line, key) = (lines.of(&key.span()), key.get_ref().as_ref());
            match entry(key, value, options, house) {
                Ok(values) => contents.entries.push(Entry {
                    key: key.to_owned(),
                    line,
                    values,
                }),
                Err((span, words)) => contents.mistakes.push(Mistake {
                    line: span.map_or(line, |span| lines.of(&span)),
                    words,
                }),
            }
        }
        contents
    }
}

/// What is wrong, and where that is not the key's line.
type Wrong = (Option<Range<usize>>, String);

/// The values of one key, as they would be typed.
fn entry(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    options: &Options,
    house: House,
) -> Result<Vec<String>, Wrong> {
    if house == House::Project
        && let Some(why) = Options::reserved(key)
    {
        return Err((
            None,
            format!(
                "{key} {why}, so a file in a project's folder may not set it: it may stand in your own configuration file, \
                 be named in the environment, or typed as --{key}"
            ),
        ));
    }
    let Some(known) = options.get(key) else {
        return Err((None, unknown(key, options)));
    };
    let values = words(known, value)?;
    for (word, span) in &values {
        known.check(word).map_err(|reason| {
            // Many a parser's words show the value themselves.
            let told = if known.is_secret {
                format!("{key} can't be read: {}", plain(reason.trim()))
            } else if reason.contains(&format!("{word:?}")) {
                format!("{key}: {}", plain(&reason))
            } else {
                format!("{key} = {}: {}", shown(word), plain(&reason))
            };
            (Some(span.clone()), told)
        })?;
    }
    Ok(values.into_iter().map(|(word, _)| word).collect())
}

fn unknown(key: &str, options: &Options) -> String {
    let typed = key.to_lowercase().replace('_', "-");
    let near = options
        .names()
        .map(|name| (strsim::jaro_winkler(&typed, name), name))
        .filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let key = plain(key);
    match near {
        Some((_, name)) => format!("there is no option {key}; did you mean {name}?"),
        None => format!("there is no option {key}; `altfill config` names them all"),
    }
}

/// The words that a value stands for, each with its place.
fn words(
    known: &Known,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<(String, Range<usize>)>, Wrong> {
    let span = value.span();
    let wrong = || {
        (
            Some(span.clone()),
            format!("{} takes {}", known.name, known.form()),
        )
    };
    match value.get_ref() {
        DeValue::Boolean(is_on) if known.is_switch => Ok(vec![(is_on.to_string(), span)]),
        // `--retry-failed` alone is `retry-failed = true`.
        DeValue::Boolean(true) if known.bare.is_some() => Ok(known
            .bare
            .iter()
            .map(|word| (word.clone(), span.clone()))
            .collect()),
        DeValue::Array(items) if known.is_list => {
            let words = items.iter().map(|item| {
                single(known, item.get_ref())
                    .map(|word| (word, item.span()))
                    .ok_or_else(wrong)
            });
            words.collect()
        }
        // Causes are one word on the command line, and may be a list here.
        DeValue::Array(items) if known.bare.is_some() => {
            let words: Option<Vec<_>> = items
                .iter()
                .map(|item| single(known, item.get_ref()))
                .collect();
            Ok(vec![(words.ok_or_else(wrong)?.join(","), span)])
        }
        DeValue::Table(table) if known.is_pairs => {
            let mut words = Vec::new();
            pairs(known, "", table, &mut words)?;
            words.sort_by_key(|(_, span)| span.start);
            Ok(words)
        }
        single_value => single(known, single_value)
            .map(|word| vec![(word, span.clone())])
            .ok_or_else(wrong),
    }
}

/// A table of pairs; `alt_text.text = …` without quotes is a table in a table.
fn pairs(
    known: &Known,
    path: &str,
    table: &DeTable<'_>,
    words: &mut Vec<(String, Range<usize>)>,
) -> Result<(), Wrong> {
    for (key, value) in table {
        let path = format!("{path}{}", key.get_ref());
        match (value.get_ref(), single(known, value.get_ref())) {
            (_, Some(word)) => words.push((format!("{path}={word}"), value.span())),
            (DeValue::Table(inner), None) => pairs(known, &format!("{path}."), inner, words)?,
            (_, None) => {
                return Err((
                    Some(value.span()),
                    format!("{} takes {}", known.name, known.form()),
                ));
            }
        }
    }
    Ok(())
}

/// One value as a word: text, or a number where the option takes one.
fn single(known: &Known, value: &DeValue<'_>) -> Option<String> {
    match value {
        _ if known.is_switch => None,
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if known.is_number && number.radix() == 10 => {
            Some(number.as_str().to_owned())
        }
        DeValue::Float(number) if known.is_number => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// A text as it may be shown on a terminal: without control characters, and cut.
fn plain(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| {
            if c.is_control() || is_turning(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a character turns the order of those around it.
const fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shown(word: &str) -> String {
    format!("\"{}\"", plain(word))
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line on which a place begins, counted from 1.
    fn of(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|end| *end < span.start) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, house: House) -> Contents {
        Contents::read(text, &Options::of_this_program(), house)
    }

    fn set(text: &str) -> Vec<(String, usize, Vec<String>)> {
        let contents = read(text, House::Own);
        assert_eq!(contents.mistakes, [], "{text}");
        contents
            .entries
            .into_iter()
            .map(|entry| (entry.key, entry.line, entry.values))
            .collect()
    }

    /// The one mistake of a file.
    fn wrong(text: &str, house: House) -> (usize, String) {
        let contents = read(text, house);
        assert_eq!(contents.mistakes.len(), 1, "{text}: {contents:?}");
        (
            contents.mistakes[0].line,
            contents.mistakes[0].words.clone(),
        )
    }

    #[test]
    fn a_file_says_what_would_be_typed() {
        let text = "# ours\nworkers = 4\nquiet = true\nyes = false\nmax-spend = \"20/30d\"\n\nprice = 0.01\nrate = [\"500/15m\", \"50000/24h\"]\nok = [4, 5]\nmax-failures = \"10%\"\nmax-items = 1_000\n";
        let expected = [
            ("workers", 2, vec!["4"]),
            ("quiet", 3, vec!["true"]),
            ("yes", 4, vec!["false"]),
            ("max-spend", 5, vec!["20/30d"]),
            ("price", 7, vec!["0.01"]),
            ("rate", 8, vec!["500/15m", "50000/24h"]),
            ("ok", 9, vec!["4", "5"]),
            ("max-failures", 10, vec!["10%"]),
            ("max-items", 11, vec!["1000"]),
        ];
        let expected = expected.map(|(key, line, values)| {
            (
                key.to_owned(),
                line,
                values.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            )
        });
        assert_eq!(set(text), expected);
    }

    #[test]
    fn pairs_are_a_table_or_a_list() {
        let pair = |text: &str| set(text).remove(0).2;
        assert_eq!(
            pair("map = { alt_text = \"Description\" }"),
            ["alt_text=Description"]
        );
        assert_eq!(
            pair("map = [\"alt_text=Description\"]"),
            ["alt_text=Description"]
        );
        assert_eq!(
            pair("[map]\nalt_text.text = \"Beschreibung\"\n\"shared_info.shared\" = \"a=b\""),
            ["alt_text.text=Beschreibung", "shared_info.shared=a=b"]
        );
        assert_eq!(pair("sandbox = true\nfault = { 503 = \"5%\" }").len(), 1);
        assert_eq!(set("fault = { 503 = \"5%\" }")[0].2, ["503=5%"]);
    }

    #[test]
    fn what_is_sent_again_is_a_switch_a_word_or_a_list() {
        assert_eq!(set("retry-failed = true")[0].2, ["all"]);
        assert_eq!(set("retry-failed = \"timeout\"")[0].2, ["timeout"]);
        assert_eq!(
            set("retry-failed = [\"timeout\", \"connect\"]")[0].2,
            ["timeout,connect"]
        );
    }

    #[test]
    fn a_wrong_key_a_wrong_type_and_a_wrong_value_are_told_with_their_line() {
        for (text, line, word) in [
            ("\nworker = 4", 2, "did you mean workers?"),
            ("max_spend = 20", 1, "did you mean max-spend?"),
            ("[run]\nworkers = 4", 1, "there is no option run"),
            ("frobnicate = 1", 1, "altfill config"),
            ("config = \"a\"", 1, "there is no option config"),
            ("token = \"secret\"", 1, "there is no option token"),
            ("workers = true", 1, "workers takes a number"),
            ("workers = 0", 1, "workers = \"0\""),
            ("workers = [1]", 1, "takes a number"),
            ("timeout = 30", 1, "timeout: \"30\" is no duration"),
            ("quiet = 1", 1, "quiet takes true or false"),
            ("quiet = \"true\"", 1, "quiet takes true or false"),
            ("journal = 5", 1, "journal takes"),
            ("rate = [\n  \"500/15m\",\n  7,\n]", 1, "rate takes"),
            ("progress = \"loud\"", 1, "auto, bar, lines, json, none"),
            ("ok = [4, 500]", 1, "ok = \"500\""),
            ("ok = [4,\n  500]", 2, "ok = \"500\""),
            ("map = { alt_text = true }", 1, "map takes"),
            ("workers = 4\nworkers = 5", 2, "this is no TOML"),
            ("workers = ", 1, "this is no TOML"),
            (
                "ping-url = \"http://hunter2.example\"",
                1,
                "only for this machine",
            ),
        ] {
            let (at, words) = wrong(text, House::Own);
            assert_eq!(at, line, "{text}: {words}");
            assert!(words.contains(word), "{text}: {words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
    }

    #[test]
    fn all_mistakes_are_told_and_what_is_right_is_kept() {
        let contents = read("worker = 1\nworkers = 2\nquiet = 3\n", House::Own);
        assert_eq!(contents.mistakes.len(), 2);
        assert_eq!(contents.entries.len(), 1);
    }

    #[test]
    fn a_project_may_not_run_programs_reach_hosts_choose_identities_or_write_over_files() {
        for key in [
            "api-url",
            "token-command",
            "token-file",
            "profile",
            "ca-file",
            "metrics-file",
            "ping-url",
            "notify-url",
            "errors",
        ] {
            let (_, words) = wrong(&format!("{key} = \"https://a.example\""), House::Project);
            assert!(words.contains("your own configuration file"), "{words}");
        }
        assert_eq!(
            set("api-url = \"https://a.example\"")[0].2,
            ["https://a.example"]
        );
    }

    #[test]
    fn a_mistake_shows_no_control_character_and_no_endless_value() {
        let long = "x".repeat(500);
        let (_, words) = wrong(
            &format!("progress = \"\\u001b[2J\\u202e{long}\""),
            House::Own,
        );
        assert!(!words.contains(['\u{1b}', '\u{202e}']), "{words:?}");
        assert!(words.len() < 500, "{words}");
    }
}
