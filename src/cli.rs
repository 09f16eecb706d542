//! What was typed: the command line and its environment, word by word.
//!
//! Owns names, help texts and forms. What the words mean, and what holds where none was said, is [`crate::settings`]'s.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::{
    api::Address, item::State, journal::Duplicates, rate::parse_duration, runner::Share,
    sandbox::Fault,
};

/// Sends alt text and other metadata for images and videos that are on X already. It publishes nothing.
#[derive(Debug, Parser)]
#[command(name = "altfill", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Say more: -v what is done, -vv how, -vvv everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all is done; 1 unexpected error, or the journal can't be read or written; 2 usage; 3 a manifest is invalid, \
nothing was sent; 4 some items failed; 5 stopped as told, items remain; 6 halted by a threshold; 7 access; 8 money; \
69 X can't be reached; 75 another run has the journal; 129, 130, 143 stopped by a signal.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check manifests offline, and show every error with file, line and column
    Check(CheckArgs),
    /// Show what a run would do, cost and take, without sending anything
    Plan(PlanArgs),
    /// Send alt text and other metadata for images already on X; run it again at any time, it goes on where it stopped
    Run(Box<RunArgs>),
    /// Send all that is due in the journal, without a manifest
    Resume(Box<SendArgs>),
    /// Show how many images are done, failed and left, and what a further run would do
    Status(StatusArgs),
    /// Show all that is known of one image: its metadata and each attempt
    Show(ShowArgs),
    /// Write outcomes to a file; a report of failures can be mended and sent again
    Report(ReportArgs),
    /// Withdraw images that were not sent yet
    Drop(DropArgs),
    /// Mark failures as known, so that they no longer count until their row changes
    Dismiss(DismissArgs),
    /// Print an empty manifest with all columns, and what each is for
    Template(TemplateArgs),
    /// Serve a simulated X API on this machine, for rehearsals
    Sandbox(SandboxArgs),
}

/// How manifests are read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading manifests")]
pub struct ReadArgs {
    /// Take FIELD from the column HEADER (repeatable)
    #[arg(long, value_name = "FIELD=HEADER", value_parser = parse_mapping, env = "ALTFILL_MAP", value_delimiter = '\n')]
    pub map: Vec<(String, String)>,
    /// Carry COLUMN along although it is nearly a field (repeatable)
    #[arg(long, value_name = "COLUMN")]
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

/// Where the journal is.
#[derive(Debug, Clone, Default, Args)]
pub struct JournalArgs {
    /// The journal [default: altfill.db in the current folder]
    #[arg(long, value_name = "PATH", env = "ALTFILL_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// The API's address [default: <https://api.x.com>]
    #[arg(long, value_name = "URL", env = "ALTFILL_API_URL")]
    pub api_url: Option<Address>,
}

/// `altfill check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Manifests: CSV, TSV or JSON lines; - reads standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Print the result as one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
}

/// `altfill plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Manifests: CSV, TSV, JSON lines or XLSX; - reads standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Plan against the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
    /// At most N requests in any DURATION (repeatable) [default: 500/15m and 50000/24h]
    #[arg(
        long,
        value_name = "N/DURATION",
        env = "ALTFILL_RATE",
        value_delimiter = ','
    )]
    pub rate: Vec<String>,
    /// What X charges a request [default: 0.005]
    #[arg(long, value_name = "DOLLARS", env = "ALTFILL_PRICE", value_parser = parse_dollars)]
    pub price: Option<f64>,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
}

/// `altfill run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Manifests: CSV, TSV or JSON lines; - reads standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Send what is valid although rows are not
    #[arg(long, env = "ALTFILL_SKIP_INVALID", help_heading = "Reading manifests")]
    pub skip_invalid: bool,
    /// Refuse manifests that would send more done images anew than this, as a number or percentage
    #[arg(
        long,
        value_name = "N|N%",
        env = "ALTFILL_MAX_RESEND",
        help_heading = "Bounds"
    )]
    pub max_resend: Option<Share>,
    /// How to send.
    #[command(flatten)]
    pub send: SendArgs,
}

