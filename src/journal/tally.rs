//! How many items are in each state, of an account or of what a run's manifests name.
//!
//! Owns the counts, and the statements that have them by the indices alone.

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Error, Journal, Scope, run};
use crate::item::State;

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
