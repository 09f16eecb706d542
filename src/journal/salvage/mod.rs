//! Salvaging a damaged journal: what SQLite can still read of it, in a new one.
//!
//! Owns the way from the one to the other: the damaged journal is only read, and that through a copy ([`reading`]), and what
//! could be read is made harmless ([`rules`]) before it is put in its place.

mod reading;
mod rules;

use std::{fs::File, io, path::Path};

use sqlx::{Connection, SqliteConnection};

use self::{
    reading::{copy, copy_out, graft, look_inside, mend_header},
    rules::{IMPLAUSIBLE, doubt, forget_forged, forget_unknown, keep_places, mend_texts, named},
};
use super::{
    Error, Lock,
    form::{self, keep_form},
    open::{self, Access, connect},
    place::keep_name,
};
use crate::{failpoint::Point, time::Timestamp};

/// What was salvaged, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Items by state: pending, sending, done, failed.
    pub items: [u64; 4],
    /// Media ids of which only the id could be read, in order.
    pub named: Vec<String>,
    /// Items of which not even that could be read, at the most.
    pub nameless: u64,
    /// Items that counted as done or were to be sent, of which it is no longer certain what was sent: they are sent again.
    pub doubtful: u64,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that are missing; each keeps its place in the limits.
    pub lost_attempts: u64,
    /// Other tables of which rows could not be read.
    pub parts: Vec<String>,
}

impl Salvaged {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.named.is_empty()
            && self.parts.is_empty()
            && self.nameless + self.doubtful + self.lost_attempts == 0
    }
}

/// Salvages the journal at `old` into a new one at `new`, bound to `api_url` where the old one does not tell its address.
///
/// # Errors
/// Where there is something at `new`, a run holds the old one, or nothing of it can be read.
pub async fn salvage(old: &Path, new: &Path, api_url: Option<&str>) -> Result<Salvaged, Error> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    if !old.exists() {
        return Err(Error::Missing(old.to_owned()));
    }
    if old.is_dir() {
        return Err(Error::Directory(old.to_owned()));
    }
    if new.symlink_metadata().is_ok() {
        return Err(Error::InTheWay(new.to_owned()));
    }
    let _lock = Lock::take(old)?;
    let beside = new
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new()
        .prefix(".altfill-repair-")
        .tempdir_in(beside)
        .map_err(io(beside))?;
    let (copy, fresh) = (folder.path().join("old.db"), folder.path().join("new.db"));
    copy_out(old, &copy).map_err(io(old))?;
    let mut log = old.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        copy_out(Path::new(&log), &folder.path().join("old.db-wal")).map_err(io(old))?;
    }
    let page = mend_header(&copy).map_err(io(&copy))?;
    let unreadable = |source| Error::Unsalvageable {
        path: old.to_owned(),
        source,
    };
    let (version, told) = match look_inside(&copy, old).await {
        Err(Error::Sqlite(_)) => {
            // Its table of tables is damaged, and that is the same in all journals of one form.
            graft(&folder.path().join("pattern.db"), &copy, old, page).await?;
            look_inside(&copy, old).await
        }
        found => found,
    }
    .map_err(|error| match error {
        Error::Sqlite(source) => unreadable(source),
        other => other,
    })?;
    let address = told
        .or_else(|| api_url.map(str::to_owned))
        .ok_or_else(|| Error::NoAddress(old.to_owned()))?;
    File::create_new(&fresh).map_err(io(&fresh))?;
    open::mark(&fresh, open::PAGE_SIZE).await?;
    let mut connection = connect(&fresh, Access::Write).await?;
    keep_form(&mut connection, old, version).await?;
    // It is waited for the disk once, at the end: nobody reads it before.
    run(&mut connection, "PRAGMA synchronous = OFF").await?;
    open::attach(&mut connection, &copy, "mode=ro").await?;
    run(&mut connection, "PRAGMA old.cell_size_check = ON").await?;
    let mut salvaged = fill(&mut connection, &address).await?;
    run(&mut connection, "DETACH old").await?;
    form::bring_up_to_date_unkept(&mut connection, &fresh).await?;
    count(&mut connection, &mut salvaged).await?;
    connection.close().await?;

    let file = File::open(&fresh).map_err(io(&fresh))?;
    open::keep_private(&file).map_err(io(&fresh))?;
    file.sync_all().map_err(io(&fresh))?;
    Point::SalvageWritten.pass();
    // Only where nothing has come to stand there meanwhile.
    std::fs::hard_link(&fresh, new)
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            // Not every file system knows two names for one file.
            _ => std::fs::rename(&fresh, new),
        })
        .and_then(|()| keep_name(new))
        .map_err(io(new))?;
    Ok(salvaged)
}

