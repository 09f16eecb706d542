//! `altfill.toml`: options that need not be typed each time.
//!
//! Owns where the files lie, whose they are, and how they are laid under what was typed. Their values become the parser's
//! defaults, so that they are read as flags are, a flag beats the environment and the environment beats a file by the
//! parser's own rule, and no option contradicts another only because a file sets it. A file in a project's folder may not
//! set what runs a program, reaches another host, chooses an identity or writes over a file.

mod contents;
mod options;
mod place;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};

use self::place::Place;
pub use self::{
    contents::{Contents, Entry, Mistake},
    options::{Known, Options},
    place::{House, own_folder},
};
use crate::{
    cli::{Cli, Holding, JournalArgs, MonitorArgs, Origin, Origins, SendArgs},
    error::Failure,
};

/// Why nothing can be meant by the words, or by a file.
#[derive(Debug)]
pub enum Refusal {
    /// The words, or somebody asked for help.
    Words(Box<clap::Error>),
    /// A configuration file.
    Configuration(Failure),
}

/// What was typed, with the environment and the configuration files under it.
///
/// # Errors
/// Where the words or a file can't be meant.
pub fn parse(words: &[OsString]) -> Result<Cli, Refusal> {
    let refuse = |error| Refusal::Words(Box::new(error));
    let command = Cli::command();
    let typed = command
        .clone()
        .try_get_matches_from(words)
        .map_err(refuse)?;
    let layers = Layers::under(&typed, &command).map_err(Refusal::Configuration)?;
    if let Some(failure) = layers.failure() {
        return Err(Refusal::Configuration(failure));
    }
    let command = layers.lay(command, &typed);
    let matches = command.try_get_matches_from(words).map_err(refuse)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(refuse)?;
    if let Some(origins) = cli.origins_mut() {
        *origins = layers.origins(deepest(&matches));
    }
    Ok(cli)
}

/// What the words of a run that can't be meant say all the same of its journal and of those who watch it.
#[must_use]
pub fn salvage(words: &[OsString]) -> Option<SendArgs> {
    let words = &understood(words);
    let command = Cli::command().ignore_errors(true);
    let typed = command.clone().try_get_matches_from(words).ok()?;
    // A file with a mistake may still say whom to tell of it.
    let command = match Layers::under(&typed, &command) {
        Ok(layers) => layers.lay(command, &typed),
        Err(_) => command,
    };
    let matches = command.try_get_matches_from(words).ok()?;
    let (name, matches) = matches.subcommand()?;
    // A rehearsal is nobody's loss.
    if !matches!(name, "run" | "resume") || matches.get_flag("sandbox") {
        return None;
    }
    Some(SendArgs {
        journal: JournalArgs::from_arg_matches(matches).ok()?,
        monitor: MonitorArgs::from_arg_matches(matches).ok()?,
        ..SendArgs::default()
    })
}

/// Of words among which some can't be meant, those that [`salvage`] asks for: whatever stands before them is passed over.
fn understood(words: &[OsString]) -> Vec<OsString> {
    const WITH_VALUE: [&str; 5] = [
        "--config",
        "--journal",
        "--metrics-file",
        "--notify-url",
        "--ping-url",
    ];
    const ALONE: [&str; 4] = ["run", "resume", "--no-config", "--sandbox"];
    let mut kept: Vec<OsString> = words.first().cloned().into_iter().collect();
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        let is_pair = text
            .split_once('=')
            .is_some_and(|(name, _)| WITH_VALUE.contains(&name));
        if is_pair || ALONE.contains(&&*text) {
            kept.push(word.clone());
        } else if WITH_VALUE.contains(&&*text) {
            kept.push(word.clone());
            kept.extend(rest.next().cloned());
        }
    }
    kept
}

/// The files that count, the strongest first.
struct Layers {
    options: Options,
    files: Vec<(PathBuf, Contents)>,
}

impl Layers {
    /// The files under what was typed: none for a command that has no such option.
    fn under(typed: &ArgMatches, command: &Command) -> Result<Self, Failure> {
        let options = Options::of_this_program();
        let mut layers = Self {
            options,
            files: Vec::new(),
        };
        let meant = names(typed)
            .iter()
            .try_fold(command, |command, name| command.find_subcommand(name));
        let takes_options =
            meant.is_some_and(|sub| sub.get_arguments().any(|arg| arg.get_env().is_some()));
        if !takes_options {
            return Ok(layers);
        }
        for place in places(deepest(typed))? {
            let text = place::text(&place.path).map_err(Failure::usage)?;
            let contents = Contents::read(&text, &layers.options, place.house);
            layers.files.push((place.path, contents));
        }
        Ok(layers)
    }

    /// All mistakes of all files.
    fn failure(&self) -> Option<Failure> {
        let lines: Vec<_> = self
            .files
            .iter()
            .flat_map(|(path, contents)| {
                contents
                    .mistakes
                    .iter()
                    .map(move |Mistake { line, words }| {
                        format!("{}, line {line}: {words}", path.display())
                    })
            })
            .collect();
        (!lines.is_empty()).then(|| Failure::Usage(lines.join("\n")))
    }

