//! What all connections of a sandbox share.
//!
//! Owns nothing but the parts; each keeps its own rules.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    Options, fault::Faults, ledger::Ledger, outage::Outages, token::Tokens, window::Windows,
};
use crate::time::Clock;

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    pub(super) outages: Outages,
    pub(super) slow_by: Duration,
    pub(super) tokens: Arc<Tokens>,
    pub(super) token_delay: Duration,
    pub(super) user: Option<(String, String)>,
    windows: Mutex<Windows>,
    stopping: watch::Receiver<bool>,
}

impl World {
    /// The world of these options, from now until `stopping` says so.
    pub(super) fn new(options: Options, stopping: watch::Receiver<bool>) -> Self {
        Self {
            clock: options.clock,
            faults: Faults::new(options.seed, options.faults),
            ledger: Ledger::new(options.record_bodies),
            outages: Outages::new(options.outages),
            slow_by: options.slow_by,
            tokens: Arc::new(Tokens::new(options.token, options.keys, options.token_life)),
            token_delay: options.token_delay,
            user: options.user,
            windows: Mutex::new(Windows::new(&options.rates)),
            stopping,
        }
    }

    /// The windows, for one request at a time.
    pub(super) fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the sandbox is told to stop, or is gone.
    pub(super) async fn stopped(&self) {
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
    }
}
