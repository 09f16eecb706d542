//! What `run` and `resume` have in common: from the settings over the journal and the runner to the exit code.
//!
//! The order of its steps is a promise: words, the journal's lock, the journal, the manifests, and credentials only when
//! something is due.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    agrees, complaint, cost, counted,
    faults::Faults,
    place_in_words, print, resend,
    sender::{ClientApi, Sender},
    signals,
    summary::Totals,
    taking, trust,
};
use crate::{
    api::{Client, Http},
    cli::{Origin, SendArgs},
    error::{Failure, exit},
    forecast::{Forecast, least},
    journal::{Doubt, Ended, Intake, Journal, Lock, NewRun, Scope, Started},
    limiter::{Limiter, pace},
    monitor::{End, Monitor},
    progress::{self, Progress, about, last_lines, remember, say},
    rate::Rates,
    runner::{JournalQueue, Runner, Summary},
    sandbox::{self, Sandbox},
    settings::{JournalPlace, RunSettings, SANDBOX, monitoring},
    time::{Clock, Timestamp},
};

/// Carries a run out, and says how it ended on both streams.
pub async fn execute(settings: Result<RunSettings, Failure>, args: &SendArgs) -> u8 {
    let (json, ok) = (args.json, &args.ok);
    let began = Instant::now();
    let mut totals = Totals::default();
    totals.place = place_in_words(&args.journal, |option| {
        args.origins.of(option) == Origin::Flag
    });
    let mut monitor = Monitor::start(monitoring(args), journal_of(args), warn);
    let (quiet, ended) = match settings {
        Err(failure) => (false, Err(failure)),
        Ok(settings) => (
            settings.quiet,
            run(&settings, &mut totals, &mut monitor).await,
        ),
    };
    if let Err(failure) = &ended {
        totals.fail(failure);
        say(&complaint(failure));
    }
    totals.elapsed_s = began.elapsed().as_secs_f64();
    let code = if ok.contains(&totals.exit_code) {
        exit::OK
    } else {
        totals.exit_code
    };
    // Under cron what is said is mailed: with --quiet, nothing where all is as it should be.
    if totals.has_run && quiet && code == exit::OK {
        remember(&totals.to_string());
    } else if totals.has_run {
        say(&totals.to_string());
    }
    let object = totals.to_json();
    let printed = if json {
        print(&object.to_string())
    } else {
        Ok(())
    };
    monitor.end(end(&totals, code, object)).await;
    if let Err(failure) = printed {
        say(&complaint(&failure));
        return failure.code();
    }
    code
}

/// Tells those who watch of a run whose words or configuration could not be meant.
pub async fn tell_of_refusal(args: &SendArgs, totals: &Totals) {
    let monitor = Monitor::start(monitoring(args), journal_of(args), warn);
    monitor
        .end(end(totals, totals.exit_code, totals.to_json()))
        .await;
}

fn end(totals: &Totals, code: u8, object: serde_json::Value) -> End {
    End {
        code,
        is_locked_out: totals.exit_code == exit::LOCKED,
        is_idle: totals.exit_code == exit::OK && object["requests"] == 0,
        log: last_lines(),
        object,
    }
}

fn journal_of(args: &SendArgs) -> PathBuf {
    JournalPlace::to_read(&args.journal).path
}

fn warn(line: &str) {
    say(&format!("altfill: {line}"));
}

async fn start_rehearsal(settings: &RunSettings) -> Result<Option<Sandbox>, Failure> {
    let Some(rehearsal) = &settings.rehearsal else {
        return Ok(None);
    };
    let options = sandbox::Options {
        rates: super::sandbox::served(&settings.rates),
        faults: rehearsal.faults.clone(),
        seed: rehearsal.seed,
        record_bodies: false,
        ..sandbox::Options::default()
    };
    let started = Sandbox::start(options).await;
    started
        .map(Some)
        .map_err(|error| Failure::unexpected(format!("the sandbox can't be started: {error}")))
}

/// Takes the journal's lock and opens it, or makes one where a run may.
async fn open(settings: &RunSettings) -> Result<Journal, Failure> {
    let place = &settings.journal;
    let path = &place.path;
    if !path.exists() {
        let is_run = settings.manifests.is_some();
        if !is_run || settings.require_journal {
            return Err(crate::journal::Error::Missing(path.clone()).into());
        }
        // A cron job in the wrong folder would begin anew, and pay for everything once more.
        if !place.is_named && settings.rehearsal.is_none() && !io::stderr().is_terminal() {
            return Err(Failure::usage(format!(
                "there is no journal at {} yet, and without a terminal none is made that was not named: \
                 say --journal {}, or change to the folder where it is",
                path.display(),
                path.display()
            )));
        }
    }
    let lock = lock(settings).await?;
    let bound_to = place.bound_to.as_deref().unwrap_or(SANDBOX);
    Ok(Journal::open(path, bound_to, lock).await?)
}