/// What `run` and `resume` have in common.
#[derive(Debug, Clone, Default, Args)]
pub struct SendArgs {
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Fail where there is no journal yet, instead of making one
    #[arg(long, env = "ALTFILL_REQUIRE_JOURNAL")]
    pub require_journal: bool,
    /// Send to a simulated X inside this program, with a journal of its own
    #[arg(long, env = "ALTFILL_SANDBOX")]
    pub sandbox: bool,
    /// What goes wrong in the sandbox, for example 503=5% (repeatable)
    #[arg(long, value_name = "KIND=P%", requires = "sandbox")]
    pub fault: Vec<Fault>,
    /// Which requests the sandbox's faults befall
    #[arg(long, value_name = "N", requires = "sandbox")]
    pub seed: Option<u64>,

    /// Read the token from this file
    #[arg(
        long,
        value_name = "PATH",
        env = "ALTFILL_TOKEN_FILE",
        conflicts_with = "token_command",
        help_heading = "Access"
    )]
    pub token_file: Option<PathBuf>,
    /// Run this program, which prints the token; it is no shell's line
    #[arg(
        long,
        value_name = "CMD",
        env = "ALTFILL_TOKEN_COMMAND",
        help_heading = "Access"
    )]
    pub token_command: Option<String>,

    /// At most N requests in any DURATION (repeatable); `unlimited` for none of ours [default: 500/15m and 50000/24h]
    #[arg(
        long,
        value_name = "N/DURATION",
        env = "ALTFILL_RATE",
        value_delimiter = ',',
        help_heading = "Sending"
    )]
    pub rate: Vec<String>,
    /// Requests a second within those, one after the other [default: 20]
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_MAX_RPS",
        help_heading = "Sending"
    )]
    pub max_rps: Option<std::num::NonZeroU32>,
    /// Requests at a time [default: 8]
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_WORKERS",
        help_heading = "Sending"
    )]
    pub workers: Option<std::num::NonZeroUsize>,
    /// Attempts until an image fails [default: 5]
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_MAX_ATTEMPTS",
        help_heading = "Sending"
    )]
    pub max_attempts: Option<std::num::NonZeroU32>,
    /// How long one request may take [default: 30s]
    #[arg(long, value_name = "DURATION", env = "ALTFILL_TIMEOUT", value_parser = parse_duration, help_heading = "Sending")]
    pub timeout: Option<std::time::Duration>,
    /// How long requests in flight may take when the run is stopped [default: 20s]
    #[arg(long, value_name = "DURATION", env = "ALTFILL_STOP_TIMEOUT", value_parser = parse_duration, help_heading = "Sending")]
    pub stop_timeout: Option<std::time::Duration>,
    /// Send failed images again: all of them, or those of these causes
    #[arg(long, value_name = "all|CAUSE,…", num_args = 0..=1, require_equals = true, default_missing_value = "all", env = "ALTFILL_RETRY_FAILED", help_heading = "Sending")]
    pub retry_failed: Option<String>,

    /// Start at most N images; 0 only takes the manifest in
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_MAX_ITEMS",
        help_heading = "Bounds"
    )]
    pub max_items: Option<u64>,
    /// Spend at most so much, in this run or in any DURATION
    #[arg(
        long,
        value_name = "DOLLARS[/DURATION]",
        env = "ALTFILL_MAX_SPEND",
        help_heading = "Bounds"
    )]
    pub max_spend: Option<String>,
    /// What X charges a request [default: 0.005]
    #[arg(long, value_name = "DOLLARS", env = "ALTFILL_PRICE", value_parser = parse_dollars, help_heading = "Bounds")]
    pub price: Option<f64>,
    /// Stop starting in time to end after this
    #[arg(long, value_name = "DURATION", env = "ALTFILL_MAX_DURATION", value_parser = parse_duration, help_heading = "Bounds")]
    pub max_duration: Option<std::time::Duration>,
    /// Ask before a run that costs more than this, on a terminal [default: 1]
    #[arg(long, value_name = "DOLLARS", env = "ALTFILL_CONFIRM_ABOVE", value_parser = parse_dollars, help_heading = "Bounds")]
    pub confirm_above: Option<f64>,
    /// Do not ask
    #[arg(long, short, env = "ALTFILL_YES", help_heading = "Bounds")]
    pub yes: bool,
    /// Halt when the first N images all failed for one cause; 0 never [default: 25]
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_HALT_AFTER",
        help_heading = "Bounds"
    )]
    pub halt_after: Option<u32>,
    /// Halt when more fail, as a number or percentage (of 100 and more) [default: 50%]
    #[arg(
        long,
        value_name = "N|N%",
        env = "ALTFILL_MAX_FAILURES",
        help_heading = "Bounds"
    )]
    pub max_failures: Option<Share>,
    /// Give up when X is out for longer [default: 15m]
    #[arg(long, value_name = "DURATION", env = "ALTFILL_MAX_OUTAGE", value_parser = parse_duration, help_heading = "Bounds")]
    pub max_outage: Option<std::time::Duration>,
    /// Wait so long for another run to let go of the journal [default: 0]
    #[arg(long, value_name = "DURATION", env = "ALTFILL_LOCK_WAIT", value_parser = parse_duration, help_heading = "Bounds")]
    pub lock_wait: Option<std::time::Duration>,

    /// How to show progress [default: auto]
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        env = "ALTFILL_PROGRESS",
        help_heading = "Output"
    )]
    pub progress: Option<ProgressArg>,
    /// Say nothing but errors
    #[arg(long, short, env = "ALTFILL_QUIET", help_heading = "Output")]
    pub quiet: bool,
    /// Print one JSON object at the end
    #[arg(long, env = "ALTFILL_JSON", help_heading = "Output")]
    pub json: bool,
    /// Exit codes that shall end as 0, for example 4,5
    #[arg(
        long,
        value_name = "CODES",
        env = "ALTFILL_OK",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub ok: Vec<u8>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar on a terminal, lines elsewhere
    Auto,
    /// A bar
    Bar,
    /// A line every so often
    Lines,
    /// One JSON object an event
    Json,
    /// Nothing
    None,
}

