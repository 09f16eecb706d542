//! What was meant: the words of [`crate::cli`] with every default filled in and every contradiction found.
//!
//! Owns the defaults, in one place. After it nothing asks what was typed.

mod access;
mod monitoring;
mod place;
mod planning;
mod reading;
mod words;

use std::{
    io::IsTerminal,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use self::words::{nonzero, progress, retry_failed, spend};
pub use self::{
    access::{Access, store, variable, whose},
    monitoring::monitoring,
    place::JournalPlace,
    planning::PlanSettings,
    reading::{Lint, ReadSettings},
    words::rates,
};
use crate::{
    api::Address,
    cli::{ProgressArg, RunArgs, SendArgs},
    error::Failure,
    journal::RetryFailed,
    rate::Rates,
    runner::{self, Share},
    sandbox::Fault,
};

/// X's API.
pub const API_URL: &str = "https://api.x.com";
/// What the journal of a rehearsal is bound to.
pub const SANDBOX: &str = "sandbox";
/// How many done items a run may send anew, where nothing was said.
const MAX_RESEND: Share = Share::Percent(10.0);

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
    /// Where the token comes from.
    pub access: Access,
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

/// The API's address: the one that was said, else X's.
///
/// # Errors
/// Never for those that can be said.
pub fn address(said: Option<&Address>) -> Result<Address, Failure> {
    match said {
        Some(address) => Ok(address.clone()),
        None => API_URL.parse().map_err(Failure::usage),
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
        settings.read = ReadSettings::from(&args.taking.read);
        settings.skip_invalid = args.taking.skip_invalid;
        if let Some(share) = args.taking.max_resend {
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
        // An address in a configuration file is that of every other run.
        let names_address = args.journal.api_url.is_some() && !args.origins.is_from_file("api-url");
        if args.journal.sandbox && names_address {
            return Err(Failure::usage(
                "--sandbox sends to a simulated X, and --api-url to another address: use one of them",
            ));
        }
        let rates = match (rates(&args.rate)?, args.journal.sandbox) {
            (Rates::Published, true) => Rates::Unlimited,
            (rates, _) => rates,
        };
        let (max_spend, spend_window) = match &args.max_spend {
            Some(text) => spend(text)?,
            None => (None, None),
        };
        let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let asks = on_terminal && !args.yes && !args.journal.sandbox;
        let defaults = runner::Options::default();
        let price = args.price.unwrap_or(Pacing::default().price);
        Ok(Self {
            manifests: None,
            read: ReadSettings::default(),
            skip_invalid: false,
            max_resend: MAX_RESEND,
            journal: JournalPlace::new(&args.journal),
            require_journal: args.require_journal,
            rehearsal: args.journal.sandbox.then(|| Rehearsal {
                faults: args.fault.clone(),
                seed: args.seed.unwrap_or(0),
            }),
            address: address(args.journal.api_url.as_ref())?,
            access: Access::of_run(args)?,
            ca_file: args.ca_file.clone(),
            rates,
            max_rps: args.max_rps.unwrap_or(Pacing::default().max_rps),
            timeout: nonzero("--timeout", args.timeout, Duration::from_secs(30))?,
            retry_failed: retry_failed(args.retry_failed.as_deref()),
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
                refused: None,
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
