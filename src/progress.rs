//! A run as it is seen while it goes on: a bar, lines, or JSON, on standard error.
//!
//! Owns all that is shown between the first line of a run and its summary. It sees events only, after they are on disk.
//! Log lines pass through it too, so that the bar and they never mix.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::{
    forecast::least,
    rate::Rates,
    runner::{Ending, Event, Wait},
    settings::ProgressMode,
    time::Timestamp,
};

/// The bar that is on the screen, if one is: whoever writes to the terminal steps around it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How often a line is written where there is no bar.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Shows a run.
#[derive(Debug)]
pub struct Progress {
    mode: ProgressMode,
    due: u64,
    done: u64,
    failed: u64,
    retrying: u64,
    /// How long all of it takes by the windows, at the least.
    least: Duration,
    began: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A view of a run that has `due` images to send.
    #[must_use]
    pub fn new(mode: ProgressMode, due: u64, rates: &Rates, max_rps: u32) -> Self {
        let bar = (mode == ProgressMode::Bar).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(due), ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}") {
                bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
            bar
        });
        let now = Instant::now();
        let pace = (*rates != Rates::Unlimited).then_some(max_rps);
        Self {
            mode,
            due,
            done: 0,
            failed: 0,
            retrying: 0,
            least: least(rates, due, pace),
            began: now,
            last_line: now,
            bar,
        }
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Done { .. } => self.done += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Again { .. } => self.retrying += 1,
            _ => {}
        }
        match self.mode {
            ProgressMode::None => {}
            ProgressMode::Json => Self::tell_json(event),
            ProgressMode::Lines => self.tell_line(event),
            ProgressMode::Bar => self.draw(event),
        }
    }

    /// Takes the bar off the screen.
    pub fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    fn counts(&self) -> String {
        let parts = [
            (self.done, "done"),
            (self.failed, "failed"),
            (self.retrying, "sent again"),
        ];
        let shown = parts
            .into_iter()
            .filter(|(count, what)| *count > 0 || *what == "done");
        shown
            .map(|(count, what)| format!("{count} {what}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What is left, by the pace so far and by the windows, whichever takes longer.
    fn left(&self) -> String {
        let ended = self.done + self.failed;
        let left = self.due.saturating_sub(ended);
        if left == 0 || ended == 0 {
            return String::new();
        }
        let elapsed = self.began.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = ended as f64 / elapsed.as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let by_pace = Duration::from_secs_f64((left as f64 / rate).min(1e9));
        let by_windows = self.least.saturating_sub(elapsed);
        format!("{rate:.1}/s, {} left", about(by_pace.max(by_windows)))
    }

    fn draw(&self, event: &Event) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(self.done + self.failed);
        match event {
            Event::Waiting { until, why } => {
                bar.set_message(format!("{}  {}", self.counts(), waiting(*until, *why)));
            }
            Event::Sent(_) | Event::Resumed => {}
            Event::Stopping(ending) => {
                bar.set_message(format!("{}  {}", self.counts(), stopping(ending)));
            }
            Event::ClockIsOff(offset) => bar.println(clock_is_off(*offset)),
            _ => bar.set_message(format!("{}  {}", self.counts(), self.left())),
        }
    }

    fn tell_line(&mut self, event: &Event) {
        let said = match event {
            Event::Waiting { until, why } => waiting(*until, *why),
            Event::Stopping(ending) => stopping(ending),
            Event::ClockIsOff(offset) => clock_is_off(*offset),
            _ if self.last_line.elapsed() >= LINE_EVERY => self.left(),
            _ => return,
        };
        self.last_line = Instant::now();
        say(&format!(
            "{} of {}: {}; {said}",
            self.done + self.failed,
            self.due,
            self.counts()
        ));
    }

    fn tell_json(event: &Event) {
        let event = match event {
            Event::Sent(count) => json!({"event": "sent", "requests": count}),
            Event::Done { media_id, warnings } => {
                let warnings: Vec<_> = warnings.iter().map(|warning| warning.word()).collect();
                json!({"event": "done", "media_id": media_id, "warnings": warnings})
            }
            Event::Failed {
                media_id,
                cause,
                detail,
            } => {
                json!({"event": "failed", "media_id": media_id, "cause": cause.word(), "detail": detail})
            }
            Event::Again {
                media_id,
                cause,
                at,
            } => {
                json!({"event": "again", "media_id": media_id, "cause": cause.word(), "at": at.to_string()})
            }
            Event::Waiting { until, why } => {
                json!({"event": "waiting", "until": until.to_string(), "why": word(*why)})
            }
            Event::Resumed => json!({"event": "resumed"}),
            Event::ClockIsOff(offset) => json!({"event": "clock-is-off", "milliseconds": offset}),
            Event::Stopping(ending) => json!({"event": "stopping", "why": stopping(ending)}),
        };
        say(&event.to_string());
    }
}

const fn word(why: Wait) -> &'static str {
    match why {
        Wait::Window => "window",
        Wait::RateLimited => "rate-limited",
        Wait::Outage => "outage",
        Wait::Token => "token",
        Wait::Retry => "retry",
    }
}

fn waiting(until: Timestamp, why: Wait) -> String {
    let why = match why {
        Wait::Window => "X's limit is used up",
        Wait::RateLimited => "X said to wait",
        Wait::Outage => "X is out of reach",
        Wait::Token => "no fresh token can be had",
        Wait::Retry => "what is left is tried again",
    };
    format!("{why}; going on at {}", until.local_time())
}

fn stopping(ending: &Ending) -> String {
    match ending {
        Ending::Signal(_) => {
            "stopping; waiting for what is on its way (once more to leave at once)".to_owned()
        }
        _ => "stopping; waiting for what is on its way".to_owned(),
    }
}

fn clock_is_off(offset: i64) -> String {
    let (minutes, way) = (
        offset.abs() / 60_000,
        if offset > 0 { "behind" } else { "ahead of" },
    );
    format!(
        "this machine's clock is {minutes} min {way} X's; waits are reckoned by X's, but do set it right"
    )
}

/// A duration as people say it.
#[must_use]
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5_400 => format!("{} min", seconds.div_ceil(60)),
        5_401..=172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Writes a line to standard error, around the bar. That nobody reads it any more is no reason to fail.
pub fn say(line: &str) {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let write = || drop(writeln!(io::stderr(), "{line}"));
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Where log lines go: to standard error, around the bar.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogLines;

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        say(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
