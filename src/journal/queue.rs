//! The queue: which items are due now, what starts, and how it ended.
//!
//! Owns the two verbs of the running run. [`Journal::claim`] reads; [`Journal::record`] writes outcomes and starts
//! together in one transaction, so that a pool of workers shares its commits. When it returns, all of it is on disk.

use std::{collections::HashSet, sync::Arc};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::{
    Error, Journal, Scope, is_whole,
    turn::{Turn, expect},
};
use crate::{
    answer::{Told, WindowKind},
    failpoint::Point,
    item::MediaId,
    metadata::{Digest, Metadata},
    outcome::Cause,
    rate::{Past, Rate},
    time::Timestamp,
};

/// Due items as one JSON array: each row that SQLite hands over wakes who waits for it, and that costs more than the row.
macro_rules! claim_sql {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT json_group_array(json_array(id, media_id, iif(json_valid(wanted), json(wanted), NULL), digest, is_whole, \
             attempts, failures, is_retry)) \
             FROM (SELECT i.id, i.media_id, i.wanted, lower(hex(i.digest)) AS digest, i.attempts, i.failures, \
             i.not_before IS NOT NULL AS is_retry, ",
            is_whole!(),
            " FROM items AS i INDEXED BY ",
            $index,
            $rest,
            ")"
        )
    };
}

/// A due item as it is handed over.
type DueRow = (
    i64,
    String,
    Option<Map<String, Value>>,
    String,
    u8,
    u32,
    u32,
    u8,
);

/// An item that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its row.
    pub item_id: i64,
    /// Its media id.
    pub media_id: MediaId,
    /// What it shall have.
    pub wanted: Arc<Metadata>,
    /// How often it was sent so far, in all runs.
    pub attempts: u32,
    /// How many of this run's attempts count against `--max-attempts`.
    pub failures: u32,
    /// Whether this run has sent it already.
    pub is_retry: bool,
}

/// A request that is about to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The item's row.
    pub item_id: i64,
    /// Its number, from [`Journal::next_attempt`].
    pub attempt_id: i64,
    /// When.
    pub started: Timestamp,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The item's row.
    pub item_id: i64,
    /// The request's number.
    pub attempt_id: i64,
    /// When.
    pub ended: Timestamp,
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// Why, where it isn't plainly done.
    pub cause: Option<Cause>,
    /// What was said.
    pub detail: Option<String>,
    /// Whether X may charge for it.
    pub spent: bool,
    /// What becomes of the item.
    pub next: Next,
}

/// What becomes of an item after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// X accepted it.
    Done,
    /// It fails.
    Failed,
    /// It is sent again.
    Again {
        /// Not before.
        at: Timestamp,
        /// Whether the attempt counts against `--max-attempts`.
        counts: bool,
    },
}

