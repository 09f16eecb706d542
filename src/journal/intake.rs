//! Taking manifests in: one transaction, in batches, of which either everything stands in the journal or nothing.
//!
//! Owns the transaction and its SQL. What a row means for its item is [`super::overlay`]'s. Which items the manifests
//! name is kept in a temporary table of the connection, which this run's queries join: it costs no memory, and ends with
//! the run.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{Connection, QueryBuilder, Row as _, Sqlite, Transaction};

use super::{
    Batch, Error, Journal,
    batch::line,
    bulk::Bulk,
    overlay::{Contradiction, Duplicates, Effect, Known, lay_over},
};
use crate::{
    item::{MediaId, State},
    metadata::{Digest, FieldSet, Metadata},
    row::{Form, Row, Source},
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
    duplicates: Duplicates,
    pub(super) counts: Counts,
    pub(super) next_item: i64,
    pub(super) bulk: Bulk,
    sources: HashMap<i64, String>,
    /// Whether items are known below that are not known here.
    pub(super) is_over: bool,
    resent: Vec<Resent>,
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

/// How many of them are shown.
const SHOWN: usize = 5;

/// An item of a batch, with where it stands.
struct Entry {
    id: Option<i64>,
    known: Option<Known>,
    stored: Option<Stored>,
    place: Option<Place>,
    /// Whether a row of this batch has been laid over it.
    is_touched: bool,
}

/// What of the stored row may have to be kept or compared.
struct Stored {
    wanted: String,
    digest: Digest,
    accepted: Option<Digest>,
    accepted_at: Option<i64>,
    state: State,
    place: Place,
}

/// The row last taken in: source, line and carried cells.
#[derive(PartialEq, Clone)]
struct Place {
    source: i64,
    line: i64,
    carried: Option<Box<str>>,
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

    /// Takes rows in one by one, as far as what each means is concerned; they are read and written together.
    async fn take_each(&mut self, source: i64, rows: &[&Row]) -> Result<Vec<Conflict>, Error> {
        let mut entries = self.read(rows).await?;
        let mut conflicts = Vec::new();
        // The order in which items came up, so that new ones get their numbers in the order of the manifest.
        let mut order: Vec<&MediaId> = Vec::with_capacity(rows.len());
        for row in rows {
            let entry = entries.entry(&row.media_id).or_insert_with(|| Entry {
                id: None,
                known: None,
                stored: None,
                place: None,
                is_touched: false,
            });
            let was_done = entry.known.as_ref().is_some_and(|known| {
                known.state == State::Done && known.named == FieldSet::default()
            });
            self.counts.done_before += u64::from(was_done);
            match lay_over(&mut entry.known, &row.patch, self.duplicates) {
                Ok(effect) => {
                    match effect {
                        Effect::New => self.counts.new += 1,
                        Effect::Changed { resent } => {
                            self.counts.changed += 1;
                            self.counts.resends += u64::from(resent.is_some());
                            let resent = resent.filter(|_| self.resent.len() < SHOWN);
                            if let (Some((field, old)), Some(known)) = (resent, &entry.known) {
                                let new = known.wanted.get(field).cloned().unwrap_or_default();
                                let (media_id, field) = (row.media_id.clone(), field.name());
                                self.resent.push(Resent {
                                    media_id,
                                    old,
                                    new,
                                    field,
                                });
                            }
                        }
                        Effect::Unchanged => {
                            let has_failed = entry
                                .known
                                .as_ref()
                                .is_some_and(|known| known.state == State::Failed);
                            self.counts.unchanged += 1;
                            self.counts.failed_before += u64::from(has_failed);
                        }
                    }
                    entry.place = Some(Place {
                        source,
                        line: line(row),
                        carried: row.carried.clone(),
                    });
                    if !std::mem::replace(&mut entry.is_touched, true) {
                        order.push(&row.media_id);
                    }
                }
                Err(Contradiction { field }) => {
                    let earlier = entry
                        .place
                        .as_ref()
                        .or(entry.stored.as_ref().map(|stored| &stored.place));
                    let earlier = earlier.map_or((String::new(), 0), |place| {
                        let name = self.sources.get(&place.source).cloned().unwrap_or_default();
                        (name, u64::try_from(place.line).unwrap_or(0))
                    });
                    conflicts.push(Conflict {
                        line: row.line,
                        media_id: row.media_id.clone(),
                        field,
                        earlier,
                    });
                }
            }
        }
        self.write(&entries, &order).await?;
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

    /// Reads what the journal knows of the items of a batch.
    async fn read<'r>(&mut self, rows: &[&'r Row]) -> Result<HashMap<&'r MediaId, Entry>, Error> {
        let mut entries = HashMap::with_capacity(rows.len());
        let ids = json_array(rows.iter().map(|row| row.media_id.as_str()))?;
        let found = sqlx::query(
            "SELECT i.id, i.media_id, i.wanted, i.digest, i.accepted, i.accepted_at, i.state, i.source_id, i.line, i.carried, \
             coalesce(s.named, 0) AS named \
             FROM json_each(?) AS j CROSS JOIN items AS i ON i.account_id = ? AND i.media_id = j.value \
             LEFT JOIN temp.scope AS s ON s.item_id = i.id",
        )
        .bind(ids)
        .bind(self.account)
        .fetch_all(&mut *self.transaction)
        .await?;
        let by_text: HashMap<&str, &MediaId> = rows
            .iter()
            .map(|row| (row.media_id.as_str(), &row.media_id))
            .collect();
        for row in found {
            let media_id: String = row.try_get("media_id")?;
            let Some(key) = by_text.get(media_id.as_str()) else {
                continue;
            };
            let damaged = |what: &str| Error::Damaged(format!("{what} of image {media_id}"));
            let wanted: String = row.try_get("wanted")?;
            let digest = Digest::from_bytes(row.try_get("digest")?)
                .ok_or_else(|| damaged("the checksum"))?;
            let accepted: Option<&[u8]> = row.try_get("accepted")?;
            let accepted = accepted.and_then(Digest::from_bytes);
            let state =
                State::from_code(row.try_get("state")?).ok_or_else(|| damaged("the state"))?;
            let named = FieldSet(row.try_get::<u16, _>("named")?);
            let metadata = Metadata::from_json(&wanted).ok_or_else(|| damaged("the metadata"))?;
            let carried: Option<String> = row.try_get("carried")?;
            let place = Place {
                source: row.try_get("source_id")?,
                line: row.try_get("line")?,
                carried: carried.map(String::into_boxed_str),
            };
            let accepted_at = row.try_get("accepted_at")?;
            let known = Known {
                wanted: metadata,
                digest,
                accepted,
                state,
                named,
            };
            let stored = Stored {
                wanted,
                digest,
                accepted,
                accepted_at,
                state,
                place,
            };
            entries.insert(
                *key,
                Entry {
                    id: Some(row.try_get("id")?),
                    known: Some(known),
                    stored: Some(stored),
                    place: None,
                    is_touched: false,
                },
            );
        }
        Ok(entries)
    }

    /// Writes what a batch has changed, and nothing else.
    async fn write(
        &mut self,
        entries: &HashMap<&MediaId, Entry>,
        order: &[&MediaId],
    ) -> Result<(), Error> {
        let now = self.now.0;
        let (mut scoped, mut fresh, mut changed, mut moved, mut replaced) =
            (vec![], vec![], vec![], vec![], vec![]);
        for media_id in order {
            let Some(Entry {
                id,
                known: Some(known),
                stored,
                place: Some(place),
                ..
            }) = entries.get(media_id)
            else {
                continue;
            };
            let item_id = id.unwrap_or_else(|| {
                self.next_item += 1;
                self.next_item - 1
            });
            scoped.push((item_id, known.named));
            match stored {
                None => fresh.push((item_id, media_id.as_str(), known, place)),
                Some(stored) if stored.digest != known.digest => {
                    // What was sent of it stays told, as it was written.
                    let was_accepted = stored.accepted == Some(stored.digest);
                    if was_accepted || stored.state == State::Sending {
                        replaced.push((item_id, stored, was_accepted));
                    }
                    changed.push((item_id, media_id.as_str(), known, place));
                }
                Some(stored) if stored.place != *place => moved.push((item_id, place)),
                Some(_) => {}
            }
        }
        if !replaced.is_empty() {
            let mut query = QueryBuilder::new(
                "INSERT INTO history (item_id, metadata, digest, accepted_at, replaced) ",
            );
            query.push_values(replaced, |mut row, (item_id, stored, was_accepted)| {
                row.push_bind(item_id)
                    .push_bind(stored.wanted.as_str())
                    .push_bind(stored.digest.0.to_vec());
                row.push_bind(stored.accepted_at.filter(|_| was_accepted))
                    .push_bind(now);
            });
            let query = query.build().persistent(false);
            query.execute(&mut *self.transaction).await?;
        }
        for (items, on_conflict) in [
            (fresh, ""),
            (
                changed,
                " ON CONFLICT (id) DO UPDATE SET wanted = excluded.wanted, digest = excluded.digest, \
                 state = excluded.state, failures = 0, passing_runs = 0, not_before = NULL, http_status = NULL, \
                 cause = NULL, detail = NULL, dismissed = 0, source_id = excluded.source_id, line = excluded.line, \
                 carried = excluded.carried, updated = excluded.updated",
            ),
        ] {
            if items.is_empty() {
                continue;
            }
            let mut query = QueryBuilder::new(
                "INSERT INTO items (id, account_id, media_id, wanted, digest, state, source_id, line, carried, \
                 first_seen, updated) ",
            );
            query.push_values(items, |mut row, (item_id, media_id, known, place)| {
                row.push_bind(item_id)
                    .push_bind(self.account)
                    .push_bind(media_id);
                row.push_bind(known.wanted.to_text())
                    .push_bind(known.digest.0.to_vec());
                row.push_bind(known.state.code())
                    .push_bind(place.source)
                    .push_bind(place.line);
                row.push_bind(place.carried.as_deref())
                    .push_bind(now)
                    .push_bind(now);
            });
            query.push(on_conflict);
            let query = query.build().persistent(false);
            query.execute(&mut *self.transaction).await?;
        }
        self.write_moved(&moved).await?;
        if !scoped.is_empty() {
            let mut query = QueryBuilder::new("INSERT INTO temp.scope (item_id, named) ");
            query.push_values(scoped, |mut row, (item_id, named)| {
                row.push_bind(item_id).push_bind(named.0);
            });
            query.push(" ON CONFLICT (item_id) DO UPDATE SET named = excluded.named");
            let query = query.build().persistent(false);
            query.execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    /// Writes where unchanged items stand now.
    async fn write_moved(&mut self, moved: &[(i64, &Place)]) -> Result<(), Error> {
        if moved.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::new(
            "UPDATE items SET source_id = v.column2, line = v.column3, carried = v.column4 FROM (",
        );
        query.push_values(moved, |mut row, (item_id, place)| {
            row.push_bind(*item_id)
                .push_bind(place.source)
                .push_bind(place.line)
                .push_bind(place.carried.as_deref());
        });
        query.push(") AS v WHERE items.id = v.column1");
        let query = query.build().persistent(false);
        query.execute(&mut *self.transaction).await?;
        Ok(())
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
