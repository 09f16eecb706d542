//! Reading a journal while a run may go on: counts, one item, the rows of a report.
//!
//! Owns a read-only connection of its own, which sees what was committed and hinders nobody.

use std::path::Path;

use serde_json::Value;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    Doubt, Error, Holder, Journal, Lock, Scope, Whose, account, is_whole, open, queue, run,
};
use crate::{
    item::{MediaId, State},
    metadata::Metadata,
    rate::{Past, Rate},
    row::{Form, Source},
    time::Timestamp,
};

/// How many items are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// To be sent.
    pub pending: u64,
    /// May have been sent.
    pub sending: u64,
    /// Accepted.
    pub done: u64,
    /// Failed, and nobody has dismissed it.
    pub failed: u64,
    /// Failed and dismissed.
    pub dismissed: u64,
}

impl Tally {
    /// Items that a run would send.
    #[must_use]
    pub const fn due(&self) -> u64 {
        self.pending + self.sending
    }

    /// Adds those of another one.
    pub const fn add(&mut self, other: &Self) {
        self.pending += other.pending;
        self.sending += other.sending;
        self.done += other.done;
        self.failed += other.failed;
        self.dismissed += other.dismissed;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.pending + self.sending + self.done + self.failed + self.dismissed
    }
}

/// A reader beside the run that may go on.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: SqliteConnection,
    /// Whose items it reads.
    pub(super) account: i64,
}

/// All that is known of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDetails {
    /// Its row as a report has it.
    pub export: Export,
    /// The digest of what is wanted.
    pub digest: String,
    /// When X accepted it last.
    pub accepted_at: Option<Timestamp>,
    /// When it was first seen, and changed last.
    pub seen: (Timestamp, Timestamp),
    /// What was sent of it earlier, as written, with when it was accepted where that is known.
    pub history: Vec<(String, Option<Timestamp>)>,
    /// Each attempt.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The item's how-many-th.
    pub number: i64,
    /// In which run.
    pub run_id: i64,
    /// When it started.
    pub started: Timestamp,
    /// When it ended, where that is known.
    pub ended: Option<Timestamp>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// Why.
    pub cause: Option<String>,
    /// What was said.
    pub detail: Option<String>,
}

/// An item as a report has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Its row, by which to go on.
    pub item_id: i64,
    /// Its media id.
    pub media_id: MediaId,
    /// Its state.
    pub state: State,
    /// Whether its failure was dismissed.
    pub dismissed: bool,
    /// What is wanted of it.
    pub wanted: Metadata,
    /// How often it was sent.
    pub attempts: i64,
    /// The last HTTP status.
    pub http_status: Option<u16>,
    /// Why it is as it is.
    pub cause: Option<String>,
    /// What was said.
    pub detail: Option<String>,
    /// The source's number, see [`Reader::sources`].
    pub source_id: i64,
    /// The line of the row last taken in.
    pub line: i64,
    /// Its cells that the metadata does not tell.
    pub carried: Option<Value>,
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

/// Counts by the indices of what is due and what failed: the rest is done, and is only counted. What may have been sent has
/// an attempt without an end.
macro_rules! tally_sql {
    ($items:literal, $scoped:literal) => {
        concat!(
            "SELECT (SELECT count(*) FROM ", $items, ") AS items, \
             (SELECT count(*) FROM items AS i INDEXED BY items_due ", $scoped, " WHERE i.account_id = ?1 AND i.state IN (0, 1)) AS due, \
             (SELECT count(DISTINCT t.item_id) FROM attempts AS t INDEXED BY attempts_open \
              CROSS JOIN items AS i ON i.id = t.item_id ", $scoped, " WHERE t.ended IS NULL AND i.state = 1 AND i.account_id = ?1) AS sending, \
             f.failed, f.dismissed FROM (SELECT count(*) AS failed, coalesce(sum(i.dismissed), 0) AS dismissed \
              FROM items AS i INDEXED BY items_failed ", $scoped, " WHERE i.account_id = ?1 AND i.state = 3) AS f"
        )
    };
}
const TALLY: &str = tally_sql!("items WHERE account_id = ?1", "");
const TALLY_OF_SCOPE: &str = tally_sql!(
    "temp.scope",
    "CROSS JOIN temp.scope AS s ON s.item_id = i.id"
);

