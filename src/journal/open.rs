//! Opening a journal: is it one, is it ours, is it of this API address, and is it in today's form.
//!
//! Owns the file's creation (for its owner's eyes only), SQLite's settings and the migrations. A file that is anything
//! else than a journal of altfill is told apart before SQLite touches it, and never changed.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Error, Journal, Lock, form,
    place::{Place, keep_name},
};
use crate::{failpoint::Point, time::Timestamp};

/// `altf`: how a journal is told from any other SQLite file (`PRAGMA application_id`, bytes 68 to 71 of the file).
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"altf");
/// 3.51.3 mends a bug by which resetting the WAL could damage a database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// An item with an alt text takes some 250 bytes: on pages of 8 KiB a million are taken in a fifth faster than on SQLite's
/// 4 KiB, and larger ones gain no more. A journal keeps the size with which it was made.
pub(super) const PAGE_SIZE: u32 = 8_192;

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

/// Makes an empty file that was there already its owner's alone.
#[cfg(unix)]
pub(super) fn keep_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
pub(super) fn keep_private(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Opens the journal at `path` for a run that holds its `lock`, and makes it where there is none.
pub(super) async fn for_writing(path: &Path, api_url: &str, lock: Lock) -> Result<Journal, Error> {
    if libsqlite3_sys::SQLITE_VERSION_NUMBER < OLDEST_SQLITE {
        return Err(Error::OldSqlite);
    }
    let is_new = look(path)? == Found::Nothing;
    if is_new {
        // SQLite would make it readable for everyone; its -wal and -shm take the mode of this one.
        let failed = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let file = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path)
            .map_err(failed)?;
        keep_private(&file)
            .and_then(|()| file.sync_all())
            .and_then(|()| keep_name(path))
            .map_err(failed)?;
        Point::JournalMade.pass();
        mark(path, PAGE_SIZE).await.inspect_err(|_| remove(path))?;
        Point::JournalMarked.pass();
    }
    let was_cut_off = has_log(path);
    let mut connection = connect(path, Access::Write).await.inspect_err(|_| {
        if is_new {
            remove(path);
        }
    })?;
    if is_new {
        // From here on the log holds it. SQLite has just removed the other kind of log, with which it was made: one that
        // came back after a power loss would undo that.
        keep_name(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
    }
    if was_cut_off {
        check_pages(&mut connection).await?;
    }
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
        place: Place::new(path),
        is_new,
        next_attempt,
        is_over: false,
        _lock: lock,
    })
}

/// Writes whose file it is, before anything else: what is cut off from here on is taken up by the next run, and while
/// there is no write-ahead log the mark stands in the file itself, where [`look`] finds it.
pub(super) async fn mark(path: &Path, page_size: u32) -> Result<(), Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let pragma =
        format!("PRAGMA page_size = {page_size}; PRAGMA application_id = {APPLICATION_ID}");
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
    form::bring_up_to_date(connection, path).await?;
    sqlx::query(
        "INSERT INTO journal (id, api_url, created) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(api_url)
    .bind(Timestamp::now().0)
    .execute(&mut *connection)
    .await?;
    check_address(connection, path, api_url).await
}

/// Whether a write-ahead log with anything in it lies beside the journal: a run goes on, or was cut off.
fn has_log(path: &Path) -> bool {
    beside(path, "-wal")
        .metadata()
        .is_ok_and(|log| log.len() > 0)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path
        .canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .into_os_string();
    name.push(suffix);
    name.into()
}

/// After a crash the pages are looked over once: what a disk has mixed up shall not be sent.
async fn check_pages(connection: &mut SqliteConnection) -> Result<(), Error> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::Damaged(found.replace('\n', " ")))
}