    /// What the strongest file says of an option, and where.
    fn get(&self, name: &str) -> Option<(&Path, &Entry)> {
        self.files.iter().find_map(|(path, contents)| {
            let entry = contents.entries.iter().find(|entry| entry.key == name)?;
            Some((path.as_path(), entry))
        })
    }

    /// An option's values in the strongest file, as they would be typed here.
    fn values(&self, known: &Known) -> Vec<String> {
        let Some((file, entry)) = self.get(&known.name) else {
            return Vec::new();
        };
        // A path is meant from the folder of the file that names it.
        let folder = file.parent().filter(|_| known.is_path);
        let here = |value: &String| match folder {
            Some(folder) => folder.join(value).to_string_lossy().into_owned(),
            None => value.clone(),
        };
        entry.values.iter().map(here).collect()
    }

    /// Makes the files' values the defaults of the command that was typed.
    fn lay(&self, command: Command, typed: &ArgMatches) -> Command {
        let defaults: Vec<(String, Vec<String>)> = self
            .options
            .iter()
            .map(|known| (known.id.clone(), self.values(known)))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let lay = &|mut command: Command| {
            for (id, values) in &defaults {
                let is_there = command
                    .get_arguments()
                    .any(|arg| arg.get_id() == id.as_str() && arg.get_env().is_some());
                if is_there {
                    command = command.mut_arg(id, |arg| arg.default_values(values.clone()));
                }
            }
            command
        };
        below(lay(command), &names(typed), lay)
    }

    /// Where each option's value came from.
    fn origins(&self, matches: &ArgMatches) -> Origins {
        let holding = |known: &Known| {
            let is_there = matches.ids().any(|id| id.as_str() == known.id);
            let source = is_there.then(|| matches.value_source(&known.id)).flatten();
            let in_file = self
                .get(&known.name)
                .map(|(path, entry)| Origin::File(path.to_owned(), entry.line));
            let origin = match source {
                Some(ValueSource::CommandLine) => Origin::Flag,
                Some(ValueSource::EnvVariable) => Origin::Environment(known.variable.clone()),
                _ => in_file.unwrap_or_default(),
            };
            let values = if origin == Origin::Default || !is_there {
                Vec::new()
            } else {
                let raw = matches.get_raw(&known.id).into_iter().flatten();
                raw.map(|value| value.to_string_lossy().into_owned())
                    .collect()
            };
            (known.name.clone(), Holding { values, origin })
        };
        Origins {
            files: self.files.iter().map(|(path, _)| path.clone()).collect(),
            options: self.options.iter().map(holding).collect(),
        }
    }
}

/// The names of the commands that were typed, from the outermost on: `auth`, `status`.
fn names(typed: &ArgMatches) -> Vec<String> {
    let mut names = Vec::new();
    let mut typed = typed;
    while let Some((name, inner)) = typed.subcommand() {
        names.push(name.to_owned());
        typed = inner;
    }
    names
}

/// What was typed to the innermost command.
fn deepest(typed: &ArgMatches) -> &ArgMatches {
    typed
        .subcommand()
        .map_or(typed, |(_, inner)| deepest(inner))
}

/// Changes the commands of these names, each below the one before it.
fn below(command: Command, names: &[String], change: &dyn Fn(Command) -> Command) -> Command {
    match names {
        [] => command,
        [name, rest @ ..] => {
            command.mut_subcommand(name, |inner| below(change(inner), rest, change))
        }
    }
}

/// The files to be read: the one that was named, none, or those that are found.
fn places(matches: &ArgMatches) -> Result<Vec<Place>, Failure> {
    let source = |id| {
        matches
            .value_source(id)
            .filter(|source| *source != ValueSource::DefaultValue)
    };
    let none = matches
        .get_flag("no_config")
        .then(|| source("no_config"))
        .flatten();
    let named = matches.get_one::<PathBuf>("config");
    match (none, named, source("config")) {
        (Some(ValueSource::CommandLine), Some(_), Some(ValueSource::CommandLine)) => {
            Err(Failure::usage(
                "--config names a configuration file, and --no-config forbids all: use one of them",
            ))
        }
        // A flag beats the environment.
        (Some(_), None, _) | (Some(ValueSource::CommandLine), ..) => Ok(Vec::new()),
        (_, Some(path), _) => Ok(vec![Place {
            path: path.clone(),
            house: House::Own,
        }]),
        (None, None, _) => {
            let manifests = matches.try_get_many::<PathBuf>("manifests").ok().flatten();
            let first = manifests.and_then(|mut manifests| manifests.next());
            Ok(place::find(first.map(PathBuf::as_path), |name| {
                std::env::var_os(name)
            }))
        }
    }
}
