//! Taking in what is alike: batches whose rows are all new, or all unchanged, by one statement each.
//!
//! Owns these statements, and the guess which of them a batch is for. A manifest is new as a whole, or known as a whole but
//! for a few rows; only what such a statement leaves is looked at row by row, in [`super::intake`]. They decide nothing:
//! a row is unchanged where its digest alone is its item's, since then laying it over changes nothing, and new where its
//! item is not there.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteArguments};

use super::{Batch, Error, Intake, intake::json_array};
use crate::row::Row;

/// What the rows of the next batch are likely to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    New,
    Known,
    Mixed,
}

/// The guess, and how many batches there were.
#[derive(Debug)]
pub(super) struct Bulk {
    guess: Guess,
    /// Whether it is [`Guess::New`], for the thread that prepares batches.
    is_new: Arc<AtomicBool>,
    batch: i64,
    /// Whether a batch was known, so that what its items were is still to be counted.
    has_known: bool,
    /// The statements for full batches of this source.
    new: Option<(i64, Arc<str>)>,
    known: Option<(i64, Arc<str>)>,
}

impl Bulk {
    /// For a journal that has no item yet, or some.
    pub(super) fn new(is_empty: bool) -> Self {
        Self {
            guess: if is_empty { Guess::New } else { Guess::Known },
            is_new: Arc::new(AtomicBool::new(is_empty)),
            batch: 0,
            has_known: false,
            new: None,
            known: None,
        }
    }

    /// Of `all` rows that were looked at one by one so many were new and so many unchanged.
    pub(super) fn learn(&mut self, all: u64, new: u64, unchanged: u64) {
        self.guess = if new * 2 > all {
            Guess::New
        } else if unchanged * 2 > all {
            Guess::Known
        } else {
            Guess::Mixed
        };
        let is_new = self.guess == Guess::New;
        // A hint that comes late only costs time.
        self.is_new.store(is_new, Ordering::Relaxed);
    }
}

