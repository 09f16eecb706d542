//! One turn of the running run, written down: how requests ended and that others are about to leave, as one transaction.
//!
//! Owns its SQL. All of it goes to SQLite at once, since each way there costs more than an item's rows. Outcomes that are
//! plainly done, nearly all, share their moment and are written together; the others are written with all they say.

use serde_json::{Value, json};
use sqlx::sqlite::SqliteArguments;

use super::{Error, Next, Settled, Start, batch::add};
use crate::{answer::Told, outcome::Cause, time::Timestamp};

/// `sqlite3_changes` tells of the last statement that changed rows, and `BEGIN` is none: the first one makes that 0.
const BEGIN: &str = "UPDATE runs SET id = id WHERE 0; BEGIN IMMEDIATE; ";

const DONE: &str = "UPDATE attempts NOT INDEXED SET ended = ?, http_status = ?, spent = 1 \
     WHERE id IN (SELECT value FROM json_each(?)) AND ended IS NULL; \
     UPDATE items NOT INDEXED SET state = 2, not_before = NULL, http_status = ?, cause = NULL, detail = NULL, updated = ?, \
     accepted = digest, accepted_at = ? WHERE id IN (SELECT value FROM json_each(?)) AND state = 1; ";

const ENDED: &str = "UPDATE attempts SET ended = j.value ->> 2, http_status = j.value ->> 3, cause = j.value ->> 4, \
     detail = j.value ->> 5, spent = j.value ->> 6 FROM json_each(?) AS j \
     WHERE attempts.id = j.value ->> 0 AND attempts.ended IS NULL; \
     UPDATE items SET state = j.value ->> 7, failures = failures + (j.value ->> 8), not_before = j.value ->> 9, \
     passing_runs = passing_runs + (j.value ->> 10), http_status = j.value ->> 3, cause = j.value ->> 4, \
     detail = j.value ->> 5, updated = j.value ->> 2, \
     accepted = iif(j.value ->> 7 = 2, digest, accepted), \
     accepted_at = iif(j.value ->> 7 = 2, j.value ->> 2, accepted_at) \
     FROM json_each(?) AS j WHERE items.id = j.value ->> 1 AND items.state = 1; ";

const STARTED: &str = "INSERT INTO attempts (id, item_id, run_id, number, digest, started) \
     SELECT j.key + ?, i.id, ?, i.attempts + 1, i.digest, ? FROM json_each(?) AS j CROSS JOIN items AS i ON i.id = j.value; \
     UPDATE items NOT INDEXED SET state = 1, attempts = attempts + 1, not_before = NULL, updated = ? \
     WHERE id IN (SELECT value FROM json_each(?)) AND state IN (0, 1); ";

const COUNTED: &str = "UPDATE runs SET requests = requests + ?, done = done + ?, failed = failed + ?, spent = spent + ? WHERE id = ?; ";

const TOLD: &str = "INSERT INTO windows (account_id, kind, capacity, remaining, reset, told) VALUES (?, ?, ?, ?, ?, ?) \
     ON CONFLICT (account_id, kind) DO UPDATE SET capacity = excluded.capacity, \
     remaining = excluded.remaining, reset = excluded.reset, told = excluded.told; ";

/// What is carried out, and how many rows it must change.
pub(super) struct Turn {
    pub sql: String,
    pub arguments: SqliteArguments,
    pub expected: u64,
}

impl Turn {
    pub(super) fn new(
        account: i64,
        run_id: i64,
        settled: &[Settled],
        starts: &[Start],
        told: &[Told],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut turn = Self {
            sql: BEGIN.to_owned(),
            arguments: SqliteArguments::default(),
            expected: 0,
        };
        let (done, ended): (Vec<_>, Vec<_>) = settled
            .iter()
            .partition(|settled| is_plain(settled) && settled.http_status == Some(200));
        turn.settle_done(&done)?;
        turn.settle(&ended)?;
        turn.start(run_id, starts)?;
        let count = |is: fn(&Settled) -> bool| {
            i64::try_from(settled.iter().filter(|settled| is(settled)).count()).unwrap_or(i64::MAX)
        };
        turn.then(COUNTED, 1);
        turn.add(i64::try_from(starts.len()).unwrap_or(i64::MAX))?;
        turn.add(count(|settled| settled.next == Next::Done))?;
        turn.add(count(|settled| settled.next == Next::Failed))?;
        turn.add(count(|settled| settled.spent))?;
        turn.add(run_id)?;
        for told in told {
            turn.then(TOLD, 1);
            turn.add(account)?;
            turn.add(told.kind as i64)?;
            turn.add(told.limit)?;
            turn.add(told.remaining)?;
            turn.add(told.reset.0)?;
            turn.add(now.0)?;
        }
        Ok(turn)
    }

