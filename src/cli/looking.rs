//! What is typed to look at a journal: status, one image, reports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::JournalArgs;
use crate::{item::State, journal::Dimension};

/// `altfill status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// End with the code of a run that would send nothing more
    #[arg(long)]
    pub exit_code: bool,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// `altfill show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The media id
    pub media_id: String,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// `altfill report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The form [default: by the end of FILE's name; else as the manifests, xlsx or csv; csv for sums]
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Only images in this state: pending, sending, done or failed; in an HTML report, of those that it lists
    #[arg(long)]
    pub state: Option<State>,
    /// Instead of images, sums of requests, dollars, done and failed by any of account, month, day and cause; as csv or jsonl
    #[arg(
        long,
        value_name = "WHAT,…",
        value_delimiter = ',',
        conflicts_with = "state"
    )]
    pub by: Vec<Dimension>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// Comma-separated, with the columns of the manifests
    Csv,
    /// One JSON object a line
    Jsonl,
    /// A workbook in which each cell is text, so that ids stay whole
    Xlsx,
    /// A page for people, in one file that works offline: sums, charts, failures with what to do, all images
    Html,
}
