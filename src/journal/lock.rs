//! One run at a time has a journal: a lock on a file beside it, that the system lets go of however the run ends.
//!
//! Owns the lock and the note in it that says who holds it. SQLite's own locks are about transactions, not runs.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Error, open::private};
use crate::time::Timestamp;

/// Who holds a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process's number.
    pub pid: u32,
    /// Since when it does, in RFC 3339.
    pub since: String,
}

/// The lock; it is let go of when this is dropped, and when the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the journal at `path`.
    ///
    /// # Errors
    /// [`Error::Locked`] with its holder when another run has it.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let path = beside(path);
        let failed = |source| Error::Io {
            path: path.clone(),
            source,
        };
        // Not truncated here: until the lock is ours the note in it is another's.
        let mut file = unlinked(private(
            OpenOptions::new().read(true).write(true).create(true),
        ))
        .open(&path)
        .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(holder(&mut file))),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        note(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Who holds the journal at `path` now, if anyone does.
    #[must_use]
    pub fn holder(path: &Path) -> Option<Holder> {
        let mut file = File::open(beside(path)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => holder(&mut file),
            _ => None,
        }
    }
}

/// The lock stands beside the journal's real place, so that two names for one journal have one lock.
fn beside(path: &Path) -> PathBuf {
    let real = path.canonicalize().or_else(|_| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        folder
            .canonicalize()
            .map(|folder| folder.join(path.file_name().unwrap_or_default()))
    });
    let mut name = real.unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push(".lock");
    name.into()
}

/// A link in its place is refused: what it points to would be written over.
fn unlinked(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        options.custom_flags(flags.cast_signed());
    }
    options
}

fn note(file: &mut File) -> io::Result<()> {
    let holder = Holder {
        pid: std::process::id(),
        since: Timestamp::now().to_string(),
    };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())
}

fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(1_024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_and_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let lock = Lock::take(&path).unwrap();
        let Err(Error::Locked(Some(holder))) = Lock::take(&path) else {
            panic!("refused")
        };
        assert_eq!(holder.pid, std::process::id());
        assert!(Timestamp::parse(&holder.since).is_some());
        assert_eq!(Lock::holder(&path), Some(holder));
        drop(lock);
        assert_eq!(Lock::holder(&path), None);
        Lock::take(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn two_names_for_one_journal_have_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.db"), folder.path().join("link.db"));
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let _lock = Lock::take(&path).unwrap();
        assert!(matches!(Lock::take(&link), Err(Error::Locked(_))));
    }
}
