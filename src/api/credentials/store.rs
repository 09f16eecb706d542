//! The store of profiles: `credentials.toml` in the user's configuration folder, for its owner's eyes only.
//!
//! Owns the file, its locks, and how it is written: whole, beside the old one, on disk before the name changes hands. A file
//! that others can read, or that somebody else put there, is refused. What an error says never quotes the file.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::profile::Profile;

/// The file's name.
const NAME: &str = "credentials.toml";
/// How long to wait for somebody who changes the store.
const CHANGE_WAIT: Duration = Duration::from_secs(30);

/// Where profiles are kept. Nothing is read before it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum StoreError {
    #[error(
        "{path} can't be read or written: {source}. See who may do so, and whether the disk is full"
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{path} holds secrets and others on this machine can read it (its mode is {mode:o}): chmod {wanted:o} {path}"
    )]
    Readable {
        path: PathBuf,
        mode: u32,
        wanted: u32,
    },
    #[error(
        "{0} holds secrets and belongs to another user: it is neither read nor written. Run altfill as that user, or set XDG_CONFIG_HOME to a folder of yours"
    )]
    Foreign(PathBuf),
    #[error("{0} holds secrets and is a link, or no file at all: put the file itself there")]
    NoFile(PathBuf),
    #[error(
        "{path} can't be understood{}: mend it, or remove it and log in again with `altfill auth login`",
        .line.map_or_else(String::new, |line| format!(" (line {line})"))
    )]
    Malformed { path: PathBuf, line: Option<usize> },
    #[error("{0} is held by another altfill for too long: try again")]
    Busy(PathBuf),
    #[error(
        "a profile's name has 1 to 64 letters, digits, dots, dashes and underscores, and no dot first: {0:?} is none. Choose another one with --profile"
    )]
    Name(String),
    #[error("there is no profile {name} in {path}: log in with `altfill auth login --profile {name}`{}", known(.names))]
    Unknown {
        name: String,
        path: PathBuf,
        names: Vec<String>,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; there are {}", names.join(", "))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The right to be the only one who renews a profile's tokens, until it is dropped.
#[derive(Debug)]
pub(super) struct Guard(#[expect(dead_code, reason = "it is held")] File);

impl Store {
    /// The store in `folder`, whether there is one yet or not.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// All profiles by name; none where there is no store yet.
    ///
    /// # Errors
    /// Where the file can't be read, or must not be trusted.
    pub fn profiles(&self) -> Result<BTreeMap<String, Profile>, StoreError> {
        let path = self.path();
        let Some(text) = read_secret(&path)? else {
            return Ok(BTreeMap::new());
        };
        let content: Content = toml::from_str(text.expose_secret()).map_err(|error| {
            let before = error
                .span()
                .and_then(|span| text.expose_secret().get(..span.start));
            StoreError::Malformed {
                path,
                line: before.map(|before| before.matches('\n').count() + 1),
            }
        })?;
        Ok(content.profiles)
    }

    /// One profile.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn profile(&self, name: &str) -> Result<Profile, StoreError> {
        let mut profiles = self.profiles()?;
        profiles.remove(name).ok_or_else(|| StoreError::Unknown {
            name: name.to_owned(),
            path: self.path(),
            names: profiles.into_keys().collect(),
        })
    }

    /// Changes the profiles, alone, and returns when that is on disk.
    ///
    /// # Errors
    /// Where it can't be read or written; then it is as it was.
    pub async fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Profile>) -> T,
    ) -> Result<T, StoreError> {
        self.make_folder()?;
        let _guard = self.lock(&format!("{NAME}.lock"), CHANGE_WAIT).await?;
        let mut profiles = self.profiles()?;
        let result = change(&mut profiles);
        self.write(&Content { profiles })?;
        Ok(result)
    }

    /// Waits for the right to renew a profile's tokens.
    pub(super) async fn hold(&self, name: &str, wait: Duration) -> Result<Guard, StoreError> {
        check_name(name)?;
        self.make_folder()?;
        self.lock(&format!("{name}.lock"), wait).await
    }

    async fn lock(&self, name: &str, wait: Duration) -> Result<Guard, StoreError> {
        let path = self.folder.join(name);
        let failed = io_at(&path);
        let file = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(failed)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Guard(file)),
                Err(fs::TryLockError::WouldBlock) if began.elapsed() < wait => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(fs::TryLockError::WouldBlock) => return Err(StoreError::Busy(path)),
                Err(fs::TryLockError::Error(source)) => {
                    return Err(StoreError::Io { path, source });
                }
            }
        }
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        let failed = io_at(&self.folder);
        if !self.folder.exists() {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&self.folder).map_err(&failed)?;
        }
        check_folder(&self.folder)
    }

    /// Writes it whole: beside the old one, through to the disk, and only then by its name.
    fn write(&self, content: &Content) -> Result<(), StoreError> {
        let path = self.path();
        let new = self.folder.join(format!("{NAME}.new"));
        let text = toml::to_string(content).map(SecretString::from);
        let text = text.map_err(|_| StoreError::Malformed {
            path: path.clone(),
            line: None,
        })?;
        let write = || {
            // What a crash left there is nobody's any more: this process holds the lock.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&new)?;
            file.write_all(text.expose_secret().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            #[cfg(unix)]
            File::open(&self.folder)?.sync_all()?;
            Ok(())
        };
        write().map_err(io_at(&path))
    }
}

