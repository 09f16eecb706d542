//! The journal: a SQLite file with every item, what is wanted of it, each attempt and each run.
//!
//! The journal is the queue. What is due is a query, so that going on after a crash is no special mode. One run at a time
//! writes it, through one connection, each step a transaction that is on disk before anyone is told of it. Others read it
//! meanwhile. All SQL of altfill stands in this room; nothing in here sends, prints or decides what an answer means.

mod account;
mod batch;
mod bulk;
mod intake;
mod lock;
mod monitoring;
mod open;
mod overlay;
mod overview;
mod queue;
mod reading;
mod run;
mod scratch;
mod turn;
mod upkeep;
mod usage;

use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};

pub use self::{
    account::{Doubt, FoundAccount, Whose},
    batch::Batch,
    intake::{Conflict, Counts, Intake, Resent},
    lock::{Holder, Lock},
    monitoring::Chronicle,
    open::{Found, look},
    overlay::Duplicates,
    overview::{Bucket, Dimension, RunSum, Sum},
    queue::{Due, Next, Settled, Start},
    reading::{Attempt, Export, ItemDetails, LatestRun, Reader, Tally},
    run::{Ended, NewRun, RetryFailed, Started},
    scratch::Outlook,
    upkeep::{Selection, Withdrawal},
    usage::Usage,
};

/// The row of the account that a journal begins with.
pub const DEFAULT_ACCOUNT: i64 = 1;

/// A journal, opened by the one run that may write it.
#[derive(Debug)]
pub struct Journal {
    connection: SqliteConnection,
    path: PathBuf,
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
        "the journal {path} belongs to {bound}, and this run would send to {asked}. An item that is done there is not done here: \
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
    #[error("another run has the journal{}", held_by(.0.as_ref()))]
    Locked(Option<Holder>),
    #[error("{path} can't be opened: {source}")]
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
    #[error("the journal could not be read or written: {0}")]
    Sqlite(#[from] sqlx::Error),
    #[error("the journal holds something that altfill never writes: {0}")]
    Damaged(String),
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

    /// Closes it; the write-ahead log is brought into the file.
    ///
    /// # Errors
    /// Where that can't be written.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.connection.close().await?)
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
