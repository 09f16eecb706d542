//! The account: journal, report and what was said, held against what the server knows.
//!
//! Owns what must agree after every case, however it ended. The server's half of the truth is kept in this process, and
//! nothing that is done to the program reaches it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use altfill::sandbox::Ledger;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    journal::Views,
    world::{Finished, TOKEN, finish, program},
};

/// What a server knows.
pub trait Server {
    /// How many requests for this media arrived.
    fn seen(&self, id: &str) -> u32;
    /// The bodies that it accepted for this media, in order.
    fn accepted(&self, id: &str) -> Vec<Value>;
}

impl Server for Ledger {
    fn seen(&self, id: &str) -> u32 {
        Ledger::seen(self, id)
    }

    fn accepted(&self, id: &str) -> Vec<Value> {
        Ledger::accepted(self, id)
    }
}

/// How the items of a journal stand, by state.
#[derive(Debug, Default)]
pub struct Standing {
    pub by_state: BTreeMap<String, BTreeSet<String>>,
}

impl Standing {
    pub fn of(&self, state: &str) -> BTreeSet<String> {
        self.by_state.get(state).cloned().unwrap_or_default()
    }

    pub fn count(&self, state: &str) -> usize {
        self.by_state.get(state).map_or(0, BTreeSet::len)
    }

    pub fn total(&self) -> usize {
        self.by_state.values().map(BTreeSet::len).sum()
    }
}

/// A journal in a folder, and the server whose items it holds.
pub struct Account<'s, S> {
    pub folder: PathBuf,
    pub journal: String,
    pub server: &'s S,
}

impl<S: Server> Account<'_, S> {
    fn path(&self) -> PathBuf {
        self.folder.join(&self.journal)
    }

    /// Holds everything against everything else. `said` is what the program said until its end, `case` tells which it was.
    pub async fn audit(&self, said: &str, case: &str) -> Standing {
        self.no_secret(said, case);
        if !is_journal(&self.path()).await {
            let told = told_done(said);
            assert!(
                told.is_empty(),
                "{case}: {told:?} was told, and there is no journal"
            );
            return Standing::default();
        }
        let (mut standing, mut attempts) = (Standing::default(), BTreeMap::<String, u32>::new());
        let mut views = Views::open(&self.path()).await;
        for (id, item) in views.items().await {
            standing.by_state.entry(item.state).or_default().insert(id);
        }
        for attempt in views.attempts().await {
            *attempts.entry(attempt.media_id).or_default() += 1;
        }
        let runs = views.runs().await;
        drop(views);
        let done = standing.of("done");
        // Told and not written down, or counted and not accepted.
        for id in told_done(said) {
            assert!(
                done.contains(&id),
                "{case}: {id} was told as done, and the journal does not have it"
            );
        }
        let wanted = self.report(&standing, case).await;
        for id in &done {
            let bodies = self.server.accepted(id);
            assert!(
                bodies.iter().any(|body| body["metadata"] == wanted[id]),
                "{case}: {id} counts as done with {}, and the server accepted {bodies:?}",
                wanted[id]
            );
        }
        // Every request that arrived was written down before it left.
        for id in standing.by_state.values().flatten() {
            let (seen, known) = (self.server.seen(id), attempts.get(id).copied().unwrap_or(0));
            assert!(
                seen <= known,
                "{case}: {id} was seen {seen} times, and {known} attempts are known"
            );
        }
        let counted: i64 = runs.iter().map(|run| run.requests).sum();
        let known: u32 = attempts.values().sum();
        assert_eq!(
            counted,
            i64::from(known),
            "{case}: the runs' requests and the attempts"
        );
        self.is_sound(case).await;
        standing
    }

    /// The report says of each item what the journal says. Returns what is wanted of each.
    async fn report(&self, standing: &Standing, case: &str) -> BTreeMap<String, Value> {
        let reported = finish(program(
            &self.folder,
            &["report", "--journal", &self.journal, "--format", "jsonl"],
        ))
        .await;
        assert_eq!(reported.code, 0, "{case}: {reported:?}");
        self.no_secret(&reported.stdout, case);
        let mut wanted = BTreeMap::new();
        for line in reported.stdout.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let (id, state) = (
                row["id"].as_str().unwrap(),
                row["altfill_report"].as_str().unwrap(),
            );
            assert!(
                standing.of(state).contains(id),
                "{case}: the report has {id} as {state}"
            );
            wanted.insert(id.to_owned(), row["metadata"].clone());
        }
        assert_eq!(
            wanted.len(),
            standing.total(),
            "{case}: items of the report"
        );
        wanted
    }

    /// SQLite finds no fault in it.
    async fn is_sound(&self, case: &str) {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let found: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(found, "ok", "{case}");
    }

    /// The token stands in nothing that was said and in no file.
    fn no_secret(&self, said: &str, case: &str) {
        assert!(!said.contains(TOKEN), "{case}: the token was said: {said}");
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap_or_default();
            let holds = bytes
                .windows(TOKEN.len())
                .any(|window| window == TOKEN.as_bytes());
            assert!(!holds, "{case}: the token stands in {}", path.display());
        }
    }
}

/// The ids that were told as done, one JSON object a line.
pub fn told_done(said: &str) -> BTreeSet<String> {
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == "done")
        .filter_map(|event| event["media_id"].as_str().map(str::to_owned))
        .collect()
}

/// Whether a journal with its tables is there: one that was cut off before holds nothing, and is taken up by the next run.
pub async fn is_journal(path: &Path) -> bool {
    if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return false;
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // Its first row comes after its tables.
    let found = sqlx::query_scalar("SELECT count(*) FROM journal");
    found
        .fetch_one(&mut connection)
        .await
        .is_ok_and(|count: i64| count == 1)
}

/// What a run that ended says of itself is what the journal says.
pub fn agrees(finished: &Finished, standing: &Standing, case: &str) {
    let Ok(object) = serde_json::from_str::<Value>(&finished.stdout) else {
        panic!("{case}: no object at the end: {finished:?}");
    };
    assert_eq!(object["exit_code"], finished.code, "{case}: {finished:?}");
    for state in ["done", "failed"] {
        let told = object[state].as_u64().unwrap();
        let stands = standing.count(state) as u64;
        assert!(
            told <= stands,
            "{case}: {told} {state} are told and {stands} stand in the journal: {finished:?}"
        );
    }
}
