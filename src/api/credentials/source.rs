//! Where secrets come from: what each source is called, whose it is, and how a secret is read out of it.
//!
//! Owns the reading. When another one is needed is not its business.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::{process::Command, time::timeout};

use super::{CredentialsError, Grant, Store};
use crate::{
    answer::Reply,
    api::{Address, Keys, secret},
    time::Timestamp,
};

/// How long a token command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// Where secrets come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A variable of the environment, by its name and value: it can't be renewed.
    Environment(&'static str, SecretString),
    /// Keys of OAuth 1.0a in the environment, by what their variables' names begin with: they do not run out.
    EnvironmentKeys(&'static str, Keys),
    /// A file that holds a token and nothing else; read again when it is refused.
    File(PathBuf),
    /// A program with its arguments that prints a token; run again when it is refused.
    Command(Vec<String>),
    /// A profile of the store.
    Profile(Store, String),
    /// The simulated API, which takes any.
    Sandbox,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Secret {
    /// A token as it is.
    Bearer(SecretString),
    /// Keys that sign it.
    Keys(Keys),
}

impl Secret {
    /// A reply without it: a server may repeat what it was sent. Of keys nothing is sent but what they sign.
    pub(in crate::api) fn taken_out_of(&self, reply: Reply) -> Reply {
        match self {
            Self::Bearer(token) => secret::without(token.expose_secret(), reply),
            Self::Keys(_) => reply,
        }
    }

    pub(in crate::api) fn authorization(&self, method: &Method, url: &Url) -> SecretString {
        match self {
            Self::Bearer(token) => SecretString::from(format!("Bearer {}", token.expose_secret())),
            Self::Keys(keys) => keys.authorization(method, url),
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bearer(one), Self::Bearer(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            _ => false,
        }
    }
}

/// Whose credentials they are, as far as that is known without a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The profile's name.
    pub profile: Option<String>,
    /// X's id.
    pub user_id: Option<String>,
    /// The name behind the @.
    pub handle: Option<String>,
}

/// A secret as it was read from its source.
#[derive(Debug, Clone)]
pub(in crate::api) struct Found {
    pub secret: Arc<Secret>,
    /// When its own time is over, where that is known.
    pub expires: Option<Timestamp>,
    /// When another one should be had, so that none runs out on its way.
    pub renew_at: Option<Timestamp>,
    /// Which pair of a profile it is of.
    pub serial: u64,
}

impl Source {
    /// What it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Environment(name, _) => format!("the environment ({name})"),
            Self::EnvironmentKeys(prefix, _) => {
                format!(
                    "the environment ({prefix}_API_KEY, {prefix}_ACCESS_TOKEN and their secrets)"
                )
            }
            Self::File(path) => format!("the token file {}", path.display()),
            // Only the program's name: its arguments may hold what should not be shown.
            Self::Command(words) => format!(
                "the token command {}",
                words.first().map_or("", String::as_str)
            ),
            Self::Profile(_, name) => format!("the profile {name}"),
            Self::Sandbox => "the sandbox".to_owned(),
        }
    }

    /// Whose secrets they are, as far as that is known without a request. A store that can't be read knows nobody; that
    /// it can't is told when a secret is needed.
    #[must_use]
    pub fn account(&self) -> Account {
        let Self::Profile(store, name) = self else {
            return Account::default();
        };
        let profile = store.profile(name).ok();
        Account {
            profile: Some(name.clone()),
            user_id: profile.as_ref().and_then(|profile| profile.user_id.clone()),
            handle: profile.and_then(|profile| profile.handle),
        }
    }

    /// Reads the secret that is there now, for requests to `address`.
    ///
    /// # Errors
    /// Where there is none, or it is for another address.
    pub(super) async fn read(&self, address: &Address) -> Result<Found, CredentialsError> {
        let text = match self {
            Self::Environment(_, secret) => secret.clone(),
            Self::Sandbox => SecretString::from("sandbox"),
            Self::File(path) => {
                let read = secret::read_file(path).await;
                read.map(SecretString::from)
                    .map_err(|source| CredentialsError::File {
                        path: path.clone(),
                        source,
                    })?
            }
            Self::Command(words) => run(words).await?,
            Self::EnvironmentKeys(_, keys) => return Ok(Secret::Keys(keys.clone()).into()),
            Self::Profile(store, name) => {
                let profile = store.profile(name)?;
                if profile.api_url != address.to_string() {
                    return Err(CredentialsError::OtherHost {
                        profile: name.clone(),
                        host: profile.api_url,
                        asked: address.to_string(),
                    });
                }
                let grant = profile.grant();
                return Ok(Found {
                    secret: Arc::new(profile.secret()),
                    expires: grant.and_then(|grant| grant.expires),
                    renew_at: grant.and_then(Grant::renew_at),
                    serial: grant.map_or(0, |grant| grant.serial),
                });
            }
        };
        let token = text.expose_secret().trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialsError::NoToken(self.describe()));
        }
        Ok(Secret::Bearer(SecretString::from(token)).into())
    }
}

impl From<Secret> for Found {
    fn from(secret: Secret) -> Self {
        Self {
            secret: Arc::new(secret),
            expires: None,
            renew_at: None,
            serial: 0,
        }
    }
}

async fn run(words: &[String]) -> Result<SecretString, CredentialsError> {
    let name = words.first().cloned().unwrap_or_default();
    let failed = |error| CredentialsError::Command(name.clone(), error);
    let mut child = Command::new(&name)
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let printed = child.stdout.take();
    let running = async {
        let text = match printed {
            Some(printed) => secret::read_output(printed).await.map_err(failed)?,
            None => None,
        };
        let Some(text) = text else {
            return Err(CredentialsError::NoToken(format!("the output of {name}")));
        };
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            Ok(SecretString::from(text))
        } else {
            Err(CredentialsError::CommandFailed(
                name.clone(),
                status.to_string(),
            ))
        }
    };
    timeout(COMMAND_TIMEOUT, running)
        .await
        .unwrap_or_else(|_| Err(CredentialsError::CommandSlow(name.clone())))
}
