//! Reading a journal while a run may go on: its counts, its latest run, why items failed.
//!
//! Owns a read-only connection of its own, which sees what was committed and hinders nobody. What is read item by item is
//! [`super::export`]'s, sums and charts are [`super::overview`]'s.

use std::path::Path;

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{Doubt, Error, Holder, Lock, Tally, Whose, account, open, queue, tally::tally};
use crate::{
    rate::{Past, Rate},
    time::Timestamp,
};

/// A reader beside the run that may go on.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: SqliteConnection,
    /// Whose items it reads.
    pub(super) account: i64,
}

/// The latest run.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestRun {
    /// Its number.
    pub run_id: i64,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// With which code.
    pub exit_code: Option<u8>,
    /// Why.
    pub exit_reason: Option<String>,
    /// How many requests it made.
    pub requests: i64,
}

impl Reader {
    /// Opens the journal at `path`, which must be there; where `api_url` is given it must be of that address, It must be clear whose
    /// items are meant.
    ///
    /// # Errors
    /// Where there is none, or it is none of ours, or can't be read.
    pub async fn open(path: &Path, api_url: Option<&str>, whose: &Whose) -> Result<Self, Error> {
        let mut connection = open::for_reading(path).await?;
        if let Some(api_url) = api_url {
            open::check_address(&mut connection, path, api_url).await?;
        }
        match account::to_read(&mut connection, whose).await? {
            Ok(account) => Ok(Self {
                connection,
                account,
            }),
            Err(names) => Err(Error::WhichAccount {
                path: path.to_owned(),
                names,
            }),
        }
    }

    /// The same for a plan: whose items it reads is decided as for a run, which may find that it is not clear.
    ///
    /// # Errors
    /// Where there is none, or it is none of ours, or can't be read.
    pub async fn open_to_plan(
        path: &Path,
        api_url: Option<&str>,
        whose: &Whose,
    ) -> Result<(Self, Option<Doubt>), Error> {
        let mut connection = open::for_reading(path).await?;
        if let Some(api_url) = api_url {
            open::check_address(&mut connection, path, api_url).await?;
        }
        let (account, doubt) = account::to_plan(&mut connection, whose).await?;
        let reader = Self {
            connection,
            account,
        };
        Ok((reader, doubt))
    }

    /// The same for what is asked of all accounts; whose items it reads is any one's.
    ///
    /// # Errors
    /// Where there is none, or it is none of ours, or can't be read.
    pub async fn open_any(path: &Path, api_url: Option<&str>) -> Result<Self, Error> {
        let mut connection = open::for_reading(path).await?;
        if let Some(api_url) = api_url {
            open::check_address(&mut connection, path, api_url).await?;
        }
        let account = sqlx::query_scalar("SELECT min(id) FROM accounts")
            .fetch_one(&mut connection)
            .await?;
        Ok(Self {
            connection,
            account,
        })
    }

    /// The account's row, whose items it reads.
    #[must_use]
    pub const fn account(&self) -> i64 {
        self.account
    }

    /// Closes it: what SQLite made to read by goes away.
    pub async fn close(self) {
        // It has nothing to write, so nothing is lost where that fails.
        let _ = self.connection.close().await;
    }

    /// Who runs on the journal at `path` now.
    #[must_use]
    pub fn holder(path: &Path) -> Option<Holder> {
        Lock::holder(path)
    }

    /// The API address that the journal is bound to.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn api_url(&mut self) -> Result<String, Error> {
        Ok(sqlx::query_scalar("SELECT api_url FROM journal")
            .fetch_one(&mut self.connection)
            .await?)
    }

    /// How many items are in each state.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn tally(&mut self) -> Result<Tally, Error> {
        tally(&mut self.connection, self.account).await
    }

    /// What earlier requests leave for the windows of a run now.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn past(&mut self, rates: &[Rate], now: Timestamp) -> Result<Past, Error> {
        queue::past(&mut self.connection, self.account, rates, now).await
    }

    /// The latest run.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn latest_run(&mut self) -> Result<Option<LatestRun>, Error> {
        let statement = "SELECT id, started, ended, exit_code, exit_reason, requests FROM runs ORDER BY id DESC LIMIT 1";
        let Some(row) = sqlx::query(statement)
            .fetch_optional(&mut self.connection)
            .await?
        else {
            return Ok(None);
        };
        Ok(Some(LatestRun {
            run_id: row.try_get("id")?,
            started: Timestamp(row.try_get("started")?),
            ended: row.try_get::<Option<i64>, _>("ended")?.map(Timestamp),
            exit_code: row.try_get("exit_code")?,
            exit_reason: row.try_get("exit_reason")?,
            requests: row.try_get("requests")?,
        }))
    }

    /// Why items failed: cause, count, and how many of them are dismissed.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn failures(&mut self) -> Result<Vec<(String, i64, i64)>, Error> {
        let statement = "SELECT coalesce(cause, 'unknown') AS cause, count(*) AS items, sum(dismissed) AS dismissed \
             FROM items INDEXED BY items_failed WHERE account_id = ? AND state = 3 GROUP BY 1 ORDER BY 2 DESC, 1";
        let rows = sqlx::query(statement)
            .bind(self.account)
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get("cause")?,
                    row.try_get("items")?,
                    row.try_get("dismissed")?,
                ))
            })
            .collect()
    }
}
