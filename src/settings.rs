//! What was meant: the words of [`crate::cli`] with every default filled in and every contradiction found.
//!
//! Owns the defaults, in one place. After it nothing asks what was typed.

use std::{
    io::IsTerminal,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;

use crate::{
    api::{Address, Source},
    cli::{JournalArgs, LintArg, ProgressArg, ReadArgs, RunArgs, SendArgs, parse_dollars},
    error::Failure,
    journal::{Duplicates, RetryFailed},
    rate::{Rates, parse_duration},
    runner::{self, Share},
    sandbox::Fault,
};

/// X's API.
const API_URL: &str = "https://api.x.com";
/// What the journal of a rehearsal is bound to.
pub const SANDBOX: &str = "sandbox";

/// What sending costs and how fast it goes, where nothing was said.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// Dollars a request.
    pub price: f64,
    /// Requests a second.
    pub max_rps: NonZeroU32,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            price: 0.005,
            max_rps: const { NonZeroU32::new(20).unwrap() },
        }
    }
}

/// Where the journal is, and to which address it must be bound.
#[derive(Debug, Clone)]
pub struct JournalPlace {
    /// The file.
    pub path: PathBuf,
    /// Whether it was named, and is not the default.
    pub is_named: bool,
    /// The address asked for, or `sandbox`; none where any will do.
    pub bound_to: Option<String>,
}

impl JournalPlace {
    /// The place for a command that only reads.
    #[must_use]
    pub fn to_read(args: &JournalArgs, sandbox: bool) -> Self {
        let mut place = Self::new(args, sandbox);
        // To read, the address matters only where it was said.
        if !sandbox {
            place.bound_to = args.api_url.as_ref().map(ToString::to_string);
        }
        place
    }

    /// The place for a plan: that of the run it is of.
    #[must_use]
    pub fn to_plan(args: &JournalArgs, sandbox: bool) -> Self {
        Self::new(args, sandbox)
    }

    fn new(args: &JournalArgs, sandbox: bool) -> Self {
        let path = args
            .journal
            .clone()
            .unwrap_or_else(|| PathBuf::from("altfill.db"));
        let path = if sandbox {
            sandbox_journal(&path)
        } else {
            path
        };
        let bound_to = if sandbox {
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
        }
    }
}

/// `altfill.sandbox.db` beside the journal.
fn sandbox_journal(journal: &Path) -> PathBuf {
    journal.with_file_name("altfill.sandbox.db")
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar.
    Bar,
    /// A line every so often.
    Lines,
    /// One JSON object an event.
    Json,
    /// Nothing.
    None,
}

/// What a run in the sandbox is served by.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Which requests that befalls.
    pub seed: u64,
}

/// A run or resume.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Its manifests; none for `resume`.
    pub manifests: Option<Vec<PathBuf>>,
    /// How they are read.
    pub read: ReadSettings,
    /// Whether to send what is valid although rows are not.
    pub skip_invalid: bool,
    /// How many done items may be sent anew.
    pub max_resend: Share,
    /// Where the journal is.
    pub journal: JournalPlace,
    /// Whether it must be there.
    pub require_journal: bool,
    /// The simulated API, where there shall be one.
    pub rehearsal: Option<Rehearsal>,
    /// The API's address.
    pub address: Address,
    /// Where the token comes from, where anything was said.
    pub token: Option<Source>,
    /// Further authorities whose certificates are trusted, in a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The windows.
    pub rates: Rates,
    /// The pace in them.
    pub max_rps: NonZeroU32,
    /// How long one request may take.
    pub timeout: Duration,
    /// Failed items to be sent again.
    pub retry_failed: RetryFailed,
    /// What the runner keeps to.
    pub runner: runner::Options,
    /// How long a window `--max-spend` speaks of, where it does.
    pub spend_window: Option<Duration>,
    /// The dollars above which to ask; none where nobody can be asked.
    pub confirm_above: Option<f64>,
    /// How long to wait for the journal.
    pub lock_wait: Duration,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Whether to say nothing but errors.
    pub quiet: bool,
    /// Whether to print JSON.
    pub json: bool,
    /// Codes that end as 0.
    pub ok: Vec<u8>,
}

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

impl RunSettings {
    /// What `run` means.
    ///
    /// # Errors
    /// Where words contradict each other or can't be read.
    pub fn of_run(args: &RunArgs) -> Result<Self, Failure> {
        let mut settings = Self::of_resume(&args.send)?;
        settings.manifests = Some(args.manifests.clone());
        settings.read = ReadSettings::from(&args.read);
        settings.skip_invalid = args.skip_invalid;
        if let Some(share) = args.max_resend {
            settings.max_resend = share;
        }
        if args
            .manifests
            .iter()
            .filter(|path| path.as_os_str() == "-")
            .count()
            > 1
        {
            return Err(Failure::usage(
                "standard input (-) can be read only once: name it once",
            ));
        }
        Ok(settings)
    }

