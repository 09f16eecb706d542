//! The reference as a test: each page of `docs/reference/` is made anew of what it is about, the parser, the schema, a journal,
//! and compared with the page that is there.
//!
//! `ALTFILL_WRITE=reference cargo test --test reference` writes the pages anew instead. A page in which something is missing
//! can't be written: what has no words fails first.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on says why by failing"
)]

mod commands;
mod configuration;
mod fields;
mod journal;
mod markdown;
mod output;
mod published;
mod rehearsal;

use std::{collections::BTreeSet, fs, path::PathBuf};

const WRITE: &str = "ALTFILL_WRITE=reference cargo test --test reference";

/// The folder of the pages.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference")
}

/// Whether the pages are to be written anew, and not compared.
fn is_to_be_written() -> bool {
    std::env::var("ALTFILL_WRITE").is_ok_and(|what| what == "reference")
}

/// Compares a page that was just made with the one that is there, or writes it.
fn compare(name: &str, body: &str) {
    let (title, text) = body.split_once("\n\n").unwrap();
    let page = format!(
        "{title}\n\n<!-- Made by a test out of the program itself. Change the words there, then: {WRITE} -->\n\n{}\n",
        text.trim_end()
    );
    let path = folder().join(name);
    if is_to_be_written() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, page).unwrap();
        return;
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let differs = there
        .lines()
        .zip(page.lines())
        .position(|(there, made)| there != made)
        .unwrap_or_else(|| there.lines().count().min(page.lines().count()));
    assert!(
        there == page,
        "docs/reference/{name} is not what the program says, from line {} on.\n  there: {}\n  now:   {}\nWrite it anew: {WRITE}",
        differs + 1,
        there.lines().nth(differs).unwrap_or("(its end)"),
        page.lines().nth(differs).unwrap_or("(its end)"),
    );
}

#[test]
fn the_commands_are_those_of_the_parser() {
    compare("commands.md", &commands::page());
}

#[test]
fn the_fields_are_those_of_the_schema_and_its_rules() {
    compare("fields.md", &fields::page());
}

#[test]
fn the_journals_views_are_those_that_a_run_leaves() {
    compare("journal.md", &journal::page());
}

#[test]
fn the_keys_of_a_configuration_file_are_those_that_are_read() {
    compare("configuration.md", &configuration::page());
}

#[test]
fn what_programs_read_is_what_is_written() {
    compare("output.md", &output::page());
}

#[test]
fn no_page_is_left_over_and_every_link_leads_somewhere() {
    // While the pages are written there are not all of them yet.
    if is_to_be_written() {
        return;
    }
    let pages: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let made = [
        "commands.md",
        "configuration.md",
        "fields.md",
        "journal.md",
        "output.md",
    ];
    assert_eq!(pages, made.map(str::to_owned).into());
    for page in &pages {
        let text = fs::read_to_string(folder().join(page)).unwrap();
        for link in markdown::links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = folder().join(if file.is_empty() { page } else { file });
            let target = fs::read_to_string(&target).unwrap_or_else(|_| panic!("{page}: {link}"));
            assert!(
                anchor.is_empty() || markdown::anchors(&target).contains(anchor),
                "{page}: {link} leads nowhere"
            );
        }
    }
}
