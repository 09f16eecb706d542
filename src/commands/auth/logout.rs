//! `altfill auth logout`: gives a profile's tokens back to X, and removes it.

use crate::{
    api::{Http, TOKEN_TIMEOUT, revoke},
    cli::LogoutArgs,
    error::{Failure, exit},
    progress::say,
    settings::store,
};

pub async fn execute(args: &LogoutArgs) -> Result<u8, Failure> {
    crate::commands::trust(args.ca_file.as_deref())?;
    let store = store()?;
    let profiles = store.profiles()?;
    let name = match (&args.profile, profiles.len()) {
        (Some(name), _) => name.clone(),
        (None, 1) => profiles.keys().next().cloned().unwrap_or_default(),
        (None, 0) => {
            return Err(Failure::Access("there is no profile to log out; `altfill auth status` shows as whom a run would send"
                    .to_owned()));
        }
        (None, _) => {
            let names: Vec<_> = profiles.into_keys().collect();
            return Err(Failure::usage(format!(
                "there are several profiles ({}): say which with --profile",
                names.join(", ")
            )));
        }
    };
    let profile = store.profile(&name)?;
    let mut note = String::new();
    if !args.local {
        match profile.grant() {
            Some(grant) => {
                let http = Http::new(
                    &profile.api_url.parse().map_err(Failure::Access)?,
                    TOKEN_TIMEOUT,
                )?;
                // The refresh token first: it is the one that lasts.
                for token in grant.refresh_token.iter().chain([&grant.access_token]) {
                    revoke(&http, &grant.app(), token).await.map_err(|error| {
                        super::failed(
                            &format!(
                                "the tokens of {name} could not be given back, so the profile stays"
                            ),
                            &error,
                            "`altfill auth logout --local` removes it all the same",
                        )
                    })?;
                }
            }
            None => {
                "; its keys do not run out: revoke them at X's developer portal"
                    .clone_into(&mut note);
            }
        }
    }
    store.change(|profiles| profiles.remove(&name)).await?;
    say(&format!("Logged out: the profile {name} is gone{note}"));
    Ok(exit::OK)
}