impl Intake<'_> {
    /// What makes batches of rows, on the thread that reads them.
    #[must_use]
    pub fn preparer(&self) -> impl Fn(Vec<Row>) -> Batch + Send + use<> {
        let is_new = Arc::clone(&self.bulk.is_new);
        move |rows| Batch::of(rows, is_new.load(Ordering::Relaxed))
    }

    /// Takes in those rows of a batch that one statement can, and returns the others.
    pub(super) async fn take_alike<'b>(
        &mut self,
        source: i64,
        batch: &'b Batch,
    ) -> Result<Vec<&'b Row>, Error> {
        let all = batch.rows.len() as u64;
        self.bulk.batch += 1;
        let taken = match self.bulk.guess {
            _ if !batch.is_distinct => 0,
            Guess::Mixed => 0,
            Guess::New => self.insert(source, batch).await?,
            Guess::Known => self.recognise(source, batch).await?,
        };
        if taken == all {
            return Ok(Vec::new());
        }
        if taken == 0 {
            return Ok(batch.rows.iter().collect());
        }
        self.rest(batch).await
    }

    /// Inserts the items of a batch that are new, and returns how many these are.
    async fn insert(&mut self, source: i64, batch: &Batch) -> Result<u64, Error> {
        let (first, rows) = (self.next_item, batch.rows.len());
        let mut arguments = batch.new_items(first)?;
        let sql = match &self.bulk.new {
            Some((of, sql)) if *of == source && rows == Batch::ROWS => Arc::clone(sql),
            _ => self.insert_sql(source, rows).into(),
        };
        if rows == Batch::ROWS {
            self.bulk.new = Some((source, Arc::clone(&sql)));
        }
        let new = self.execute(sql, arguments, rows).await?;
        self.next_item += i64::try_from(rows).unwrap_or(i64::MAX);
        // Those that conflicted left gaps in the numbers, and nothing else.
        arguments = SqliteArguments::default();
        let sql = if let Some(named) = batch.named() {
            format!(
                "INSERT INTO temp.scope (item_id, named, batch) SELECT id, {}, {} FROM items WHERE id >= {first}",
                named.0, self.bulk.batch
            )
        } else {
            arguments = batch.numbered(first)?;
            format!(
                "INSERT INTO temp.scope (item_id, named, batch) SELECT i.id, v.column2, {} FROM ({}) AS v \
                 CROSS JOIN items AS i ON i.id = v.column1",
                self.bulk.batch,
                values("(?, ?)", rows),
            )
        };
        self.execute(sql.into(), arguments, 0).await?;
        self.counts.new += new;
        Ok(new)
    }

    fn insert_sql(&self, source: i64, rows: usize) -> String {
        let (account, now) = (self.account, self.now.0);
        let row = format!("(?, {account}, ?, ?, ?, 0, {source}, ?, ?, {now}, {now})");
        format!(
            "INSERT OR IGNORE INTO items \
             (id, account_id, media_id, wanted, digest, state, source_id, line, carried, first_seen, updated) {}",
            values(&row, rows)
        )
    }

    /// Finds the items of a batch that are unchanged, and returns how many these are.
    async fn recognise(&mut self, source: i64, batch: &Batch) -> Result<u64, Error> {
        let all = batch.rows.len() as u64;
        self.bulk.has_known = true;
        let mut known = self.enter_unchanged(source, batch).await?;
        // Where rows were put in above, all others stand on another line.
        if known < all && self.follow_moved(source, batch).await? > 0 {
            known += self.enter_unchanged(source, batch).await?;
        }
        self.counts.unchanged += known;
        Ok(known)
    }

    /// Enters into the scope what is unchanged and stands where it stood.
    async fn enter_unchanged(&mut self, source: i64, batch: &Batch) -> Result<u64, Error> {
        let rows = batch.rows.len();
        let sql = match &self.bulk.known {
            Some((of, sql)) if *of == source && rows == Batch::ROWS => Arc::clone(sql),
            _ => format!(
                "INSERT INTO temp.scope (item_id, named, batch, was) \
                 SELECT i.id, v.column5, ?, i.state FROM ({}) AS v \
                 CROSS JOIN items AS i ON i.account_id = {} AND i.media_id = v.column1 \
                 WHERE i.digest = v.column2 AND i.source_id = {source} AND i.line = v.column3 AND i.carried IS v.column4 \
                 ON CONFLICT (item_id) DO NOTHING",
                values("(?, ?, ?, ?, ?)", rows),
                self.account,
            )
            .into(),
        };
        if rows == Batch::ROWS {
            self.bulk.known = Some((source, Arc::clone(&sql)));
        }
        let arguments = batch.known_items(Some(self.bulk.batch))?;
        self.execute(sql, arguments, rows).await
    }

    /// Writes down where unchanged items stand now.
    async fn follow_moved(&mut self, source: i64, batch: &Batch) -> Result<u64, Error> {
        let sql = format!(
            "UPDATE items SET source_id = {source}, line = m.line, carried = m.carried FROM \
             (SELECT i.id, v.column3 AS line, v.column4 AS carried FROM ({}) AS v \
             CROSS JOIN items AS i ON i.account_id = {} AND i.media_id = v.column1 \
             WHERE i.digest = v.column2 AND NOT EXISTS (SELECT 1 FROM temp.scope AS s WHERE s.item_id = i.id)) AS m \
             WHERE items.id = m.id",
            values("(?, ?, ?, ?, ?)", batch.rows.len()),
            self.account,
        );
        self.execute(sql.into(), batch.known_items(None)?, 0).await
    }

    /// The rows of a batch whose items it has not entered into the scope.
    async fn rest<'b>(&mut self, batch: &'b Batch) -> Result<Vec<&'b Row>, Error> {
        let ids = json_array(batch.rows.iter().map(|row| row.media_id.as_str()))?;
        let rows = sqlx::query(
            "SELECT j.key FROM json_each(?) AS j LEFT JOIN items AS i ON i.account_id = ? AND i.media_id = j.value \
             LEFT JOIN temp.scope AS s ON s.item_id = i.id WHERE s.batch IS NOT ? ORDER BY j.key",
        )
        .bind(ids)
        .bind(self.account)
        .bind(self.bulk.batch)
        .fetch_all(&mut *self.transaction)
        .await?;
        let row = |row: &sqlx::sqlite::SqliteRow| {
            let index = usize::try_from(row.try_get::<i64, _>(0)?).ok();
            index
                .and_then(|index| batch.rows.get(index))
                .ok_or_else(|| Error::Damaged("the order of a batch".to_owned()))
        };
        rows.iter().map(row).collect()
    }

    /// Counts what the known items were, once all rows are in.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn count_known(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.bulk.has_known) {
            return Ok(());
        }
        let sql = "SELECT coalesce(sum(was = 2), 0), coalesce(sum(was = 3), 0) FROM temp.scope";
        let (done, failed): (i64, i64) = sqlx::query_as(sql)
            .fetch_one(&mut *self.transaction)
            .await?;
        self.counts.done_before += done.unsigned_abs();
        self.counts.failed_before += failed.unsigned_abs();
        Ok(())
    }

    /// Carries a statement out; one for a full batch is kept prepared.
    async fn execute(
        &mut self,
        sql: Arc<str>,
        arguments: SqliteArguments,
        rows: usize,
    ) -> Result<u64, Error> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let query = query.persistent(rows == Batch::ROWS);
        Ok(query.execute(&mut *self.transaction).await?.rows_affected())
    }
}

/// So many rows of values.
fn values(row: &str, count: usize) -> String {
    let mut sql = String::with_capacity(8 + (row.len() + 1) * count);
    sql.push_str("VALUES ");
    for index in 0..count {
        // Writing to a string can't fail.
        let _ = write!(sql, "{}{row}", if index > 0 { "," } else { "" });
    }
    sql
}
