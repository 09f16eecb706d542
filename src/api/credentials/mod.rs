//! The secret that requests carry: where it comes from, and another one when it runs out or is refused.
//!
//! Owns secrets from their first byte on; they are shown by nobody and leave only in a request's header. A renewal goes on
//! alone, and whoever was refused meanwhile finds the next secret there.
//!
//! | file | owns |
//! | --- | --- |
//! | `source` | what a source is, and how a secret is read out of it |
//! | `store`, `profile` | the file of profiles, and what a profile is |
//! | `rotation` | the renewal of a profile's tokens |
//! | `foreign` | profiles out of the stores of other programs |

mod foreign;
mod profile;
mod rotation;
mod source;
mod store;

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::Mutex;

use self::source::Found;
pub use self::{
    foreign::{Foreign, ForeignError},
    profile::{Grant, Kind, Profile},
    rotation::refresh,
    source::{Account, Secret, Source},
    store::{Store, StoreError, check_name},
};
use super::Address;
use crate::time::Timestamp;

/// There is no usable token.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum CredentialsError {
    #[error(
        "the token file {path} can't be read: {source}. Mend that, or name another one with --token-file"
    )]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{0} holds no token: it must be one line of printable characters. Put a fresh token there, or log in with `altfill auth login`"
    )]
    NoToken(String),
    #[error("the token command {0} can't be run: {1}. Name the program in full in --token-command")]
    Command(String, std::io::Error),
    #[error("the token command {0} ended with {1}: run it by hand to see why, and mend it")]
    CommandFailed(String, String),
    #[error(
        "the token command {0} took longer than 60 s: run it by hand, and see that it asks nothing"
    )]
    CommandSlow(String),
    #[error("X refused the token of {0}, and it holds no other one: put a fresh token there")]
    Same(String),
    #[error(
        "X refused the keys of {0}: make new ones at X's developer portal, for an app that may write"
    )]
    KeysRefused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the profile {profile} was logged in at {host} and is never used with {asked}: \
         log in there under another name with `altfill auth login --profile NAME --api-url {asked}`"
    )]
    OtherHost {
        profile: String,
        host: String,
        asked: String,
    },
    #[error(
        "the profile {profile} needs a new login ({why}): `altfill auth login --profile {profile}`"
    )]
    LoginNeeded { profile: String, why: String },
    #[error("{0}")]
    NotRenewed(String),
    #[error("no fresh token could be had: {0}")]
    Unreachable(String),
}

impl CredentialsError {
    /// Whether it may be otherwise in a while, without a person.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Store(StoreError::Busy(_))
        )
    }
}

/// A secret, and the how-many-th of this run it is.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub found: Found,
    pub generation: u32,
}

impl Token {
    /// Whether its own time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.found.expires.is_some_and(|expires| expires <= now)
    }
}

/// One account's credentials.
#[derive(Debug)]
pub struct Credentials {
    source: Source,
    address: Address,
    token: RwLock<Token>,
    renewal: Mutex<()>,
    /// Whether a profile's tokens are renewed by a process of their own.
    apart: bool,
}

impl Credentials {
    /// Reads the first secret of `source`, for requests to `address`. A profile's tokens are renewed by a process of
    /// their own where `apart` says so, which only this program's own file can do.
    ///
    /// # Errors
    /// Where there is none, or it is for another address.
    pub async fn load(
        source: Source,
        address: &Address,
        apart: bool,
    ) -> Result<Self, CredentialsError> {
        let found = source.read(address).await?;
        Ok(Self {
            source,
            address: address.clone(),
            token: RwLock::new(Token {
                found,
                generation: 0,
            }),
            renewal: Mutex::default(),
            apart,
        })
    }

