//! Whose items they are: the accounts of a journal.
//!
//! Owns how an account's row is found, completed and made. A row is found by X's user id; else by a profile's name; else it
//! is the journal's only one. What is known of it is completed and never replaced, so that no change of token, profile or
//! name makes an item new. Where it is not clear whose items are meant, nothing may be sent.

use sqlx::{Connection, Row, SqliteConnection};

use super::{Error, Intake, Journal};

/// Whose items a run is about, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whose {
    /// X's id of the user.
    pub user_id: Option<String>,
    /// The user's name behind the @.
    pub handle: Option<String>,
    /// The profile's name.
    pub profile: Option<String>,
    /// Whether somebody named the profile: then it may be another account than those that the journal knows.
    pub is_named: bool,
}

/// Why it is not clear whose items are meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The row found is another user's.
    #[error(
        "the journal's images are of {known}, and this token is of {asked}: name the profile or token of {known}, or another \
         journal with --journal; to keep the images of both in this one, name the profile of {asked} with --profile"
    )]
    Other {
        /// The user of the row.
        known: String,
        /// The user of the token.
        asked: String,
    },
    /// A profile's name that was another user's.
    #[error(
        "the profile {profile} was {known} in this journal, and is {asked} now: log in as {known}, or keep {asked} under another name"
    )]
    Renamed {
        /// The profile.
        profile: String,
        /// The user of the row.
        known: String,
        /// The user of the token.
        asked: String,
    },
    /// There are several, and nothing tells which.
    #[error("the journal holds images of several accounts ({}): say whose with --profile NAME", .0.join(", "))]
    Which(Vec<String>),
}

/// An account's row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    id: i64,
    user_id: Option<String>,
    handle: Option<String>,
    profile: Option<String>,
}

impl Known {
    fn name(&self) -> String {
        shown(self.handle.as_deref(), self.user_id.as_deref())
            .or_else(|| self.profile.clone())
            .unwrap_or_else(|| "default".to_owned())
    }

    fn is_other(&self, whose: &Whose) -> bool {
        matches!((&self.user_id, &whose.user_id), (Some(known), Some(asked)) if known != asked)
    }
}

fn shown(handle: Option<&str>, user_id: Option<&str>) -> Option<String> {
    handle
        .map(|handle| format!("@{handle}"))
        .or_else(|| user_id.map(|id| format!("the user {id}")))
}

impl Whose {
    /// Who it is, for people.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        shown(self.handle.as_deref(), self.user_id.as_deref())
    }

    fn asked(&self) -> String {
        self.name().unwrap_or_else(|| "another".to_owned())
    }
}

/// The row that was found, and whether nothing may be sent for it.
pub type FoundAccount = (i64, Option<Doubt>);

impl Journal {
    /// Finds the account's row, or makes one for a named profile of a user whom no row can be.
    ///
    /// # Errors
    /// Where the journal can't be read or written.
    pub async fn account(&mut self, whose: &Whose) -> Result<FoundAccount, Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        // A row that was made for a run which then took nothing in is nobody's.
        sqlx::query(
            "DELETE FROM accounts WHERE id <> 1 AND NOT EXISTS (SELECT 1 FROM items WHERE account_id = accounts.id) \
             AND NOT EXISTS (SELECT 1 FROM runs WHERE account_id = accounts.id)",
        )
        .execute(&mut *transaction)
        .await?;
        let found = find(&mut transaction, whose).await?;
        let found = match found {
            Found::Row(id, doubt) => (id, doubt),
            Found::Nobody => {
                let statement = "INSERT INTO accounts (user_id, handle) VALUES (?, ?) RETURNING id";
                let id = sqlx::query_scalar(statement)
                    .bind(&whose.user_id)
                    .bind(&whose.handle)
                    .fetch_one(&mut *transaction)
                    .await?;
                (id, None)
            }
        };
        transaction.commit().await?;
        Ok(found)
    }

    /// Completes the account's row by what is known now, and writes down what it cost the run to know it, in dollars.
    ///
    /// # Errors
    /// Where the journal can't be written.
    pub async fn complete(
        &mut self,
        account: i64,
        whose: &Whose,
        run_id: i64,
        dollars: f64,
    ) -> Result<(), Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE runs SET lookups = ? WHERE id = ?")
            .bind(dollars)
            .bind(run_id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE accounts SET user_id = coalesce(user_id, ?2), handle = coalesce(?3, handle) WHERE id = ?1")
            .bind(account)
            .bind(&whose.user_id)
            .bind(&whose.handle)
            .execute(&mut *transaction)
            .await?;
        if let Some(profile) = &whose.profile {
            let statement = "INSERT INTO profiles (name, account_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET account_id = excluded.account_id";
            sqlx::query(statement)
                .bind(profile)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE accounts SET profile = NULL WHERE profile = ? AND id <> ?")
                .bind(profile)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE accounts SET profile = ? WHERE id = ?")
                .bind(profile)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Whether the account's row can be of this user.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn doubt(&mut self, account: i64, whose: &Whose) -> Result<Option<Doubt>, Error> {
        doubt(&mut self.connection, account, whose).await
    }
}

