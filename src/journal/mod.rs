//! The journal: a SQLite file with every item, what is wanted of it, each attempt and each run.
//!
//! The journal is the queue. What is due is a query, so that going on after a crash is no special mode. One run at a time
//! writes it, through one connection, each step a transaction that is on disk before anyone is told of it. Others read it
//! meanwhile. All SQL of altfill stands in this room; nothing in here sends, prints or decides what an answer means.

mod account;
mod batch;
mod bulk;
mod entries;
mod export;
mod form;
mod intake;
mod lock;
mod monitoring;
mod open;
mod overlay;
mod overview;
mod place;
mod queue;
mod reading;
mod run;
mod salvage;
mod scratch;
mod tally;
mod turn;
mod upkeep;
mod usage;
pub mod views;

use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};

use crate::failpoint::Point;

use self::place::Place;
pub use self::{
    account::{Doubt, FoundAccount, Whose},
    batch::Batch,
    export::{Attempt, Export, ItemDetails},
    intake::{Conflict, Counts, Intake, Resent},
    lock::{Holder, Lock},
    monitoring::Chronicle,
    open::{Found, look},
    overlay::Duplicates,
    overview::{Bucket, Dimension, RunSum, Sum},
    queue::{Due, Next, Settled, Start},
    reading::{LatestRun, Reader},
    run::{Ended, NewRun, RetryFailed, Started},
    salvage::{Salvaged, salvage},
    scratch::Outlook,
    tally::Tally,
    upkeep::{Selection, Withdrawal},
    usage::Usage,
};

/// Whether the row of an item `i` is whole: SQLite's index knows it by its id. A disk that changes a bit changes one of the
/// two, and SQLite would not notice.
macro_rules! is_whole {
    () => {
        "(SELECT w.id FROM items AS w INDEXED BY sqlite_autoindex_items_1 \
         WHERE w.account_id = i.account_id AND w.media_id = i.media_id) IS i.id AS is_whole"
    };
}
use is_whole;

/// The row of the account that a journal begins with.
pub const DEFAULT_ACCOUNT: i64 = 1;

/// A journal, opened by the one run that may write it.
#[derive(Debug)]
pub struct Journal {
    connection: SqliteConnection,
    path: PathBuf,
    place: Place,
    /// Whether this run has made it.
    is_new: bool,
    next_attempt: i64,
    /// Whether it is a scratch over another one.
    is_over: bool,
    _lock: Lock,
}

/// Which items a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of the manifests that this run has taken in.
    Manifests,
    /// All of the account.
    Everything,
}

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum Error {
    #[error(
        "there is no journal at {0}: name one with --journal, or make one with `altfill run MANIFEST --journal {0}`"
    )]
    Missing(PathBuf),
    #[error(
        "{0} is a directory, and no journal: name the file itself with --journal, for example {0}/altfill.db"
    )]
    Directory(PathBuf),
    #[error(
        "{0} is no journal: it is not even a SQLite file. Nothing was changed; name another file with --journal"
    )]
    NotSqlite(PathBuf),
    #[error(
        "{0} is a database of another program, and no journal of altfill. Nothing was changed; name another file with --journal"
    )]
    Foreign(PathBuf),
    #[error(
        "the journal {path} belongs to {bound}, and this run would send to {asked}. An image that is done there is not done here: \
         name another journal with --journal, or the address with --api-url {bound}"
    )]
    OtherAddress {
        path: PathBuf,
        bound: String,
        asked: String,
    },
    #[error(
        "the journal {path} was written by a newer altfill (its form is {version}): use that one, or a newer one still"
    )]
    Newer { path: PathBuf, version: i64 },
    #[error(
        "the journal {path} holds images of {}: say whose with --profile NAME", .names.join(", ")
    )]
    WhichAccount { path: PathBuf, names: Vec<String> },
    #[error(
        "another run has the journal{}. `altfill status` shows how far it is; --lock-wait 1h lets this one wait for it", held_by(.0.as_ref())
    )]
    Locked(Option<Holder>),
    #[error(
        "{path} can't be opened: {source}. See who may read and write it, or name another file with --journal"
    )]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "this altfill was built with a SQLite that can damage a journal: build it with the bundled one"
    )]
    OldSqlite,
    #[error("the journal's form could not be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("the journal {}", failing(.0, None))]
    Sqlite(#[from] sqlx::Error),
    #[error("the journal {} {}", .path.display(), failing(.source, Some(.path)))]
    Failing { path: PathBuf, source: sqlx::Error },
    #[error("the journal holds something that altfill never writes: {what}. {cure}", what = .0, cure = cure(None))]
    Damaged(String),
    #[error("the journal {} holds something that altfill never writes: {what}. {cure}", .path.display(), cure = cure(Some(.path)))]
    DamagedAt { path: PathBuf, what: String },
    #[error(
        "the journal {0} was moved, removed or replaced while it was in use, so what was written last may be gone. It was \
         stopped at once; put the file back, and run it again"
    )]
    Moved(PathBuf),
    #[error("{0} is there already: name a file that is not, so that nothing is written over")]
    InTheWay(PathBuf),
    #[error(
        "the journal {0} does not tell any more to which address it belongs: say it with --api-url, as it was used"
    )]
    NoAddress(PathBuf),
    #[error(
        "nothing can be read of {path} any more ({source}), and nothing was changed: take a copy of an earlier day"
    )]
    Unsalvageable { path: PathBuf, source: sqlx::Error },
    #[error(
        "the journal {0} can't be read where it lies: its write-ahead log is beside it, and nothing can be written there. \
         Copy it with its -wal to another folder, and look at the copy"
    )]
    NeedsToWrite(PathBuf),
}

