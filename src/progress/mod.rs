//! A run as it is seen while it goes on: a bar, lines, or JSON, on standard error.
//!
//! Owns all that is shown between the first line of a run and its summary, a file for each of what is known ([`board`]), what
//! is said of an event ([`event`]), where lines are broken ([`fitting`]) and where the bar is drawn ([`screen`]). It sees events only, after they are on disk. Log lines pass through it too, so that
//! the bar and they never mix.

mod board;
mod event;
mod fitting;
mod screen;
mod visible;

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tokio::task::JoinHandle;

use self::{board::Board, screen::Screen};
pub use self::{
    event::{EVENTS, Told},
    fitting::{Stream, fitted},
    visible::{Visible, visible},
};
use crate::{forecast::Forecast, runner::Event, settings::ProgressMode, time::Timestamp};

/// The bar that is on the screen, if one is: whoever writes to the terminal steps around it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);
/// What is done now, for those who ask: the run that is shown, or in words what comes before and after it.
static NOW: Mutex<Stage> = Mutex::new(Stage::Words(String::new(), false));

/// What was said last, for those who hear only of the end.
static TAIL: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// How many lines of it are kept.
const KEPT: usize = 60;
/// How often a line is written where there is no bar.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// How often the bar is drawn anew though nothing happens: times run down, and windows are resized.
const DRAW_EVERY: Duration = Duration::from_millis(500);
/// The columns of a terminal that does not tell them.
const COLUMNS: usize = 80;

/// What is done now.
#[derive(Debug)]
enum Stage {
    /// It is said so; whether for a program.
    Words(String, bool),
    /// A run, and whether it is shown to a program.
    Run(Arc<Mutex<Board>>, bool),
}

/// Shows a run.
#[derive(Debug)]
pub struct Progress {
    mode: ProgressMode,
    board: Arc<Mutex<Board>>,
    last_line: Instant,
    last_draw: Instant,
    bar: Option<ProgressBar>,
    /// Draws the bar while nothing happens.
    drawing: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shown is worth showing whatever became of whom.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says what is done now, for those who ask before or after a run is shown.
pub fn stage(words: &str, mode: ProgressMode) {
    *lock(&NOW) = Stage::Words(words.to_owned(), mode == ProgressMode::Json);
}

/// Tells on standard error how all stands: somebody asked.
pub fn tell_status() {
    let line = match &*lock(&NOW) {
        Stage::Words(words, false) => format!("altfill: {words}"),
        Stage::Words(words, true) => json!({"event": "status", "stage": words}).to_string(),
        Stage::Run(board, false) => format!("altfill: {}", lock(board).words(Timestamp::now())),
        Stage::Run(board, true) => lock(board).to_json().to_string(),
    };
    say(&line);
}

impl Progress {
    /// A view of a run that has `due` images to send, as the windows allow by this forecast.
    #[must_use]
    pub fn new(mode: ProgressMode, due: u64, forecast: Forecast) -> Self {
        let board = Arc::new(Mutex::new(Board::new(due, forecast)));
        let bar = (mode == ProgressMode::Bar).then(|| {
            let screen = Box::new(Screen::default());
            let target = ProgressDrawTarget::term_like_with_hz(screen, 8);
            let bar = ProgressBar::with_draw_target(None, target);
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            *lock(&BAR) = Some(bar.clone());
            bar
        });
        let drawing = bar.clone().map(|bar| {
            let board = board.clone();
            tokio::spawn(async move {
                loop {
                    draw(&bar, &board);
                    tokio::time::sleep(DRAW_EVERY).await;
                }
            })
        });
        *lock(&NOW) = Stage::Run(board.clone(), mode == ProgressMode::Json);
        if mode == ProgressMode::Json {
            say(&json!({"event": "begun", "due": due}).to_string());
        }
        let now = Instant::now();
        Self {
            mode,
            board,
            last_line: now,
            last_draw: now,
            bar,
            drawing,
        }
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &Event) {
        lock(&self.board).see(event);
        match self.mode {
            ProgressMode::None => {}
            ProgressMode::Json => say(&event::to_json(event).to_string()),
            ProgressMode::Lines => self.tell_line(event),
            ProgressMode::Bar => self.show(event),
        }
    }

    /// Takes the bar off the screen.
    pub fn end(self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
        if let Some(bar) = &self.bar {
            // Nobody draws any more when it is gone.
            let shown = lock(&BAR).take();
            drop(shown);
            bar.finish_and_clear();
        }
        stage("writing down how the run ended", self.mode);
    }

    fn show(&mut self, event: &Event) {
        let Some(bar) = &self.bar else { return };
        match event {
            Event::ClockIsOff(offset) => say(&event::clock_is_off(*offset)),
            Event::Waiting { .. } | Event::Resumed | Event::Stopping(_) => draw(bar, &self.board),
            // Thousands of events a second are not thousands of drawings.
            _ if self.last_draw.elapsed() >= DRAW_EVERY / 4 => {
                self.last_draw = Instant::now();
                draw(bar, &self.board);
            }
            _ => {}
        }
    }

    fn tell_line(&mut self, event: &Event) {
        match event {
            Event::ClockIsOff(offset) => return say(&event::clock_is_off(*offset)),
            Event::Waiting { .. } | Event::Stopping(_) => {}
            _ if self.last_line.elapsed() >= LINE_EVERY => {}
            _ => return,
        }
        self.last_line = Instant::now();
        say(&lock(&self.board).words(Timestamp::now()));
    }
}

fn draw(bar: &ProgressBar, board: &Mutex<Board>) {
    let line = lock(board).line(screen::columns(), !speaks_utf8(), Timestamp::now());
    if !bar.is_finished() {
        bar.set_message(line);
        bar.tick();
    }
}

/// Whether the terminal can be taken to know more letters than ASCII's.
fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    // Without a word about it, only the oldest terminals don't.
    cfg!(windows)
        || locale.is_none_or(|locale| locale.to_uppercase().replace('-', "").contains("UTF8"))
}

/// A duration as people say it.
#[must_use]
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5_400 => format!("{} min", seconds.div_ceil(60)),
        5_401..=172_800 => and(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => and(seconds / 86_400, "days", seconds % 86_400 / 3_600, "h"),
    }
}

fn and(count: u64, of: &str, rest: u64, of_rest: &str) -> String {
    match rest {
        0 => format!("{count} {of}"),
        _ => format!("{count} {of} {rest} {of_rest}"),
    }
}

/// Keeps a line for [`last_lines`], though it is not shown.
pub fn remember(line: &str) {
    let mut tail = lock(&TAIL);
    for line in line.lines() {
        if tail.len() == KEPT {
            tail.pop_front();
        }
        tail.push_back(line.chars().take(500).collect());
    }
}

/// What was said last.
#[must_use]
pub fn last_lines() -> String {
    let mut text = lock(&TAIL).iter().cloned().collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// Writes a line to standard error, around the bar. That nobody reads it any more is no reason to fail.
pub fn say(line: &str) {
    let line = &*visible(line);
    remember(line);
    write_out(&fitted(line, Stream::Error));
}

fn write_out(line: &str) {
    let bar = lock(&BAR).clone();
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
        // A log's lines stay lines.
        let line = String::from_utf8_lossy(bytes);
        let line = &*visible(line.trim_end_matches('\n'));
        remember(line);
        write_out(line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
