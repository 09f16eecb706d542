//! The guides as a test: every command of the pages in `docs/` that a reader is told to type is run, in their order, in a
//! folder of its own with the samples and a home beside it.
//!
//! A block of `sh` is run line by line; `# exit N` at a line's end expects that code. A block of `sh person` needs a
//! person and X, so only its commands and flags are looked at. A block of `sh sqlite3` is run where sqlite3 is there, and
//! it is said loudly where it is not.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Output},
};

use altfill::cli::Cli;
use clap::CommandFactory;
use tempfile::TempDir;

const PAGES: [(&str, &str); 5] = [
    ("docs/tutorial.md", include_str!("../docs/tutorial.md")),
    ("docs/how-to.md", include_str!("../docs/how-to.md")),
    (
        "docs/credentials.md",
        include_str!("../docs/credentials.md"),
    ),
    (
        "docs/reference/configuration.md",
        include_str!("../docs/reference/configuration.md"),
    ),
    (
        "docs/reference/fields.md",
        include_str!("../docs/reference/fields.md"),
    ),
];

/// A line of a block that stands under `info`.
struct Line {
    section: usize,
    info: String,
    command: String,
    code: i32,
}

fn lines(page: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut block = None;
    let mut section = 0;
    for line in page.lines() {
        section += usize::from(block.is_none() && line.starts_with("## "));
        match (line.strip_prefix("```"), &block) {
            (Some(info), None) => block = Some(info.trim().to_owned()),
            (Some(_), Some(_)) => block = None,
            (None, Some(info)) if info.starts_with("sh") && !line.trim().is_empty() => {
                let (command, note) = line.split_once("    # ").unwrap_or((line, ""));
                let code = note.strip_prefix("exit ").map(|code| code.parse().unwrap());
                found.push(Line {
                    section,
                    info: info.clone(),
                    command: command.trim().to_owned(),
                    code: code.unwrap_or(0),
                });
            }
            (None, _) => {}
        }
    }
    assert!(block.is_none(), "a block does not end");
    found
}

fn run(command: &str, folder: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_altfill"));
    let path = std::env::var("PATH").unwrap();
    Command::new("bash")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder.join("home"))
        .env(
            "PATH",
            format!("{}:{path}", program.parent().unwrap().display()),
        )
        .output()
        .unwrap()
}

/// That a line calls altfill by commands and flags that it has.
fn is_known(page: &str, line: &str) {
    let mut command = Cli::command();
    command.build();
    let words = shlex::split(line).unwrap();
    assert_eq!(
        words.first().map(String::as_str),
        Some("altfill"),
        "{page}: {line}"
    );
    let mut words = words[1..].iter().peekable();
    while let Some(inner) = words.peek().and_then(|word| command.find_subcommand(word)) {
        command = inner.clone();
        words.next();
    }
    assert_ne!(
        command.get_name(),
        "altfill",
        "{page}: no such command: {line}"
    );
    for flag in words.filter_map(|word| word.strip_prefix("--")) {
        let name = flag.split('=').next();
        assert!(
            command.get_arguments().any(|arg| arg.get_long() == name),
            "{page}: {} has no --{flag}: {line}",
            command.get_name()
        );
    }
}

/// A folder with the samples and a home.
fn with_samples() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["samples", "home"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    for entry in fs::read_dir(samples).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            let copy = folder.path().join("samples").join(entry.file_name());
            fs::copy(entry.path(), copy).unwrap();
        }
    }
    folder
}

#[test]
fn every_command_of_the_guides_does_what_the_page_says() {
    let mut count = 0;
    let has_sqlite = Command::new("sqlite3").arg("-version").output().is_ok();
    for (page, text) in PAGES {
        // The tutorial goes on from section to section; those of the others stand by themselves.
        let (mut folder, mut last) = (with_samples(), 0);
        for Line {
            section,
            info,
            command,
            code,
        } in lines(text)
        {
            if section != last && page != "docs/tutorial.md" {
                folder = with_samples();
            }
            last = section;
            // The page on credentials is all about a person's login.
            let needs_person = info == "sh person" || page == "docs/credentials.md";
            if needs_person {
                is_known(page, &command);
            } else if info == "sh sqlite3" && !has_sqlite {
                // Past the test's own capture of what it prints: whoever watches shall see it.
                let _ = writeln!(
                    io::stderr(),
                    "!! NOT RUN: there is no sqlite3 here: {command}"
                );
            } else {
                let output = run(&command, folder.path());
                assert_eq!(
                    output.status.code(),
                    Some(code),
                    "{page}: {command}\n{}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                );
                count += 1;
            }
        }
    }
    assert!(count >= 25, "only {count} commands were run");
}

#[test]
fn the_first_two_commands_of_the_tutorial_leave_a_report_to_open() {
    let first: Vec<_> = lines(PAGES[0].1).into_iter().take(2).collect();
    let folder = with_samples();
    for line in &first {
        assert!(run(&line.command, folder.path()).status.success());
    }
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(
        page.to_lowercase().starts_with("<!doctype html>") && page.contains("1147723568417013760")
    );
}
