//! `altfill auth`: logging in and out, and what is known of the credentials there are.
//!
//! None of it ever shows a secret.

mod callback;
mod import;
mod login;
mod logout;
mod refresh;
mod status;

use crate::{
    api::{Profile, Store, TokenError},
    cli::AuthCommand,
    error::Failure,
};

pub async fn execute(command: &AuthCommand) -> Result<u8, Failure> {
    match command {
        AuthCommand::Login(args) => login::execute(args).await,
        AuthCommand::Import(args) => import::execute(args).await,
        AuthCommand::Status(args) => status::execute(args),
        AuthCommand::Logout(args) => logout::execute(args).await,
        AuthCommand::Refresh(args) => refresh::execute(args).await,
    }
}

/// What the token endpoint said, after what was tried, and the cure where it refuses.
fn failed(what: &str, error: &TokenError, cure: &str) -> Failure {
    match error {
        TokenError::Refused(why) => Failure::Access(format!("{what}: {why}. {cure}")),
        TokenError::Unclear(why) | TokenError::Unavailable(why) => {
            Failure::Unavailable(format!("{what}: {why}. Try the same command again"))
        }
    }
}

/// Keeps a profile, unless the one of this name is another user's.
async fn keep(store: &Store, name: &str, profile: Profile) -> Result<(), Failure> {
    let refused = store
        .change(|profiles| {
            let other = profiles.get(name).filter(|known| {
                matches!((&known.user_id, &profile.user_id), (Some(known), Some(new)) if known != new)
            });
            if let Some(other) = other {
                return Some(who(other));
            }
            let mut profile = profile.clone();
            if let Some(known) = profiles.get(name) {
                profile.follow(known);
            }
            profiles.insert(name.to_owned(), profile);
            None
        })
        .await?;
    match refused {
        None => Ok(()),
        Some(other) => Err(Failure::Access(format!(
            "the profile {name} is of {other}, and this is {}: choose another name with --profile, or log {name} out first",
            who(&profile)
        ))),
    }
}

/// Whose a profile is, for people.
fn who(profile: &Profile) -> String {
    match (&profile.handle, &profile.user_id) {
        (Some(handle), _) => format!("@{handle}"),
        (None, Some(id)) => format!("the user {id}"),
        (None, None) => "a user who is not known yet".to_owned(),
    }
}
