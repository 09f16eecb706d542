//! The journal seen from afar: sums by account and time, outcomes over time, files and runs.
//!
//! Owns the sums that a report shows. Each is made where the rows are, so that memory does not grow with them. Sums go by the start of a request, in UTC. A failure is counted where the item's last request was, so
//! that failures add up to those that stand in the journal now.

use std::{str::FromStr, time::Duration};

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Error, Reader, Tally, tally};
use crate::time::Timestamp;

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

    /// What was sent, parted by `dimensions`, of one account, or of all.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn sums(
        &mut self,
        dimensions: &[Dimension],
        account: Option<i64>,
    ) -> Result<Vec<Sum>, Error> {
        let of: Vec<_> = dimensions
            .iter()
            .flat_map(|dimension| [dimension.sql(), ", "])
            .collect();
        let of = of.concat();
        let by: Vec<String> = (1..=dimensions.len())
            .map(|number| number.to_string())
            .collect();
        let grouped = if by.is_empty() {
            String::new()
        } else {
            format!("GROUP BY {0} ORDER BY {0}", by.join(", "))
        };
        // Look-ups of users were for no item; they cost all the same.
        let statement = format!(
            "SELECT {of} sum(t.requests) AS requests, total(t.dollars) AS dollars, sum(t.done) AS done, \
             sum(t.failed) AS failed FROM (SELECT r.account_id, t.started, t.cause, 1 AS requests, \
             t.spent * r.price AS dollars, {} AS done, {} AS failed \
             FROM attempts AS t JOIN runs AS r ON r.id = t.run_id JOIN items AS i ON i.id = t.item_id \
             UNION ALL SELECT account_id, started, NULL, 0, lookups, 0, 0 FROM runs WHERE lookups > 0) AS t \
             JOIN accounts AS a ON a.id = t.account_id WHERE (?1 IS NULL OR a.id = ?1) {grouped}",
            accepted_sql!(),
            failed_sql!(),
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(account)
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

    /// The account's name, as the views have it.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn account_name(&mut self) -> Result<String, Error> {
        let statement =
            "SELECT coalesce(handle, profile, user_id, 'default') FROM accounts WHERE id = ?";
        Ok(sqlx::query_scalar(statement)
            .bind(self.account)
            .fetch_one(&mut self.connection)
            .await?)
    }

    /// When the first request started and the last one, where there was any.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let row = sqlx::query("SELECT min(t.started) AS first, max(t.started) AS last FROM attempts AS t JOIN runs AS r ON r.id = t.run_id WHERE r.account_id = ?")
            .bind(self.account)
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
             FROM attempts AS t JOIN items AS i ON i.id = t.item_id WHERE i.account_id = ?2 GROUP BY at ORDER BY at"
        );
        let rows = sqlx::query(statement)
            .bind(milliseconds(width))
            .bind(self.account)
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

    /// How the items of each source stand.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn by_source(&mut self) -> Result<Vec<(i64, Tally)>, Error> {
        let statement = "SELECT source_id, state, dismissed, count(*) AS items FROM items WHERE account_id = ? \
             GROUP BY source_id, state, dismissed ORDER BY source_id";
        let rows = sqlx::query(statement)
            .bind(self.account)
            .fetch_all(&mut self.connection)
            .await?;
        let mut tallies: Vec<(i64, Tally)> = Vec::new();
        for row in &rows {
            let source: i64 = row.try_get("source_id")?;
            if tallies.last().is_none_or(|(last, _)| *last != source) {
                tallies.push((source, Tally::default()));
            }
            if let Some((_, tally)) = tallies.last_mut() {
                tally::read_into(tally, row)?;
            }
        }
        Ok(tallies)
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn runs(&mut self, most: i64) -> Result<Vec<RunSum>, Error> {
        let statement = "SELECT id, started, ended, exit_reason, sources, requests, done, failed, spent * price + lookups AS dollars \
             FROM runs WHERE account_id = ? ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(statement)
            .bind(self.account)
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

fn count(row: &SqliteRow, name: &str) -> Result<u64, Error> {
    Ok(row.try_get::<i64, _>(name)?.unsigned_abs())
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::*;
    use crate::journal::{Journal, Lock};

    /// A moment in January 2026, and one in February.
    const JANUARY: i64 = 1_768_000_000_000;
    const FEBRUARY: i64 = 1_770_000_000_000;

    /// A journal with these rows in it, and a reader on it.
    pub(in crate::journal) async fn reader(rows: &str) -> (tempfile::TempDir, Journal, Reader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let lock = Lock::take(&path).unwrap();
        let mut journal = Journal::open(&path, "sandbox", lock).await.unwrap();
        let of_all = "INSERT INTO accounts (id, handle) VALUES (2, 'museum'); \
             INSERT INTO sources VALUES (1, 'm.csv', '{}'); \
             INSERT INTO runs (id, account_id, started, sources, price, timeout, version) VALUES \
             (1, 1, 0, '[]', 0.005, 30000, ''), (2, 2, 0, '[]', 0.01, 30000, '');";
        write(
            &mut journal.connection,
            &format!("BEGIN; {of_all}{rows} COMMIT;"),
        )
        .await;
        let reader = Reader::open_any(&path, None).await.unwrap();
        (folder, journal, reader)
    }

    async fn write(connection: &mut SqliteConnection, statements: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
            .execute(connection)
            .await
            .unwrap();
    }

    pub(in crate::journal) fn item(id: i64, state: i64, attempts: i64) -> String {
        format!(
            "INSERT INTO items (id, account_id, media_id, wanted, digest, state, attempts, source_id, line, first_seen, updated) \
             VALUES ({id}, 1, '{id}', '{{}}', x'', {state}, {attempts}, 1, {id}, 0, 0);"
        )
    }

    /// An attempt that ended at once, with a cause where it was not accepted.
    pub(in crate::journal) fn attempt(
        item: i64,
        run: i64,
        number: i64,
        started: i64,
        cause: Option<&str>,
    ) -> String {
        let spent = i64::from(cause.is_none());
        let cause = cause.map_or("NULL".to_owned(), |cause| format!("'{cause}'"));
        format!(
            "INSERT INTO attempts (item_id, run_id, number, digest, started, ended, cause, spent) \
             VALUES ({item}, {run}, {number}, x'', {started}, {started}, {cause}, {spent});"
        )
    }

    #[tokio::test]
    async fn sums_are_by_account_and_month_and_a_failure_counts_where_it_stands() {
        let rows = [
            item(1, 2, 1),
            item(2, 2, 2),
            item(3, 3, 2),
            attempt(1, 1, 1, JANUARY, None),
            attempt(2, 1, 1, JANUARY, Some("server-error")),
            attempt(3, 1, 1, JANUARY, Some("resource-not-found")),
            attempt(2, 1, 2, FEBRUARY, None),
            attempt(3, 2, 2, FEBRUARY, Some("resource-not-found")),
        ];
        let lookup = "UPDATE runs SET started = 1770000000000, lookups = 0.1 WHERE id = 2;";
        let (_folder, _journal, mut reader) = reader(&(rows.concat() + lookup)).await;
        let by = [Dimension::Account, Dimension::Month];
        let sums = reader.sums(&by, None).await.unwrap();
        let sum = |account: &str, month: &str, requests, dollars, done, failed| Sum {
            of: vec![account.to_owned(), month.to_owned()],
            requests,
            dollars,
            done,
            failed,
        };
        assert_eq!(
            sums,
            [
                sum("default", "2026-01", 3, 0.005, 1, 0),
                sum("default", "2026-02", 1, 0.005, 1, 0),
                sum("museum", "2026-02", 1, 0.1, 0, 1),
            ]
        );
        let by_cause = reader.sums(&[Dimension::Cause], Some(1)).await.unwrap();
        let causes: Vec<_> = by_cause
            .iter()
            .map(|sum| (sum.of[0].as_str(), sum.requests))
            .collect();
        assert_eq!(
            causes,
            [("", 2), ("resource-not-found", 1), ("server-error", 1)]
        );
    }

    #[tokio::test]
    async fn outcomes_over_time_tell_each_request_once() {
        let open = "INSERT INTO attempts (item_id, run_id, number, digest, started, cause, spent) \
             VALUES (4, 1, 1, x'', 2500, 'interrupted', 1);";
        let rows = [
            item(1, 2, 2),
            item(3, 3, 1),
            item(4, 1, 1),
            attempt(1, 1, 1, 0, Some("timeout")),
            attempt(3, 1, 1, 999, Some("redirect")),
            attempt(1, 1, 2, 1_000, None),
            open.to_owned(),
        ];
        let (_folder, _journal, mut reader) = reader(&rows.concat()).await;
        assert_eq!(
            reader.span().await.unwrap(),
            Some((Timestamp(0), Timestamp(2_500)))
        );
        let buckets = reader.over_time(Duration::from_secs(1)).await.unwrap();
        let told: Vec<_> = buckets
            .iter()
            .map(|bucket| {
                (
                    bucket.from.0,
                    bucket.done,
                    bucket.failed,
                    bucket.again,
                    bucket.open,
                )
            })
            .collect();
        assert_eq!(
            told,
            [(0, 0, 1, 1, 0), (1_000, 1, 0, 0, 0), (2_000, 0, 0, 0, 1)]
        );
        assert_eq!(buckets.iter().map(Bucket::requests).sum::<u64>(), 4);
    }

    #[tokio::test]
    async fn a_held_reader_sees_one_moment_while_a_run_goes_on() {
        let (_folder, mut journal, mut reader) = reader(&item(1, 0, 0)).await;
        reader.hold().await.unwrap();
        write(&mut journal.connection, &item(2, 0, 0)).await;
        assert_eq!(reader.tally().await.unwrap().total(), 1);
        let by_source = reader.by_source().await.unwrap();
        assert_eq!((by_source.len(), by_source[0].1.pending), (1, 1));
        reader.connection.close().await.unwrap();
    }
}
