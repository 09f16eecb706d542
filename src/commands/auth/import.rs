//! `altfill auth import`: profiles out of what users already have.

use std::path::PathBuf;

use super::{keep, who};
use crate::{
    api::Foreign,
    cli::{ForeignArg, ImportArgs},
    error::{Failure, exit},
    progress::say,
    settings::{address, store},
};

pub async fn execute(args: &ImportArgs) -> Result<u8, Failure> {
    let foreign = match args.from {
        ForeignArg::Xurl => Foreign::Xurl,
        ForeignArg::Twurl => Foreign::Twurl,
    };
    let api_url = address(args.api_url.as_ref())?.to_string();
    let places = if let Some(path) = &args.file {
        vec![path.clone()]
    } else {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
        let home = home
            .ok_or_else(|| Failure::usage("HOME is not set: name the file itself with --file"))?;
        foreign.places(&PathBuf::from(home))
    };
    let taken = foreign
        .take(&places, args.app.as_deref(), args.user.as_deref(), &api_url)
        .map_err(|error| Failure::Access(error.to_string()))?;
    let name = args.profile.clone().unwrap_or_else(|| taken.user.clone());
    let store = store()?;
    crate::api::check_profile_name(&name)?;
    keep(&store, &name, taken.profile.clone()).await?;
    say(&format!(
        "The profile {name} has the credentials of {} ({}), in {}",
        taken.name,
        who(&taken.profile),
        store.path().display()
    ));
    if taken.has_refresh_token {
        say(
            "A refresh token is good once. When altfill has renewed this one, xurl's is spent, and xurl must log in again. To go \
             on with both, use --token-command 'xurl token' instead, and remove the profile with `altfill auth logout --local`.",
        );
    }
    Ok(exit::OK)
}
