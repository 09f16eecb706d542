//! Where each option's value came from: a flag, the environment, a configuration file, or nowhere.
//!
//! A flag beats the environment, which beats a file: the order of [`Origin`] is that order, the strongest first.

use std::{collections::BTreeMap, path::PathBuf};

/// Where a value came from; of two the lesser one is the stronger.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It was typed.
    Flag,
    /// It was set in the environment, by this name.
    Environment(String),
    /// It stands in a configuration file, on this line.
    File(PathBuf, usize),
    /// Nothing was said.
    #[default]
    Default,
}

/// One option as it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    /// Its values as they were written; none where nothing was said.
    pub values: Vec<String>,
    /// Where they came from.
    pub origin: Origin,
}

/// Every option of the command, and which files were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// The configuration files that were read, the strongest first.
    pub files: Vec<PathBuf>,
    /// The options by their long names.
    pub options: BTreeMap<String, Holding>,
}

impl Origins {
    /// Where an option's value came from, by its long name.
    #[must_use]
    pub fn of(&self, name: &str) -> Origin {
        self.options
            .get(name)
            .map(|holding| holding.origin.clone())
            .unwrap_or_default()
    }

    /// Whether an option's value stands in a configuration file, and neither in the environment nor among what was typed.
    #[must_use]
    pub fn is_from_file(&self, name: &str) -> bool {
        matches!(self.of(name), Origin::File(..))
    }
}
