//! Which options a configuration file may set, and how each is written there: taken from the command line's own definition.
//!
//! An option can stand in a file where it can stand in the environment, so there is one list of them, the parser's.

use std::{any::TypeId, collections::BTreeMap, path::PathBuf};

use clap::{
    Arg, ArgAction, Command, CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::cli::Cli;

/// What a project's file may not set, and why: who can put a file beside a manifest is not always who runs altfill.
const RESERVED: [(&str, &str); 9] = [
    ("api-url", "reaches another host"),
    ("ca-file", "decides which hosts are trusted"),
    ("errors", "writes over a file"),
    ("metrics-file", "writes over a file"),
    ("notify-url", "reaches another host"),
    ("ping-url", "reaches another host"),
    ("profile", "chooses an identity"),
    ("token-command", "runs a program"),
    ("token-file", "chooses an identity"),
];

/// What stands in no file, since it says which file is read.
const NOT_THERE: [&str; 2] = ["config", "no-config"];

/// One option, as a file may have it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its long name.
    pub name: String,
    /// What holds where nothing was said, in words.
    pub default: String,
    /// Whether it is true or false.
    pub is_switch: bool,
    /// Whether it may be given more than once.
    pub is_list: bool,
    /// Whether it is a pair, and several are a table.
    pub is_pairs: bool,
    /// Whether its value may be a number.
    pub is_number: bool,
    /// Whether its value may be a secret.
    pub is_secret: bool,
    /// Whether its value is a file's path.
    pub is_path: bool,
    /// What it means without a value, where it may have none.
    pub bare: Option<String>,
    /// Its name in the environment.
    pub variable: String,
    /// Its name in the parser.
    pub(super) id: String,
    /// A parser of this one option.
    probe: Command,
}

impl Known {
    fn new(arg: &Arg) -> Option<Self> {
        let name = arg.get_long()?.to_owned();
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        if NOT_THERE.contains(&name.as_str()) {
            return None;
        }
        let value = arg
            .get_value_names()
            .and_then(|names| names.first())
            .map(ToString::to_string)
            .unwrap_or_default();
        let parts: Vec<_> = value.split(['|', '/', '[', ']']).collect();
        let mut alone = Arg::new("value")
            .long(name.clone())
            .value_parser(arg.get_value_parser().clone())
            .action(ArgAction::Append);
        if let Some(delimiter) = arg.get_value_delimiter() {
            alone = alone.value_delimiter(delimiter);
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let default = help
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map_or("", |(default, _)| default.trim_matches(['<', '>']));
        Some(Self {
            default: default.to_owned(),
            is_switch: matches!(arg.get_action(), ArgAction::SetTrue),
            is_list: matches!(arg.get_action(), ArgAction::Append),
            is_pairs: value.contains('=') && matches!(arg.get_action(), ArgAction::Append),
            is_number: !value.starts_with("N/")
                && ["N", "DOLLARS", "DURATION", "CODES"]
                    .iter()
                    .any(|number| parts.contains(number)),
            is_secret: arg.is_hide_env_values_set(),
            is_path: arg.get_value_parser().type_id() == TypeId::of::<PathBuf>(),
            bare: arg
                .get_num_args()
                .is_some_and(|range| range.min_values() == 0 && range.max_values() > 0)
                .then(|| "all".to_owned()),
            variable,
            id: arg.get_id().to_string(),
            probe: Command::new("altfill").no_binary_name(true).arg(alone),
            name,
        })
    }

    /// What it takes, in words.
    #[must_use]
    pub fn form(&self) -> &'static str {
        match self {
            Self {
                is_switch: true, ..
            } => "true or false",
            Self { is_pairs: true, .. } => {
                "pairs: { name = \"value\" }, or a list [\"name=value\"]"
            }
            Self {
                is_list: true,
                is_number: true,
                ..
            } => "numbers: [4, 5]",
            Self { is_list: true, .. } => "text in quotes, or a list of it: [\"…\", \"…\"]",
            Self { bare: Some(_), .. } => "true, text in quotes, or a list of it",
            Self {
                is_number: true, ..
            } => "a number, or text in quotes",
            _ => "text in quotes",
        }
    }

    /// Whether the option's own parser can read a value.
    ///
    /// # Errors
    /// Why it can't.
    pub(super) fn check(&self, word: &str) -> Result<(), String> {
        if self.is_switch {
            return Ok(());
        }
        let typed = format!("--{}={word}", self.name);
        let Err(error) = self.probe.clone().try_get_matches_from([typed]) else {
            return Ok(());
        };
        Err(match (error.kind(), error.get(ContextKind::ValidValue)) {
            (ErrorKind::InvalidValue, Some(ContextValue::Strings(values)))
                if !values.is_empty() =>
            {
                format!("write one of {}", values.join(", "))
            }
            _ => std::error::Error::source(&error).map_or_else(
                || error.to_string().replace("error: ", ""),
                ToString::to_string,
            ),
        })
    }
}

/// All options that a file may set.
#[derive(Debug, Clone)]
pub struct Options(BTreeMap<String, Known>);

impl Options {
    /// Those of `run`, which has all that the others have.
    #[must_use]
    pub fn of_this_program() -> Self {
        let mut cli = Cli::command();
        cli.build();
        let known = cli
            .find_subcommand("run")
            .into_iter()
            .flat_map(Command::get_arguments)
            .filter_map(Known::new);
        Self(known.map(|known| (known.name.clone(), known)).collect())
    }

    /// One by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.values()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Why a project's file may not set it, where it may not.
    #[must_use]
    pub fn reserved(name: &str) -> Option<&'static str> {
        RESERVED
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, why)| *why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_names_a_file_a_host_or_a_program_is_decided_on() {
        // A journal is opened where it is one and made where there is none: nothing is written over.
        let harmless = ["journal"];
        let cli = {
            let mut cli = Cli::command();
            cli.build();
            cli
        };
        let run = cli.find_subcommand("run").unwrap();
        let options = Options::of_this_program();
        for known in options.iter() {
            let arg = run
                .get_arguments()
                .find(|arg| arg.get_id() == known.id.as_str())
                .unwrap();
            let value = arg
                .get_value_names()
                .map(|names| names[0].to_string())
                .unwrap_or_default();
            let reaches = ["PATH", "FILE", "URL", "CMD"].contains(&value.as_str()) || known.is_path;
            assert_eq!(
                reaches && !harmless.contains(&known.name.as_str()),
                Options::reserved(&known.name).is_some() && known.name != "profile",
                "{} takes a {value}: may a file beside a manifest set it?",
                known.name
            );
        }
    }

    #[test]
    fn every_option_of_a_run_can_stand_in_a_file_and_in_the_environment() {
        let mut cli = Cli::command();
        cli.build();
        let options = Options::of_this_program();
        for command in ["run", "resume"] {
            for arg in cli.find_subcommand(command).unwrap().get_arguments() {
                let Some(long) = arg.get_long() else { continue };
                if ["help", "verbose", "config", "no-config"].contains(&long) {
                    continue;
                }
                let variable = format!("ALTFILL_{}", long.to_uppercase().replace('-', "_"));
                assert_eq!(
                    arg.get_env().and_then(|name| name.to_str()),
                    Some(&*variable),
                    "{command} --{long}"
                );
                assert!(options.get(long).is_some(), "{long}");
            }
        }
    }
}
