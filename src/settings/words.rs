//! Single words and what they mean: windows, sums, durations, how progress is shown.

use std::{io::IsTerminal, time::Duration};

use super::ProgressMode;
use crate::{
    cli::{ProgressArg, parse_dollars},
    error::Failure,
    journal::RetryFailed,
    rate::{Rates, parse_duration},
};

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

pub(super) fn spend(text: &str) -> Result<(Option<f64>, Option<Duration>), Failure> {
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

pub(super) fn retry_failed(text: Option<&str>) -> RetryFailed {
    match text {
        None => RetryFailed::Passing,
        Some("all") => RetryFailed::All,
        Some(causes) => RetryFailed::Causes(
            causes
                .split(',')
                .map(|cause| cause.trim().to_owned())
                .collect(),
        ),
    }
}

pub(super) fn nonzero(
    name: &str,
    duration: Option<Duration>,
    default: Duration,
) -> Result<Duration, Failure> {
    match duration {
        Some(Duration::ZERO) => Err(Failure::usage(format!("{name} must be above 0"))),
        other => Ok(other.unwrap_or(default)),
    }
}

pub(super) fn progress(arg: ProgressArg, quiet: bool) -> ProgressMode {
    let is_terminal = std::io::stderr().is_terminal();
    // A bar is drawn over itself again and again: a terminal that can't do so gets lines, as a file does.
    let can_draw = is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    match arg {
        _ if quiet => ProgressMode::None,
        ProgressArg::Auto if can_draw => ProgressMode::Bar,
        ProgressArg::Bar if is_terminal => ProgressMode::Bar,
        ProgressArg::Auto | ProgressArg::Lines | ProgressArg::Bar => ProgressMode::Lines,
        ProgressArg::Json => ProgressMode::Json,
        ProgressArg::None => ProgressMode::None,
    }
}
