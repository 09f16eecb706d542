//! What was typed: the command line and its environment, word by word.
//!
//! Owns names, help texts and forms, a file for each group of commands. What the words mean, and what holds where none
//! was said, is [`crate::settings`]'s.

mod access;
mod looking;
mod manifests;
mod monitoring;
mod origin;
mod packaging;
mod scheduling;
mod sending;
mod upkeep;

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, CommandFactory, Parser, Subcommand, builder::BoolishValueParser};

pub use self::{
    access::{
        AuthArgs, AuthCommand, AuthStatusArgs, ForeignArg, ImportArgs, LoginArgs, LogoutArgs,
        RefreshArgs,
    },
    looking::{FormatArg, ReportArgs, ShowArgs, StatusArgs},
    manifests::{
        CheckArgs, DuplicatesArg, LintArg, PlanArgs, ReadArgs, TemplateArgs, TemplateFormatArg,
    },
    monitoring::{LogFormatArg, MonitorArgs},
    origin::{Holding, Origin, Origins},
    packaging::{CompletionsArgs, ManArgs},
    scheduling::{ScheduleArgs, ScheduleFormatArg},
    sending::{ConfigArgs, ProgressArg, RunArgs, SandboxArgs, SendArgs, TakingArgs},
    upkeep::{DismissArgs, DropArgs, RepairArgs},
};
use crate::api::Address;

/// Sends alt text and other metadata for images and videos that are on X already. It publishes nothing.
#[derive(Debug, Parser)]
#[command(name = "altfill", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Say more: -v what is done, -vv how, -vvv everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// The form of the lines of -v [default: text]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORM",
        env = "ALTFILL_LOG_FORMAT"
    )]
    pub log_format: Option<LogFormatArg>,
    /// Read this configuration file and no other
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "ALTFILL_CONFIG",
        hide_env_values = true,
        help_heading = "Configuration"
    )]
    pub config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(
        long,
        global = true,
        env = "ALTFILL_NO_CONFIG",
        help_heading = "Configuration"
    )]
    pub no_config: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The parser. What a switch says in the environment may be said in several ways: `true`, `1`, `yes`, `on`.
#[must_use]
pub fn command() -> clap::Command {
    let loosen = |arg: Arg| {
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            arg.value_parser(BoolishValueParser::new())
        } else {
            arg
        }
    };
    Cli::command()
        .mut_args(loosen)
        .mut_subcommands(|command| command.mut_args(loosen))
}

impl Cli {
    /// Where the command's options keep what came from where, if it has any that a file can set and it asks.
    pub fn origins_mut(&mut self) -> Option<&mut Origins> {
        match &mut self.command {
            Command::Run(args) => Some(&mut args.send.origins),
            Command::Resume(args) => Some(&mut args.origins),
            Command::Plan(args) => Some(&mut args.origins),
            Command::Config(args) => Some(&mut args.send.origins),
            Command::Auth(AuthArgs {
                command: AuthCommand::Status(args),
            }) => Some(&mut args.origins),
            _ => None,
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0              all is done, also when there was nothing to do
  1              unexpected error, or the journal can't be read or written
  2              usage or configuration
  3              a manifest is invalid or can't be read; nothing was sent
  4              some images failed, or invalid rows were skipped
  5              stopped as told; images are left
  6              halted by a threshold; images are left
  7              access: token, enrolment or permissions; a person must act
  8              money: credits, spend cap or usage cap
  69             X can't be reached
  75             another run has the journal
  129, 130, 143  stopped by a signal; images are left
docs/errors.md says more of each.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check manifests offline, and show every error with file, line and column
    #[command(
        after_help = "Exit codes: 0 all rows are valid; 2 usage; 3 rows are invalid, or a file can't be read."
    )]
    Check(CheckArgs),
    /// Show what a run would do, cost and take, without sending anything
    #[command(
        after_help = "Exit codes: 0 it was told; 2 usage; 3 a manifest is invalid or can't be read. Nothing is written."
    )]
    Plan(Box<PlanArgs>),
    /// Send alt text and other metadata for images already on X, and publish nothing; run it again at any time, it goes on where it
    /// stopped
    #[command(after_help = EXIT_CODES)]
    Run(Box<RunArgs>),
    /// Send all that is due in the journal, without a manifest
    #[command(after_help = EXIT_CODES)]
    Resume(Box<SendArgs>),
    /// Show how many images are done, failed and left, and what a further run would do
    #[command(
        after_help = "Exit codes: 0 it was told; 1 the journal can't be read; 2 usage, or there is no journal. With --exit-code: \
        0 all is done; 4 some images failed; 5 images are left."
    )]
    Status(StatusArgs),
    /// Show all that is known of one image: its metadata and each attempt
    Show(ShowArgs),
    /// Write outcomes to a file, for programs, spreadsheets or people; a report of failures can be mended and sent again
    Report(ReportArgs),
    /// Withdraw images that were not sent yet
    Drop(DropArgs),
    /// Mark failures as known, so that they no longer count until their row changes
    Dismiss(DismissArgs),
    /// Salvage what can be read of a damaged journal into a new one; the old one stays as it is
    Repair(RepairArgs),
    /// Print an empty manifest with all columns, and what each is for
    Template(TemplateArgs),
    /// Log in at X, and see as whom a run would send
    Auth(AuthArgs),
    /// Show each option of a run as it holds here, and where it was set
    Config(Box<ConfigArgs>),
    /// Print what starts a run at fixed times, for cron, systemd or Kubernetes; it installs nothing
    Schedule(ScheduleArgs),
    /// Serve a simulated X API on this machine, for rehearsals
    Sandbox(SandboxArgs),
    /// Print what a shell needs to complete altfill's words
    Completions(CompletionsArgs),
    /// Print the manual page of altfill or of a command
    Man(ManArgs),
}

/// Where the journal is, and whose images of it are meant.
///
/// A heading goes on below a group that is flattened, so in each command such groups come last.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Journal and account")]
pub struct JournalArgs {
    /// The journal [default: altfill.db in the current folder]
    #[arg(long, value_name = "PATH", env = "ALTFILL_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// The API's address [default: <https://api.x.com>]
    #[arg(long, value_name = "URL", env = "ALTFILL_API_URL")]
    pub api_url: Option<Address>,
    /// The profile: whose images, by the login of this name [default: the only one, or default]
    #[arg(long, value_name = "NAME", env = "ALTFILL_PROFILE")]
    pub profile: Option<String>,
    /// Use the sandbox: a simulated X inside this program, with a journal of its own
    #[arg(long, env = "ALTFILL_SANDBOX", help_heading = "Rehearsal")]
    pub sandbox: bool,
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
