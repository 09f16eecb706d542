//! Opening a journal: is it one, is it ours, is it of this API address, and is it in today's form.
//!
//! Owns the file's creation (for its owner's eyes only), SQLite's settings and the migrations. A file that is anything
//! else than a journal of altfill is told apart before SQLite touches it, and never changed.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Error, Journal, Lock};
use crate::time::Timestamp;

/// `altf`: how a journal is told from any other SQLite file (`PRAGMA application_id`, bytes 68 to 71 of the file).
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"altf");
/// 3.51.3 mends a bug by which resetting the WAL could damage a database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// An item with an alt text takes some 250 bytes: on pages of 8 KiB a million are taken in a fifth faster than on SQLite's
/// 4 KiB, and larger ones gain no more. A journal keeps the size with which it was made.
const PAGE_SIZE: u32 = 8_192;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or an empty file.
    Nothing,
    /// A journal of altfill.
    Journal,
}

/// Looks what stands at `path`, without changing it.
///
/// # Errors
/// Where it is something else than a journal, or can't be read.
pub fn look(path: &Path) -> Result<Found, Error> {
    let failed = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed(error)),
    };
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Directory(path.to_owned()));
    }
    let mut header = Vec::new();
    file.by_ref()
        .take(100)
        .read_to_end(&mut header)
        .map_err(failed)?;
    if header.is_empty() {
        Ok(Found::Nothing)
    } else if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        Err(Error::NotSqlite(path.to_owned()))
    } else if header[68..72] == APPLICATION_ID.to_be_bytes() {
        Ok(Found::Journal)
    } else {
        Err(Error::Foreign(path.to_owned()))
    }
}

/// Makes what is opened readable and writable by its owner alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Opens the journal at `path` for a run that holds its `lock`, and makes it where there is none.
pub(super) async fn for_writing(path: &Path, api_url: &str, lock: Lock) -> Result<Journal, Error> {
    if libsqlite3_sys::SQLITE_VERSION_NUMBER < OLDEST_SQLITE {
        return Err(Error::OldSqlite);
    }
    let is_new = look(path)? == Found::Nothing;
    if is_new {
        // SQLite would make it readable for everyone; its -wal and -shm take the mode of this one.
        private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path)
            .map_err(|source| Error::Io {
                path: path.to_owned(),
                source,
            })?;
        mark(path).await?;
    }
    let mut connection = connect(path, false).await?;
    prepare(&mut connection, path, api_url)
        .await
        .inspect_err(|_| {
            if is_new {
                remove(path);
            }
        })?;
    let next_attempt = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM attempts")
        .fetch_one(&mut connection)
        .await?;
    Ok(Journal {
        connection,
        path: path.to_owned(),
        is_new,
        next_attempt,
        is_over: false,
        _lock: lock,
    })
}

/// Writes whose file it is, before anything else: what is cut off from here on is taken up by the next run, and while
/// there is no write-ahead log the mark stands in the file itself, where [`look`] finds it.
async fn mark(path: &Path) -> Result<(), Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let pragma =
        format!("PRAGMA page_size = {PAGE_SIZE}; PRAGMA application_id = {APPLICATION_ID}");
    sqlx::query(sqlx::AssertSqlSafe(pragma))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

async fn prepare(
    connection: &mut SqliteConnection,
    path: &Path,
    api_url: &str,
) -> Result<(), Error> {
    MIGRATIONS
        .run(&mut *connection)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                Error::Newer {
                    path: path.to_owned(),
                    version,
                }
            }
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                Error::Sqlite(source)
            }
            other => Error::Migration(other),
        })?;
    sqlx::query(
        "INSERT INTO journal (id, api_url, created) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(api_url)
    .bind(Timestamp::now().0)
    .execute(&mut *connection)
    .await?;
    check_address(connection, path, api_url).await
}

/// Opens the journal at `path` for reading, beside a run that may go on.
pub(super) async fn for_reading(path: &Path) -> Result<SqliteConnection, Error> {
    match look(path)? {
        Found::Nothing => Err(Error::Missing(path.to_owned())),
        Found::Journal => connect(path, true).await,
    }
}

pub(super) async fn check_address(
    connection: &mut SqliteConnection,
    path: &Path,
    asked: &str,
) -> Result<(), Error> {
    let bound: String = sqlx::query_scalar("SELECT api_url FROM journal")
        .fetch_one(connection)
        .await?;
    if bound == asked {
        return Ok(());
    }
    Err(Error::OtherAddress {
        path: path.to_owned(),
        bound,
        asked: asked.to_owned(),
    })
}

async fn connect(path: &Path, read_only: bool) -> Result<SqliteConnection, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(read_only)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging();
    // A reader takes the file as it is.
    let options = if read_only {
        options
    } else {
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-10000")
            .pragma("temp_store", "FILE")
    };
    let mut connection = SqliteConnection::connect_with(&options).await?;
    if !read_only {
        sqlx::raw_sql(SLACK).execute(&mut connection).await?;
    }
    Ok(connection)
}

/// The bundled SQLite keeps one account of the pages of all caches of a process. Where one of them is a page above its
/// size, as a temporary table's is while it grows, a page that another has just used is thrown away at once, and is read
/// again for the next row. A database that holds nothing lends them its share: it is neither file nor memory.
const SLACK: &str = "ATTACH '' AS slack; PRAGMA slack.cache_size = 1000";

/// Removes a journal that this run has made and in which nothing stands.
pub(super) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // What can't be removed is empty, and is taken for nothing by the next run.
        let _ = std::fs::remove_file(name);
    }
}
