//! Items as reports have them, and all that is known of one of them.
//!
//! Owns what a reader takes out of the journal item by item; each is whole, or an error that names it.

use serde_json::Value;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Error, Reader, is_whole, queue};
use crate::{
    item::{MediaId, State},
    metadata::Metadata,
    row::{Form, Source},
    time::Timestamp,
};

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

const EXPORT: &str = concat!(
    "SELECT i.id, i.media_id, i.state, i.dismissed, i.wanted, i.attempts, i.http_status, i.cause, i.detail, i.source_id, \
     i.line, i.carried, i.digest, i.accepted, i.accepted_at, i.first_seen, i.updated, ",
    is_whole!(),
    " FROM items AS i"
);

impl Reader {
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
