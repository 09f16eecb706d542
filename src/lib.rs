//! altfill: backfills alt text and other metadata of images and videos on X.
//!
//! The map of the house, from the ground up; imports only point down, and `tests/architecture.rs` holds it to that.
//!
//! | floor | rooms | what they know |
//! | --- | --- | --- |
//! | 4 shell | [`cli`] what was typed, [`configuration`] what stands in `altfill.toml`, [`settings`] what it means, [`commands`], [`error`] exit codes | all below |
//! | 3 views | [`progress`] events as they come, [`report`] outcomes as files, [`monitor`] who is told from afar | events, the journal |
//! | 2 engine | [`runner`] from what is due to an outcome for each item | floors 0 and 1 |
//! | 1 edges | [`manifest`] files, [`journal`] SQLite, [`limiter`] windows, [`api`] X, [`sandbox`] a simulated X | floor 0, not each other |
//! | 0 domain | [`item`], [`metadata`], [`row`], [`answer`], [`problem`], [`outcome`], [`retry`], [`rate`], [`forecast`], [`time`] | nothing else |
//!
//! The way of an item: a manifest's row, checked once when it is parsed; the journal; due; a free worker; the limiter;
//! `sending` on disk; the request; what its answer means; the journal again; and only then somebody is told.

// What is not a test neither unwraps nor expects: each failure has its words and its exit code.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

pub mod answer;
pub mod api;
pub mod cli;
pub mod commands;
pub mod configuration;
pub mod error;
pub mod forecast;
pub mod item;
pub mod journal;
pub mod limiter;
pub mod manifest;
pub mod metadata;
pub mod monitor;
pub mod outcome;
pub mod problem;
pub mod progress;
pub mod rate;
pub mod report;
pub mod retry;
pub mod row;
pub mod runner;
pub mod sandbox;
pub mod settings;
pub mod time;

use std::ffi::OsString;

use tracing_subscriber::EnvFilter;

/// The whole program: from its words to its exit code.
pub async fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match configuration::parse(&words) {
        Ok(cli) => cli,
        Err(refusal) => return commands::refuse(&refusal, &words).await,
    };
    start_logging(cli.verbose, cli.log_format);
    commands::execute(cli).await
}

/// Log lines go to standard error, around whatever stands there. They are altfill's own: other crates' could hold headers.
fn start_logging(verbose: u8, form: Option<cli::LogFormatArg>) {
    let level = match verbose {
        0 => "off",
        1 => "altfill=info",
        2 => "altfill=debug",
        _ => "altfill=trace",
    };
    let filter = EnvFilter::new(level);
    // A second start, in a test, changes nothing.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| progress::LogLines)
        .with_ansi(false);
    let _ = match form {
        Some(cli::LogFormatArg::Json) => lines.json().flatten_event(true).try_init(),
        Some(cli::LogFormatArg::Text) | None => lines.try_init(),
    };
}