async fn run(connection: &mut SqliteConnection, statement: &str) -> Result<(), Error> {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}

async fn number(connection: &mut SqliteConnection, statement: &str) -> Result<i64, sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement.to_owned()))
        .fetch_one(connection)
        .await?;
    Ok(found.unwrap_or(0))
}

/// Copies all tables, and makes of them a journal that does no harm.
async fn fill(connection: &mut SqliteConnection, address: &str) -> Result<Salvaged, Error> {
    let mut salvaged = Salvaged::default();
    // Each statement is a transaction: one that met a damaged page would take the others with it.
    sqlx::query("INSERT INTO main.journal (id, api_url, created) VALUES (1, ?, ?)")
        .bind(address)
        .bind(Timestamp::now().0)
        .execute(&mut *connection)
        .await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
         AND name NOT IN ('_sqlx_migrations', 'journal') ORDER BY rowid",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut lost_items = 0;
    for table in &tables {
        let lost = copy(connection, table).await?;
        match table.as_str() {
            "items" => lost_items = lost,
            // What is missing of these is counted by the items.
            "attempts" => {}
            _ if lost > 0 => salvaged.parts.push(table.clone()),
            _ => {}
        }
    }
    let mut forged = forget_forged(connection).await?;
    for table in &tables {
        mend_texts(connection, table).await?;
    }
    forged.extend(forget_unknown(connection).await);
    // What the index does not know of the rows that can't be read, nobody does.
    let mut known = named(connection).await.unwrap_or_default();
    known.retain(|id| id.parse::<crate::item::MediaId>().is_ok());
    salvaged.nameless = lost_items.saturating_sub(known.len() as u64);
    salvaged.named = known;
    salvaged.named.extend(forged);
    salvaged.named.sort();
    salvaged.named.dedup();
    for (table, statement) in IMPLAUSIBLE {
        let changed = sqlx::query(sqlx::AssertSqlSafe(
            statement.replace("{now}", &Timestamp::now().0.to_string()),
        ))
        .execute(&mut *connection)
        .await?;
        if changed.rows_affected() > 0 && !salvaged.parts.iter().any(|part| part == table) {
            salvaged.parts.push(table.to_owned());
        }
    }
    run(
        connection,
        "DELETE FROM main.accounts WHERE id <> 1 AND id NOT IN (SELECT account_id FROM main.items) \
         AND id NOT IN (SELECT account_id FROM main.runs)",
    )
    .await?;
    salvaged.doubtful = doubt(connection).await?;
    salvaged.lost_attempts = keep_places(connection).await?;
    for statement in [
        "DELETE FROM main.history WHERE item_id NOT IN (SELECT id FROM main.items)",
        "INSERT INTO main.accounts (id) SELECT DISTINCT account_id FROM main.items \
         WHERE account_id NOT IN (SELECT id FROM main.accounts)",
        "INSERT INTO main.accounts (id) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO main.sources (id, name, form) SELECT DISTINCT source_id, '(lost ' || source_id || ')', '{}' \
         FROM main.items WHERE source_id NOT IN (SELECT id FROM main.sources)",
    ] {
        run(connection, statement).await?;
    }
    Ok(salvaged)
}

async fn count(connection: &mut SqliteConnection, salvaged: &mut Salvaged) -> Result<(), Error> {
    let states: Vec<(i64, i64)> =
        sqlx::query_as("SELECT state, count(*) FROM items GROUP BY state")
            .fetch_all(&mut *connection)
            .await?;
    for (state, count) in states {
        if let Some(place) = usize::try_from(state)
            .ok()
            .and_then(|state| salvaged.items.get_mut(state))
        {
            *place = count.unsigned_abs();
        }
    }
    let attempts = number(connection, "SELECT count(*) FROM attempts").await?;
    salvaged.attempts = attempts
        .unsigned_abs()
        .saturating_sub(salvaged.lost_attempts);
    Ok(())
}
