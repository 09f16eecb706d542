//! What is typed of manifests: how to read them, and the commands that only look at them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{JournalArgs, Origins, TakingArgs, parse_dollars};
use crate::journal::Duplicates;

/// How manifests are read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading manifests")]
pub struct ReadArgs {
    /// Take FIELD from the column HEADER (repeatable)
    #[arg(long, value_name = "FIELD=HEADER", value_parser = parse_mapping, env = "ALTFILL_MAP", value_delimiter = '\n')]
    pub map: Vec<(String, String)>,
    /// Carry COLUMN along although it is nearly a field (repeatable)
    #[arg(
        long,
        value_name = "COLUMN",
        env = "ALTFILL_IGNORE",
        value_delimiter = '\n'
    )]
    pub ignore: Vec<String>,
    /// The manifests' encoding, where it is not UTF-8 or UTF-16 with a byte order mark
    #[arg(long, value_name = "NAME", env = "ALTFILL_ENCODING")]
    pub encoding: Option<String>,
    /// The sheet of an XLSX manifest [default: the first]
    #[arg(long, value_name = "NAME", env = "ALTFILL_SHEET")]
    pub sheet: Option<String>,
    /// What two values for one field of one image are [default: error]
    #[arg(long, value_enum, value_name = "WHICH", env = "ALTFILL_DUPLICATES")]
    pub duplicates: Option<DuplicatesArg>,
    /// What alt texts of little use are, such as file names and placeholders [default: warn]
    #[arg(long, value_enum, value_name = "WHAT", env = "ALTFILL_LINT")]
    pub lint: Option<LintArg>,
    /// Write all errors of the manifests to FILE, as CSV, or as JSON lines where its name ends in .jsonl
    #[arg(long, value_name = "FILE", env = "ALTFILL_ERRORS")]
    pub errors: Option<PathBuf>,
}

/// Which of two values wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicatesArg {
    /// Neither: it is an error
    Error,
    /// The first one
    First,
    /// The last one
    Last,
}

/// What a warning of the lint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintArg {
    /// Nothing: texts are not looked at
    Off,
    /// A warning, counted by rule
    Warn,
    /// An error of its row
    Error,
}

impl From<DuplicatesArg> for Duplicates {
    fn from(arg: DuplicatesArg) -> Self {
        match arg {
            DuplicatesArg::Error => Self::Error,
            DuplicatesArg::First => Self::First,
            DuplicatesArg::Last => Self::Last,
        }
    }
}

/// `altfill check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Manifests: CSV, TSV, JSON lines or XLSX, also as .gz or .zst; - is standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// How to read them.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `altfill plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Manifests: CSV, TSV, JSON lines or XLSX, also as .gz or .zst; - is standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// The token's file: whose images they are can depend on where the token comes from; it is not read
    #[arg(
        long,
        value_name = "PATH",
        env = "ALTFILL_TOKEN_FILE",
        help_heading = "Access"
    )]
    pub token_file: Option<PathBuf>,
    /// The program that prints the token; it is not run
    #[arg(
        long,
        value_name = "CMD",
        env = "ALTFILL_TOKEN_COMMAND",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub token_command: Option<String>,
    /// X's limits: at most N requests in any stretch of DURATION (repeatable); `unlimited` keeps to none but those that X tells [default: 500/15m and 50000/24h]
    #[arg(
        long,
        value_name = "N/DURATION",
        env = "ALTFILL_RATE",
        value_delimiter = ',',
        help_heading = "Sending"
    )]
    pub rate: Vec<String>,
    /// Requests a second, within the limits of --rate [default: 20]
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_MAX_RPS",
        help_heading = "Sending"
    )]
    pub max_rps: Option<std::num::NonZeroU32>,
    /// Send failed images again: all of them, or those of these causes
    #[arg(long, value_name = "all|CAUSE,…", num_args = 0..=1, require_equals = true, default_missing_value = "all", env = "ALTFILL_RETRY_FAILED", help_heading = "Sending")]
    pub retry_failed: Option<String>,
    /// What X charges a request [default: 0.005]
    #[arg(long, value_name = "DOLLARS", env = "ALTFILL_PRICE", value_parser = parse_dollars, help_heading = "Bounds")]
    pub price: Option<f64>,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// How a run would take them in.
    #[command(flatten)]
    pub taking: TakingArgs,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,

    /// Which of these was typed, which stands in the environment and which in a file.
    #[arg(skip)]
    pub origins: Origins,
}

/// `altfill template`.
#[derive(Debug, Args)]
pub struct TemplateArgs {
    /// The form [default: csv]
    #[arg(long, value_enum, conflicts_with = "explain")]
    pub format: Option<TemplateFormatArg>,
    /// Print what each column is for, and no manifest
    #[arg(long)]
    pub explain: bool,
}

/// The form of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateFormatArg {
    /// Comma-separated: a header
    Csv,
    /// One JSON object, whose fields are empty and say nothing
    Jsonl,
}

fn parse_mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, header)) if !field.trim().is_empty() && !header.trim().is_empty() => {
            Ok((field.trim().to_owned(), header.to_owned()))
        }
        _ => Err(format!(
            "{text:?} is no mapping: write alt_text=Description"
        )),
    }
}