/// Takes the lock, waiting for it as long as was asked for.
async fn lock(settings: &RunSettings) -> Result<Lock, Failure> {
    let began = Instant::now();
    loop {
        match Lock::take(&settings.journal.path) {
            Err(crate::journal::Error::Locked(_)) if began.elapsed() < settings.lock_wait => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            taken => return Ok(taken?),
        }
    }
}

async fn run(
    settings: &RunSettings,
    totals: &mut Totals,
    monitor: &mut Monitor,
) -> Result<(), Failure> {
    let path = &settings.journal.path;
    run_in(settings, totals, monitor)
        .await
        .map_err(|failure| failure.in_journal(path))
}

async fn run_in(
    settings: &RunSettings,
    totals: &mut Totals,
    monitor: &mut Monitor,
) -> Result<(), Failure> {
    trust(settings.ca_file.as_deref())?;
    let _listening = signals::tell_status_when_asked().map_err(Failure::unexpected)?;
    progress::stage(
        "opening the journal; nothing has been sent yet",
        settings.progress,
    );
    let mut journal = open(settings).await?;
    monitor.begin().await;
    let scope = if settings.manifests.is_some() {
        Scope::Manifests
    } else {
        Scope::Everything
    };
    let new_run = NewRun {
        sources: settings
            .manifests
            .iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect(),
        scope,
        price: settings.runner.price,
        timeout: settings.timeout,
        retry_failed: settings.retry_failed.clone(),
    };
    let mut settings = settings.clone();
    spend_before(&mut settings, &mut journal).await?;
    let settings = &settings;
    let mut sender = Sender::new(settings);
    let (account, doubt) = journal.account(&sender.whose).await?;
    sender.account = account;
    progress::stage(
        "taking in what is to be sent; nothing has been sent yet",
        settings.progress,
    );
    let begun = begin(&mut journal, &mut sender, doubt, &new_run, totals).await;
    let started = match begun {
        Ok(started) => started,
        Err(failure) => {
            // Nothing was taken in. A journal that was made for this run goes with it, as far as a failing disk lets it.
            let _ = journal.abandon().await;
            return Err(failure);
        }
    };
    totals.begin(&started);
    totals.is_rehearsal = settings.rehearsal.is_some();
    tracing::info!(journal = %settings.journal.path.display(), run = started.run_id, due = started.due, "the run begins");
    let sent = match send(&mut journal, &mut sender, &started, scope, totals, monitor).await {
        // What is not where it is looked for can't be counted.
        Err(failure @ Failure::Journal(crate::journal::Error::Moved(_))) => return Err(failure),
        sent => sent,
    };
    let (tally, others) = journal.tally(account, scope).await?;
    totals.conclude(tally, others, journal.interrupted().await?);
    let result = match sent {
        Ok(summary) => {
            totals.judge(summary.as_ref());
            Ok(())
        }
        Err(failure) => {
            totals.fail(&failure);
            Err(failure)
        }
    };
    let ended = Ended {
        exit_code: totals.exit_code,
        exit_reason: totals.exit_reason.clone(),
    };
    journal
        .finish(started.run_id, &ended, Timestamp::now())
        .await?;
    journal.close().await?;
    result
}

/// What `--max-spend` leaves of a window of its own after what was spent in it.
async fn spend_before(settings: &mut RunSettings, journal: &mut Journal) -> Result<(), Failure> {
    let Some(window) = settings.spend_window else {
        return Ok(());
    };
    let (requests, look_ups) = journal.spent_since(Timestamp::now() - window).await?;
    settings.runner.spent_before = requests;
    settings.runner.max_spend = settings.runner.max_spend.map(|most| most - look_ups);
    Ok(())
}

/// Takes the manifests in and begins the run, in one transaction, unless it is not clear whose the items are.
async fn begin(
    journal: &mut Journal,
    sender: &mut Sender<'_>,
    doubt: Option<Doubt>,
    new_run: &NewRun,
    totals: &mut Totals,
) -> Result<Started, Failure> {
    let (settings, account) = (sender.settings, sender.account);
    let Some(manifests) = &settings.manifests else {
        let due = journal.due(account, new_run).await?;
        is_certain(doubt, due)?;
        identify(sender, due).await;
        is_certain(journal.doubt(account, &sender.whose).await?, due)?;
        return Ok(journal
            .begin(account, new_run, settings.runner.started)
            .await?);
    };
    let mut intake = journal
        .intake(account, settings.read.duplicates, settings.runner.started)
        .await?;
    let begun = async {
        let due = take_in(settings, &mut intake, manifests, new_run, totals).await?;
        is_certain(doubt, due)?;
        identify(sender, due).await;
        is_certain(intake.doubt(&sender.whose).await?, due)
    };
    match begun.await {
        Ok(()) => Ok(intake.commit(new_run).await?),
        Err(failure) => {
            // SQLite has undone it already where the journal failed; why it failed is what is to be said.
            let _ = intake.undo().await;
            Err(failure)
        }
    }
}

/// That it is clear whose the items are, where something is due.
fn is_certain(doubt: Option<Doubt>, due: u64) -> Result<(), Failure> {
    match doubt.filter(|_| due > 0) {
        Some(doubt) => Err(Failure::Access(doubt.to_string())),
        None => Ok(()),
    }
}

