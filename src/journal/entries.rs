//! Rows that have to be looked at one by one: each is laid over what the journal knows of its item.
//!
//! Owns the reading and writing of a batch's items: all are read together, and what has changed is written together. What a
//! row means for its item is [`super::overlay`]'s.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Row as _};

use super::{
    Conflict, Error, Intake, Resent,
    batch::line,
    intake::json_array,
    overlay::{Contradiction, Effect, Known, lay_over},
};
use crate::{
    item::{MediaId, State},
    metadata::{Digest, FieldSet, Metadata},
    row::Row,
};

/// How many of the items that would be sent anew are shown.
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

impl Intake<'_> {
    /// Takes rows in one by one, as far as what each means is concerned; they are read and written together.
    pub(super) async fn take_each(
        &mut self,
        source: i64,
        rows: &[&Row],
    ) -> Result<Vec<Conflict>, Error> {
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
}
