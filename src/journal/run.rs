//! A run's beginning and end in the journal.
//!
//! Owns what must happen once a run: what an earlier one left open is told and made due, failures that may have passed
//! are due again, and how it ended is written down. It begins in the transaction that takes its manifests in, so that
//! there is never one without the other.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection};

use super::{Error, Intake, Journal, Scope};
use crate::{failpoint::Point, outcome::Cause, time::Timestamp};

/// What a run is, when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its manifests' names.
    pub sources: Vec<String>,
    /// What it is about.
    pub scope: Scope,
    /// Dollars a request.
    pub price: f64,
    /// How long one request may take.
    pub timeout: Duration,
    /// Failed items to be sent again, also where their cause is no passing one.
    pub retry_failed: RetryFailed,
}

/// Which failed items are sent again although nothing about them has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RetryFailed {
    /// Those whose cause was a passing one, in three runs at most.
    #[default]
    Passing,
    /// All.
    All,
    /// Those of these causes, and the passing ones.
    Causes(Vec<String>),
}

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its number.
    pub run_id: i64,
    /// When.
    pub started: Timestamp,
    /// Items that an earlier run left without a known outcome: how many, and the first of them.
    pub interrupted: (u64, Vec<String>),
    /// How many items this run has to send.
    pub due: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub exit_code: u8,
    /// Why, in a few words.
    pub exit_reason: String,
}

/// How many interrupted items are named.
const NAMED: usize = 1_000;
/// In how many runs one digest may fail for a passing cause before it stays failed.
pub(super) const PASSING_RUNS: i64 = 3;

/// Failed items by cause: of a passing one while they were not in too many runs and nobody has dismissed them, of another
/// one where it was asked for.
macro_rules! revive_sql {
    () => {
        "UPDATE items INDEXED BY items_failed SET state = 0, failures = 0, \
         passing_runs = iif(?2 OR cause IN (SELECT value FROM json_each(?3)), 0, passing_runs) \
         WHERE account_id = ?1 AND state = 3 AND (?2 OR cause IN (SELECT value FROM json_each(?3)) \
         OR (passing_runs < ?4 AND dismissed = 0 AND cause IN (SELECT value FROM json_each(?5))))"
    };
}

impl Intake<'_> {
    /// Commits what was taken in, and begins the run with it.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn commit(mut self, run: &NewRun) -> Result<Started, Error> {
        self.settle_held().await?;
        let started = begin(&mut self.transaction, self.account, run, self.now).await?;
        Point::IntakeTaken.pass();
        self.transaction.commit().await?;
        Point::RunBegun.pass();
        Ok(started)
    }

    /// How many items the run would have to send.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn due(&mut self, run: &NewRun) -> Result<u64, Error> {
        self.settle_held().await?;
        revive(&mut self.transaction, self.account, run).await?;
        due(&mut self.transaction, self.account, run.scope).await
    }
}

impl Journal {
    /// How many items a run without manifests would have to send.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn due(&mut self, account: i64, run: &NewRun) -> Result<u64, Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        revive(&mut transaction, account, run).await?;
        let due = due(&mut transaction, account, run.scope).await?;
        transaction.rollback().await?;
        Ok(due)
    }

    /// Begins a run about all that is due, without manifests.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn begin(
        &mut self,
        account: i64,
        run: &NewRun,
        now: Timestamp,
    ) -> Result<Started, Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let started = begin(&mut transaction, account, run, now).await?;
        transaction.commit().await?;
        Ok(started)
    }

    /// Writes down how a run ended. What it left in flight may have been charged for, and stays `sending`.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn finish(
        &mut self,
        run_id: i64,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        close_open_attempts(&mut transaction).await?;
        sqlx::query("UPDATE runs SET ended = ?, exit_code = ?, exit_reason = ? WHERE id = ?")
            .bind(now.0)
            .bind(ended.exit_code)
            .bind(&ended.exit_reason)
            .bind(run_id)
            .execute(&mut *transaction)
            .await?;
        Point::EndWritten.pass();
        transaction.commit().await?;
        Point::EndCommitted.pass();
        self.is_in_place()
    }
}