    /// Where its secrets come from, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        self.source.describe()
    }

    /// The secret of the moment.
    #[must_use]
    pub fn secret(&self) -> Arc<Secret> {
        self.token().found.secret
    }

    /// The how-many-th secret of the run that is.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.token().generation
    }

    /// When the token of the moment is over, where that is known.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.token().found.expires
    }

    pub(super) fn token(&self) -> Token {
        self.token
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the store has another pair than this token's already: another run has renewed it.
    pub(super) fn is_superseded(&self, token: &Token) -> bool {
        let Source::Profile(store, name) = &self.source else {
            return false;
        };
        let profile = store.profile(name).ok();
        profile
            .as_ref()
            .and_then(Profile::grant)
            .is_some_and(|grant| grant.serial != token.found.serial)
    }

    /// When another token should be had, so that none runs out on its way.
    pub fn renew_at(&self) -> Option<Timestamp> {
        self.token
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .found
            .renew_at
    }

    /// Gets another secret than that of `generation`, and returns which one there is now; none is got where that has
    /// happened already.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn renew(&self, generation: u32) -> Result<u32, CredentialsError> {
        let _alone = self.renewal.lock().await;
        let known = self.token();
        if known.generation > generation {
            return Ok(known.generation);
        }
        let found = match &self.source {
            Source::Profile(store, name) => self.next_of_profile(store, name, &known).await?,
            Source::EnvironmentKeys(..) => {
                return Err(CredentialsError::KeysRefused(self.describe()));
            }
            _ => self.source.read(&self.address).await?,
        };
        if found.secret.is_same(&known.found.secret) {
            return Err(CredentialsError::Same(self.describe()));
        }
        let generation = known.generation + 1;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Token { found, generation };
        tracing::info!(source = self.describe(), "another token");
        Ok(generation)
    }

    async fn next_of_profile(
        &self,
        store: &Store,
        name: &str,
        known: &Token,
    ) -> Result<Found, CredentialsError> {
        // Another run that shares the profile may have renewed it, or a person has logged in again.
        let found = self.source.read(&self.address).await?;
        if found.serial != known.found.serial || !found.secret.is_same(&known.found.secret) {
            if matches!(*found.secret, Secret::Keys(_)) {
                return Err(CredentialsError::KeysRefused(self.describe()));
            }
            return Ok(found);
        }
        if self.apart {
            rotation::apart(store, name, known.found.serial).await?;
        } else {
            refresh(store, name, known.found.serial).await?;
        }
        self.source.read(&self.address).await
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;

    fn x() -> Address {
        "https://api.x.com".parse().unwrap()
    }

    async fn load(source: Source) -> Result<Credentials, CredentialsError> {
        Credentials::load(source, &x(), false).await
    }

    fn bearer(credentials: &Credentials) -> String {
        match &*credentials.secret() {
            Secret::Bearer(token) => token.expose_secret().to_owned(),
            Secret::Keys(_) => panic!("keys"),
        }
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_when_its_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let credentials = load(Source::File(path.clone())).await.unwrap();
        assert!(matches!(
            credentials.renew(0).await,
            Err(CredentialsError::Same(_))
        ));
        std::fs::write(&path, " second ").unwrap();
        assert_eq!(credentials.renew(0).await.unwrap(), 1);
        assert_eq!(bearer(&credentials), "second");
        // A second refusal of the first token comes late: there is another one already.
        assert_eq!(credentials.renew(0).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_token_command_is_a_program_with_arguments_and_no_shell() {
        let words = ["printf", "%s", "a;b$HOME"].map(str::to_owned).to_vec();
        let credentials = load(Source::Command(words)).await.unwrap();
        assert_eq!(bearer(&credentials), "a;b$HOME");
        let failed = load(Source::Command(vec!["false".to_owned()])).await;
        assert!(matches!(failed, Err(CredentialsError::CommandFailed(..))));
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused_and_a_token_is_never_shown() {
        for text in ["", " \n", "two words", "a\nb", "t\u{f6}ken"] {
            let source = Source::Environment("X_OAUTH2_ACCESS_TOKEN", SecretString::from(text));
            assert!(
                matches!(load(source).await, Err(CredentialsError::NoToken(_))),
                "{text:?}"
            );
        }
        let source = Source::Environment("X_OAUTH2_ACCESS_TOKEN", SecretString::from("hidden"));
        let credentials = load(source).await.unwrap();
        assert!(!format!("{credentials:?}").contains("hidden"));
    }

    async fn stored(api_url: &str) -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("altfill"));
        let profile = profile::tests::profile(api_url);
        store
            .change(|profiles| profiles.insert("brand".to_owned(), profile))
            .await
            .unwrap();
        (home, store)
    }

    #[tokio::test]
    async fn a_profile_is_never_used_with_another_host_than_that_of_its_login() {
        let (_home, store) = stored("https://api.example.org").await;
        let source = Source::Profile(store, "brand".to_owned());
        let error = load(source).await.unwrap_err();
        assert!(
            matches!(error, CredentialsError::OtherHost { .. }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_pair_that_another_run_has_renewed_is_taken_from_the_store() {
        let (_home, store) = stored("https://api.x.com").await;
        let source = Source::Profile(store.clone(), "brand".to_owned());
        let credentials = load(source).await.unwrap();
        store
            .change(|profiles| {
                let grant = profiles.get_mut("brand").unwrap().grant_mut().unwrap();
                grant.serial += 1;
                grant.access_token = "access-2".into();
            })
            .await
            .unwrap();
        assert_eq!(credentials.renew(0).await.unwrap(), 1);
        assert_eq!(bearer(&credentials), "access-2");
    }
}
