//! Why the program fails, and which exit code says so.
//!
//! Owns the exit codes and [`Failure`]. An item's failure is no error: it is an outcome, and stands in the journal.

use crate::{api, journal, manifest};

/// The exit codes that programs depend on.
#[expect(
    missing_docs,
    reason = "the contract's table, and the README's, explain them"
)]
pub mod exit {
    pub const OK: u8 = 0;
    pub const UNEXPECTED: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const INVALID: u8 = 3;
    pub const FAILED_ITEMS: u8 = 4;
    pub const STOPPED: u8 = 5;
    pub const HALTED: u8 = 6;
    pub const ACCESS: u8 = 7;
    pub const MONEY: u8 = 8;
    pub const UNAVAILABLE: u8 = 69;
    pub const LOCKED: u8 = 75;
    /// A signal's number is added to it.
    pub const SIGNAL: u8 = 128;
}

/// Why the program ends without having done what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was typed or configured can't be meant.
    #[error("{0}")]
    Usage(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// Rows are invalid, and were shown.
    #[error("{0}")]
    Invalid(String),
    /// A threshold forbids to begin.
    #[error("{0}")]
    Halted(String),
    /// Somebody said no.
    #[error("{0}")]
    Declined(String),
    /// There is no usable token.
    #[error("{0}")]
    Access(String),
    /// Nobody was reached.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else.
    #[error("{0}")]
    Unexpected(String),
}

impl Failure {
    /// A mistake in what was typed.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Something that should not happen.
    pub fn unexpected(error: impl std::fmt::Display) -> Self {
        Self::Unexpected(error.to_string())
    }

    /// The same, with the journal's path in its words.
    #[must_use]
    pub fn in_journal(self, path: &std::path::Path) -> Self {
        match self {
            Self::Journal(error) => Self::Journal(error.at(path)),
            other => other,
        }
    }

    /// Its exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Journal(
                journal::Error::Missing(_)
                | journal::Error::OtherAddress { .. }
                | journal::Error::InTheWay(_)
                | journal::Error::NoAddress(_)
                | journal::Error::WhichAccount { .. },
            ) => exit::USAGE,
            Self::Journal(journal::Error::Locked(_)) => exit::LOCKED,
            Self::Journal(_) | Self::Unexpected(_) => exit::UNEXPECTED,
            Self::Manifest(_) | Self::Invalid(_) => exit::INVALID,
            Self::Halted(_) => exit::HALTED,
            Self::Declined(_) => exit::STOPPED,
            Self::Access(_) => exit::ACCESS,
            Self::Unavailable(_) => exit::UNAVAILABLE,
        }
    }

    /// Its reason in a word, as `exit_reason` has it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Journal(journal::Error::Missing(_)) => "no-journal",
            Self::Journal(journal::Error::OtherAddress { .. }) => "other-address",
            Self::Journal(journal::Error::WhichAccount { .. }) => "which-account",
            Self::Journal(journal::Error::Locked(_)) => "locked",
            Self::Journal(_) => "journal",
            Self::Unexpected(_) => "unexpected",
            Self::Manifest(_) => "manifest",
            Self::Invalid(_) => "invalid",
            Self::Halted(_) => "max-resend",
            Self::Declined(_) => "declined",
            Self::Access(_) => "credentials",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<api::ClientError> for Failure {
    fn from(error: api::ClientError) -> Self {
        match error {
            api::ClientError::Authorities(_) => Self::usage(error.to_string()),
            api::ClientError::Setup(_) => Self::unexpected(error),
        }
    }
}

impl From<api::StoreError> for Failure {
    fn from(error: api::StoreError) -> Self {
        Self::Access(error.to_string())
    }
}

impl From<api::CredentialsError> for Failure {
    fn from(error: api::CredentialsError) -> Self {
        if error.is_passing() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Access(error.to_string())
        }
    }
}
