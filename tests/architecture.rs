//! The house as a test: who may import whom, which outside crate is named where, and who writes to the terminal.
//!
//! It reads the sources as text. A new room or crate is entered here on purpose, where a reviewer sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The rooms by floor: a room may know the floors below its own, and its own where [`NEIGHBOURS`] says so.
const FLOORS: [&[&str]; 5] = [
    &[
        "answer", "forecast", "item", "metadata", "outcome", "problem", "rate", "retry", "row",
        "time",
    ],
    &["api", "journal", "limiter", "manifest", "sandbox"],
    &["runner"],
    &["monitor", "progress", "report"],
    &[
        "cli",
        "commands",
        "configuration",
        "error",
        "settings",
        "lib",
        "main",
    ],
];

/// Floors whose rooms may know each other: the domain is one vocabulary, the shell one desk.
const NEIGHBOURS: [usize; 2] = [0, 4];

/// Rooms that are known beyond the rule, and why.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "progress",
    "settings",
    "how progress is shown is a setting, and only a word",
)];

/// Crates that are vocabulary: every room may speak it.
const VOCABULARY: [&str; 6] = [
    "std",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tracing",
];

/// In which rooms each other crate is named.
const CRATES: [(&str, &[&str]); 34] = [
    ("backoff", &["retry"]),
    ("browser", &["commands"]),
    ("bytes", &["sandbox"]),
    ("calamine", &["manifest"]),
    ("chardetng", &["manifest"]),
    ("clap", &["cli", "commands", "configuration"]),
    ("clap_complete", &["cli", "commands"]),
    ("clap_mangen", &["commands"]),
    ("csv", &["commands", "report"]),
    ("csv_core", &["manifest"]),
    ("encoding_rs", &["manifest"]),
    ("flate2", &["manifest"]),
    ("getrandom", &["api"]),
    ("governor", &["limiter"]),
    ("hyper", &["sandbox"]),
    ("hyper_util", &["sandbox"]),
    ("indicatif", &["progress"]),
    ("jiff", &["time"]),
    ("libsqlite3_sys", &["journal"]),
    ("memchr", &["manifest"]),
    ("mimalloc", &["main"]),
    ("oauth2", &["api"]),
    ("percent_encoding", &["api"]),
    ("reqwest", &["api"]),
    ("rust_xlsxwriter", &["report"]),
    ("rpassword", &["commands"]),
    ("rustix", &["api"]),
    ("serde_saphyr", &["api"]),
    ("shlex", &["commands", "settings"]),
    ("sqlx", &["journal"]),
    ("terminal_size", &["progress"]),
    ("tower", &["sandbox"]),
    ("zip", &["manifest"]),
    ("zstd", &["manifest"]),
];

/// Crates that more than one room needs for its own purpose.
const SHARED: [(&str, &[&str]); 11] = [
    ("axum", &["commands", "sandbox"]),
    ("base64", &["api", "manifest", "report", "sandbox"]),
    ("hmac", &["api", "sandbox"]),
    ("secrecy", &["api", "commands", "settings"]),
    ("sha1", &["api", "sandbox"]),
    ("sha2", &["metadata", "report", "sandbox"]),
    ("toml", &["api", "configuration"]),
    (
        "strsim",
        &["configuration", "manifest", "metadata", "sandbox"],
    ),
    ("tempfile", &["commands", "manifest", "monitor", "report"]),
    ("tracing_subscriber", &["lib"]),
    ("unicode_normalization", &["manifest", "metadata"]),
];

struct Source {
    room: String,
    path: PathBuf,
    /// Its code without comments and without its tests.
    code: String,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    assert!(paths.len() > 40, "the sources were not found");
    let read = |path: PathBuf| {
        let inner = path.strip_prefix(&root).unwrap();
        let is_test = inner
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
        let room = inner
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("mod tests {").next().unwrap();
        let code = code
            .lines()
            .map(|line| line.split("//").next().unwrap())
            .collect::<Vec<_>>()
            .join("\n");
        (!is_test).then_some(Source { room, path, code })
    };
    paths.into_iter().filter_map(read).collect()
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("{room} stands on no floor"))
}

/// The rooms that some code names as `crate::ROOM`, also within braces.
fn named_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => drop(rooms.insert(word(rest))),
            Some(inner) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in inner.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_alphabetic() => {
                            rooms.insert(word(&inner[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for Source { room, path, code } in sources() {
        for named in named_rooms(&code) {
            if named == room || !FLOORS.iter().any(|rooms| rooms.contains(&named.as_str())) {
                continue;
            }
            let (own, other) = (floor(&room), floor(&named));
            let is_neighbour = own == other && NEIGHBOURS.contains(&own);
            let is_exception = EXCEPTIONS
                .iter()
                .any(|(who, whom, _)| (*who, *whom) == (room.as_str(), named.as_str()));
            if other >= own && !is_neighbour && !is_exception {
                wrong.push(format!(
                    "{} (floor {own}) names {named} (floor {other})",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_stands_on_a_floor() {
    for source in sources() {
        floor(&source.room);
    }
}

#[test]
fn an_outside_crate_is_named_in_its_rooms_alone() {
    let allowed: BTreeMap<&str, &[&str]> = CRATES.into_iter().chain(SHARED).collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for Source { room, path, code } in sources() {
        for (krate, rooms) in &allowed {
            let is_named = code.match_indices(&format!("{krate}::")).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                // `crate::x`, `self::x` and `super::x` are our own.
                let is_own = ["crate::", "self::", "super::"]
                    .iter()
                    .any(|own| code[..at].ends_with(own));
                !is_own && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            });
            if is_named {
                seen.insert(*krate);
                if !rooms.contains(&room.as_str()) {
                    wrong.push(format!("{} names {krate}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unseen: Vec<_> = allowed
        .keys()
        .filter(|krate| !seen.contains(*krate))
        .collect();
    assert!(
        unseen.is_empty(),
        "named nowhere, so they should go: {unseen:?}"
    );
}

#[test]
fn each_dependency_has_its_room() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let entered: BTreeSet<&str> = CRATES
        .iter()
        .chain(&SHARED)
        .map(|(krate, _)| *krate)
        .chain(VOCABULARY)
        .collect();
    for line in section
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let name = line.split('=').next().unwrap().trim().replace('-', "_");
        assert!(
            entered.contains(name.as_str()),
            "{name} is entered nowhere in this test"
        );
    }
}

#[test]
fn only_views_and_commands_write_to_the_terminal() {
    for Source { room, path, code } in sources() {
        if floor(&room) < 3 {
            for forbidden in [
                "println!",
                "eprintln!",
                "io::stdout",
                "io::stderr",
                "stderr()",
                "stdout()",
            ] {
                assert!(
                    !code.contains(forbidden),
                    "{} has {forbidden}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn each_file_says_what_it_owns() {
    for Source { path, .. } in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no head", path.display());
    }
}

#[test]
fn main_stays_thin() {
    let main =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 30);
}
