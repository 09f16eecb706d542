//! `altfill completions` and `altfill man`: what shells and readers need, made from the parser itself.

use clap::CommandFactory;

use super::print;
use crate::{
    cli::{Cli, CompletionsArgs, ManArgs},
    error::{Failure, exit},
};

/// `altfill completions`.
pub fn complete(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "altfill", &mut text);
    print(String::from_utf8_lossy(&text).trim_end())?;
    Ok(exit::OK)
}

/// `altfill man`.
pub fn explain(args: &ManArgs) -> Result<u8, Failure> {
    let mut cli = Cli::command();
    if let Some(folder) = &args.output {
        clap_mangen::generate_to(cli, folder).map_err(|error| {
            Failure::usage(format!(
                "the pages can't be written to {}: {error}",
                folder.display()
            ))
        })?;
        return Ok(exit::OK);
    }
    cli.build();
    let command = match &args.command {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::usage(format!(
                "there is no command {name}: `altfill --help` names them all"
            ))
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(Failure::unexpected)?;
    print(String::from_utf8_lossy(&page).trim_end())?;
    Ok(exit::OK)
}
