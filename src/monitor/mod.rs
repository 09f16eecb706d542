//! A run as it is watched from afar: a file of metrics, a ping to a service that misses it, a notification at its end.
//!
//! Owns what is told to whom and when. Nothing of it changes how a run ends: what can't be told is a warning. It shows no
//! address, and sends no token anywhere.

mod metrics;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

pub use self::metrics::Figures;
use crate::{
    api::{Credentials, Hook},
    journal::Reader,
    runner::{Event, Signals},
    time::Timestamp,
};

/// How often the metrics are written while a run goes on.
const EVERY: Duration = Duration::from_secs(15);
/// How long a run waits at its end for what it tells.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who shall be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The file for metrics.
    pub metrics: Option<PathBuf>,
    /// What is pinged at the start and the end.
    pub ping: Option<Hook>,
    /// What is told how it ended.
    pub notify: Option<Hook>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its exit code, as the caller sees it.
    pub code: u8,
    /// Whether another run has the journal.
    pub is_locked_out: bool,
    /// Whether there was nothing to do and nothing is wrong.
    pub is_idle: bool,
    /// What was said last.
    pub log: String,
    /// The object that a program gets.
    pub object: Value,
}

/// Watches a run.
#[derive(Debug)]
pub struct Monitor {
    options: Options,
    journal: PathBuf,
    figures: Arc<Mutex<Figures>>,
    credentials: Arc<OnceLock<Arc<Credentials>>>,
    /// The signals that the run heard.
    signals: OnceLock<watch::Receiver<Signals>>,
    warn: fn(&str),
    /// The ping that says that it starts.
    starting: Option<JoinHandle<()>>,
    /// Writes the metrics every so often, once the journal is the run's.
    writing: Option<JoinHandle<()>>,
}

