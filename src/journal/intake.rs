//! Taking manifests in: one transaction, in batches, of which either everything stands in the journal or nothing.
//!
//! Owns the transaction, and what was counted in it. Rows that are alike are taken in by [`super::bulk`], the others by
//! [`super::entries`]. Which items the manifests name is kept in a temporary table of the connection, which this run's
//! queries join: it costs no memory, and ends with the run.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{Connection, Sqlite, Transaction};

use super::{Batch, Error, Journal, bulk::Bulk, overlay::Duplicates};
use crate::{
    item::MediaId,
    row::{Form, Source},
    time::Timestamp,
};

/// What was taken in, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that name no field.
    pub empty: u64,
    /// Rows of items that the journal did not know.
    pub new: u64,
    /// Rows by which the item's digest differs from before.
    pub changed: u64,
    /// Rows by which it does not.
    pub unchanged: u64,
    /// Of the unchanged ones those whose item has failed.
    pub failed_before: u64,
    /// Items that were done before.
    pub done_before: u64,
    /// Of the changed ones those that would send accepted fields anew with other values.
    pub resends: u64,
}

/// A row that contradicts an earlier one of the same run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The row's line.
    pub line: u64,
    /// Its id.
    pub media_id: MediaId,
    /// The field.
    pub field: &'static str,
    /// The manifest and line of the earlier row.
    pub earlier: (String, u64),
}

/// A transaction that takes manifests in. Dropped, it leaves the journal as it was.
#[derive(Debug)]
pub struct Intake<'j> {
    pub(super) transaction: Transaction<'j, Sqlite>,
    pub(super) account: i64,
    pub(super) now: Timestamp,
    pub(super) duplicates: Duplicates,
    pub(super) counts: Counts,
    pub(super) next_item: i64,
    pub(super) bulk: Bulk,
    pub(super) sources: HashMap<i64, String>,
    /// Whether items are known below that are not known here.
    pub(super) is_over: bool,
    pub(super) resent: Vec<Resent>,
}

/// A done item whose accepted fields would be sent anew with other values.
#[derive(Debug, Clone, PartialEq)]
pub struct Resent {
    /// Its id.
    pub media_id: MediaId,
    /// The first such field, as it was accepted.
    pub old: Value,
    /// The same as it is wanted now; null where it is withdrawn.
    pub new: Value,
    /// The field.
    pub field: &'static str,
}

impl Journal {
    /// Begins to take manifests in for `account`.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn intake(
        &mut self,
        account: i64,
        duplicates: Duplicates,
        now: Timestamp,
    ) -> Result<Intake<'_>, Error> {
        for statement in [
            "CREATE TEMP TABLE IF NOT EXISTS scope (item_id INTEGER PRIMARY KEY, named INTEGER NOT NULL, \
             held INTEGER NOT NULL DEFAULT 0, batch INTEGER NOT NULL DEFAULT 0, was INTEGER) STRICT",
            "CREATE TEMP TABLE IF NOT EXISTS held (media_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
        ] {
            sqlx::query(statement).execute(&mut self.connection).await?;
        }
        let is_over = self.is_over;
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let last = if is_over {
            "SELECT coalesce(max(id), 0) + 1 FROM old.items"
        } else {
            // Attempts of an item that was lost are nobody else's.
            "SELECT 1 + max(coalesce((SELECT max(id) FROM items), 0), coalesce((SELECT max(item_id) FROM attempts), 0))"
        };
        let next_item = sqlx::query_scalar(last)
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Intake {
            transaction,
            account,
            now,
            duplicates,
            counts: Counts::default(),
            next_item,
            bulk: Bulk::new(next_item == 1),
            sources: HashMap::new(),
            is_over,
            resent: Vec::new(),
        })
    }
}

impl Intake<'_> {
    /// Makes a manifest known; its rows are taken in under the number returned.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn source(&mut self, source: &Source) -> Result<i64, Error> {
        let form = serde_json::json!({
            "form": match source.form {
                Form::Delimited { .. } => "delimited",
                Form::JsonLines => "json-lines",
                Form::Workbook => "workbook",
            },
            "delimiter": match source.form {
                Form::Delimited { delimiter, .. } => Some(char::from(delimiter)),
                _ => None,
            },
            "mark": matches!(source.form, Form::Delimited { mark: true, .. }),
            "columns": source.columns,
        });
        // A cron job brings the same manifest again and again: it is one source.
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO sources (name, form) VALUES (?, ?) ON CONFLICT (name, form) DO UPDATE SET name = name RETURNING id",
        )
        .bind(&source.name)
        .bind(form.to_string())
        .fetch_one(&mut *self.transaction)
        .await?;
        self.sources.insert(id, source.name.clone());
        Ok(id)
    }

    /// Takes a batch of rows in, and returns those that contradict an earlier row.
    ///
    /// # Errors
    /// Where the journal can't be read or written.
    pub async fn take(&mut self, source: i64, batch: &Batch) -> Result<Vec<Conflict>, Error> {
        self.counts.empty += batch.empty;
        if batch.rows.is_empty() {
            return Ok(Vec::new());
        }
        if self.is_over {
            let ids = batch.rows.iter().map(|row| row.media_id.as_str());
            let ids = json_array(ids)?;
            self.copy_from_below(&ids).await?;
        }
        let rest = self.take_alike(source, batch).await?;
        if rest.is_empty() {
            return Ok(Vec::new());
        }
        let (before, all) = (self.counts, rest.len() as u64);
        let conflicts = self.take_each(source, &rest).await?;
        let new = self.counts.new - before.new;
        let unchanged = self.counts.unchanged - before.unchanged;
        self.bulk.learn(all, new, unchanged);
        Ok(conflicts)
    }

    /// Items of which a row is invalid: they are not sent in this run, not even with what an earlier row wanted.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn hold(&mut self, media_ids: &[MediaId]) -> Result<(), Error> {
        for media_id in media_ids {
            sqlx::query("INSERT INTO temp.held (media_id) VALUES (?) ON CONFLICT DO NOTHING")
                .bind(media_id.as_str())
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    /// The first of the done items whose accepted fields would be sent anew.
    #[must_use]
    pub fn resent(&self) -> &[Resent] {
        &self.resent
    }

    /// What was taken in so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Marks the held items in the scope; called once all rows are in.
    pub(super) async fn settle_held(&mut self) -> Result<(), Error> {
        sqlx::query(
            "UPDATE temp.scope SET held = 1 WHERE item_id IN \
             (SELECT i.id FROM temp.held AS h CROSS JOIN items AS i ON i.account_id = ? AND i.media_id = h.media_id)",
        )
        .bind(self.account)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Leaves the journal as it was.
    ///
    /// # Errors
    /// Where SQLite can't undo it.
    pub async fn undo(self) -> Result<(), Error> {
        Ok(self.transaction.rollback().await?)
    }
}

/// Texts as a JSON array, which SQLite reads as a table.
pub(super) fn json_array<'t>(texts: impl Iterator<Item = &'t str>) -> Result<String, Error> {
    let texts: Vec<&str> = texts.collect();
    serde_json::to_string(&texts).map_err(|error| Error::Damaged(error.to_string()))
}