const EXPORT: &str = concat!(
    "SELECT i.id, i.media_id, i.state, i.dismissed, i.wanted, i.attempts, i.http_status, i.cause, i.detail, i.source_id, \
     i.line, i.carried, i.digest, i.accepted, i.accepted_at, i.first_seen, i.updated, ",
    is_whole!(),
    " FROM items AS i"
);

impl Journal {
    /// How many items of the run's scope are in each state, and how many due ones are outside of it.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn tally(&mut self, account: i64, scope: Scope) -> Result<(Tally, u64), Error> {
        let everything = tally(&mut self.connection, account).await?;
        if scope == Scope::Everything {
            return Ok((everything, 0));
        }
        let tally = if run::scope_is_all(&mut self.connection, account).await? {
            everything
        } else {
            tally_of(TALLY_OF_SCOPE, &mut self.connection, account).await?
        };
        Ok((tally, everything.due().saturating_sub(tally.due())))
    }

    /// The items whose last attempt has no known outcome: how many, and the first of them.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn interrupted(&mut self) -> Result<(u64, Vec<String>), Error> {
        run::interrupted(&mut self.connection).await
    }
}

pub(super) async fn tally(connection: &mut SqliteConnection, account: i64) -> Result<Tally, Error> {
    tally_of(TALLY, connection, account).await
}

async fn tally_of(
    statement: &'static str,
    connection: &mut SqliteConnection,
    account: i64,
) -> Result<Tally, Error> {
    let row = sqlx::query(statement)
        .bind(account)
        .fetch_one(connection)
        .await?;
    let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    let (due, sending) = (count("due")?, count("sending")?);
    let (all_failed, dismissed) = (count("failed")?, count("dismissed")?);
    Ok(Tally {
        pending: due.saturating_sub(sending),
        sending,
        done: count("items")?.saturating_sub(due + all_failed),
        failed: all_failed.saturating_sub(dismissed),
        dismissed,
    })
}

