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
    /// What makes batches of rows, on a thread of its own.
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
            _ => self.enter_sql(source, rows).into(),
        };
        if rows == Batch::ROWS {
            self.bulk.known = Some((source, Arc::clone(&sql)));
        }
        let arguments = batch.known_items(Some(self.bulk.batch))?;
        self.execute(sql, arguments, rows).await
    }

    /// Writes down where the unchanged items stand now that stood elsewhere.
    async fn follow_moved(&mut self, source: i64, batch: &Batch) -> Result<u64, Error> {
        let sql = self.follow_sql(source, batch.rows.len());
        self.execute(sql.into(), batch.known_items(None)?, 0).await
    }

    /// Left to itself, SQLite would look through all items for each batch: so the few that have moved come first, and it is
    /// told that they are few.
    fn follow_sql(&self, source: i64, rows: usize) -> String {
        format!(
            "WITH moved AS MATERIALIZED (SELECT i.id, v.column3 AS line, v.column4 AS carried FROM ({}) AS v \
             CROSS JOIN items AS i ON i.account_id = {} AND i.media_id = v.column1 \
             WHERE i.digest = v.column2 AND NOT EXISTS (SELECT 1 FROM temp.scope AS s WHERE s.item_id = i.id) LIMIT {rows}) \
             UPDATE items NOT INDEXED SET source_id = {source}, line = m.line, carried = m.carried FROM moved AS m \
             WHERE items.id = m.id",
            values("(?, ?, ?, ?, ?)", rows),
            self.account,
        )
    }

    fn enter_sql(&self, source: i64, rows: usize) -> String {
        format!(
            "INSERT INTO temp.scope (item_id, named, batch, was) \
             SELECT i.id, v.column5, ?, i.state FROM ({}) AS v \
             CROSS JOIN items AS i ON i.account_id = {} AND i.media_id = v.column1 \
             WHERE i.digest = v.column2 AND i.source_id = {source} AND i.line = v.column3 AND i.carried IS v.column4 \
             ON CONFLICT (item_id) DO NOTHING",
            values("(?, ?, ?, ?, ?)", rows),
            self.account,
        )
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        journal::{Conflict, Counts, DEFAULT_ACCOUNT, Duplicates, Journal, Lock},
        metadata::Patch,
        row::Source,
        time::Timestamp,
    };

    /// The lowest bits of a xorshift generator.
    fn chance(state: &mut u64, of: u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % of
    }

    fn row(line: u64, id: u64, metadata: Value, carried: bool) -> Row {
        let Value::Object(object) = metadata else {
            panic!("an object")
        };
        Row {
            line,
            media_id: id.to_string().parse().unwrap(),
            patch: Patch::parse(object, Timestamp(0)).unwrap(),
            carried: carried.then(|| "[\"x\"]".into()),
        }
    }

    /// Rows of which most are as they were in the run before, and some are not.
    fn manifest(run: u64, seed: &mut u64) -> Vec<Row> {
        let shift = chance(seed, 2);
        let mut rows = Vec::new();
        for id in 1..=60 + run * 10 {
            let line = rows.len() as u64 + 2 + shift;
            let text = match chance(seed, 12) {
                0 => format!("changed in run {run}"),
                _ => format!("of {id}"),
            };
            let metadata = match chance(seed, 10) {
                0 => json!({"alt_text": null, "shared_info": {"shared": true}}),
                1 => json!({"shared_info": {"shared": false}}),
                2 => json!({}),
                _ => json!({"alt_text": {"text": text}}),
            };
            rows.push(row(line, id, metadata, id % 7 == 0));
            if chance(seed, 9) == 0 {
                let again = 1 + chance(seed, id);
                let metadata = json!({"alt_text": {"text": format!("of {again}")}});
                rows.push(row(line + 1, again, metadata, false));
            }
        }
        rows
    }

    async fn commit(intake: Intake<'_>) {
        intake.transaction.commit().await.unwrap();
    }

    type Kept = (String, String, Vec<u8>, i64, i64, Option<String>);

    /// Takes manifests in, in batches of the sizes that `size` gives, and returns all that can be told of it.
    async fn take(
        manifests: &[Vec<Row>],
        guess: Option<Guess>,
        mut size: impl FnMut() -> usize,
    ) -> (Vec<Counts>, Vec<Conflict>, Vec<Kept>, i64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let (mut counts, mut conflicts) = (Vec::new(), Vec::new());
        let (mut kept, mut history) = (Vec::new(), 0);
        for (run, rows) in manifests.iter().enumerate() {
            let lock = Lock::take(&path).unwrap();
            let mut journal = Journal::open(&path, "bulk", lock).await.unwrap();
            let now = Timestamp(i64::try_from(run).unwrap());
            let mut intake = journal
                .intake(DEFAULT_ACCOUNT, Duplicates::Error, now)
                .await
                .unwrap();
            let source = intake.source(&Source::default()).await.unwrap();
            let mut rest = &rows[..];
            while !rest.is_empty() {
                if let Some(guess) = guess {
                    intake.bulk.guess = guess;
                }
                let (now, later) = rest.split_at(size().clamp(1, rest.len()));
                let batch = Batch::of(now.to_vec(), now.len() % 2 == 0);
                conflicts.extend(intake.take(source, &batch).await.unwrap());
                rest = later;
            }
            intake.count_known().await.unwrap();
            counts.push(intake.counts());
            commit(intake).await;
            // Half of what there is now comes to be accepted, so that the next run's changes send it anew.
            sqlx::query(
                "UPDATE items SET state = 2, accepted = digest WHERE CAST(media_id AS INTEGER) % 2",
            )
            .execute(&mut journal.connection)
            .await
            .unwrap();
            sqlx::query("UPDATE items SET state = 3 WHERE CAST(media_id AS INTEGER) % 10 = 4")
                .execute(&mut journal.connection)
                .await
                .unwrap();
            let sql =
                "SELECT media_id, wanted, digest, state, line, carried FROM items ORDER BY id";
            kept = sqlx::query_as(sql)
                .fetch_all(&mut journal.connection)
                .await
                .unwrap();
            history = sqlx::query_scalar("SELECT count(*) FROM history")
                .fetch_one(&mut journal.connection)
                .await
                .unwrap();
            journal.close().await.unwrap();
        }
        (counts, conflicts, kept, history)
    }

    #[tokio::test]
    async fn however_rows_are_batched_the_journal_is_the_same() {
        for seed in 1..=12 {
            let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
            let manifests: Vec<_> = (0..3).map(|run| manifest(run, &mut state)).collect();
            let each = take(&manifests, Some(Guess::Mixed), || 1).await;
            assert!(each.0[2].unchanged > 0 && each.0[2].changed > 0 && each.0[2].new > 0);
            for guess in [
                None,
                Some(Guess::New),
                Some(Guess::Known),
                Some(Guess::Mixed),
            ] {
                let mut sizes = state | 1;
                let size = || usize::try_from(1 + chance(&mut sizes, 40)).unwrap();
                let batched = take(&manifests, guess, size).await;
                assert_eq!(batched, each, "seed {seed}, {guess:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_items_of_a_batch_are_looked_up_and_never_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let lock = Lock::take(&path).unwrap();
        let mut journal = Journal::open(&path, "plan", lock).await.unwrap();
        let intake = journal
            .intake(DEFAULT_ACCOUNT, Duplicates::Error, Timestamp(0))
            .await
            .unwrap();
        let statements = [
            intake.enter_sql(1, Batch::ROWS),
            intake.follow_sql(1, Batch::ROWS),
        ];
        let mut transaction = intake.transaction;
        for statement in statements {
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                    .fetch_all(&mut *transaction)
                    .await
                    .unwrap();
            let plan: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
            for step in &plan {
                assert!(
                    !step.starts_with("SCAN items") && !step.starts_with("SCAN i "),
                    "{plan:?}"
                );
            }
            assert!(
                plan.iter().any(|step| step.starts_with("SEARCH i")),
                "{plan:?}"
            );
        }
    }
}
