//! `altfill auth refresh`: renews a profile's tokens, in a process of its own.

use crate::{
    api,
    cli::RefreshArgs,
    error::{Failure, exit},
    settings::store,
};

pub async fn execute(args: &RefreshArgs) -> Result<u8, Failure> {
    crate::commands::trust(args.ca_file.as_deref())?;
    api::refresh(&store()?, &args.profile, args.serial).await?;
    Ok(exit::OK)
}
