//! The queue: which items are due now, what starts, and how it ended.
//!
//! Owns the two verbs of the running run. [`Journal::claim`] reads; [`Journal::record`] writes outcomes and starts
//! together in one transaction, so that a pool of workers shares its commits. When it returns, all of it is on disk.

use std::collections::HashSet;

use serde_json::{Value, json};
use sqlx::{Connection, Row as _, SqliteConnection};

use super::{Error, Journal, Scope, is_whole};
use crate::{
    answer::{Told, WindowKind},
    failpoint::Point,
    item::MediaId,
    metadata::{Digest, Metadata},
    outcome::Cause,
    rate::{Past, Rate},
    time::Timestamp,
};

macro_rules! claim_sql {
    ($index:literal) => {
        concat!(
            "SELECT i.id, i.media_id, i.wanted, i.digest, i.attempts, i.failures, i.not_before IS NOT NULL AS is_retry, ",
            is_whole!(),
            " FROM items AS i INDEXED BY ",
            $index
        )
    };
}

/// An item that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its row.
    pub item_id: i64,
    /// Its media id.
    pub media_id: MediaId,
    /// What it shall have.
    pub wanted: Metadata,
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
                concat!(
                    claim_sql!("items_waiting"),
                    " WHERE i.not_before <= ?2 AND i.account_id = ?1 AND i.state = 0 ORDER BY i.not_before LIMIT ?3"
                ),
                concat!(
                    claim_sql!("items_due"),
                    " WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.id > ?2 AND i.not_before IS NULL ORDER BY i.id LIMIT ?3"
                ),
            ),
            Scope::Manifests => (
                concat!(
                    claim_sql!("items_waiting"),
                    " CROSS JOIN temp.scope AS s ON s.item_id = i.id WHERE i.not_before <= ?2 AND i.account_id = ?1 AND i.state = 0 AND s.held = 0 ORDER BY i.not_before LIMIT ?3"
                ),
                concat!(
                    claim_sql!("items_due"),
                    " CROSS JOIN temp.scope AS s ON s.item_id = i.id WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.id > ?2 AND i.not_before IS NULL AND s.held = 0 ORDER BY i.id LIMIT ?3"
                ),
            ),
        };
        // Those already claimed may come first: as many more are read.
        let limit = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(retries)
            .bind(account)
            .bind(now.0)
            .bind(limit(most + claimed.len()))
            .fetch_all(&mut self.connection)
            .await?;
        let mut due: Vec<Due> = rows.iter().map(read_due).collect::<Result<_, _>>()?;
        due.retain(|due| !claimed.contains(&due.item_id));
        due.truncate(most);
        if due.len() < most {
            let rows = sqlx::query(fresh)
                .bind(account)
                .bind(after)
                .bind(limit(most - due.len()))
                .fetch_all(&mut self.connection)
                .await?;
            for row in &rows {
                due.push(read_due(row)?);
            }
        }
        Ok(due)
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
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        if !settled.is_empty() {
            settle(&mut transaction, settled).await?;
        }
        if !starts.is_empty() {
            start(&mut transaction, run_id, starts).await?;
        }
        let count = |is: fn(&Settled) -> bool| {
            i64::try_from(settled.iter().filter(|settled| is(settled)).count()).unwrap_or(i64::MAX)
        };
        sqlx::query("UPDATE runs SET requests = requests + ?, done = done + ?, failed = failed + ?, spent = spent + ? WHERE id = ?")
            .bind(i64::try_from(starts.len()).unwrap_or(i64::MAX))
            .bind(count(|settled| settled.next == Next::Done))
            .bind(count(|settled| settled.next == Next::Failed))
            .bind(count(|settled| settled.spent))
            .bind(run_id)
            .execute(&mut *transaction)
            .await?;
        for told in told {
            sqlx::query(
                "INSERT INTO windows (account_id, kind, capacity, remaining, reset, told) VALUES (?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (account_id, kind) DO UPDATE SET capacity = excluded.capacity, \
                 remaining = excluded.remaining, reset = excluded.reset, told = excluded.told",
            )
            .bind(account)
            .bind(told.kind as i64)
            .bind(told.limit)
            .bind(told.remaining)
            .bind(told.reset.0)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        }
        Point::TurnWritten.pass();
        transaction.commit().await?;
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
    /// # Errors
    /// Where the journal can't be read.
    pub async fn spent_since(&mut self, moment: Timestamp) -> Result<(u64, f64), Error> {
        let statement = "SELECT count(*) FROM attempts WHERE spent = 1 AND started >= ?";
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
    'reading: loop {
        let rows = sqlx::query(
                "SELECT t.id, t.started, coalesce(t.ended, t.started + r.timeout) AS ended, r.account_id \
                 FROM attempts AS t JOIN runs AS r ON r.id = t.run_id WHERE t.id < ? ORDER BY t.id DESC LIMIT 1000",
            )
            .bind(before)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            before = row.try_get("id")?;
            if Timestamp(row.try_get("started")?) < oldest {
                break 'reading;
            }
            // A clock that was ahead when it was written: the request did not end after now.
            let ended =
                Timestamp(row.try_get("ended")?).min(now + std::time::Duration::from_mins(10));
            if row.try_get::<i64, _>("account_id")? == account {
                past.account.push(ended);
            }
            past.app.push(ended);
        }
        if rows.len() < 1_000 {
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
fn read_due(row: &sqlx::sqlite::SqliteRow) -> Result<Due, Error> {
    let media_id: &str = row.try_get("media_id")?;
    let damaged = |what: &str| Error::Damaged(format!("{what} of image {media_id}"));
    let wanted = whole(row, media_id)?;
    Ok(Due {
        item_id: row.try_get("id")?,
        wanted,
        attempts: row.try_get("attempts")?,
        failures: row.try_get("failures")?,
        is_retry: row.try_get("is_retry")?,
        media_id: media_id.parse().map_err(|_| damaged("the id"))?,
    })
}

/// What is wanted of an item: as it was taken in, to the bit. SQLite would not notice an id or a text that a disk has
/// changed, and what is sent or told of an image must be that image's.
pub(super) fn whole(row: &sqlx::sqlite::SqliteRow, media_id: &str) -> Result<Metadata, Error> {
    let damaged = |what: &str| Error::Damaged(format!("{what} of image {media_id}"));
    if !row.try_get::<bool, _>("is_whole")? {
        return Err(damaged("the id"));
    }
    let digest: Option<Digest> = Digest::from_bytes(row.try_get("digest")?);
    Metadata::from_json(row.try_get("wanted")?)
        .filter(|wanted| Some(wanted.digest()) == digest)
        .ok_or_else(|| damaged("the metadata"))
}

async fn settle(transaction: &mut SqliteConnection, settled: &[Settled]) -> Result<(), Error> {
    let rows: Vec<Value> = settled
        .iter()
        .map(|settled| {
            let cause = settled.cause.as_ref().map(Cause::word);
            let (state, counts, not_before) = match settled.next {
                Next::Done => (2, false, None),
                Next::Failed => (3, true, None),
                Next::Again { at, counts } => (0, counts, Some(at.0)),
            };
            let passing = settled.next == Next::Failed
                && settled.cause.as_ref().is_some_and(Cause::is_passing);
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
        })
        .collect();
    let rows = Value::from(rows).to_string();
    let written = sqlx::query(
        "UPDATE attempts SET ended = j.value ->> 2, http_status = j.value ->> 3, cause = j.value ->> 4, \
         detail = j.value ->> 5, spent = j.value ->> 6 FROM json_each(?) AS j \
         WHERE attempts.id = j.value ->> 0 AND attempts.ended IS NULL",
    )
    .bind(&rows)
    .execute(&mut *transaction)
    .await?;
    expect(written.rows_affected(), settled.len(), "attempts")?;
    let written = sqlx::query(
        "UPDATE items SET state = j.value ->> 7, failures = failures + (j.value ->> 8), not_before = j.value ->> 9, \
         passing_runs = passing_runs + (j.value ->> 10), http_status = j.value ->> 3, cause = j.value ->> 4, \
         detail = j.value ->> 5, updated = j.value ->> 2, \
         accepted = iif(j.value ->> 7 = 2, digest, accepted), \
         accepted_at = iif(j.value ->> 7 = 2, j.value ->> 2, accepted_at) \
         FROM json_each(?) AS j WHERE items.id = j.value ->> 1 AND items.state = 1",
    )
    .bind(&rows)
    .execute(&mut *transaction)
    .await?;
    expect(written.rows_affected(), settled.len(), "items")
}

async fn start(
    transaction: &mut SqliteConnection,
    run_id: i64,
    starts: &[Start],
) -> Result<(), Error> {
    let rows: Vec<Value> = starts
        .iter()
        .map(|start| json!([start.attempt_id, start.item_id, start.started.0]))
        .collect();
    let rows = Value::from(rows).to_string();
    let written = sqlx::query(
        "INSERT INTO attempts (id, item_id, run_id, number, digest, started) \
         SELECT j.value ->> 0, i.id, ?2, i.attempts + 1, i.digest, j.value ->> 2 \
         FROM json_each(?1) AS j CROSS JOIN items AS i ON i.id = j.value ->> 1",
    )
    .bind(&rows)
    .bind(run_id)
    .execute(&mut *transaction)
    .await?;
    expect(written.rows_affected(), starts.len(), "attempts")?;
    let written = sqlx::query(
        "UPDATE items SET state = 1, attempts = attempts + 1, not_before = NULL, updated = j.value ->> 2 \
         FROM json_each(?) AS j WHERE items.id = j.value ->> 1 AND items.state IN (0, 1)",
    )
    .bind(&rows)
    .execute(&mut *transaction)
    .await?;
    expect(written.rows_affected(), starts.len(), "items")
}

/// A statement that reached other rows than it should has met a journal that somebody else has changed.
fn expect(written: u64, expected: usize, what: &str) -> Result<(), Error> {
    if written == expected as u64 {
        return Ok(());
    }
    Err(Error::Damaged(format!(
        "{written} {what} where {expected} were expected; was it changed by another program?"
    )))
}
