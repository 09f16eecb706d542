//! `altfill schedule`: what has a run started at fixed times, for cron, systemd or Kubernetes.
//!
//! It prints and installs nothing. What it prints names everything in full, since such a run begins in no folder of its
//! own, and it always wants the journal to be there, so that a run in the wrong place does not begin anew.

mod form;

use std::{
    ffi::OsString,
    path::{Path, PathBuf, absolute},
    time::Duration,
};

use self::form::{cronjob, crontab, systemd};
use super::print;
use crate::{
    cli::{Cli, Command, ScheduleArgs, ScheduleFormatArg},
    error::{Failure, exit},
    progress::say,
};

/// An hour in seconds.
const HOUR: u64 = 3_600;

/// A run that is started at fixed times.
struct Job {
    /// Its words: the program, and what it is given.
    words: Vec<String>,
    /// The folder of its journal.
    journal: String,
    /// The other folders of its manifests.
    folders: Vec<String>,
    /// When.
    times: Times,
}

/// When runs begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    /// Each day at this hour and minute.
    Daily(u8, u8),
    /// Every so many minutes, a part of an hour.
    Minutes(u64),
    /// Every so many hours, a part of a day.
    Hours(u64),
}

pub fn execute(args: &ScheduleArgs) -> Result<u8, Failure> {
    let journal = args
        .journal
        .clone()
        .unwrap_or_else(|| PathBuf::from("altfill.db"));
    let journal = whole(&journal)?;
    let is_here = args.format != Some(ScheduleFormatArg::Cronjob);
    let job = job(args, &journal, is_here)?;
    print(&match args.format.unwrap_or(ScheduleFormatArg::Crontab) {
        ScheduleFormatArg::Crontab => crontab(&job),
        ScheduleFormatArg::Systemd => systemd(&job),
        ScheduleFormatArg::Cronjob => cronjob(&job),
    })?;
    if is_here && !Path::new(&journal).exists() {
        let make = ["altfill", "run"]
            .map(str::to_owned)
            .into_iter()
            .chain(args.manifests.iter().map(|path| path.display().to_string()))
            .chain([
                "--journal".to_owned(),
                journal,
                "--max-items".to_owned(),
                "0".to_owned(),
            ]);
        say(&format!(
            "There is no journal there yet, and such a run makes none. Make it once: {}",
            form::shell(make)
        ));
    }
    Ok(exit::OK)
}

fn job(args: &ScheduleArgs, journal: &str, is_here: bool) -> Result<Job, Failure> {
    let program = match (&args.program, is_here) {
        (Some(program), true) => whole(program)?,
        (Some(program), false) => text(program)?,
        (None, true) => whole(&std::env::current_exe().map_err(Failure::unexpected)?)?,
        // In the image that samples/schedule/Dockerfile makes.
        (None, false) => "altfill".to_owned(),
    };
    let manifests = args
        .manifests
        .iter()
        .map(|path| match path.to_str() {
            Some("-") => Err(Failure::usage(
                "standard input (-) is nobody's at a fixed time: name a file",
            )),
            _ => whole(path),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let folder = |path: &String| {
        Path::new(path)
            .parent()
            .map_or_else(|| "/".to_owned(), |folder| folder.display().to_string())
    };
    let own = folder(&journal.to_owned());
    let mut folders: Vec<_> = manifests
        .iter()
        .map(folder)
        .filter(|folder| *folder != own)
        .collect();
    folders.sort();
    folders.dedup();
    let mut words = vec![program, "run".to_owned()];
    words.extend(manifests);
    words.extend(["--journal", journal, "--require-journal", "--quiet"].map(str::to_owned));
    words.extend(args.options.iter().cloned());
    if let Some(word) = words.iter().find(|word| word.chars().any(char::is_control)) {
        return Err(Failure::usage(format!(
            "{word:?} holds a line break or another control character, which can't stand there"
        )));
    }
    check(&words)?;
    Ok(Job {
        words,
        journal: own,
        folders,
        times: times(args)?,
    })
}

/// Whether the words are those of a run: a mistake is told now, and not at night.
fn check(words: &[String]) -> Result<(), Failure> {
    use clap::Parser as _;

    let parsed = Cli::try_parse_from(words.iter().map(OsString::from));
    match parsed.map(|cli| cli.command) {
        Ok(Command::Run(_)) => Ok(()),
        Ok(_) => Err(Failure::usage("only a run can be scheduled")),
        Err(error) => {
            let error = error.to_string();
            let told = error
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            Err(Failure::usage(format!(
                "the run could not begin: {told}. `altfill run --help` names its options"
            )))
        }
    }
}

fn times(args: &ScheduleArgs) -> Result<Times, Failure> {
    let Some(every) = args.every else {
        let (hour, minute) = args.at.unwrap_or((3, 15));
        return Ok(Times::Daily(hour, minute));
    };
    let seconds = every.as_secs();
    let is_whole = every == Duration::from_secs(seconds);
    match seconds {
        60..HOUR if is_whole && seconds.is_multiple_of(60) && HOUR.is_multiple_of(seconds) => {
            Ok(Times::Minutes(seconds / 60))
        }
        HOUR..=86_400
            if is_whole && seconds.is_multiple_of(HOUR) && 86_400_u64.is_multiple_of(seconds) =>
        {
            Ok(match seconds / HOUR {
                24 => Times::Daily(0, 0),
                hours => Times::Hours(hours),
            })
        }
        _ => Err(Failure::usage(
            "--every takes a part of an hour (5m, 15m, 30m) or of a day (1h, 6h, 24h)",
        )),
    }
}

/// A path in full, as text.
fn whole(path: &Path) -> Result<String, Failure> {
    text(&absolute(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?)
}

fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "{} is no text, and can't be written there: rename it",
            path.display()
        ))
    })
}