/// `altfill status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Look at the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// End with the code with which a run would end that sends nothing more
    #[arg(long)]
    pub exit_code: bool,
}

/// `altfill show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The media id
    pub media_id: String,
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Look at the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
}

/// `altfill report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Look at the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
    /// The form [default: by the end of FILE's name; else as the manifests, xlsx or csv]
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Only images in this state: pending, sending, done or failed
    #[arg(long)]
    pub state: Option<State>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
}

/// `altfill drop`.
#[derive(Debug, Args)]
pub struct DropArgs {
    /// Media ids
    #[arg(value_name = "MEDIA_ID")]
    pub media_ids: Vec<String>,
    /// Images whose row last taken in is of this manifest
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
    /// In the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
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
    /// In the sandbox's journal
    #[arg(long)]
    pub sandbox: bool,
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

/// `altfill sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The port on 127.0.0.1; 0 for a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Its windows (repeatable), or unlimited [default: 500/15m and 50000/24h]
    #[arg(long, value_name = "N/DURATION", value_delimiter = ',')]
    pub rate: Vec<String>,
    /// What goes wrong, for example 503=5% (repeatable)
    #[arg(long, value_name = "KIND=P%")]
    pub fault: Vec<Fault>,
    /// Which requests the faults befall
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
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

/// Reads an amount of dollars.
pub(crate) fn parse_dollars(text: &str) -> Result<f64, String> {
    let amount = text.trim().trim_start_matches('$').parse::<f64>().ok();
    let amount = amount.filter(|amount| amount.is_finite() && (0.0..1e9).contains(amount));
    amount.ok_or_else(|| format!("{text:?} is no amount of dollars: write 20 or 0.005"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_parser_is_sound() {
        Cli::command().debug_assert();
    }
}
