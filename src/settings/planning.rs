//! What a plan means: the settings of the run that it is of, as far as they decide what would be sent.

use std::{num::NonZeroU32, path::PathBuf};

use super::{Access, JournalPlace, MAX_RESEND, Pacing, ReadSettings, words};
use crate::{
    cli::PlanArgs,
    error::Failure,
    journal::{RetryFailed, Whose},
    rate::Rates,
    runner::Share,
};

/// A plan.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// The manifests.
    pub manifests: Vec<PathBuf>,
    /// How they are read.
    pub read: ReadSettings,
    /// Whether what is valid would be sent although rows are not.
    pub skip_invalid: bool,
    /// How many done items may be sent anew.
    pub max_resend: Share,
    /// Where the journal is.
    pub journal: JournalPlace,
    /// Whose items they are, as far as that is known without a request.
    pub whose: Whose,
    /// Failed items to be sent again.
    pub retry_failed: RetryFailed,
    /// The windows. A rehearsal has none; planned is what the same would take at X.
    pub rates: Rates,
    /// The pace in them.
    pub max_rps: NonZeroU32,
    /// Dollars a request.
    pub price: f64,
    /// Whether it is of a rehearsal.
    pub is_rehearsal: bool,
}

impl PlanSettings {
    /// What `plan` means.
    ///
    /// # Errors
    /// Where words contradict each other or can't be read.
    pub fn of(args: &PlanArgs) -> Result<Self, Failure> {
        let pacing = Pacing::default();
        Ok(Self {
            manifests: args.manifests.clone(),
            read: ReadSettings::from(&args.taking.read),
            skip_invalid: args.taking.skip_invalid,
            max_resend: args.taking.max_resend.unwrap_or(MAX_RESEND),
            journal: JournalPlace::new(&args.journal),
            whose: Access::of_plan(args)?.whose(),
            retry_failed: words::retry_failed(args.retry_failed.as_deref()),
            rates: words::rates(&args.rate)?,
            max_rps: args.max_rps.unwrap_or(pacing.max_rps),
            price: args.price.unwrap_or(pacing.price),
            is_rehearsal: args.journal.sandbox,
        })
    }
}