async fn begin(
    transaction: &mut SqliteConnection,
    account: i64,
    run: &NewRun,
    now: Timestamp,
) -> Result<Started, Error> {
    // This run holds the lock, so what is open was left by one that was cut off.
    close_open_attempts(transaction).await?;
    sqlx::query(
        "UPDATE runs SET exit_reason = 'cut-off', ended = max(started, coalesce( \
         (SELECT coalesce(ended, started) FROM attempts ORDER BY id DESC LIMIT 1), 0)) WHERE ended IS NULL",
    )
    .execute(&mut *transaction)
    .await?;
    // Delays between attempts were an earlier run's: this one may start at once.
    sqlx::query("UPDATE items SET failures = 0, not_before = NULL WHERE not_before IS NOT NULL")
        .execute(&mut *transaction)
        .await?;
    revive(transaction, account, run).await?;
    let run_id = sqlx::query_scalar(
        "INSERT INTO runs (account_id, started, sources, price, timeout, version) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(account)
    .bind(now.0)
    .bind(serde_json::json!(run.sources).to_string())
    .bind(run.price)
    .bind(i64::try_from(run.timeout.as_millis()).unwrap_or(i64::MAX))
    .bind(env!("CARGO_PKG_VERSION"))
    .fetch_one(&mut *transaction)
    .await?;
    let interrupted = interrupted(transaction).await?;
    let due = due(transaction, account, run.scope).await?;
    Ok(Started {
        run_id,
        started: now,
        interrupted,
        due,
    })
}

/// Says of attempts without an outcome that they were interrupted: each may have been charged for.
async fn close_open_attempts(transaction: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query(
        "UPDATE runs SET spent = spent + open.attempts FROM \
         (SELECT run_id, count(*) AS attempts FROM attempts WHERE ended IS NULL AND cause IS NULL GROUP BY run_id) AS open \
         WHERE open.run_id = runs.id",
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE attempts SET cause = ?, spent = 1 WHERE ended IS NULL AND cause IS NULL")
        .bind(Cause::INTERRUPTED.word())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// The items whose last attempt has no known outcome: how many, and the first of them.
pub(super) async fn interrupted(
    connection: &mut SqliteConnection,
) -> Result<(u64, Vec<String>), Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT i.media_id FROM attempts AS t INDEXED BY attempts_open CROSS JOIN items AS i ON i.id = t.item_id \
         WHERE t.ended IS NULL AND i.state = 1 ORDER BY i.id",
    )
    .fetch_all(connection)
    .await?;
    Ok((ids.len() as u64, ids.into_iter().take(NAMED).collect()))
}

/// Makes failed items due again, as far as the run shall send them anew.
async fn revive(
    connection: &mut SqliteConnection,
    account: i64,
    run: &NewRun,
) -> Result<(), Error> {
    let passing = serde_json::json!(Cause::PASSING).to_string();
    let (all, causes) = match &run.retry_failed {
        RetryFailed::Passing => (false, "[]".to_owned()),
        RetryFailed::All => (true, "[]".to_owned()),
        RetryFailed::Causes(causes) => (false, serde_json::json!(causes).to_string()),
    };
    let statement = match run.scope {
        Scope::Everything => concat!(revive_sql!(), ""),
        Scope::Manifests => concat!(
            revive_sql!(),
            " AND EXISTS (SELECT 1 FROM temp.scope AS s WHERE s.item_id = items.id AND s.held = 0)"
        ),
    };
    sqlx::query(statement)
        .bind(account)
        .bind(all)
        .bind(causes)
        .bind(PASSING_RUNS)
        .bind(passing)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many items the run has to send.
async fn due(connection: &mut SqliteConnection, account: i64, scope: Scope) -> Result<u64, Error> {
    let is_all = scope == Scope::Everything || scope_is_all(connection, account).await?;
    let statement = match scope {
        _ if is_all => {
            "SELECT count(*) FROM items INDEXED BY items_due WHERE account_id = ? AND state IN (0, 1)"
        }
        _ => {
            "SELECT count(*) FROM items AS i INDEXED BY items_due CROSS JOIN temp.scope AS s ON s.item_id = i.id \
             WHERE i.account_id = ? AND i.state IN (0, 1) AND s.held = 0"
        }
    };
    let due: i64 = sqlx::query_scalar(statement)
        .bind(account)
        .fetch_one(connection)
        .await?;
    Ok(due.unsigned_abs())
}

/// Whether the manifests name every item of the account, and none is held back: then nothing needs looking up in both.
pub(super) async fn scope_is_all(
    connection: &mut SqliteConnection,
    account: i64,
) -> Result<bool, Error> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM temp.held) AND (SELECT count(*) FROM temp.scope) = \
         (SELECT count(*) FROM items WHERE account_id = ?)";
    Ok(sqlx::query_scalar(sql)
        .bind(account)
        .fetch_one(connection)
        .await?)
}