impl Intake<'_> {
    /// Whether the account's row can be of this user.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn doubt(&mut self, whose: &Whose) -> Result<Option<Doubt>, Error> {
        doubt(&mut self.transaction, self.account, whose).await
    }
}

async fn doubt(
    connection: &mut SqliteConnection,
    account: i64,
    whose: &Whose,
) -> Result<Option<Doubt>, Error> {
    let rows = rows(connection).await?;
    // The id may have become known since the row was found by less.
    let is_elsewhere = rows
        .iter()
        .any(|row| row.id != account && row.user_id.is_some() && row.user_id == whose.user_id);
    let row = rows.iter().find(|row| row.id == account);
    Ok(row
        .filter(|row| is_elsewhere || row.is_other(whose))
        .map(|row| Doubt::Other {
            known: row.name(),
            asked: whose.asked(),
        }))
}

enum Found {
    Row(i64, Option<Doubt>),
    Nobody,
}

async fn find(connection: &mut SqliteConnection, whose: &Whose) -> Result<Found, Error> {
    let rows = rows(connection).await?;
    find_among(&rows, connection, whose).await
}

/// The row that a run of `whose` would have, whether nothing would be sent for it, and its number where it would be made.
///
/// # Errors
/// Where the journal can't be read.
pub(super) async fn to_plan(
    connection: &mut SqliteConnection,
    whose: &Whose,
) -> Result<FoundAccount, Error> {
    let mut rows = rows(connection).await?;
    let next = rows.iter().map(|row| row.id).max().unwrap_or_default() + 1;
    // Those that a run would remove first.
    let used: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM accounts AS a WHERE id = 1 OR EXISTS (SELECT 1 FROM items WHERE account_id = a.id) \
         OR EXISTS (SELECT 1 FROM runs WHERE account_id = a.id)",
    )
    .fetch_all(&mut *connection)
    .await?;
    rows.retain(|row| used.contains(&row.id));
    Ok(match find_among(&rows, connection, whose).await? {
        Found::Row(id, doubt) => (id, doubt),
        Found::Nobody => (next, None),
    })
}

async fn find_among(
    rows: &[Known],
    connection: &mut SqliteConnection,
    whose: &Whose,
) -> Result<Found, Error> {
    let by_id = |row: &&Known| row.user_id.is_some() && row.user_id == whose.user_id;
    if let Some(row) = rows.iter().find(by_id) {
        return Ok(Found::Row(row.id, None));
    }
    if let Some(profile) = &whose.profile {
        let named: Option<i64> =
            sqlx::query_scalar("SELECT account_id FROM profiles WHERE name = ?")
                .bind(profile)
                .fetch_optional(&mut *connection)
                .await?;
        if let Some(row) = rows.iter().find(|row| Some(row.id) == named) {
            let doubt = row.is_other(whose).then(|| Doubt::Renamed {
                profile: profile.clone(),
                known: row.name(),
                asked: whose.asked(),
            });
            return Ok(Found::Row(row.id, doubt));
        }
    }
    let is_another = whose.is_named && whose.user_id.is_some();
    match rows {
        [row] if !row.is_other(whose) => Ok(Found::Row(row.id, None)),
        _ if is_another => Ok(Found::Nobody),
        [row] => Ok(Found::Row(
            row.id,
            Some(Doubt::Other {
                known: row.name(),
                asked: whose.asked(),
            }),
        )),
        [] => Err(Error::Damaged("it has no account".to_owned())),
        [first, ..] => Ok(Found::Row(
            first.id,
            Some(Doubt::Which(rows.iter().map(Known::name).collect())),
        )),
    }
}

async fn rows(connection: &mut SqliteConnection) -> Result<Vec<Known>, Error> {
    let statement = "SELECT id, user_id, handle, profile FROM accounts ORDER BY id";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                id: row.try_get("id")?,
                user_id: row.try_get("user_id")?,
                handle: row.try_get("handle")?,
                profile: row.try_get("profile")?,
            })
        })
        .collect()
}

/// The row that a reader looks at: that of the user or profile, else the journal's only one.
///
/// # Errors
/// Where there are several, or none of this name; then which there are.
pub(super) async fn to_read(
    connection: &mut SqliteConnection,
    whose: &Whose,
) -> Result<Result<i64, Vec<String>>, Error> {
    let rows = rows(connection).await?;
    let is_known = |row: &&Known| {
        (row.user_id.is_some() && row.user_id == whose.user_id)
            || (row.profile.is_some() && row.profile == whose.profile)
    };
    let found = rows.iter().find(is_known);
    Ok(match (found, &rows[..]) {
        (Some(row), _) => Ok(row.id),
        (None, [row]) if !row.is_other(whose) => Ok(row.id),
        _ => Err(rows.iter().map(Known::name).collect()),
    })
}
