//! `altfill drop` and `altfill dismiss`: upkeep of a journal between runs.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    path::Path,
};

use super::{agrees, counted, reading};
use crate::{
    cli::{DismissArgs, DropArgs, JournalArgs},
    error::{Failure, exit},
    item::State,
    journal::{self, Found, Journal, Lock, Selection, Withdrawal, look},
    manifest::{self, Manifest, Record},
    progress::say,
    settings::JournalPlace,
};

/// Opens a journal that is there, for a command that is no run.
async fn open(args: &JournalArgs) -> Result<(Journal, i64), Failure> {
    let place = JournalPlace::to_read(args);
    if look(&place.path)? == Found::Nothing {
        return Err(journal::Error::Missing(place.path).into());
    }
    let lock = Lock::take(&place.path)?;
    let (bound_to, account) = reading(&place, async |reader| {
        Ok((reader.api_url().await?, reader.account()))
    })
    .await?;
    let opened = Journal::open(&place.path, &bound_to, lock).await;
    Ok((opened.map_err(|error| error.at(&place.path))?, account))
}

/// `altfill drop`.
pub async fn withdraw(args: &DropArgs) -> Result<u8, Failure> {
    if args.media_ids.is_empty() && args.source.is_none() && args.state.is_none() {
        return Err(Failure::usage(
            "say which images: by media id, --source MANIFEST or --state pending",
        ));
    }
    let selection = Selection {
        media_ids: (!args.media_ids.is_empty()).then(|| args.media_ids.clone()),
        source: args.source.clone(),
        state: args.state,
        cause: None,
    };
    if args.state == Some(State::Done) {
        return Err(Failure::usage(
            "what is done was sent, and can't be withdrawn: send other metadata instead",
        ));
    }
    let (mut journal, account) = open(&args.journal).await?;
    let planned = journal.withdrawal(account, &selection).await?;
    let Withdrawal {
        forgotten,
        restored,
        kept,
    } = planned;
    say(&format!(
        "{} to forget, of {restored} more a change that was not sent",
        counted(forgotten, "image")
    ));
    if kept > 0 {
        say(&format!(
            "{} were sent and not accepted, and stay: `altfill dismiss` marks failures as known",
            counted(kept, "image")
        ));
    }
    if forgotten + restored > 0 && !args.yes {
        ask()?;
    }
    let done = journal.withdraw(account, &selection).await?;
    journal.close().await?;
    say(&format!(
        "{} withdrawn",
        counted(done.forgotten + done.restored, "image")
    ));
    Ok(exit::OK)
}

fn ask() -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "without a terminal nobody can be asked: say --yes",
        ));
    }
    if agrees("Withdraw them?") {
        return Ok(());
    }
    Err(Failure::Declined("nothing was withdrawn".to_owned()))
}

/// `altfill dismiss`.
pub async fn dismiss(args: &DismissArgs) -> Result<u8, Failure> {
    if args.media_ids.is_empty() && args.cause.is_none() && args.file.is_none() {
        return Err(Failure::usage(
            "say which failures: by media id, --cause CAUSE or --file REPORT",
        ));
    }
    let mut media_ids: BTreeSet<String> = args.media_ids.iter().cloned().collect();
    if let Some(path) = &args.file {
        media_ids.append(&mut ids_of(path)?);
    }
    let selection = Selection {
        media_ids: (args.file.is_some() || !media_ids.is_empty())
            .then(|| media_ids.into_iter().collect()),
        cause: args.cause.clone(),
        ..Selection::default()
    };
    let (mut journal, account) = open(&args.journal).await?;
    let count = journal.dismiss(account, &selection).await?;
    journal.close().await?;
    let failures = counted(count, "failure");
    say(&format!(
        "{failures} marked as known, until their row changes"
    ));
    Ok(exit::OK)
}

/// The ids that a report or manifest names.
fn ids_of(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let manifest = Manifest::open(path, &manifest::Options::default())?;
    let mut ids = BTreeSet::new();
    for record in manifest {
        match record? {
            Record::Row(row) => drop(ids.insert(row.media_id.to_string())),
            Record::Invalid(invalid) => ids.extend(invalid.media_id.map(|id| id.to_string())),
        }
    }
    Ok(ids)
}