impl Journal {
    /// Items that are due at `now`, at most `most`: first those whose retry is due, then those after the row `after`, in
    /// the order of their rows. Those in `claimed` are left out.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn claim(
        &mut self,
        account: i64,
        scope: Scope,
        after: i64,
        now: Timestamp,
        claimed: &HashSet<i64>,
        most: usize,
    ) -> Result<Vec<Due>, Error> {
        let (retries, fresh) = match scope {
            Scope::Everything => (
                claim_sql!(
                    "items_waiting",
                    " WHERE i.not_before <= ?2 AND i.account_id = ?1 AND i.state = 0 ORDER BY i.not_before LIMIT ?3"
                ),
                claim_sql!(
                    "items_due",
                    " WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.id > ?2 AND i.not_before IS NULL ORDER BY i.id LIMIT ?3"
                ),
            ),
            Scope::Manifests => (
                claim_sql!(
                    "items_waiting",
                    " CROSS JOIN temp.scope AS s ON s.item_id = i.id WHERE i.not_before <= ?2 AND i.account_id = ?1 AND i.state = 0 AND s.held = 0 ORDER BY i.not_before LIMIT ?3"
                ),
                claim_sql!(
                    "items_due",
                    " CROSS JOIN temp.scope AS s ON s.item_id = i.id WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.id > ?2 AND i.not_before IS NULL AND s.held = 0 ORDER BY i.id LIMIT ?3"
                ),
            ),
        };
        // Those already claimed may come first: as many more are read.
        let mut due = self
            .read_due(retries, account, now.0, most + claimed.len())
            .await?;
        due.retain(|due| !claimed.contains(&due.item_id));
        due.truncate(most);
        if due.len() < most {
            let more = most - due.len();
            due.extend(self.read_due(fresh, account, after, more).await?);
        }
        Ok(due)
    }

    async fn read_due(
        &mut self,
        statement: &'static str,
        account: i64,
        bound: i64,
        most: usize,
    ) -> Result<Vec<Due>, Error> {
        let rows: String = sqlx::query_scalar(statement)
            .bind(account)
            .bind(bound)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(&mut self.connection)
            .await?;
        let rows: Vec<DueRow> = serde_json::from_str(&rows)
            .map_err(|error| Error::Damaged(format!("the due images: {error}")))?;
        rows.into_iter().map(due).collect()
    }

    /// When the next retry after `now` is due, where one waits.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn next_retry(
        &mut self,
        account: i64,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let moment: Option<i64> = sqlx::query_scalar(
            "SELECT min(not_before) FROM items INDEXED BY items_waiting WHERE not_before > ? AND account_id = ?",
        )
        .bind(now.0)
        .bind(account)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(moment.map(Timestamp))
    }

    /// The number of the next attempt.
    pub const fn next_attempt(&mut self) -> i64 {
        self.next_attempt += 1;
        self.next_attempt - 1
    }

    /// Records how requests ended and that others are about to leave, together. When this returns it is on disk.
    ///
    /// # Errors
    /// Where the journal can't be written, or no longer holds what it did: then nothing of it may be counted.
    pub async fn record(
        &mut self,
        account: i64,
        run_id: i64,
        settled: &[Settled],
        starts: &[Start],
        told: &[Told],
        now: Timestamp,
    ) -> Result<(), Error> {
        let turn = Turn::new(account, run_id, settled, starts, told, now)?;
        let expected = turn.expected;
        let query = sqlx::query_with(AssertSqlSafe(turn.sql), turn.arguments);
        let written = query.execute(&mut self.connection).await;
        let result = match written {
            Ok(written) => expect(written.rows_affected(), expected),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = result {
            // Nothing may have begun: then there is nothing to roll back.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            return Err(error);
        }
        Point::TurnWritten.pass();
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        self.is_in_place()
    }

    /// What earlier runs sent that still occupies a window of one of `rates`, and what the headers told them.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn past(
        &mut self,
        account: i64,
        rates: &[Rate],
        now: Timestamp,
    ) -> Result<Past, Error> {
        past(&mut self.connection, account, rates, now).await
    }

    /// How many requests since `moment` X may charge for, of all accounts, and the dollars for look-ups of users.
    ///
    /// Each run keeps its own sum. Only of one that began before and went on until then are attempts looked at: those
    /// behind the last one of the runs before it.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn spent_since(&mut self, moment: Timestamp) -> Result<(u64, f64), Error> {
        let statement = "WITH parted AS MATERIALIZED \
             (SELECT id FROM runs WHERE started < ?1 AND (ended IS NULL OR ended >= ?1)) \
             SELECT (SELECT coalesce(sum(spent), 0) FROM runs WHERE started >= ?1) + iif(EXISTS (SELECT 1 FROM parted), \
             (SELECT count(*) FROM attempts AS t WHERE t.spent = 1 AND t.started >= ?1 AND t.run_id IN (SELECT id FROM parted) \
             AND t.id > coalesce((SELECT b.id FROM attempts AS b WHERE b.run_id < (SELECT min(id) FROM parted) \
             ORDER BY b.id DESC LIMIT 1), 0)), 0)";
        let spent: i64 = sqlx::query_scalar(statement)
            .bind(moment.0)
            .fetch_one(&mut self.connection)
            .await?;
        let statement = "SELECT total(lookups) FROM runs WHERE started >= ?";
        let look_ups = sqlx::query_scalar(statement)
            .bind(moment.0)
            .fetch_one(&mut self.connection)
            .await?;
        Ok((spent.unsigned_abs(), look_ups))
    }
}

/// How many attempts are read at a time.
const PAGE: i64 = 5_000;

/// What earlier requests leave for the windows of the next.
pub(super) async fn past(
    connection: &mut SqliteConnection,
    account: i64,
    rates: &[Rate],
    now: Timestamp,
) -> Result<Past, Error> {
    let mut past = Past::default();
    let longest = rates.iter().map(|rate| rate.per).max().unwrap_or_default();
    // Attempts are numbered in the order of their starts: read from the newest on, until they are too old. An hour
    // more, for requests that took long and clocks that were set.
    let oldest = now - longest - std::time::Duration::from_hours(1);
    let mut before = i64::MAX;
    // Without a window of ours nothing that was sent counts.
    while !rates.is_empty() {
        let rows: String = sqlx::query_scalar(
            "SELECT json_group_array(json_array(id, started, ended, account_id)) FROM \
             (SELECT t.id, t.started, coalesce(t.ended, t.started + r.timeout) AS ended, r.account_id \
             FROM attempts AS t JOIN runs AS r ON r.id = t.run_id WHERE t.id < ? ORDER BY t.id DESC LIMIT ?)",
        )
        .bind(before)
        .bind(PAGE)
        .fetch_one(&mut *connection)
        .await?;
        let rows: Vec<(i64, i64, i64, i64)> = serde_json::from_str(&rows)
            .map_err(|error| Error::Damaged(format!("the attempts: {error}")))?;
        for (id, started, ended, of) in &rows {
            before = before.min(*id);
            if Timestamp(*started) < oldest {
                continue;
            }
            // A clock that was ahead when it was written: the request did not end after now.
            let ended = Timestamp(*ended).min(now + std::time::Duration::from_mins(10));
            if *of == account {
                past.account.push(ended);
            }
            past.app.push(ended);
        }
        let is_old = |(_, started, ..): &(i64, i64, i64, i64)| Timestamp(*started) < oldest;
        if rows.len() < usize::try_from(PAGE).unwrap_or(0) || rows.iter().any(is_old) {
            break;
        }
    }
    let rows = sqlx::query(
            "SELECT w.kind, w.capacity, w.remaining, w.reset, \
             (SELECT count(*) FROM attempts AS t WHERE t.ended IS NULL AND t.started > w.told - 3600000) AS uncounted \
             FROM windows AS w WHERE w.account_id = ?",
        )
        .bind(account)
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let kind: i64 = row.try_get("kind")?;
        let Some(kind) = WindowKind::ALL
            .into_iter()
            .find(|known| *known as i64 == kind)
        else {
            continue;
        };
        let told = Told {
            kind,
            limit: row.try_get("capacity")?,
            remaining: row.try_get("remaining")?,
            reset: Timestamp(row.try_get("reset")?),
        };
        let uncounted: i64 = row.try_get("uncounted")?;
        past.told
            .push((told, usize::try_from(uncounted).unwrap_or(0)));
    }
    Ok(past)
}