/// Makes sure who sends, where something will be sent.
async fn identify(sender: &mut Sender<'_>, due: u64) {
    let runner = &sender.settings.runner;
    if due > 0 && runner.max_items != Some(0) {
        let spent = cost(runner.spent_before, runner.price);
        let budget = runner.max_spend.map(|most| most - spent);
        sender.identify(budget).await;
    }
}

/// Takes the manifests in, and returns how much there would be to send.
async fn take_in(
    settings: &RunSettings,
    intake: &mut Intake<'_>,
    manifests: &[PathBuf],
    new_run: &NewRun,
    totals: &mut Totals,
) -> Result<u64, Failure> {
    let mut faults = Faults::new(settings.read.errors.as_deref())?;
    let mut sink = taking::IntoJournal::new(intake);
    let found = taking::take(
        manifests,
        &settings.read,
        &mut sink,
        &mut faults,
        settings.quiet,
    )
    .await;
    faults.end()?;
    let found = found?;
    let counts = intake.counts();
    totals.take(found, counts);
    if found.invalid > 0 && !settings.skip_invalid {
        let rows = found.invalid_rows();
        return Err(Failure::Invalid(format!(
            "{rows} invalid, so nothing was sent and the journal is as it was: mend them, or send the others with --skip-invalid"
        )));
    }
    if resend::is_too_many(settings.max_resend, counts) {
        return Err(Failure::Halted(resend::refusal(
            counts.resends,
            intake.resent(),
        )));
    }
    let due = intake.due(new_run).await?;
    if let Some(above) = settings.confirm_above {
        let most = settings.runner.max_items.unwrap_or(u64::MAX);
        confirm(settings, due.min(most), above)?;
    }
    Ok(due)
}

/// Asks before a run that costs more than was allowed without asking.
fn confirm(settings: &RunSettings, due: u64, above: f64) -> Result<(), Failure> {
    let dollars = cost(due, settings.runner.price);
    if dollars <= above {
        return Ok(());
    }
    let time = about(least(&settings.rates, due, Some(settings.max_rps.get())));
    if agrees(&format!(
        "{due} requests to X, about ${dollars:.2}, at least {time}. Send them?"
    )) {
        return Ok(());
    }
    Err(Failure::Declined("nothing was taken in or sent".to_owned()))
}

/// Sends what is due. Returns nothing where there was nothing to do.
async fn send(
    journal: &mut Journal,
    sender: &mut Sender<'_>,
    started: &Started,
    scope: Scope,
    totals: &mut Totals,
    monitor: &Monitor,
) -> Result<Option<Summary>, Failure> {
    let (settings, account) = (sender.settings, sender.account);
    journal
        .complete(account, &sender.whose, started.run_id, sender.dollars)
        .await?;
    totals.look_ups = sender.dollars;
    if started.due == 0 || settings.runner.max_items == Some(0) {
        return Ok(None);
    }
    let credentials = sender.credentials().await?;
    monitor.know(Arc::clone(&credentials));
    let rehearsal = start_rehearsal(settings).await?;
    let address = match &rehearsal {
        Some(sandbox) => sandbox.url().parse().map_err(Failure::Unexpected)?,
        None => settings.address.clone(),
    };
    if !settings.quiet {
        let images = counted(started.due, "image");
        say(&if rehearsal.is_some() {
            format!("Sending {images} to a simulated X on this machine: a rehearsal")
        } else {
            let token = credentials.describe();
            format!(
                "Sending {images} as {} to {address}, with the token of {token} ({})",
                sender.name(),
                settings.access.why
            )
        });
    }
    let http = Http::new(&address, settings.timeout)?;
    let client = ClientApi(Client::new(http, credentials));
    let clock = Clock::following(Timestamp::now());
    let past = journal
        .past(account, &settings.rates.windows(), clock.now())
        .await?;
    let mut options = settings.runner.clone();
    options.max_spend = options.max_spend.map(|most| most - sender.dollars);
    options.refused = sender.refused;
    let pace_of_starts = (settings.rates != Rates::Unlimited).then_some(settings.max_rps.get());
    let forecast = Forecast::new(&settings.rates, &past, pace_of_starts, clock.now());
    let signals = signals::listen().map_err(Failure::unexpected)?;
    monitor.heed(signals.clone());
    let mut progress = Progress::new(settings.progress, started.due, forecast);
    let mut tell = |event: &_| {
        progress.see(event);
        monitor.see(event);
    };
    let runner = Runner::new(
        JournalQueue {
            journal,
            account,
            run_id: started.run_id,
            scope,
        },
        client,
        Limiter::new(&settings.rates, &past),
        pace(&settings.rates, settings.max_rps),
        clock,
        options,
        signals,
        &mut tell,
    );
    let summary = runner.run().await;
    progress.end();
    if let Some(sandbox) = rehearsal {
        sandbox.stop().await;
    }
    let summary = summary?;
    totals.add(&summary, settings.runner.price);
    Ok(Some(summary))
}
