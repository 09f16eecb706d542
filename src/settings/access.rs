//! Where the token comes from.

use secrecy::SecretString;

use crate::{api::Source, cli::SendArgs, error::Failure};

/// A source named by flag beats the environment.
pub(super) fn token(args: &SendArgs) -> Result<Option<Source>, Failure> {
    const VARIABLE: &str = "X_OAUTH2_ACCESS_TOKEN";
    if args.sandbox {
        return Ok(Some(Source::Sandbox));
    }
    if let Some(path) = &args.token_file {
        return Ok(Some(Source::File(path.clone())));
    }
    if let Some(command) = &args.token_command {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            Failure::usage("--token-command: the words can't be told apart; check its quotes")
        })?;
        return Ok(Some(Source::Command(words)));
    }
    let value = std::env::var(VARIABLE)
        .ok()
        .filter(|value| !value.trim().is_empty());
    Ok(value.map(|value| Source::Environment(VARIABLE, SecretString::from(value))))
}
