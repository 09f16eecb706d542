//! Where configuration files lie, and whose they are.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The name of a configuration file.
const NAME: &str = "altfill.toml";
/// What is longer is no configuration.
const LONGEST: u64 = 1 << 20;

/// Whose a file is: that decides what it may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum House {
    /// It lies in the current folder or beside a manifest: whoever can write there may have put it there.
    Project,
    /// The user's own, or one that was named.
    Own,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it lies.
    pub path: PathBuf,
    /// Whose it is.
    pub house: House,
}

/// The files that count, the strongest first: the current folder's, the one beside the first manifest, the user's own.
pub fn find(manifest: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Vec<Place> {
    let own = own_folder(variable).map(|folder| folder.join(NAME));
    let beside = manifest
        .filter(|path| path.as_os_str() != "-")
        .and_then(Path::parent)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join(NAME));
    let projects = [Some(PathBuf::from(NAME)), beside].into_iter().flatten();
    let places = projects
        .map(|path| (path, House::Project))
        .chain(own.clone().map(|path| (path, House::Own)));
    let mut found: Vec<Place> = Vec::new();
    for (path, house) in places {
        let is_there = fs::symlink_metadata(&path).is_ok();
        let is_known = found.iter().any(|place| is_same(&place.path, &path));
        // The user's own file is that, also where its folder is the current one.
        let is_own = house == House::Project && own.as_ref().is_some_and(|own| is_same(own, &path));
        if is_there && !is_known && !is_own {
            found.push(Place { path, house });
        }
    }
    found
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The folder of the user's own file.
pub fn own_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            // As the specification of these folders wants it: what is relative does not count.
            .filter(|path| path.is_absolute())
    };
    let base = folder("XDG_CONFIG_HOME").or_else(|| {
        if cfg!(windows) {
            folder("APPDATA")
        } else if cfg!(target_os = "macos") {
            folder("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            folder("HOME").map(|home| home.join(".config"))
        }
    });
    base.map(|base| base.join("altfill"))
}

/// The text of a file.
///
/// # Errors
/// Where it can't be read, with the words for it.
pub fn text(path: &Path) -> Result<String, String> {
    let cannot =
        |why: String| format!("{}: the configuration can't be read: {why}", path.display());
    let said = |error: io::Error| cannot(error.to_string());
    let metadata = fs::metadata(path).map_err(said)?;
    if !metadata.is_file() {
        return Err(cannot("it is no file".to_owned()));
    }
    if metadata.len() > LONGEST {
        return Err(cannot("it is longer than 1 MiB".to_owned()));
    }
    let bytes = fs::read(path).map_err(said)?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = String::from_utf8_lossy(before).matches('\n').count() + 1;
        format!(
            "{}, line {line}: this is no UTF-8: save the file as UTF-8",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_folder_is_the_one_that_is_named_else_the_systems() {
        let with = |pairs: &'static [(&str, &str)]| {
            own_folder(move |name| {
                pairs
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(
            with(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]),
            Some(PathBuf::from("/c/altfill"))
        );
        if cfg!(target_os = "linux") {
            let expected = Some(PathBuf::from("/h/.config/altfill"));
            assert_eq!(with(&[("HOME", "/h")]), expected);
            assert_eq!(
                with(&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]),
                expected
            );
            assert_eq!(with(&[("XDG_CONFIG_HOME", ""), ("HOME", "/h")]), expected);
        }
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_file_that_is_found_twice_counts_once_and_as_the_users_own_where_it_is_that() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("altfill");
        fs::create_dir(&own).unwrap();
        fs::write(own.join(NAME), "").unwrap();
        let home = folder.path().as_os_str().to_owned();
        let variable = |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.clone());
        let found = find(Some(&own.join("m.csv")), variable);
        assert_eq!(
            found,
            [Place {
                path: own.join(NAME),
                house: House::Own
            }]
        );
    }
}
