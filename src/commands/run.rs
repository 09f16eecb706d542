//! `altfill run`: takes manifests in and sends what of them is due, until nothing is.

use super::send;
use crate::{cli::RunArgs, settings::RunSettings};

pub async fn execute(args: &RunArgs) -> u8 {
    send::execute(RunSettings::of_run(args), &args.send).await
}
