//! How manifests are read.

use std::path::PathBuf;

use crate::{
    cli::{LintArg, ReadArgs},
    journal::Duplicates,
};

/// What a warning of the alt texts' lint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lint {
    /// Nothing: the texts are not looked at.
    Off,
    /// Told at the end of the manifest.
    #[default]
    Warn,
    /// A fault of its row.
    Error,
}

impl From<LintArg> for Lint {
    fn from(arg: LintArg) -> Self {
        match arg {
            LintArg::Off => Self::Off,
            LintArg::Warn => Self::Warn,
            LintArg::Error => Self::Error,
        }
    }
}

/// How manifests are read.
#[derive(Debug, Clone, Default)]
pub struct ReadSettings {
    /// Fields from columns by name.
    pub map: Vec<(String, String)>,
    /// Columns that are no field.
    pub ignore: Vec<String>,
    /// The encoding.
    pub encoding: Option<String>,
    /// The sheet.
    pub sheet: Option<String>,
    /// What two values are.
    pub duplicates: Duplicates,
    /// What alt texts of little use are.
    pub lint: Lint,
    /// Where all errors go.
    pub errors: Option<PathBuf>,
}

impl From<&ReadArgs> for ReadSettings {
    fn from(args: &ReadArgs) -> Self {
        Self {
            map: args.map.clone(),
            ignore: args.ignore.clone(),
            encoding: args.encoding.clone(),
            sheet: args.sheet.clone(),
            duplicates: args.duplicates.map(Duplicates::from).unwrap_or_default(),
            lint: args.lint.map(Lint::from).unwrap_or_default(),
            errors: args.errors.clone(),
        }
    }
}
