//! What is typed to keep a journal in order.

use std::path::PathBuf;

use clap::Args;

use super::JournalArgs;
use crate::item::State;

/// `altfill drop`.
#[derive(Debug, Args)]
pub struct DropArgs {
    /// Media ids
    #[arg(value_name = "MEDIA_ID")]
    pub media_ids: Vec<String>,
    /// Images whose row was last taken in from this manifest
    #[arg(long, value_name = "MANIFEST")]
    pub source: Option<String>,
    /// Images in this state: pending or failed
    #[arg(long)]
    pub state: Option<State>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// `altfill dismiss`.
#[derive(Debug, Args)]
pub struct DismissArgs {
    /// Media ids
    #[arg(value_name = "MEDIA_ID")]
    pub media_ids: Vec<String>,
    /// Failures of this cause
    #[arg(long)]
    pub cause: Option<String>,
    /// Failures that this report or manifest names
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// `altfill repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// The new journal; nothing may stand there yet
    #[arg(short, long, value_name = "NEW")]
    pub output: PathBuf,
    /// Where the damaged journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}
