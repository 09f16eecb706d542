//! A file that a command writes: for its owner's eyes, beside its place and then renamed, so that nobody reads half of it.
//!
//! Owns that, and its exception: what is no file (`/dev/stdout`, a pipe) is written to as it is, and never replaced.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that is being written.
#[derive(Debug)]
pub enum Output {
    /// A file, beside the place where it belongs.
    Beside(NamedTempFile, PathBuf),
    /// Something that is no file.
    Through(File),
}

impl Output {
    /// What is to stand at `path`, of which nothing is seen before [`finish`](Self::finish).
    pub fn begin(path: &Path) -> io::Result<Self> {
        // A link stays a link: what it points to is replaced.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if place
            .metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir())
        {
            return Ok(Self::Through(OpenOptions::new().write(true).open(path)?));
        }
        let file = tempfile::Builder::new()
            .prefix(".altfill-")
            .tempfile_in(folder(&place))?;
        Ok(Self::Beside(file, place))
    }

    /// Puts it in its place, on disk.
    pub fn finish(self) -> io::Result<()> {
        let Self::Beside(file, place) = self else {
            return Ok(());
        };
        file.as_file().sync_all()?;
        file.persist(&place).map_err(|error| error.error)?;
        // So that its new name outlasts a power loss; not every system lets a folder be opened.
        File::open(folder(&place)).map_or(Ok(()), |folder| folder.sync_all())
    }
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside(file, _) => file.as_file_mut().write(bytes),
            Self::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(file, _) => file.as_file_mut().flush(),
            Self::Through(file) => file.flush(),
        }
    }
}
