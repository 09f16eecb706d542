//! What those who watch a journal over weeks ask of it.

use sqlx::Row as _;

use super::{Error, Reader, Tally, run::PASSING_RUNS, tally::tally};
use crate::{outcome::Cause, time::Timestamp};

/// A journal's runs, in a few figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chronicle {
    /// What all runs have cost.
    pub spent_dollars: f64,
    /// When a run last ended as 0.
    pub last_success: Option<Timestamp>,
    /// With which code the run that ended last did so.
    pub last_exit_code: Option<u8>,
    /// When an attempt last had its outcome.
    pub last_outcome: Option<Timestamp>,
}

impl Reader {
    /// How many items of each account are in each state, by the names that the views have.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn tallies(&mut self) -> Result<Vec<(String, Tally)>, Error> {
        let statement = "SELECT id, coalesce(handle, profile, user_id, 'default') AS account FROM accounts ORDER BY id";
        let rows = sqlx::query(statement)
            .fetch_all(&mut self.connection)
            .await?;
        let mut tallies = Vec::new();
        for row in &rows {
            let tally = tally(&mut self.connection, row.try_get("id")?).await?;
            tallies.push((row.try_get("account")?, tally));
        }
        Ok(tallies)
    }

    /// The journal's runs, in a few figures.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn chronicle(&mut self) -> Result<Chronicle, Error> {
        let statement = "SELECT (SELECT coalesce(sum(cost_usd), 0.0) FROM run_log) AS spent, \
             (SELECT max(ended) FROM runs WHERE exit_code = 0) AS success, \
             (SELECT exit_code FROM runs WHERE exit_code IS NOT NULL ORDER BY id DESC LIMIT 1) AS exit_code, \
             (SELECT ended FROM attempts WHERE ended IS NOT NULL ORDER BY id DESC LIMIT 1) AS outcome";
        let row = sqlx::query(statement)
            .fetch_one(&mut self.connection)
            .await?;
        let moment = |name: &str| {
            row.try_get::<Option<i64>, _>(name)
                .map(|moment| moment.map(Timestamp))
        };
        Ok(Chronicle {
            spent_dollars: row.try_get("spent")?,
            last_success: moment("success")?,
            last_exit_code: row.try_get("exit_code")?,
            last_outcome: moment("outcome")?,
        })
    }

    /// How many failed items the next run sends again by itself: their cause was a passing one.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn returning(&mut self) -> Result<u64, Error> {
        let passing = serde_json::json!(Cause::PASSING).to_string();
        let statement = "SELECT count(*) FROM items INDEXED BY items_failed WHERE account_id = ? AND state = 3 AND dismissed = 0 \
             AND passing_runs < ? AND cause IN (SELECT value FROM json_each(?))";
        let items: i64 = sqlx::query_scalar(statement)
            .bind(self.account)
            .bind(PASSING_RUNS)
            .bind(passing)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(items.unsigned_abs())
    }
}