/// Opens the journal at `path` for reading, beside a run that may go on.
pub(super) async fn for_reading(path: &Path) -> Result<SqliteConnection, Error> {
    if look(path)? == Found::Nothing {
        return Err(Error::Missing(path.to_owned()));
    }
    let access = reading(path);
    let mut connection = match connect(path, access).await {
        // Where nothing can be written SQLite can't read a log either.
        Err(_) if access == Access::Read && has_log(path) && !can_write_beside(path) => {
            return Err(Error::NeedsToWrite(path.to_owned()));
        }
        connected => connected?,
    };
    form::show_as_today(&mut connection, path).await?;
    // Its tables come before its first row: whoever looks in between, or after a crash there, finds nothing yet.
    let (is_bound, has_items): (bool, bool) =
        sqlx::query_as("SELECT EXISTS (SELECT 1 FROM journal), EXISTS (SELECT 1 FROM items)")
            .fetch_one(&mut connection)
            .await?;
    match (is_bound, has_items) {
        (true, _) => Ok(connection),
        (false, false) => Err(Error::Missing(path.to_owned())),
        (false, true) => Err(Error::Damaged("no address that it is bound to".to_owned())),
    }
}

/// How a journal that is only read is opened.
///
/// Where no log lies beside it, SQLite makes one to read by, and takes it away again only where it may write. So it may;
/// this program doesn't. The same beside a run, which may end before. A log of a run that was cut off stays as it is. Where
/// nothing can be written, nothing changes either.
fn reading(path: &Path) -> Access {
    let (has_log, can_write) = (beside(path, "-wal").exists(), can_write_beside(path));
    match (has_log, can_write) {
        (false, false) => Access::ReadUnchanging,
        (false, true) => Access::ReadAndTidy,
        (true, true) if Lock::holder(path).is_some() => Access::ReadAndTidy,
        (true, _) => Access::Read,
    }
}

/// Attaches the journal at `path` to another one's connection as `old`, to be read.
pub(super) async fn attach_old(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), Error> {
    let mode = match reading(path) {
        Access::ReadUnchanging => "mode=ro&immutable=1",
        Access::ReadAndTidy => "mode=rw",
        Access::Read | Access::Write => "mode=ro",
    };
    attach(connection, path, mode).await
}

/// The same with SQLite's words for how it is opened.
pub(super) async fn attach(
    connection: &mut SqliteConnection,
    path: &Path,
    mode: &str,
) -> Result<(), Error> {
    // A path as SQLite's URI has it: what would end it or begin an escape is escaped.
    let path = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    sqlx::query("ATTACH ? AS old")
        .bind(format!("file:{path}?{mode}"))
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(unix)]
fn can_write_beside(path: &Path) -> bool {
    use rustix::fs::{Access, access};

    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().unwrap_or(Path::new("."));
    access(folder, Access::WRITE_OK).is_ok() && access(&real, Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn can_write_beside(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| !file.permissions().readonly())
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

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// All.
    Write,
    /// Nothing but read.
    Read,
    /// Read; SQLite takes away what it made to read by.
    ReadAndTidy,
    /// Read what nobody can change.
    ReadUnchanging,
}

pub(super) async fn connect(path: &Path, access: Access) -> Result<SqliteConnection, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(matches!(access, Access::Read | Access::ReadUnchanging))
        .immutable(access == Access::ReadUnchanging)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging();
    let options = match access {
        Access::Write => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-10000")
            .pragma("temp_store", "FILE"),
        // A reader takes the file as it is.
        Access::Read | Access::ReadUnchanging => options,
        Access::ReadAndTidy => options.pragma("query_only", "ON"),
    };
    let mut connection = SqliteConnection::connect_with(&options).await?;
    if access == Access::Write {
        sqlx::raw_sql(SLACK).execute(&mut connection).await?;
    }
    Ok(connection)
}

/// The bundled SQLite keeps one account of the pages of all caches of a process. A cache that is smaller than it may be takes
/// a new page, also where another one has thrown a page away for it: so the temporary tables, which grow with a manifest and
/// whose pages that are written the journal's cache takes over, made all of them together grow to the sum of their sizes.
/// Ten pages are the most with which a cache that is full of pages to be written is at its size. And where one is a page
/// above its size, each page that another has just used is thrown away at once, and is read again for the next row: a
/// database that holds nothing lends them its share. It is neither file nor memory.
const SLACK: &str =
    "ATTACH '' AS slack; PRAGMA slack.cache_size = 400; PRAGMA temp.cache_size = 10";

/// Removes a journal that this run has made and in which nothing stands.
pub(super) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // What can't be removed is empty, and is taken for nothing by the next run.
        let _ = std::fs::remove_file(name);
    }
}
