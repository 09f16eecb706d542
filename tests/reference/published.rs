//! The schema's table against X's published document.
//!
//! `published.txt` holds the facts of the document, a line for each place: its type, its bounds and whether it is required, those of
//! which only its prose tells among them. The document itself is X's, and is no part of this repository. With
//! `ALTFILL_OPENAPI=FILE` the facts are taken out of a document anew and compared, and with `ALTFILL_WRITE=reference` beside it written.

use std::{collections::BTreeSet, fs};

use altfill::metadata::schema::{FIELDS, Kind, Member};
use yaml_rust2::{Yaml, YamlLoader};

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/published.txt");

#[test]
fn the_schema_is_the_published_one() {
    let mut text = fs::read_to_string(PUBLISHED).unwrap();
    if let Some(path) = std::env::var_os("ALTFILL_OPENAPI") {
        let made = facts_of(&fs::read_to_string(path).unwrap());
        if super::is_to_be_written() {
            fs::write(PUBLISHED, &made).unwrap();
            text.clone_from(&made);
        }
        assert_eq!(
            text, made,
            "X's document says something else than its facts here"
        );
    }
    let facts = text.lines().filter(|line| !line.starts_with('#'));
    let published: BTreeSet<String> = facts.map(str::to_owned).collect();
    assert!(published.len() > 40, "{published:?}");
    let mut known = BTreeSet::new();
    for field in &FIELDS {
        note_member(field, field.name, &mut known);
    }
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<_> {
        one.difference(other).cloned().collect()
    };
    assert!(
        known == published,
        "only in src/metadata/schema.rs: {:#?}\nonly in X's document: {:#?}",
        only(&known, &published),
        only(&published, &known)
    );
}

/// The facts of a document, as `published.txt` has them.
fn facts_of(document: &str) -> String {
    let document = YamlLoader::load_from_str(document).unwrap().remove(0);
    let metadata =
        &document["components"]["schemas"]["MetadataCreateRequest"]["properties"]["metadata"];
    let mut facts = BTreeSet::new();
    for (name, schema) in metadata["properties"].as_hash().unwrap() {
        note_schema(&document, name.as_str().unwrap(), schema, false, &mut facts);
    }
    let version = document["info"]["version"].as_str().unwrap();
    let lines: Vec<_> = facts.into_iter().collect();
    format!(
        "# X API v2, document {version}: the members of `metadata` in POST /2/media/metadata\n{}\n",
        lines.join("\n")
    )
}

fn fact(path: &str, words: &[String], is_required: bool) -> String {
    let required = if is_required { ", required" } else { "" };
    format!("{path}: {}{required}", words.join(", "))
}

fn note_member(member: &Member, path: &str, into: &mut BTreeSet<String>) {
    note_kind(&member.kind, path, member.required, into);
}

fn note_kind(kind: &Kind, path: &str, is_required: bool, into: &mut BTreeSet<String>) {
    let mut words = vec![
        match kind {
            Kind::Boolean => "boolean",
            Kind::UnixSeconds | Kind::Integer => "number, format long",
            Kind::Number => "number, format double",
            Kind::Text { .. } => "string",
            Kind::Choice(_) => "string, one of",
            Kind::MediaId => "string, pattern ^[0-9]{1,19}$",
            Kind::CountryCode => "string, pattern ^[a-zA-Z]{2}$",
            Kind::List { .. } => "array",
            Kind::Object(_) => "object",
        }
        .to_owned(),
    ];
    match kind {
        Kind::Text { at_most } => words.extend(at_most.map(|most| format!("at most {most}"))),
        Kind::Choice(choices) => words.push(choices.join(" ")),
        Kind::List {
            of,
            at_least,
            at_most,
        } => {
            words.extend((*at_least > 0).then(|| format!("at least {at_least}")));
            words.extend((*at_most < usize::MAX).then(|| format!("at most {at_most}")));
            note_kind(of, &format!("{path}[]"), false, into);
        }
        Kind::Object(members) => {
            for member in *members {
                note_member(member, &format!("{path}.{}", member.name), into);
            }
        }
        _ => {}
    }
    into.insert(fact(path, &words, is_required));
}

fn note_schema(
    document: &Yaml,
    path: &str,
    schema: &Yaml,
    is_required: bool,
    into: &mut BTreeSet<String>,
) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return note_schema(
            document,
            path,
            &document["components"]["schemas"][name],
            is_required,
            into,
        );
    }
    // Of the two geo lists one is empty, and which is left open: what the two forms have in common is a fact.
    if let Some(forms) = schema["oneOf"].as_vec() {
        let of_form = |form: &Yaml| {
            let mut facts = BTreeSet::new();
            note_schema(document, path, form, is_required, &mut facts);
            let bare = facts
                .into_iter()
                .map(|fact| fact.replace(", at least 1", "").replace(", at most 0", ""));
            bare.collect::<BTreeSet<_>>()
        };
        let facts: BTreeSet<_> = forms.iter().map(of_form).collect();
        assert_eq!(
            facts.len(),
            1,
            "{path} has forms that differ by more than their bounds"
        );
        return into.extend(facts.into_iter().flatten());
    }
    let mut words = vec![schema["type"].as_str().unwrap().to_owned()];
    words.extend(
        schema["format"]
            .as_str()
            .map(|format| format!("format {format}")),
    );
    words.extend(
        schema["pattern"]
            .as_str()
            .map(|pattern| format!("pattern {pattern}")),
    );
    if let Some(choices) = schema["enum"].as_vec() {
        let choices: Vec<_> = choices.iter().filter_map(Yaml::as_str).collect();
        words.push(format!("one of, {}", choices.join(" ")));
    }
    let prose = schema["description"].as_str().unwrap_or_default();
    let least = schema["minItems"]
        .as_i64()
        .or(prose.contains("must not be empty").then_some(1));
    words.extend(
        least
            .filter(|least| *least > 0)
            .map(|least| format!("at least {least}")),
    );
    let most = ["maxItems", "maxLength"]
        .iter()
        .find_map(|key| schema[*key].as_i64());
    let most = most
        .or_else(|| told(prose, "<= "))
        .or_else(|| told(prose, "not exceed "));
    words.extend(most.map(|most| format!("at most {most}")));
    if let Some(members) = schema["properties"].as_hash() {
        let required = schema["required"].as_vec().cloned().unwrap_or_default();
        for (name, inner) in members {
            let inner_path = format!("{path}.{}", name.as_str().unwrap());
            note_schema(document, &inner_path, inner, required.contains(name), into);
        }
    }
    if !schema["items"].is_badvalue() {
        note_schema(
            document,
            &format!("{path}[]"),
            &schema["items"],
            false,
            into,
        );
    }
    into.insert(fact(path, &words, is_required));
}

/// The number that follows these words.
fn told(prose: &str, words: &str) -> Option<i64> {
    let (_, rest) = prose.split_once(words)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
