//! What users already have: the stores of `xurl` and `twurl`, read once to make profiles of them.
//!
//! Owns their forms. Writes nothing there; and what an error says never quotes them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Profile, StoreError, store::read_secret};
use crate::{
    api::{App, Keys, Tokens, User},
    time::Timestamp,
};

/// A program whose credentials can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// X's own command.
    Xurl,
    /// Its forerunner.
    Twurl,
}

/// Credentials can't be taken over.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum ForeignError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there are no credentials of it: neither {} is there. Name its file with --file, or log in with `altfill auth login`", .0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" nor "))]
    Missing(Vec<PathBuf>),
    #[error(
        "{0} is not in a form that is known: name another file with --file, or log in with `altfill auth login`"
    )]
    Malformed(PathBuf),
    #[error(
        "{path} has no credentials of a user that fit; there are: {there}. Choose with --app and --user, or log in with `altfill auth login`"
    )]
    None { path: PathBuf, there: String },
    #[error("{path} has several that fit: choose with --app and --user, of {there}")]
    Several { path: PathBuf, there: String },
}

/// What was found, and under which name there.
#[derive(Debug)]
pub struct Taken {
    /// The app's and user's names there.
    pub name: String,
    /// The user's name there.
    pub user: String,
    /// The profile.
    pub profile: Profile,
    /// Whether a refresh token was taken, which can be spent by one program only.
    pub has_refresh_token: bool,
}

#[derive(Deserialize)]
struct XurlStore {
    #[serde(default)]
    apps: BTreeMap<String, XurlApp>,
    default_app: Option<String>,
}

#[derive(Deserialize)]
struct XurlApp {
    client_id: Option<String>,
    client_secret: Option<String>,
    default_user: Option<String>,
    #[serde(default)]
    oauth2_tokens: BTreeMap<String, XurlUser>,
    oauth1_token: Option<XurlKeys>,
}

#[derive(Deserialize)]
struct XurlUser {
    oauth2: Option<XurlTokens>,
}

#[derive(Deserialize)]
struct XurlTokens {
    access_token: String,
    refresh_token: Option<String>,
    expiration_time: Option<i64>,
}

#[derive(Deserialize)]
struct XurlKeys {
    oauth1: Option<XurlKeysInner>,
}

#[derive(Deserialize)]
struct XurlKeysInner {
    access_token: String,
    token_secret: String,
    consumer_key: String,
    consumer_secret: String,
}

#[derive(Deserialize)]
struct TwurlStore {
    #[serde(default)]
    profiles: BTreeMap<String, BTreeMap<String, TwurlKeys>>,
    configuration: Option<TwurlConfiguration>,
}

#[derive(Deserialize)]
struct TwurlConfiguration {
    default_profile: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TwurlKeys {
    consumer_key: String,
    consumer_secret: String,
    token: String,
    secret: String,
}

/// A candidate: its app, its user, whether it is the default, and what it is.
type Candidate = (String, String, bool, Profile);

impl Foreign {
    /// Where its store is in a home folder: the newest layout first.
    #[must_use]
    pub fn places(self, home: &Path) -> Vec<PathBuf> {
        match self {
            Self::Xurl => vec![home.join(".xurl/auth.yml"), home.join(".xurl")],
            Self::Twurl => vec![home.join(".twurlrc")],
        }
    }

