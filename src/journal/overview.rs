//! The journal seen from afar: sums by account and time, outcomes over time, the windows' use, files and runs.
//!
//! Owns the sums that a report shows. Each is made where the rows are or while they stream by, so that memory does not
//! grow with them. Sums go by the start of a request, in UTC. A failure is counted where the item's last request was, so
//! that failures add up to those that stand in the journal now.

use std::{collections::VecDeque, str::FromStr, time::Duration};

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{DEFAULT_ACCOUNT, Error, Reader, Tally, reading};
use crate::time::Timestamp;

/// How many starts are read at a time.
const PAGE: i64 = 5_000;

/// Whether a request `t` was accepted: what was not has a cause.
macro_rules! accepted_sql {
    () => {
        "(t.ended IS NOT NULL AND t.cause IS NULL)"
    };
}

/// Whether a request `t` is the last one of an item `i` that is failed.
macro_rules! failed_sql {
    () => {
        "(i.state = 3 AND t.number = i.attempts)"
    };
}

/// By what a sum is parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The account that sent.
    Account,
    /// The month of the request's start, `2026-11`.
    Month,
    /// The day of the request's start, `2026-11-24`.
    Day,
    /// The request's cause; empty where it was accepted, or is on its way.
    Cause,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Account, Self::Month, Self::Day, Self::Cause];

    /// Its word, and the name of its column.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Month => "month",
            Self::Day => "day",
            Self::Cause => "cause",
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Account => "coalesce(a.handle, a.profile, a.user_id, 'default')",
            Self::Month => "strftime('%Y-%m', t.started / 1000, 'unixepoch')",
            Self::Day => "strftime('%Y-%m-%d', t.started / 1000, 'unixepoch')",
            Self::Cause => "coalesce(t.cause, '')",
        }
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(|dimension| dimension.word() == word.trim())
            .ok_or_else(|| {
                format!("{word:?} is nothing to sum by: name some of {known}, as in account,month")
            })
    }
}

/// What was sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sum {
    /// Of what it is the sum: a value for each dimension.
    pub of: Vec<String>,
    /// How many requests.
    pub requests: u64,
    /// What X may charge for them.
    pub dollars: f64,
    /// How many of them X accepted.
    pub done: u64,
    /// How many of them were the last ones of images that are failed.
    pub failed: u64,
}

/// The requests that started in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// When it begins.
    pub from: Timestamp,
    /// Accepted.
    pub done: u64,
    /// The last ones of images that are failed.
    pub failed: u64,
    /// Answered otherwise, and sent again since or still to be.
    pub again: u64,
    /// Without a known outcome.
    pub open: u64,
}

impl Bucket {
    /// How many requests it holds.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.done + self.failed + self.again + self.open
    }
}

/// How full a sliding window was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The most requests that any stretch ending in each bucket held.
    pub busiest: Vec<(Timestamp, u64)>,
    /// How many the stretch that ends now holds.
    pub now: u64,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSum {
    /// Its number.
    pub run_id: i64,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why.
    pub exit_reason: Option<String>,
    /// Its manifests, as a JSON array.
    pub sources: String,
    /// How many requests it made.
    pub requests: i64,
    /// How many images became done in it.
    pub done: i64,
    /// How many failed in it.
    pub failed: i64,
    /// What it cost at most.
    pub dollars: f64,
}

