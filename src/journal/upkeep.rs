//! Upkeep between runs: withdrawing what was not sent, and marking failures as known.
//!
//! Owns both, and the rule that nothing is forgotten: an item of which anything was ever sent keeps its row and its
//! attempts. What was accepted of it comes to be wanted again; what never was can only be dismissed.

use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use super::{Error, Journal};
use crate::item::State;

/// Which items are meant; each that is given narrows the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// By media id.
    pub media_ids: Option<Vec<String>>,
    /// By the name of the manifest of the row last taken in.
    pub source: Option<String>,
    /// By state.
    pub state: Option<State>,
    /// By cause.
    pub cause: Option<String>,
}

/// What withdrawing would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Withdrawal {
    /// Items that were never sent: they are forgotten.
    pub forgotten: u64,
    /// Items whose change was not sent: what X accepted last is wanted again.
    pub restored: u64,
    /// Items that were sent and never accepted, or of which that is not known: they stay.
    pub kept: u64,
}

/// The items of a selection among those that are pending, sending or failed.
macro_rules! selected {
    () => {
        "account_id = ?1 AND state IN (0, 1, 3) \
         AND (?2 IS NULL OR media_id IN (SELECT value FROM json_each(?2))) \
         AND (?3 IS NULL OR source_id IN (SELECT id FROM sources WHERE name = ?3)) \
         AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR cause = ?5)"
    };
}
macro_rules! forgettable {
    () => {
        "accepted IS NULL AND attempts = 0 AND state <> 1"
    };
}
macro_rules! restorable {
    () => {
        "accepted IS NOT NULL AND state <> 1 AND EXISTS \
         (SELECT 1 FROM history AS h WHERE h.item_id = items.id AND h.digest = items.accepted)"
    };
}

impl Journal {
    /// What [`Journal::withdraw`] would do.
    pub async fn withdrawal(
        &mut self,
        account: i64,
        selection: &Selection,
    ) -> Result<Withdrawal, Error> {
        withdrawal(&mut self.connection, account, selection).await
    }

    /// Withdraws what was not sent of the selected items.
    pub async fn withdraw(
        &mut self,
        account: i64,
        selection: &Selection,
    ) -> Result<Withdrawal, Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let counts = withdrawal(&mut transaction, account, selection).await?;
        for statement in [
            concat!(
                "DELETE FROM items WHERE ",
                selected!(),
                " AND ",
                forgettable!()
            ),
            concat!(
                "UPDATE items SET state = 2, failures = 0, not_before = NULL, cause = NULL, detail = NULL, dismissed = 0, \
                 digest = accepted, wanted = (SELECT h.metadata FROM history AS h WHERE h.item_id = items.id \
                 AND h.digest = items.accepted ORDER BY h.id DESC LIMIT 1) WHERE ",
                selected!(),
                " AND ",
                restorable!()
            ),
        ] {
            bound(statement, account, selection)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(counts)
    }

    /// Marks the failures of the selected items as known. Returns how many there were.
    pub async fn dismiss(&mut self, account: i64, selection: &Selection) -> Result<u64, Error> {
        let statement = concat!(
            "UPDATE items SET dismissed = 1 WHERE ",
            selected!(),
            " AND state = 3 AND dismissed = 0"
        );
        Ok(bound(statement, account, selection)
            .execute(&mut self.connection)
            .await?
            .rows_affected())
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, <sqlx::Sqlite as sqlx::Database>::Arguments>;

fn bound<'q>(statement: &'static str, account: i64, selection: &'q Selection) -> Query<'q> {
    sqlx::query(statement)
        .bind(account)
        .bind(
            selection
                .media_ids
                .as_ref()
                .map(|ids| json!(ids).to_string()),
        )
        .bind(selection.source.as_deref())
        .bind(selection.state.map(State::code))
        .bind(selection.cause.as_deref())
}

async fn withdrawal(
    connection: &mut SqliteConnection,
    account: i64,
    selection: &Selection,
) -> Result<Withdrawal, Error> {
    use sqlx::Row as _;
    let statement = concat!(
        "SELECT coalesce(sum(",
        forgettable!(),
        "), 0) AS forgotten, coalesce(sum(",
        restorable!(),
        "), 0) AS restored, \
         count(*) AS selected FROM items WHERE ",
        selected!()
    );
    let row = bound(statement, account, selection)
        .fetch_one(connection)
        .await?;
    let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    let (forgotten, restored) = (count("forgotten")?, count("restored")?);
    Ok(Withdrawal {
        forgotten,
        restored,
        kept: count("selected")? - forgotten - restored,
    })
}