fn due(
    (item_id, id, wanted, digest, is_whole, attempts, failures, is_retry): DueRow,
) -> Result<Due, Error> {
    let wanted = wanted.and_then(Metadata::from_object);
    let wanted = as_taken_in(&id, is_whole != 0, wanted, |known| {
        known.to_string() == digest
    })?;
    Ok(Due {
        item_id,
        wanted: wanted.into(),
        attempts,
        failures,
        is_retry: is_retry != 0,
        media_id: id
            .parse()
            .map_err(|_| Error::Damaged(format!("the id of image {id}")))?,
    })
}

/// What is wanted of the item of a row, as it was taken in.
pub(super) fn whole(row: &sqlx::sqlite::SqliteRow, media_id: &str) -> Result<Metadata, Error> {
    let digest: Option<Digest> = Digest::from_bytes(row.try_get("digest")?);
    let wanted = Metadata::from_json(row.try_get("wanted")?);
    let is_whole = row.try_get("is_whole")?;
    as_taken_in(media_id, is_whole, wanted, |known| Some(*known) == digest)
}

/// That an item is as it was taken in, to the bit. SQLite would not notice an id or a text that a disk has changed, and what
/// is sent or told of an image must be that image's.
fn as_taken_in(
    media_id: &str,
    is_whole: bool,
    wanted: Option<Metadata>,
    has_digest: impl FnOnce(&Digest) -> bool,
) -> Result<Metadata, Error> {
    let damaged = |what: &str| Error::Damaged(format!("{what} of image {media_id}"));
    if !is_whole {
        return Err(damaged("the id"));
    }
    wanted
        .filter(|wanted| has_digest(&wanted.digest()))
        .ok_or_else(|| damaged("the metadata"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Lock;

    #[tokio::test]
    async fn what_was_spent_since_a_moment_is_what_its_attempts_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let mut journal = Journal::open(&path, "spent", Lock::take(&path).unwrap())
            .await
            .unwrap();
        // Runs with pauses between them; the third one's clock was wrong, and the last one goes on.
        let runs = [
            (100, Some(200)),
            (300, Some(420)),
            (7, Some(9)),
            (500, None),
        ];
        let mut attempts: Vec<(i64, i64)> = Vec::new();
        for (id, (started, ended)) in (1..).zip(runs) {
            let moments =
                (started..ended.unwrap_or(560)).step_by(if started < 10 { 1 } else { 17 });
            let spent = moments.clone().filter(|moment| moment % 3 > 0).count();
            sqlx::query("INSERT INTO runs (id, account_id, started, ended, sources, spent, price, timeout, version) VALUES (?, 1, ?, ?, '[]', ?, 0.005, 30000, '')")
                .bind(id)
                .bind(started)
                .bind(ended)
                .bind(i64::try_from(spent).unwrap())
                .execute(&mut journal.connection)
                .await
                .unwrap();
            for moment in moments {
                sqlx::query("INSERT INTO attempts (item_id, run_id, number, digest, started, spent) VALUES (1, ?, 1, x'', ?, ?)")
                    .bind(id)
                    .bind(moment)
                    .bind(moment % 3 > 0)
                    .execute(&mut journal.connection)
                    .await
                    .unwrap();
                attempts.push((moment, i64::from(moment % 3 > 0)));
            }
        }
        for moment in 0..600 {
            let (spent, _) = journal.spent_since(Timestamp(moment)).await.unwrap();
            let expected: i64 = attempts
                .iter()
                .filter(|(started, _)| *started >= moment)
                .map(|(_, spent)| spent)
                .sum();
            assert_eq!(spent, expected.unsigned_abs(), "since {moment}");
        }
    }
}
