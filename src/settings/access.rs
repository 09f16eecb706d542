//! Where the token comes from: which of the sources that were named or are there wins, and why.

use std::{env, path::PathBuf};

use secrecy::SecretString;

use crate::{
    api::{Account, Keys, Source, Store},
    cli::{AuthStatusArgs, JournalArgs, Origin, Origins, PlanArgs, SendArgs},
    configuration::own_folder,
    error::Failure,
    journal::Whose,
};

/// How a run gets access, as far as that can be told without a secret or a request.
#[derive(Debug, Clone)]
pub struct Access {
    /// The source, or why there is none.
    pub source: Result<Source, String>,
    /// Whether it is a profile that somebody named.
    pub is_named: bool,
    /// Why it is this one.
    pub why: String,
    /// Other sources that are there and were not taken.
    pub others: Vec<String>,
}

/// The sources that were named.
struct Named<'a> {
    profile: Option<&'a str>,
    token_file: Option<&'a PathBuf>,
    token_command: Option<&'a str>,
    origins: &'a Origins,
}

/// One source that could be taken.
struct Candidate {
    origin: Origin,
    why: String,
    source: Source,
}

/// The store of profiles in the user's configuration folder.
///
/// # Errors
/// Where there is no such folder.
pub fn store() -> Result<Store, Failure> {
    own_folder(|name| env::var_os(name))
        .map(Store::new)
        .ok_or_else(|| {
            Failure::Access(
                "there is no folder for profiles: set HOME or XDG_CONFIG_HOME to a folder of yours"
                    .to_owned(),
            )
        })
}

impl Access {
    /// Of a run.
    pub(super) fn of_run(args: &SendArgs) -> Result<Self, Failure> {
        let token = (args.token_file.as_ref(), args.token_command.as_deref());
        Self::of_sender(&args.journal, token, &args.origins)
    }

    /// Of the run that is planned.
    pub(super) fn of_plan(args: &PlanArgs) -> Result<Self, Failure> {
        let token = (args.token_file.as_ref(), args.token_command.as_deref());
        Self::of_sender(&args.journal, token, &args.origins)
    }

    fn of_sender(
        journal: &JournalArgs,
        (token_file, token_command): (Option<&PathBuf>, Option<&str>),
        origins: &Origins,
    ) -> Result<Self, Failure> {
        if journal.sandbox {
            return Ok(Self::of_rehearsal());
        }
        Self::of(&Named {
            profile: journal.profile.as_deref(),
            token_file,
            token_command,
            origins,
        })
    }

    fn of_rehearsal() -> Self {
        Self {
            source: Ok(Source::Sandbox),
            is_named: false,
            why: "a rehearsal uses no real credentials".to_owned(),
            others: Vec::new(),
        }
    }

    /// Of a run that is only asked about.
    ///
    /// # Errors
    /// Where two sources are named alike.
    pub fn of_status(args: &AuthStatusArgs) -> Result<Self, Failure> {
        Self::of(&Named {
            profile: args.profile.as_deref(),
            token_file: args.token_file.as_ref(),
            token_command: args.token_command.as_deref(),
            origins: &args.origins,
        })
    }

    /// A source named by flag beats the environment, which beats the configuration; without any it is a stored profile.
    fn of(named: &Named<'_>) -> Result<Self, Failure> {
        let (found, unfinished) = in_environment();
        let mut candidates = by_name(named)?;
        candidates.extend(found);
        // Within the environment what was meant for altfill comes first: the sort is a stable one.
        candidates.sort_by_key(|candidate| rank(&candidate.origin));
        let second = candidates.get(1);
        if let (Some(first), Some(second)) = (candidates.first(), second)
            && rank(&first.origin) == rank(&second.origin)
            && is_ours(&first.source)
            && is_ours(&second.source)
        {
            return Err(Failure::usage(format!(
                "{} and {} are two sources of tokens: use one of them",
                first.why, second.why
            )));
        }
        let mut candidates = candidates.into_iter();
        let Some(winner) = candidates.next() else {
            return Ok(Self::stored(unfinished));
        };
        Ok(Self {
            is_named: matches!(winner.source, Source::Profile(..)),
            source: Ok(winner.source),
            why: winner.why,
            others: candidates
                .map(|other| other.source.describe())
                .chain(unfinished)
                .collect(),
        })
    }

    /// Nothing was named: the only stored profile, or the one that is called default.
    fn stored(unfinished: Option<String>) -> Self {
        let others: Vec<_> = unfinished.into_iter().collect();
        let none = |why: String| Self {
            source: Err(why),
            is_named: false,
            why: String::new(),
            others: others.clone(),
        };
        let profiles = store().and_then(|store| {
            let profiles = store.profiles();
            let profiles = profiles.map_err(|error| Failure::Access(error.to_string()))?;
            Ok((store, profiles))
        });
        let (store, profiles) = match profiles {
            Ok(found) => found,
            Err(failure) => return none(failure.to_string()),
        };
        let names: Vec<_> = profiles.into_keys().collect();
        let (name, why) = match &names[..] {
            [] => {
                let unfinished = others
                    .first()
                    .map_or_else(String::new, |other| format!("; {other}"));
                return none(format!(
                    "there is no token to send with: log in with `altfill auth login`, set X_OAUTH2_ACCESS_TOKEN, or name a \
                     source with --token-file or --token-command{unfinished}. All that is due stays so; `altfill resume` sends it"
                ));
            }
            [name] => (name, "it is the only stored one"),
            names if names.iter().any(|name| name == "default") => {
                (&"default".to_owned(), "it is called default")
            }
            names => {
                return none(format!(
                    "there are several profiles ({}): name one with --profile",
                    names.join(", ")
                ));
            }
        };
        Self {
            source: Ok(Source::Profile(store, name.clone())),
            is_named: false,
            why: why.to_owned(),
            others,
        }
    }