impl Error {
    /// The same, with the journal's path in its words.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::Sqlite(source) => Self::Failing { path, source },
            Self::Damaged(what) => Self::DamagedAt { path, what },
            other => other,
        }
    }
}

/// What SQLite's failure means, and its cure, as the end of a sentence about the journal.
fn failing(error: &sqlx::Error, path: Option<&PathBuf>) -> String {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    // The lowest byte is the kind; above it stands more of the same.
    let kind = code
        .and_then(|code| code.parse::<i32>().ok())
        .map_or(0, |code| code & 0xff);
    let said = error
        .as_database_error()
        .map_or_else(|| error.to_string(), |error| error.message().to_owned());
    if matches!(
        error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    ) {
        return format!("is damaged ({said}). {}", cure(path));
    }
    match kind {
        11 | 26 => format!("is damaged ({said}). {}", cure(path)),
        13 => "can't be written: the disk is full. Nothing is counted that is not on disk; make room, and run it again"
            .to_owned(),
        10 => format!(
            "can't be read or written: the disk failed ({said}). Nothing is counted that is not on disk; see to the disk, \
             and run it again"
        ),
        8 | 14 => format!(
            "can't be written ({said}): altfill must be allowed to write it and to make files in its folder"
        ),
        _ => format!("could not be read or written: {said}"),
    }
}

fn cure(path: Option<&PathBuf>) -> String {
    let path = path.map_or_else(|| "PATH".to_owned(), |path| path.display().to_string());
    format!(
        "Nothing more is written to it; `altfill repair --journal {path} -o NEW.db` salvages what can be read into a new one"
    )
}

fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| {
        format!(": process {} since {}", holder.pid, holder.since)
    })
}

impl Journal {
    /// Opens the journal at `path` for a run against `api_url`, and makes it where there is none.
    ///
    /// # Errors
    /// Where it is none of ours, or of another address, or can't be read or written.
    pub async fn open(path: &Path, api_url: &str, lock: Lock) -> Result<Self, Error> {
        open::for_writing(path, api_url, lock).await
    }

    /// That what was just written stands where it is looked for.
    ///
    /// # Errors
    /// [`Error::Moved`] where the file is no longer in its place.
    fn is_in_place(&mut self) -> Result<(), Error> {
        self.place.check()
    }

    /// Closes it; the write-ahead log is brought into the file.
    ///
    /// # Errors
    /// Where that can't be written.
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await?;
        Point::JournalClosed.pass();
        Ok(())
    }

    /// Closes it, and removes it again where this run has made it: nothing stands in it.
    ///
    /// # Errors
    /// Where it can't be closed.
    pub async fn abandon(self) -> Result<(), Error> {
        let (path, is_new) = (self.path.clone(), self.is_new);
        self.close().await?;
        if is_new {
            open::remove(&path);
        }
        Ok(())
    }
}