/// Adds so many items of one state.
pub(super) fn read_into(tally: &mut Tally, row: &SqliteRow) -> Result<(), Error> {
    let items = row.try_get::<i64, _>("items")?.unsigned_abs();
    let dismissed: bool = row.try_get("dismissed")?;
    match State::from_code(row.try_get("state")?) {
        Some(State::Pending) => tally.pending += items,
        Some(State::Sending) => tally.sending += items,
        Some(State::Done) => tally.done += items,
        Some(State::Failed) if dismissed => tally.dismissed += items,
        Some(State::Failed) => tally.failed += items,
        None => return Err(Error::Damaged("an image's state".to_owned())),
    }
    Ok(())
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

    /// All that is known of one item.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn item(&mut self, media_id: &str) -> Result<Option<ItemDetails>, Error> {
        let statement = sqlx::AssertSqlSafe(format!(
            "{EXPORT} WHERE i.account_id = ? AND i.media_id = ?"
        ));
        let row = sqlx::query(statement)
            .bind(self.account)
            .bind(media_id)
            .fetch_optional(&mut self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let export = read_export(&row)?;
        let history =
            sqlx::query("SELECT metadata, accepted_at FROM history WHERE item_id = ? ORDER BY id")
                .bind(export.item_id)
                .fetch_all(&mut self.connection)
                .await?;
        let attempts = sqlx::query(
            "SELECT number, run_id, started, ended, http_status, cause, detail FROM attempts WHERE item_id = ? ORDER BY id",
        )
        .bind(export.item_id)
        .fetch_all(&mut self.connection)
        .await?;
        let moment = |row: &SqliteRow, name: &str| {
            row.try_get::<Option<i64>, _>(name)
                .map(|moment| moment.map(Timestamp))
        };
        let read_attempt = |row: &SqliteRow| {
            Ok::<_, Error>(Attempt {
                number: row.try_get("number")?,
                run_id: row.try_get("run_id")?,
                started: Timestamp(row.try_get("started")?),
                ended: moment(row, "ended")?,
                http_status: row.try_get("http_status")?,
                cause: row.try_get("cause")?,
                detail: row.try_get("detail")?,
            })
        };
        let read_history = |row: &SqliteRow| {
            Ok::<_, Error>((row.try_get("metadata")?, moment(row, "accepted_at")?))
        };
        Ok(Some(ItemDetails {
            digest: export.wanted.digest().to_string(),
            export,
            accepted_at: moment(&row, "accepted_at")?,
            seen: (
                Timestamp(row.try_get("first_seen")?),
                Timestamp(row.try_get("updated")?),
            ),
            history: history.iter().map(read_history).collect::<Result<_, _>>()?,
            attempts: attempts
                .iter()
                .map(read_attempt)
                .collect::<Result<_, _>>()?,
        }))
    }

    /// The sources that rows came from, by number.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn sources(&mut self) -> Result<Vec<(i64, Source)>, Error> {
        let rows = sqlx::query("SELECT id, name, form FROM sources ORDER BY id")
            .fetch_all(&mut self.connection)
            .await?;
        let read = |row: &SqliteRow| {
            let form: Value = serde_json::from_str(row.try_get("form")?).unwrap_or_default();
            let columns = form["columns"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned);
            let source = Source {
                name: row.try_get("name")?,
                form: match form["form"].as_str() {
                    Some("delimited") => Form::Delimited {
                        delimiter: form["delimiter"]
                            .as_str()
                            .and_then(|text| text.bytes().next())
                            .unwrap_or(b','),
                        mark: form["mark"] == true,
                    },
                    Some("workbook") => Form::Workbook,
                    _ => Form::JsonLines,
                },
                columns: columns.collect(),
                carried: Vec::new(),
            };
            Ok((row.try_get("id")?, source))
        };
        rows.iter().map(read).collect()
    }

    /// The next items of a report, after the row `after`, in the order in which they were first taken in.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn export(
        &mut self,
        state: Option<State>,
        after: i64,
        most: i64,
    ) -> Result<Vec<Export>, Error> {
        let filter = match state {
            None => "NOT INDEXED WHERE i.id > ?2 AND i.account_id = ?1",
            Some(State::Failed) => {
                "INDEXED BY items_failed WHERE i.account_id = ?1 AND i.state = 3 AND i.id > ?2"
            }
            Some(State::Pending) => {
                "INDEXED BY items_due WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.state = 0 AND i.id > ?2"
            }
            Some(State::Sending) => {
                "INDEXED BY items_due WHERE i.account_id = ?1 AND i.state IN (0, 1) AND i.state = 1 AND i.id > ?2"
            }
            Some(State::Done) => {
                "NOT INDEXED WHERE i.id > ?2 AND i.account_id = ?1 AND i.state = 2"
            }
        };
        let statement = sqlx::AssertSqlSafe(format!("{EXPORT} {filter} ORDER BY i.id LIMIT ?3"));
        let rows = sqlx::query(statement)
            .bind(self.account)
            .bind(after)
            .bind(most)
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter().map(read_export).collect()
    }
}

fn read_export(row: &SqliteRow) -> Result<Export, Error> {
    let media_id: &str = row.try_get("media_id")?;
    let damaged = |what: &str| Error::Damaged(format!("{what} of image {media_id}"));
    let carried: Option<&str> = row.try_get("carried")?;
    let (digest, accepted): (&[u8], Option<&[u8]>) =
        (row.try_get("digest")?, row.try_get("accepted")?);
    if row.try_get::<i64, _>("state")? == State::Done.code() && accepted != Some(digest) {
        return Err(damaged("the state"));
    }
    Ok(Export {
        item_id: row.try_get("id")?,
        state: State::from_code(row.try_get("state")?).ok_or_else(|| damaged("the state"))?,
        dismissed: row.try_get("dismissed")?,
        wanted: queue::whole(row, media_id)?,
        attempts: row.try_get("attempts")?,
        http_status: row.try_get("http_status")?,
        cause: row.try_get("cause")?,
        detail: row.try_get("detail")?,
        source_id: row.try_get("source_id")?,
        line: row.try_get("line")?,
        carried: carried.and_then(|json| serde_json::from_str(json).ok()),
        media_id: media_id.parse().map_err(|_| damaged("the id"))?,
    })
}