/// Checks the name of a profile, which becomes a part of file names.
///
/// # Errors
/// Where it can't be one.
pub fn check_name(name: &str) -> Result<(), StoreError> {
    let is_name = (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_name
        .then_some(())
        .ok_or_else(|| StoreError::Name(name.to_owned()))
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io {
        path: path.clone(),
        source,
    }
}

/// Readable and writable by its owner alone, and never through a link.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(no_follow());
    }
    options
}

#[cfg(unix)]
fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Whether a file was not opened because its name is a link's.
fn is_link(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    #[cfg(not(unix))]
    return false;
}

/// Reads a file that holds secrets, if it is there and its owner is the only one who can read it.
///
/// # Errors
/// Where it is another's, or readable by others, or no file.
pub(super) fn read_secret(path: &Path) -> Result<Option<SecretString>, StoreError> {
    let failed = io_at(path);
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, no_follow());
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if is_link(&error) => return Err(StoreError::NoFile(path.to_owned())),
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(&failed)?;
    if !metadata.is_file() {
        return Err(StoreError::NoFile(path.to_owned()));
    }
    check_owner(path, &metadata, 0o600)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Some(SecretString::from(text)))
}

fn check_folder(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(io_at(path))?;
    check_owner(path, &metadata, 0o700)
}

#[cfg(unix)]
fn check_owner(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;

    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    let mode = metadata.mode() & 0o777;
    // A folder that others can only read shows them names; one that they can write lets them put a file there.
    let harmful = if metadata.is_dir() { 0o022 } else { 0o077 };
    if mode & harmful != 0 {
        return Err(StoreError::Readable {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_: &Path, _: &fs::Metadata, _: u32) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{super::profile::tests::profile, *};

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("config/altfill"));
        (home, store)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn what_is_written_is_read_again_and_is_its_owners_alone() {
        let (_home, store) = store();
        assert!(store.profiles().unwrap().is_empty());
        let wanted = profile("https://api.x.com");
        store
            .change(|profiles| profiles.insert("brand".to_owned(), wanted.clone()))
            .await
            .unwrap();
        let read = store.profile("brand").unwrap();
        assert_eq!(
            toml::to_string(&read).unwrap(),
            toml::to_string(&wanted).unwrap()
        );
        assert_eq!((mode(&store.path()), mode(&store.folder)), (0o600, 0o700));
        assert!(!store.folder.join("credentials.toml.new").exists());
    }

    #[tokio::test]
    async fn a_store_that_others_can_read_is_refused_with_the_cure() {
        let (_home, store) = store();
        store
            .change(|profiles| profiles.insert("a".to_owned(), profile("https://api.x.com")))
            .await
            .unwrap();
        for wrong in [0o640, 0o604, 0o666] {
            set_mode(&store.path(), wrong);
            let error = store.profiles().unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        set_mode(&store.path(), 0o600);
        set_mode(&store.folder, 0o777);
        let error = store.change(|_| ()).await.unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }

    #[tokio::test]
    async fn a_link_is_no_store() {
        let (home, store) = store();
        store.change(|_| ()).await.unwrap();
        let elsewhere = home.path().join("elsewhere.toml");
        fs::rename(store.path(), &elsewhere).unwrap();
        symlink(&elsewhere, store.path()).unwrap();
        assert!(matches!(store.profiles(), Err(StoreError::NoFile(_))));
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_store_is_told_without_its_secrets() {
        let (_home, store) = store();
        store.change(|_| ()).await.unwrap();
        for text in [
            "[profiles.a]\napi_url = \"x\"\naccess_token = \"hidden\"\n",
            "[profiles.a]\napi_url = [\"hidden\"]\n",
            "[profiles.a]\nhidden",
        ] {
            fs::write(store.path(), text).unwrap();
            let error = store.profiles().unwrap_err();
            assert!(
                matches!(error, StoreError::Malformed { line: Some(_), .. }),
                "{error}"
            );
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_name_can_not_lead_out_of_the_folder() {
        let (_home, store) = store();
        for name in ["", "../a", "a/b", ".a", "a b", "\u{e4}"] {
            let held = store.hold(name, Duration::ZERO).await;
            assert!(matches!(held, Err(StoreError::Name(_))), "{name:?}");
        }
    }

    #[tokio::test]
    async fn one_at_a_time_holds_a_profile() {
        let (_home, store) = store();
        let held = store.hold("a", Duration::ZERO).await.unwrap();
        let second = store.hold("a", Duration::ZERO).await;
        assert!(matches!(second, Err(StoreError::Busy(_))));
        store.hold("b", Duration::ZERO).await.unwrap();
        drop(held);
        store.hold("a", Duration::ZERO).await.unwrap();
    }
}
