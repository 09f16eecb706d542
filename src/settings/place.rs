//! Where the journal is, and to which address it must be bound.

use std::path::{Path, PathBuf};

use super::{API_URL, SANDBOX, whose};
use crate::{cli::JournalArgs, journal::Whose};

/// Where the journal is, and to which address it must be bound.
#[derive(Debug, Clone)]
pub struct JournalPlace {
    /// The file.
    pub path: PathBuf,
    /// Whether it was named, and is not the default.
    pub is_named: bool,
    /// The address asked for, or `sandbox`; none where any will do.
    pub bound_to: Option<String>,
    /// Whose items a command is about that only reads.
    pub whose: Whose,
}

impl JournalPlace {
    /// The place for a command that only reads.
    #[must_use]
    pub fn to_read(args: &JournalArgs) -> Self {
        let mut place = Self::new(args);
        // To read, the address matters only where it was said.
        if !args.sandbox {
            place.bound_to = args.api_url.as_ref().map(ToString::to_string);
        }
        place
    }

    pub(super) fn new(args: &JournalArgs) -> Self {
        let path = args
            .journal
            .clone()
            .unwrap_or_else(|| PathBuf::from("altfill.db"));
        let path = if args.sandbox {
            sandbox_journal(&path)
        } else {
            path
        };
        let bound_to = if args.sandbox {
            SANDBOX.to_owned()
        } else {
            args.api_url
                .as_ref()
                .map_or_else(|| API_URL.to_owned(), ToString::to_string)
        };
        Self {
            path,
            is_named: args.journal.is_some(),
            bound_to: Some(bound_to),
            whose: whose(args.profile.as_deref().filter(|_| !args.sandbox)),
        }
    }
}

/// `altfill.sandbox.db` beside the journal.
fn sandbox_journal(journal: &Path) -> PathBuf {
    journal.with_file_name("altfill.sandbox.db")
}
