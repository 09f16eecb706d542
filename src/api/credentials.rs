//! The token that requests carry: where it comes from, and another one when it is refused.
//!
//! Owns the secret from its first byte on; it is shown by nobody and leaves only in a request's header. One renewal goes
//! on at a time, however many requests were refused.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::{process::Command, sync::Mutex, time::timeout};

use super::secret;

/// Where tokens come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A variable of the environment, by its name and value: it can't be renewed.
    Environment(&'static str, SecretString),
    /// A file that holds a token and nothing else; read again when it is refused.
    File(PathBuf),
    /// A program with its arguments that prints a token; run again when it is refused.
    Command(Vec<String>),
    /// The simulated API, which takes any.
    Sandbox,
}

/// There is no usable token.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum CredentialsError {
    #[error("the token file {path} can't be read: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{0} holds no token: it must be one line of printable characters")]
    NoToken(String),
    #[error("the token command {0} can't be run: {1}")]
    Command(String, std::io::Error),
    #[error("the token command {0} ended with {1}")]
    CommandFailed(String, String),
    #[error("the token command {0} took longer than 60 s")]
    CommandSlow(String),
    #[error("X refused the token of {0}, and it holds no other one: put a fresh token there")]
    Same(String),
}

/// How long a token command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// A token, and the how-many-th of this run it is.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub secret: Arc<SecretString>,
    pub generation: u32,
}

/// One account's credentials.
#[derive(Debug)]
pub struct Credentials {
    source: Source,
    token: Mutex<Token>,
}

impl Source {
    /// What it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Environment(name, _) => format!("the environment ({name})"),
            Self::File(path) => format!("the token file {}", path.display()),
            // Only the program's name: its arguments may hold what should not be shown.
            Self::Command(words) => format!(
                "the token command {}",
                words.first().map_or("", String::as_str)
            ),
            Self::Sandbox => "the sandbox".to_owned(),
        }
    }

    async fn read(&self) -> Result<SecretString, CredentialsError> {
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
        };
        let token = text.expose_secret().trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialsError::NoToken(self.describe()));
        }
        Ok(SecretString::from(token))
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

impl Credentials {
    /// Reads the first token of `source`.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn load(source: Source) -> Result<Self, CredentialsError> {
        let secret = Arc::new(source.read().await?);
        Ok(Self {
            source,
            token: Mutex::new(Token {
                secret,
                generation: 0,
            }),
        })
    }

    /// Where its tokens come from, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        self.source.describe()
    }

    pub(super) async fn token(&self) -> Token {
        self.token.lock().await.clone()
    }

    /// Gets another token than that of `refused`; none is got where that has happened already.
    pub(super) async fn renew(&self, refused: u32) -> Result<(), CredentialsError> {
        let mut token = self.token.lock().await;
        if token.generation > refused {
            return Ok(());
        }
        let secret = self.source.read().await?;
        if secret.expose_secret() == token.secret.expose_secret() {
            return Err(CredentialsError::Same(self.describe()));
        }
        *token = Token {
            secret: Arc::new(secret),
            generation: token.generation + 1,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_file_is_read_again_when_its_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let credentials = Credentials::load(Source::File(path.clone())).await.unwrap();
        assert!(matches!(
            credentials.renew(0).await,
            Err(CredentialsError::Same(_))
        ));
        std::fs::write(&path, " second ").unwrap();
        credentials.renew(0).await.unwrap();
        let token = credentials.token().await;
        assert_eq!(
            (token.secret.expose_secret(), token.generation),
            ("second", 1)
        );
        // A second refusal of the first token comes late: there is another one already.
        credentials.renew(0).await.unwrap();
        assert_eq!(credentials.token().await.generation, 1);
    }

    #[tokio::test]
    async fn a_token_command_is_a_program_with_arguments_and_no_shell() {
        let words = ["printf", "%s", "a;b$HOME"].map(str::to_owned).to_vec();
        let credentials = Credentials::load(Source::Command(words)).await.unwrap();
        assert_eq!(credentials.token().await.secret.expose_secret(), "a;b$HOME");
        let failed = Credentials::load(Source::Command(vec!["false".to_owned()])).await;
        assert!(matches!(failed, Err(CredentialsError::CommandFailed(..))));
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused_and_a_token_is_never_shown() {
        for text in ["", " \n", "two words", "a\nb", "t\u{f6}ken"] {
            let source = Source::Environment("X_OAUTH2_ACCESS_TOKEN", SecretString::from(text));
            assert!(
                matches!(
                    Credentials::load(source).await,
                    Err(CredentialsError::NoToken(_))
                ),
                "{text:?}"
            );
        }
        let source = Source::Environment("X_OAUTH2_ACCESS_TOKEN", SecretString::from("hidden"));
        let credentials = Credentials::load(source).await.unwrap();
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
