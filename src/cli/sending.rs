//! What is typed to send: runs, and the simulated X that they rehearse with.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{JournalArgs, MonitorArgs, Origins, ReadArgs, parse_dollars};
use crate::{rate::parse_duration, runner::Share, sandbox::Fault};

/// `altfill run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Manifests: CSV, TSV, JSON lines or XLSX, also as .gz or .zst; - is standard input
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// How to take them in.
    #[command(flatten)]
    pub taking: TakingArgs,
    /// How to send.
    #[command(flatten)]
    pub send: SendArgs,
}

/// How a run takes manifests in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading manifests")]
pub struct TakingArgs {
    /// How to read them.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Send what is valid although rows are not
    #[arg(long, env = "ALTFILL_SKIP_INVALID")]
    pub skip_invalid: bool,
    /// Refuse manifests that would send more done images anew than this, as a number or percentage [default: 10%, and at least 100]
    #[arg(long, value_name = "N|N%", env = "ALTFILL_MAX_RESEND")]
    pub max_resend: Option<Share>,
}

/// What `run` and `resume` have in common.
#[derive(Debug, Clone, Default, Args)]
pub struct SendArgs {
    /// Where the journal is.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Fail where there is no journal yet, instead of making one
    #[arg(
        long,
        env = "ALTFILL_REQUIRE_JOURNAL",
        help_heading = "Journal and account"
    )]
    pub require_journal: bool,
    /// What goes wrong in the sandbox, for example 503=5% (repeatable)
    #[arg(
        long,
        value_name = "KIND=P%",
        env = "ALTFILL_FAULT",
        value_delimiter = ',',
        requires = "sandbox",
        help_heading = "Rehearsal"
    )]
    pub fault: Vec<Fault>,
    /// Which requests the sandbox's faults befall
    #[arg(
        long,
        value_name = "N",
        env = "ALTFILL_SEED",
        requires = "sandbox",
        help_heading = "Rehearsal"
    )]
    pub seed: Option<u64>,

    /// Read the token from this file
    #[arg(
        long,
        value_name = "PATH",
        env = "ALTFILL_TOKEN_FILE",
        help_heading = "Access"
    )]
    pub token_file: Option<PathBuf>,
    /// Run this program, which prints the token; it is no shell's line
    #[arg(
        long,
        value_name = "CMD",
        env = "ALTFILL_TOKEN_COMMAND",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub token_command: Option<String>,
    /// Trust the authorities in this PEM file too, beside the system's
    #[arg(
        long,
        value_name = "PATH",
        env = "ALTFILL_CA_FILE",
        help_heading = "Access"
    )]
    pub ca_file: Option<PathBuf>,

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
    /// How long requests on their way are waited for when the run is stopped [default: 20s]
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
    /// Spend at most so much: in this run, or in any stretch of DURATION
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
    /// End after so long: nothing starts that could take longer
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
    /// Halt when more images fail, as a number, or as a percentage once 100 have an outcome [default: 50%]
    #[arg(
        long,
        value_name = "N|N%",
        env = "ALTFILL_MAX_FAILURES",
        help_heading = "Bounds"
    )]
    pub max_failures: Option<Share>,
    /// Give up when X can't be reached for longer [default: 15m]
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

    /// Who shall be told.
    #[command(flatten)]
    pub monitor: MonitorArgs,

    /// Which of these was typed, which stands in the environment and which in a file.
    #[arg(skip)]
    pub origins: Origins,
}

/// `altfill config`: the options of `run`, of which each may be given to see what would hold.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Manifests of the run that is meant: a configuration file beside the first one counts
    #[arg(value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// How to take them in.
    #[command(flatten)]
    pub taking: TakingArgs,
    /// How to send.
    #[command(flatten)]
    pub send: SendArgs,
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

/// `altfill sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The port on 127.0.0.1; 0 for a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// Its limits (repeatable), or unlimited [default: 500/15m and 50000/24h]
    #[arg(long, value_name = "N/DURATION", value_delimiter = ',')]
    pub rate: Vec<String>,
    /// What goes wrong, for example 503=5% (repeatable)
    #[arg(long, value_name = "KIND=P%")]
    pub fault: Vec<Fault>,
    /// Which requests the faults befall
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Accept only tokens that `altfill auth login` got here, each for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub token_ttl: Option<std::time::Duration>,
}
