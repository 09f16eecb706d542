//! What is typed of those who watch runs from afar.

use std::{ffi::OsStr, path::PathBuf};

use clap::{Arg, Args, Command, Error, ValueEnum, builder::TypedValueParser, error::ErrorKind};

use crate::api::Hook;

/// Who shall be told of a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Monitoring")]
pub struct MonitorArgs {
    /// Keep figures of the runs in this file, for Prometheus
    #[arg(long, value_name = "PATH", env = "ALTFILL_METRICS_FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Ping this address at the start (`/start`) and the end (`/EXIT-CODE`), as healthchecks.io wants it
    #[arg(long, value_name = "URL", env = "ALTFILL_PING_URL", hide_env_values = true, value_parser = HookParser)]
    pub ping_url: Option<Hook>,
    /// Tell this address how a run ended that had something to do, by the object of --json
    #[arg(long, value_name = "URL", env = "ALTFILL_NOTIFY_URL", hide_env_values = true, value_parser = HookParser)]
    pub notify_url: Option<Hook>,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormatArg {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// Reads an address to be told. Such an address may be a secret, so what is wrong with it is said without showing it.
#[derive(Debug, Clone, Copy)]
pub struct HookParser;

impl TypedValueParser for HookParser {
    type Value = Hook;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Hook, Error> {
        let text = value.to_str().unwrap_or_default();
        text.parse().map_err(|why| {
            let name = arg.and_then(Arg::get_long).unwrap_or("URL");
            Error::raw(ErrorKind::ValueValidation, format!("--{name}: {why}\n"))
        })
    }
}
