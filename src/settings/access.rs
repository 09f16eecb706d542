//! Where the token comes from.

use std::mem::discriminant;

use secrecy::SecretString;

use crate::{api::Source, cli::SendArgs, error::Failure};

/// A source named by flag beats the environment, which beats a configuration file.
pub(super) fn token(args: &SendArgs) -> Result<Option<Source>, Failure> {
    const VARIABLE: &str = "X_OAUTH2_ACCESS_TOKEN";
    if args.sandbox {
        return Ok(Some(Source::Sandbox));
    }
    let (by_file, by_command) = (
        args.origins.of("token-file"),
        args.origins.of("token-command"),
    );
    let is_file = match (&args.token_file, &args.token_command) {
        (Some(_), Some(_)) if discriminant(&by_file) == discriminant(&by_command) => {
            return Err(Failure::usage(
                "--token-file names one source of tokens and --token-command another: use one of them",
            ));
        }
        (Some(_), Some(_)) => by_file < by_command,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let is_configured = args.origins.is_from_file(if is_file {
        "token-file"
    } else {
        "token-command"
    });
    let value = std::env::var(VARIABLE)
        .ok()
        .filter(|value| !value.trim().is_empty());
    let in_environment =
        value.map(|value| Source::Environment(VARIABLE, SecretString::from(value)));
    let named = match (&args.token_file, &args.token_command) {
        (Some(path), _) if is_file => Some(Source::File(path.clone())),
        (_, Some(command)) => {
            let words = shlex::split(command).filter(|words| !words.is_empty());
            let words = words.ok_or_else(|| {
                Failure::usage("--token-command: the words can't be told apart; check its quotes")
            })?;
            Some(Source::Command(words))
        }
        (_, None) => None,
    };
    Ok(if is_configured {
        in_environment.or(named)
    } else {
        named.or(in_environment)
    })
}