    /// What `resume` means.
    ///
    /// # Errors
    /// Where words contradict each other or can't be read.
    pub fn of_resume(args: &SendArgs) -> Result<Self, Failure> {
        if args.sandbox && args.journal.api_url.is_some() {
            return Err(Failure::usage(
                "--sandbox sends to a simulated X, and --api-url to another address: use one of them",
            ));
        }
        let rates = match (rates(&args.rate)?, args.sandbox) {
            (Rates::Published, true) => Rates::Unlimited,
            (rates, _) => rates,
        };
        let (max_spend, spend_window) = match &args.max_spend {
            Some(text) => spend(text)?,
            None => (None, None),
        };
        let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let asks = on_terminal && !args.yes && !args.sandbox;
        let defaults = runner::Options::default();
        let price = args.price.unwrap_or(Pacing::default().price);
        Ok(Self {
            manifests: None,
            read: ReadSettings::default(),
            skip_invalid: false,
            max_resend: Share::Percent(10.0),
            journal: JournalPlace::new(&args.journal, args.sandbox),
            require_journal: args.require_journal,
            rehearsal: args.sandbox.then(|| Rehearsal {
                faults: args.fault.clone(),
                seed: args.seed.unwrap_or(0),
            }),
            address: match &args.journal.api_url {
                Some(address) => address.clone(),
                None => API_URL.parse().map_err(Failure::usage)?,
            },
            token: token(args)?,
            ca_file: args.ca_file.clone(),
            rates,
            max_rps: args.max_rps.unwrap_or(Pacing::default().max_rps),
            timeout: nonzero("--timeout", args.timeout, Duration::from_secs(30))?,
            retry_failed: match args.retry_failed.as_deref() {
                None => RetryFailed::Passing,
                Some("all") => RetryFailed::All,
                Some(causes) => RetryFailed::Causes(
                    causes
                        .split(',')
                        .map(|cause| cause.trim().to_owned())
                        .collect(),
                ),
            },
            runner: runner::Options {
                started: crate::time::Timestamp::now(),
                workers: args
                    .workers
                    .unwrap_or(const { NonZeroUsize::new(8).unwrap() }),
                max_attempts: args
                    .max_attempts
                    .map_or(defaults.max_attempts, NonZeroU32::get),
                stop_timeout: args.stop_timeout.unwrap_or(defaults.stop_timeout),
                max_items: args.max_items,
                max_spend,
                spent_before: 0,
                price,
                max_duration: args.max_duration,
                halt_after: args.halt_after.unwrap_or(defaults.halt_after),
                max_failures: args.max_failures.unwrap_or(defaults.max_failures),
                max_outage: args.max_outage.unwrap_or(defaults.max_outage),
            },
            spend_window,
            confirm_above: asks.then(|| args.confirm_above.unwrap_or(1.0)),
            lock_wait: args.lock_wait.unwrap_or_default(),
            progress: progress(args.progress.unwrap_or(ProgressArg::Auto), args.quiet),
            quiet: args.quiet,
            json: args.json,
            ok: args.ok.clone(),
        })
    }
}

/// The windows that `--rate` asks for.
///
/// # Errors
/// Where one can't be read.
pub fn rates(words: &[String]) -> Result<Rates, Failure> {
    match words {
        [] => Ok(Rates::Published),
        [word] if word == "unlimited" => Ok(Rates::Unlimited),
        _ => words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, _>>()
            .map(Rates::Own)
            .map_err(|error: String| {
                Failure::usage(format!("--rate: {error}; or `unlimited` alone"))
            }),
    }
}

fn spend(text: &str) -> Result<(Option<f64>, Option<Duration>), Failure> {
    let read = || {
        let (dollars, duration) = text
            .split_once('/')
            .map_or((text, None), |(dollars, rest)| (dollars, Some(rest)));
        Ok((
            Some(parse_dollars(dollars)?),
            duration.map(parse_duration).transpose()?,
        ))
    };
    read().map_err(|error: String| Failure::usage(format!("--max-spend: {error}")))
}

fn nonzero(name: &str, duration: Option<Duration>, default: Duration) -> Result<Duration, Failure> {
    match duration {
        Some(Duration::ZERO) => Err(Failure::usage(format!("{name} must be above 0"))),
        other => Ok(other.unwrap_or(default)),
    }
}

fn progress(arg: ProgressArg, quiet: bool) -> ProgressMode {
    match arg {
        _ if quiet => ProgressMode::None,
        ProgressArg::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
        ProgressArg::Auto | ProgressArg::Lines => ProgressMode::Lines,
        ProgressArg::Bar => ProgressMode::Bar,
        ProgressArg::Json => ProgressMode::Json,
        ProgressArg::None => ProgressMode::None,
    }
}

/// A source named by flag beats the environment.
fn token(args: &SendArgs) -> Result<Option<Source>, Failure> {
    const VARIABLE: &str = "X_OAUTH2_ACCESS_TOKEN";
    if args.sandbox {
        return Ok(Some(Source::Sandbox));
    }
    if let Some(path) = &args.token_file {
        return Ok(Some(Source::File(path.clone())));
    }
    if let Some(command) = &args.token_command {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            Failure::usage("--token-command: the words can't be told apart; check its quotes")
        })?;
        return Ok(Some(Source::Command(words)));
    }
    let value = std::env::var(VARIABLE)
        .ok()
        .filter(|value| !value.trim().is_empty());
    Ok(value.map(|value| Source::Environment(VARIABLE, SecretString::from(value))))
}
