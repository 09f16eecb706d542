//! What is typed to have runs at fixed times.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::rate::parse_duration;

/// `altfill schedule`.
#[derive(Debug, Args)]
#[command(
    after_help = "Options of the run stand behind `--`: `altfill schedule archive.csv --at 01:10 -- --max-duration 5h --ok 5`"
)]
pub struct ScheduleArgs {
    /// Manifests of the run
    #[arg(required = true, value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// The journal [default: altfill.db in the current folder]
    #[arg(long, value_name = "PATH", env = "ALTFILL_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// The form [default: crontab]
    #[arg(long, value_enum)]
    pub format: Option<ScheduleFormatArg>,
    /// Each day at this time [default: 03:15]
    #[arg(long, value_name = "HH:MM", value_parser = parse_time, conflicts_with = "every")]
    pub at: Option<(u8, u8)>,
    /// Every so often: a part of an hour or of a day, such as 15m or 6h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub every: Option<Duration>,
    /// The program to run [default: this one]
    #[arg(long, value_name = "PATH")]
    pub program: Option<PathBuf>,
    /// Options of the run
    #[arg(last = true, value_name = "OPTION")]
    pub options: Vec<String>,
}

/// For what runs are scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleFormatArg {
    /// A line for a crontab
    Crontab,
    /// A service and a timer for systemd
    Systemd,
    /// A job for Kubernetes
    Cronjob,
}

fn parse_time(text: &str) -> Result<(u8, u8), String> {
    let number = |text: &str, below: u8| {
        let is_plain =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|number| is_plain && *number < below)
    };
    text.split_once(':')
        .and_then(|(hour, minute)| Some((number(hour, 24)?, number(minute, 60)?)))
        .ok_or_else(|| format!("{text:?} is no time of the day: write 03:15"))
}
