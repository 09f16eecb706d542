//! Where an open journal lies: is the file at its path still the one that was opened?
//!
//! Owns that question, for the journal and its write-ahead log. SQLite goes on writing into a file that was removed or
//! replaced, and what it writes is gone when it ends: so it is asked each time before anything counts. And the wish that
//! a new name in a folder outlasts a power loss stands here too.

use std::path::{Path, PathBuf};

use super::Error;

/// The files of an open journal, as they were when they were first seen.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    log: PathBuf,
    journal: Option<File>,
    log_seen: Option<File>,
}

/// What tells a file from another of the same name.
type File = (u64, u64);

impl Place {
    /// The place of the journal at `path`, which has just been opened.
    pub(super) fn new(path: &Path) -> Self {
        let mut log = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let journal = file(&log);
        log.as_mut_os_string().push("-wal");
        Self {
            path: path.to_owned(),
            log,
            journal,
            log_seen: None,
        }
    }

    /// Whether both files are where they were.
    ///
    /// # Errors
    /// [`Error::Moved`] where one is not: what was just written may be gone.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        let moved = || Error::Moved(self.path.clone());
        if file(&self.path) != self.journal {
            return Err(moved());
        }
        // It is made by the first write, and then stays as long as the journal is open.
        match (self.log_seen, file(&self.log)) {
            (None, now) => self.log_seen = now,
            (seen, now) if seen == now => {}
            _ => return Err(moved()),
        }
        Ok(())
    }
}

#[cfg(unix)]
fn file(path: &Path) -> Option<File> {
    use std::os::unix::fs::MetadataExt;

    let file = path.metadata().ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file(path: &Path) -> Option<File> {
    path.metadata().ok().map(|_| (0, 0))
}

/// Waits until the names in the folder of `path` are on disk.
pub(super) fn keep_name(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Not every system lets a folder be opened: there the name is the system's business.
    match std::fs::File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(_) => Ok(()),
    }
}
