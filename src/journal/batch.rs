//! A batch of rows on its way into the journal, with all that can be reckoned of them without a look at it.
//!
//! Owns what is done off the writer's path: a thread between the writer and the reader of a manifest makes the digest of
//! each row as if its item were new, and where it is, its JSON. That is all that new and unchanged rows need. Knows no SQL
//! but the arguments of its statements.

use std::{collections::HashSet, sync::Arc};

use sqlx::{Arguments as _, sqlite::SqliteArguments};

use super::Error;
use crate::{
    metadata::{Digest, FieldSet},
    row::Row,
};

/// Rows that are taken in together.
#[derive(Debug)]
pub struct Batch {
    /// Those that name a field.
    pub(super) rows: Vec<Row>,
    /// What each of them would want of a new item.
    pub(super) alone: Vec<Alone>,
    /// How many name none.
    pub(super) empty: u64,
    /// Whether no id comes twice.
    pub(super) is_distinct: bool,
}

/// What a row wants of an item of which nothing else is wanted.
#[derive(Debug)]
pub(super) struct Alone {
    /// As JSON, where the row is expected to be new.
    wanted: Option<Arc<str>>,
    pub digest: Digest,
    pub named: FieldSet,
}

impl Batch {
    /// How many rows are best taken in together: with fewer each statement's way to
    /// SQLite tells, more only take memory.
    pub const ROWS: usize = 750;

    /// Prepares `rows`; what only new ones need is left for later where they are not expected to be new.
    #[must_use]
    pub fn of(mut rows: Vec<Row>, are_new: bool) -> Self {
        let all = rows.len();
        rows.retain(|row| !row.patch.is_empty());
        let mut ids = HashSet::with_capacity(rows.len());
        let is_distinct = rows.iter().all(|row| ids.insert(row.media_id.as_str()));
        let alone = rows
            .iter()
            .map(|row| Alone {
                wanted: are_new.then(|| row.patch.to_text().into()),
                digest: row.patch.digest(),
                named: row.patch.named(),
            })
            .collect();
        Self {
            empty: (all - rows.len()) as u64,
            rows,
            alone,
            is_distinct,
        }
    }

    /// How many rows it has, with those that name no field.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.rows.len() as u64 + self.empty
    }

    /// Whether it has no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The fields that every row names, where all name the same.
    pub(super) fn named(&self) -> Option<FieldSet> {
        let named = self.alone.first()?.named;
        self.alone
            .iter()
            .all(|alone| alone.named == named)
            .then_some(named)
    }

    /// For each row what a new item needs: number, id, wanted, digest, line, carried. Numbers count from `first`.
    pub(super) fn new_items(&self, first: i64) -> Result<SqliteArguments, Error> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(6 * self.rows.len(), 0);
        for ((row, alone), id) in self.rows.iter().zip(&self.alone).zip(first..) {
            add(&mut arguments, id)?;
            add(&mut arguments, row.media_id.as_str())?;
            match &alone.wanted {
                Some(wanted) => add(&mut arguments, Arc::clone(wanted))?,
                None => add(&mut arguments, row.patch.to_text())?,
            }
            add(&mut arguments, &alone.digest.0[..])?;
            add(&mut arguments, line(row))?;
            add(&mut arguments, row.carried.as_deref())?;
        }
        Ok(arguments)
    }

    /// For each row what an unchanged item has: id, digest, line, carried; and the fields that the row names.
    /// In front of all of them stands the batch's number where one is given.
    pub(super) fn known_items(&self, number: Option<i64>) -> Result<SqliteArguments, Error> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(1 + 5 * self.rows.len(), 0);
        if let Some(number) = number {
            add(&mut arguments, number)?;
        }
        for (row, alone) in self.rows.iter().zip(&self.alone) {
            add(&mut arguments, row.media_id.as_str())?;
            add(&mut arguments, &alone.digest.0[..])?;
            add(&mut arguments, line(row))?;
            add(&mut arguments, row.carried.as_deref())?;
            add(&mut arguments, alone.named.0)?;
        }
        Ok(arguments)
    }

    /// For each row the number of its new item, and the fields that the row names.
    pub(super) fn numbered(&self, first: i64) -> Result<SqliteArguments, Error> {
        let mut arguments = SqliteArguments::default();
        for (alone, id) in self.alone.iter().zip(first..) {
            add(&mut arguments, id)?;
            add(&mut arguments, alone.named.0)?;
        }
        Ok(arguments)
    }
}

/// A row's line as the journal has it.
pub(super) fn line(row: &Row) -> i64 {
    i64::try_from(row.line).unwrap_or(i64::MAX)
}

pub(super) fn add<'v>(
    arguments: &mut SqliteArguments,
    value: impl sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
) -> Result<(), Error> {
    sqlx::Arguments::add(arguments, value)
        .map_err(|error| Error::Sqlite(sqlx::Error::Encode(error)))
}