impl Reader {
    /// From here on this reader sees the journal as it is now, whatever a run writes meanwhile.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn hold(&mut self) -> Result<(), Error> {
        sqlx::query("BEGIN").execute(&mut self.connection).await?;
        // The moment is that of the first look.
        sqlx::query("SELECT id FROM journal")
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(())
    }

    /// What was sent, parted by `dimensions`, of all accounts.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn sums(&mut self, dimensions: &[Dimension]) -> Result<Vec<Sum>, Error> {
        let of: String = dimensions
            .iter()
            .map(|dimension| format!("{}, ", dimension.sql()))
            .collect();
        let by: Vec<String> = (1..=dimensions.len())
            .map(|number| number.to_string())
            .collect();
        let grouped = if by.is_empty() {
            String::new()
        } else {
            format!("GROUP BY {0} ORDER BY {0}", by.join(", "))
        };
        let statement = format!(
            "SELECT {of} count(*) AS requests, coalesce(sum(t.spent * r.price), 0.0) AS dollars, \
             count(*) FILTER (WHERE {}) AS done, count(*) FILTER (WHERE {}) AS failed \
             FROM attempts AS t JOIN runs AS r ON r.id = t.run_id JOIN accounts AS a ON a.id = r.account_id \
             JOIN items AS i ON i.id = t.item_id {grouped}",
            accepted_sql!(),
            failed_sql!(),
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut self.connection)
            .await?;
        let read = |row: &SqliteRow| {
            let of = (0..dimensions.len()).map(|column| row.try_get(column));
            Ok(Sum {
                of: of.collect::<Result<_, _>>()?,
                requests: count(row, "requests")?,
                dollars: row.try_get("dollars")?,
                done: count(row, "done")?,
                failed: count(row, "failed")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// When the first request started and the last one, where there was any.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let row = sqlx::query("SELECT min(started) AS first, max(started) AS last FROM attempts")
            .fetch_one(&mut self.connection)
            .await?;
        let (first, last): (Option<i64>, Option<i64>) =
            (row.try_get("first")?, row.try_get("last")?);
        Ok(first.map(Timestamp).zip(last.map(Timestamp)))
    }

    /// What came of requests, by stretches of `width` in which there were any.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn over_time(&mut self, width: Duration) -> Result<Vec<Bucket>, Error> {
        let statement = concat!(
            "SELECT t.started / ?1 * ?1 AS at, count(*) FILTER (WHERE ",
            accepted_sql!(),
            ") AS done, count(*) FILTER (WHERE ",
            failed_sql!(),
            ") AS failed, count(*) FILTER (WHERE t.ended IS NULL) AS open, count(*) AS requests \
             FROM attempts AS t JOIN items AS i ON i.id = t.item_id GROUP BY at ORDER BY at"
        );
        let rows = sqlx::query(statement)
            .bind(milliseconds(width))
            .fetch_all(&mut self.connection)
            .await?;
        let read = |row: &SqliteRow| {
            let (done, failed, open) = (
                count(row, "done")?,
                count(row, "failed")?,
                count(row, "open")?,
            );
            Ok(Bucket {
                from: Timestamp(row.try_get("at")?),
                done,
                failed,
                again: count(row, "requests")?.saturating_sub(done + failed + open),
                open,
            })
        };
        rows.iter().map(read).collect()
    }

    /// How full a window of the length `window` was over time, by stretches of `width`; of one account, or of all.
    ///
    /// It is read twice, once for what enters the window and once for what leaves it.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn usage(
        &mut self,
        window: Duration,
        of_all: bool,
        width: Duration,
        now: Timestamp,
    ) -> Result<Usage, Error> {
        let width = milliseconds(width).max(1);
        let account = (!of_all).then_some(DEFAULT_ACCOUNT);
        let (mut entering, mut leaving) = (Starts::of(account), Starts::of(account));
        let mut usage = Usage::default();
        let mut inside = 0_u64;
        let mut bucket = None;
        while let Some(started) = entering.next(&mut self.connection).await? {
            let own = started.div_euclid(width) * width;
            // A clock that was set back does not make the chart begin anew.
            let mut at = bucket.unwrap_or(own);
            if bucket.is_none() {
                usage.busiest.push((Timestamp(own), 0));
            }
            while at < own {
                at += width;
                inside -= leaving
                    .pass(&mut self.connection, Timestamp(at) - window, inside)
                    .await?;
                usage.busiest.push((Timestamp(at), inside));
            }
            bucket = Some(at);
            inside -= leaving
                .pass(&mut self.connection, Timestamp(started) - window, inside)
                .await?;
            inside += 1;
            if let Some((_, most)) = usage.busiest.last_mut() {
                *most = inside.max(*most);
            }
        }
        usage.now = inside
            - leaving
                .pass(&mut self.connection, now - window, inside)
                .await?;
        Ok(usage)
    }

    /// How the items of each source stand.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn by_source(&mut self) -> Result<Vec<(i64, Tally)>, Error> {
        let statement = "SELECT source_id, state, dismissed, count(*) AS items FROM items WHERE account_id = ? \
             GROUP BY source_id, state, dismissed ORDER BY source_id";
        let rows = sqlx::query(statement)
            .bind(DEFAULT_ACCOUNT)
            .fetch_all(&mut self.connection)
            .await?;
        let mut tallies: Vec<(i64, Tally)> = Vec::new();
        for row in &rows {
            let source: i64 = row.try_get("source_id")?;
            if tallies.last().is_none_or(|(last, _)| *last != source) {
                tallies.push((source, Tally::default()));
            }
            if let Some((_, tally)) = tallies.last_mut() {
                reading::read_into(tally, row)?;
            }
        }
        Ok(tallies)
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn runs(&mut self, most: i64) -> Result<Vec<RunSum>, Error> {
        let statement = "SELECT id, started, ended, exit_reason, sources, requests, done, failed, spent * price AS dollars \
             FROM runs WHERE account_id = ? ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(statement)
            .bind(DEFAULT_ACCOUNT)
            .bind(most)
            .fetch_all(&mut self.connection)
            .await?;
        let read = |row: &SqliteRow| {
            Ok(RunSum {
                run_id: row.try_get("id")?,
                started: Timestamp(row.try_get("started")?),
                ended: row.try_get::<Option<i64>, _>("ended")?.map(Timestamp),
                exit_reason: row.try_get("exit_reason")?,
                sources: row.try_get("sources")?,
                requests: row.try_get("requests")?,
                done: row.try_get("done")?,
                failed: row.try_get("failed")?,
                dollars: row.try_get("dollars")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// The starts of requests in their order, a page at a time.
struct Starts {
    account: Option<i64>,
    page: VecDeque<i64>,
    after: Option<i64>,
}

impl Starts {
    const fn of(account: Option<i64>) -> Self {
        Self {
            account,
            page: VecDeque::new(),
            after: Some(0),
        }
    }

    /// The next one, which stays where it is.
    async fn peek(&mut self, connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
        if let (true, Some(after)) = (self.page.is_empty(), self.after) {
            let statement = "SELECT t.id, t.started FROM attempts AS t CROSS JOIN runs AS r ON r.id = t.run_id \
                 WHERE t.id > ? AND (?2 IS NULL OR r.account_id = ?2) ORDER BY t.id LIMIT ?3";
            let rows = sqlx::query(statement)
                .bind(after)
                .bind(self.account)
                .bind(PAGE)
                .fetch_all(connection)
                .await?;
            self.after = rows.last().map(|row| row.try_get("id")).transpose()?;
            for row in &rows {
                self.page.push_back(row.try_get("started")?);
            }
        }
        Ok(self.page.front().copied())
    }

    async fn next(&mut self, connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
        let next = self.peek(connection).await?;
        self.page.pop_front();
        Ok(next)
    }

    /// Goes past those that started at `end` or before, `most` at most, and tells how many.
    async fn pass(
        &mut self,
        connection: &mut SqliteConnection,
        end: Timestamp,
        most: u64,
    ) -> Result<u64, Error> {
        let mut passed = 0;
        while passed < most
            && let Some(started) = self.peek(connection).await?
            && started <= end.0
        {
            self.page.pop_front();
            passed += 1;
        }
        Ok(passed)
    }
}

fn count(row: &SqliteRow, name: &str) -> Result<u64, Error> {
    Ok(row.try_get::<i64, _>(name)?.unsigned_abs())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