    /// Whose items a run with it is about, as far as that is known.
    #[must_use]
    pub fn whose(&self) -> Whose {
        let account = self.source.as_ref().map(Source::account);
        of_account(account.unwrap_or_default(), self.is_named)
    }
}

fn of_account(account: Account, is_named: bool) -> Whose {
    Whose {
        user_id: account.user_id,
        handle: account.handle,
        profile: account.profile,
        is_named,
    }
}

/// Whose items a command is about that only reads: a profile's, where one was named.
#[must_use]
pub fn whose(profile: Option<&str>) -> Whose {
    let Some(name) = profile else {
        return Whose::default();
    };
    // Without a store the name is all that is known.
    let account = store().map_or_else(
        |_| Account {
            profile: Some(name.to_owned()),
            ..Account::default()
        },
        |store| Source::Profile(store, name.to_owned()).account(),
    );
    of_account(account, true)
}

fn rank(origin: &Origin) -> u8 {
    match origin {
        Origin::Flag => 0,
        Origin::Environment(_) => 1,
        Origin::File(..) => 2,
        Origin::Default => 3,
    }
}

/// Whether a source was named for altfill, and is not one of X's that other programs use too.
const fn is_ours(source: &Source) -> bool {
    !matches!(
        source,
        Source::Environment(..) | Source::EnvironmentKeys(..)
    )
}

fn by_name(named: &Named<'_>) -> Result<Vec<Candidate>, Failure> {
    let mut candidates = Vec::new();
    let mut add = |option: &str, source| {
        let origin = named.origins.of(option);
        let why = match &origin {
            Origin::Environment(name) => format!("{name} in the environment"),
            Origin::File(path, line) => format!("{option} in {} (line {line})", path.display()),
            Origin::Flag | Origin::Default => format!("--{option}"),
        };
        candidates.push(Candidate {
            // What was said without anybody knowing where was said in words.
            origin: if origin == Origin::Default {
                Origin::Flag
            } else {
                origin
            },
            why,
            source,
        });
    };
    if let Some(name) = named.profile {
        add("profile", Source::Profile(store()?, name.to_owned()));
    }
    if let Some(path) = named.token_file {
        add("token-file", Source::File(path.clone()));
    }
    if let Some(command) = named.token_command {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            Failure::usage("--token-command: the words can't be told apart; check its quotes")
        })?;
        add("token-command", Source::Command(words));
    }
    Ok(candidates)
}

/// X's names in wide use, each under two prefixes.
const NAMES: [(&str, &str); 2] = [
    ("X", "X_OAUTH2_ACCESS_TOKEN"),
    ("TWITTER", "TWITTER_OAUTH2_ACCESS_TOKEN"),
];

/// What X's own names in the environment hold: tokens before keys, and what of the keys is missing.
fn in_environment() -> (Vec<Candidate>, Option<String>) {
    let mut candidates = Vec::new();
    let mut unfinished = None;
    for (_, name) in NAMES {
        if let Some(token) = variable(name) {
            candidates.push(Candidate {
                origin: Origin::Environment(name.to_owned()),
                why: "it is set".to_owned(),
                source: Source::Environment(name, token),
            });
        }
    }
    for (prefix, _) in NAMES {
        let name = |rest: &str| format!("{prefix}_{rest}");
        let secret = variable(&name("API_KEY_SECRET")).or_else(|| variable(&name("API_SECRET")));
        let parts = [
            (name("API_KEY"), variable(&name("API_KEY"))),
            (name("API_KEY_SECRET"), secret),
            (name("ACCESS_TOKEN"), variable(&name("ACCESS_TOKEN"))),
            (
                name("ACCESS_TOKEN_SECRET"),
                variable(&name("ACCESS_TOKEN_SECRET")),
            ),
        ];
        let missing: Vec<_> = parts
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.clone())
            .collect();
        match parts.map(|(_, value)| value) {
            [
                Some(consumer_key),
                Some(consumer_secret),
                Some(token),
                Some(token_secret),
            ] => candidates.push(Candidate {
                origin: Origin::Environment(name("ACCESS_TOKEN")),
                why: "all four are set".to_owned(),
                source: Source::EnvironmentKeys(
                    prefix,
                    Keys {
                        consumer_key,
                        consumer_secret,
                        token,
                        token_secret,
                    },
                ),
            }),
            _ if missing.len() < 4 => {
                unfinished = Some(format!(
                    "the environment has keys of {prefix} that are not whole: {} is not set",
                    missing.join(", ")
                ));
            }
            _ => {}
        }
    }
    (candidates, unfinished)
}

/// A variable that is set to something, without white space around it.
pub fn variable(name: &str) -> Option<SecretString> {
    let value = env::var(name).ok().map(SecretString::from)?;
    let trimmed = secrecy::ExposeSecret::expose_secret(&value).trim();
    (!trimmed.is_empty()).then(|| SecretString::from(trimmed))
}