    /// Reads one user's credentials for `api_url` out of the first store that is there.
    ///
    /// # Errors
    /// Where there is none, it can't be read, or it is not clear which user's are meant.
    pub fn take(
        self,
        places: &[PathBuf],
        app: Option<&str>,
        user: Option<&str>,
        api_url: &str,
    ) -> Result<Taken, ForeignError> {
        let is_there = |path: &&PathBuf| path.is_file();
        let path = places
            .iter()
            .find(is_there)
            .ok_or_else(|| ForeignError::Missing(places.to_vec()))?;
        let text = read_secret(path)?.ok_or_else(|| ForeignError::Missing(places.to_vec()))?;
        let candidates = match self {
            Self::Xurl => xurl(&text, api_url),
            Self::Twurl => twurl(&text, api_url),
        };
        let candidates = candidates.ok_or_else(|| ForeignError::Malformed(path.clone()))?;
        choose(candidates, path, app, user)
    }
}

fn choose(
    candidates: Vec<Candidate>,
    path: &Path,
    app: Option<&str>,
    user: Option<&str>,
) -> Result<Taken, ForeignError> {
    let names: Vec<_> = candidates
        .iter()
        .map(|(app, user, ..)| format!("{user} of the app {app}"))
        .collect();
    let there = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let fits = |(its_app, its_user, ..): &Candidate| {
        app.is_none_or(|app| app == its_app) && user.is_none_or(|user| user == its_user)
    };
    let mut fitting: Vec<_> = candidates.into_iter().filter(fits).collect();
    if fitting.len() > 1 && fitting.iter().filter(|(_, _, default, _)| *default).count() == 1 {
        fitting.retain(|(_, _, default, _)| *default);
    }
    let path = path.to_owned();
    match fitting.len() {
        0 => Err(ForeignError::None { path, there }),
        1 => {
            let (app, user, _, profile) = fitting.remove(0);
            let has_refresh_token = profile
                .grant()
                .is_some_and(|grant| grant.refresh_token.is_some());
            Ok(Taken {
                name: format!("{user} of the app {app}"),
                user,
                profile,
                has_refresh_token,
            })
        }
        _ => Err(ForeignError::Several { path, there }),
    }
}

fn xurl(text: &SecretString, api_url: &str) -> Option<Vec<Candidate>> {
    let store: XurlStore = serde_saphyr::from_str(text.expose_secret()).ok()?;
    let mut candidates = Vec::new();
    for (name, app) in store.apps {
        let is_default_app = store
            .default_app
            .as_ref()
            .is_none_or(|default| *default == name);
        for (user, tokens) in app.oauth2_tokens {
            let Some(tokens) = tokens.oauth2 else {
                continue;
            };
            let is_default = is_default_app
                && app
                    .default_user
                    .as_ref()
                    .is_none_or(|default| *default == user);
            let app = App {
                client_id: app.client_id.clone().unwrap_or_default(),
                client_secret: app
                    .client_secret
                    .clone()
                    .filter(|secret| !secret.is_empty())
                    .map(SecretString::from),
            };
            let tokens = Tokens {
                access: tokens.access_token.into(),
                refresh: tokens
                    .refresh_token
                    .filter(|token| !token.is_empty())
                    .map(SecretString::from),
                issued: Timestamp::now(),
                expires: tokens.expiration_time.map(Timestamp::from_seconds),
                scopes: Vec::new(),
            };
            let profile = Profile::of_tokens(api_url.to_owned(), app, tokens, None);
            candidates.push((name.clone(), user, is_default, profile));
        }
        if let Some(keys) = app.oauth1_token.and_then(|token| token.oauth1) {
            let keys = Keys {
                consumer_key: keys.consumer_key.into(),
                consumer_secret: keys.consumer_secret.into(),
                token: keys.access_token.into(),
                token_secret: keys.token_secret.into(),
            };
            let profile = Profile::of_keys(api_url.to_owned(), keys, None);
            candidates.push((name, "oauth1".to_owned(), false, profile));
        }
    }
    Some(candidates)
}

fn twurl(text: &SecretString, api_url: &str) -> Option<Vec<Candidate>> {
    let store: TwurlStore = serde_saphyr::from_str(text.expose_secret()).ok()?;
    let default = store
        .configuration
        .and_then(|configuration| configuration.default_profile)
        .unwrap_or_default();
    let mut candidates = Vec::new();
    for (user, apps) in store.profiles {
        for (app, keys) in apps {
            let is_default =
                default.first() == Some(&user) && default.get(1).is_none_or(|key| *key == app);
            let handle = User {
                id: String::new(),
                handle: Some(user.clone()),
            };
            let keys = Keys {
                consumer_key: keys.consumer_key.into(),
                consumer_secret: keys.consumer_secret.into(),
                token: keys.token.into(),
                token_secret: keys.secret.into(),
            };
            let mut profile = Profile::of_keys(api_url.to_owned(), keys, Some(handle));
            // Its name is known, its id is not.
            profile.user_id = None;
            candidates.push((app, user.clone(), is_default, profile));
        }
    }
    Some(candidates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const XURL: &str = "
apps:
  first:
    client_id: id-1
    client_secret: secret-1
    default_user: brand
    oauth2_tokens:
      brand:
        type: oauth2
        oauth2:
          access_token: access-1
          refresh_token: refresh-1
          expiration_time: 1800000000
      other:
        type: oauth2
        oauth2:
          access_token: access-2
          refresh_token: refresh-2
          expiration_time: 1800000000
    oauth1_token:
      type: oauth1
      oauth1:
        access_token: access-3
        token_secret: token-secret-3
        consumer_key: key-3
        consumer_secret: consumer-secret-3
  second:
    client_id: id-2
    client_secret: \"\"
default_app: first
";

    const TWURL: &str = "
profiles:
  brand:
    key-1:
      username: brand
      consumer_key: key-1
      consumer_secret: consumer-secret-1
      token: token-1
      secret: token-secret-1
    key-2:
      username: brand
      consumer_key: key-2
      consumer_secret: consumer-secret-2
      token: token-2
      secret: token-secret-2
configuration:
  default_profile:
  - brand
  - key-2
";

    fn at(layout: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(layout);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        (home, path)
    }

    fn take(
        foreign: Foreign,
        home: &Path,
        app: Option<&str>,
        user: Option<&str>,
    ) -> Result<Taken, ForeignError> {
        foreign.take(&foreign.places(home), app, user, "https://api.x.com")
    }

    #[test]
    fn both_layouts_of_xurl_are_read() {
        for layout in [".xurl/auth.yml", ".xurl"] {
            let (home, _) = at(layout, XURL);
            let taken = take(Foreign::Xurl, home.path(), None, None).unwrap();
            let grant = taken.profile.grant().unwrap();
            assert_eq!(taken.name, "brand of the app first");
            assert!(taken.has_refresh_token);
            assert_eq!(grant.access_token.expose_secret(), "access-1");
            assert_eq!(grant.client_id, "id-1");
            assert_eq!(grant.expires, Some(Timestamp::from_seconds(1_800_000_000)));
        }
    }

    #[test]
    fn a_user_is_chosen_by_name() {
        let (home, _) = at(".xurl", XURL);
        let taken = take(Foreign::Xurl, home.path(), Some("first"), Some("other")).unwrap();
        assert_eq!(
            taken.profile.grant().unwrap().access_token.expose_secret(),
            "access-2"
        );
        let keys = take(Foreign::Xurl, home.path(), None, Some("oauth1")).unwrap();
        assert!(keys.profile.grant().is_none() && !keys.has_refresh_token);
        let error = take(Foreign::Xurl, home.path(), Some("second"), None).unwrap_err();
        assert!(
            error.to_string().contains("brand of the app first"),
            "{error}"
        );
    }

    #[test]
    fn twurl_has_a_default_and_others() {
        let (home, _) = at(".twurlrc", TWURL);
        let taken = take(Foreign::Twurl, home.path(), None, None).unwrap();
        assert_eq!(taken.name, "brand of the app key-2");
        assert_eq!(taken.profile.handle.as_deref(), Some("brand"));
        take(Foreign::Twurl, home.path(), Some("key-1"), None).unwrap();
    }

    #[test]
    fn what_is_not_understood_is_not_quoted() {
        for text in [
            "apps: [hidden",
            "apps: hidden",
            "apps: {a: {oauth2_tokens: {b: {oauth2: {access_token: [hidden]}}}}}",
        ] {
            let (home, _) = at(".xurl", text);
            let error = take(Foreign::Xurl, home.path(), None, None).unwrap_err();
            assert!(matches!(error, ForeignError::Malformed(_)), "{error}");
            assert!(!format!("{error:?}").contains("hidden"));
        }
        let home = tempfile::tempdir().unwrap();
        let error = take(Foreign::Xurl, home.path(), None, None).unwrap_err();
        assert!(matches!(error, ForeignError::Missing(_)), "{error}");
    }
}
