//! What is typed by those who package altfill.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `altfill completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `altfill man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command whose page is printed [default: altfill itself]
    pub command: Option<String>,
    /// Write all pages into this folder instead
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub output: Option<PathBuf>,
}