    fn then(&mut self, sql: &str, expected: usize) {
        self.sql.push_str(sql);
        self.expected += expected as u64;
    }

    fn add<'v>(
        &mut self,
        value: impl sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    ) -> Result<(), Error> {
        add(&mut self.arguments, value)
    }

    fn settle_done(&mut self, done: &[&Settled]) -> Result<(), Error> {
        // They were taken within one turn: to the windows the later moment is the safe one.
        let Some(ended) = done.iter().map(|settled| settled.ended.0).max() else {
            return Ok(());
        };
        self.then(DONE, 2 * done.len());
        self.add(ended)?;
        self.add(200)?;
        self.add(numbers(done.iter().map(|settled| settled.attempt_id)))?;
        self.add(200)?;
        self.add(ended)?;
        self.add(ended)?;
        self.add(numbers(done.iter().map(|settled| settled.item_id)))
    }

    fn settle(&mut self, ended: &[&Settled]) -> Result<(), Error> {
        if ended.is_empty() {
            return Ok(());
        }
        let rows = ended
            .iter()
            .copied()
            .map(row)
            .collect::<Value>()
            .to_string();
        self.then(ENDED, 2 * ended.len());
        self.add(rows.as_str())?;
        self.add(rows.as_str())
    }

    fn start(&mut self, run_id: i64, starts: &[Start]) -> Result<(), Error> {
        // Attempts are numbered one by one, so those of a turn follow each other.
        let (Some(first), Some(started)) = (
            starts.first().map(|start| start.attempt_id),
            starts.iter().map(|start| start.started.0).max(),
        ) else {
            return Ok(());
        };
        if !starts
            .iter()
            .zip(first..)
            .all(|(start, id)| start.attempt_id == id)
        {
            return Err(Error::Damaged("the numbers of attempts".to_owned()));
        }
        let items = numbers(starts.iter().map(|start| start.item_id));
        self.then(STARTED, 2 * starts.len());
        self.add(first)?;
        self.add(run_id)?;
        self.add(started)?;
        self.add(items.as_str())?;
        self.add(started)?;
        self.add(items)
    }
}

/// Whether nothing is to be said of it but that it is done.
fn is_plain(settled: &Settled) -> bool {
    settled.next == Next::Done
        && settled.cause.is_none()
        && settled.detail.is_none()
        && settled.spent
}

fn row(settled: &Settled) -> Value {
    let cause = settled.cause.as_ref().map(Cause::word);
    let (state, counts, not_before) = match settled.next {
        Next::Done => (2, false, None),
        Next::Failed => (3, true, None),
        Next::Again { at, counts } => (0, counts, Some(at.0)),
    };
    let passing =
        settled.next == Next::Failed && settled.cause.as_ref().is_some_and(Cause::is_passing);
    json!([
        settled.attempt_id,
        settled.item_id,
        settled.ended.0,
        settled.http_status,
        cause,
        settled.detail,
        i64::from(settled.spent),
        state,
        i64::from(counts),
        not_before,
        i64::from(passing),
    ])
}

/// Numbers as a JSON array, which SQLite reads as a table.
fn numbers(numbers: impl Iterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for number in numbers {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}

/// Statements that reached other rows than they should have met a journal that somebody else has changed. Each reaches at
/// most the rows that it names, so the sum tells of all.
pub(super) fn expect(written: u64, expected: u64) -> Result<(), Error> {
    if written == expected {
        return Ok(());
    }
    Err(Error::Damaged(format!(
        "{written} rows were changed where {expected} were expected; was it changed by another program?"
    )))
}
