//! `altfill resume`: sends all that is due in the journal.

use super::send;
use crate::{cli::SendArgs, settings::RunSettings};

pub async fn execute(args: &SendArgs) -> u8 {
    send::execute(RunSettings::of_resume(args), args).await
}