fn lock(figures: &Mutex<Figures>) -> MutexGuard<'_, Figures> {
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Monitor {
    /// Tells that a run starts. What can't be told is said by `warn`.
    #[must_use]
    pub fn start(options: Options, journal: PathBuf, warn: fn(&str)) -> Self {
        let former = options
            .metrics
            .as_deref()
            .and_then(|path| metrics::former(path).ok().flatten());
        let starting = options.ping.clone().map(|ping| {
            tokio::spawn(async move {
                let told = ping.with("start").tell("text/plain", String::new()).await;
                warn_of(warn, "ping", &ping, told);
            })
        });
        Self {
            figures: Arc::new(Mutex::new(
                former
                    .map(|text| Figures::recall(&text))
                    .unwrap_or_default(),
            )),
            credentials: Arc::default(),
            signals: OnceLock::new(),
            options,
            journal,
            warn,
            starting,
            writing: None,
        }
    }

    /// The journal is the run's: from now on its figures are written.
    pub async fn begin(&mut self) {
        let Some(path) = self.options.metrics.clone() else {
            return;
        };
        {
            let mut figures = lock(&self.figures);
            figures.is_running = true;
            figures.last_progress = Some(Timestamp::now());
        }
        self.write().await;
        let (figures, journal) = (self.figures.clone(), self.journal.clone());
        let credentials = self.credentials.clone();
        self.writing = Some(tokio::spawn(async move {
            loop {
                sleep(EVERY).await;
                refresh(&figures, &journal, &credentials).await;
                let figures = lock(&figures).clone();
                // That it can't be written was said at the start, and is said again at the end.
                let _ = figures.write(&path, Timestamp::now());
            }
        }));
    }

    /// With which credentials the run sends: until when their token is good is looked up when it is told.
    pub fn know(&self, credentials: Arc<Credentials>) {
        // A run has one set of them.
        let _ = self.credentials.set(credentials);
    }

    /// From here on signals are heard and end nothing by themselves: one that comes while others are told ends the telling.
    pub fn heed(&self, signals: watch::Receiver<Signals>) {
        // A run listens once.
        let _ = self.signals.set(signals);
    }

    /// Takes an event of the run in.
    pub fn see(&self, event: &Event) {
        let mut figures = lock(&self.figures);
        match event {
            Event::Done { .. } | Event::Failed { .. } => {
                figures.last_progress = Some(Timestamp::now());
                figures.paused_until = None;
            }
            Event::Waiting { until, .. } => figures.paused_until = Some(*until),
            Event::Resumed | Event::Stopping(_) => figures.paused_until = None,
            Event::Sent(_) | Event::Again { .. } | Event::ClockIsOff(_) => {}
        }
    }

    /// Tells how the run ended, to all who shall be told. It waits for them, but not for long, and not at all for somebody
    /// who has said twice that it shall end.
    pub async fn end(mut self, end: End) {
        if let Some(writing) = self.writing.take() {
            writing.abort();
            let _ = writing.await;
        }
        // The figures are those of the run that has the journal.
        if self.options.metrics.is_some() && !end.is_locked_out {
            {
                let mut figures = lock(&self.figures);
                figures.is_running = false;
                figures.paused_until = None;
                figures.exit_code = Some(end.code);
                if end.code == 0 {
                    figures.last_success = Some(Timestamp::now());
                }
            }
            self.write().await;
        }
        let (warn, ping, notify) = (self.warn, self.options.ping, self.options.notify);
        if ping.is_none() && notify.is_none() {
            return;
        }
        let starting = self.starting.take();
        let pinging = async {
            let Some(ping) = ping else { return };
            let pinged = timeout(PATIENCE, async {
                // A start that comes after the end would look like a run that never ends.
                if let Some(starting) = starting {
                    let _ = starting.await;
                }
                let to = if end.code == 0 {
                    ping.clone()
                } else {
                    ping.with(&end.code.to_string())
                };
                to.tell("text/plain; charset=utf-8", end.log).await
            });
            warn_of(
                warn,
                "ping",
                &ping,
                pinged
                    .await
                    .unwrap_or_else(|_| Err("it took too long".to_owned())),
            );
        };
        let notifying = async {
            let Some(notify) = notify.filter(|_| !end.is_idle) else {
                return;
            };
            warn_of(
                warn,
                "notification",
                &notify,
                notify
                    .tell("application/json", end.object.to_string())
                    .await,
            );
        };
        tokio::select! {
            _ = async { tokio::join!(pinging, notifying) } => {}
            () = hurried(self.signals.get().cloned()) => {
                warn("left at once, so nobody may have been told how the run ended");
            }
        }
    }

    async fn write(&self) {
        let Some(path) = &self.options.metrics else {
            return;
        };
        refresh(&self.figures, &self.journal, &self.credentials).await;
        let figures = lock(&self.figures).clone();
        if let Err(error) = figures.write(path, Timestamp::now()) {
            (self.warn)(&format!(
                "the metrics can't be written to {}: {error}. The run goes on without them",
                path.display()
            ));
        }
    }
}

/// Reads from the journal what it knows; what it can't be asked stays as it was.
async fn refresh(
    figures: &Mutex<Figures>,
    journal: &std::path::Path,
    credentials: &OnceLock<Arc<Credentials>>,
) {
    if let Some(credentials) = credentials.get() {
        lock(figures).token_expires = credentials.expires();
    }
    let Ok(mut reader) = Reader::open_any(journal, None).await else {
        return;
    };
    let (tallies, chronicle) = (reader.tallies().await, reader.chronicle().await);
    let mut figures = lock(figures);
    if let Ok(tallies) = tallies {
        figures.tallies = tallies;
    }
    if let Ok(chronicle) = chronicle {
        figures.spent_dollars = Some(chronicle.spent_dollars);
        figures.last_success = figures.last_success.max(chronicle.last_success);
        figures.last_progress = figures.last_progress.max(chronicle.last_outcome);
        figures.exit_code = figures.exit_code.or(chronicle.last_exit_code);
    }
}

/// Waits until the run has been told once more to end: a second time where a signal has ended it already.
async fn hurried(signals: Option<watch::Receiver<Signals>>) {
    let Some(mut signals) = signals else {
        return std::future::pending().await;
    };
    let before = signals.borrow_and_update().first;
    let heard = signals.wait_for(|signals| signals.again || signals.first != before);
    if heard.await.is_err() {
        // Nobody listens, so nothing will be heard.
        std::future::pending::<()>().await;
    }
}

fn warn_of(warn: fn(&str), what: &str, hook: &Hook, told: Result<(), String>) {
    if let Err(why) = told {
        warn(&format!(
            "the {what} to {hook} was not taken: {why}. The run is as it is"
        ));
    }
}
