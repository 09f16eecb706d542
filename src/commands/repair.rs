//! `altfill repair`: what can be read of a damaged journal, in a new one.

use super::counted;
use crate::{
    cli::RepairArgs,
    error::{Failure, exit},
    journal::{Salvaged, salvage},
    progress::say,
    settings::JournalPlace,
};

/// How many images are named on the screen.
const NAMED: usize = 1_000;

pub async fn execute(args: &RepairArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal);
    let found = salvage(&place.path, &args.output, place.bound_to.as_deref())
        .await
        .map_err(|error| error.at(&place.path))?;
    let [pending, sending, done, failed] = found.items;
    say(&format!(
        "{}: {} ({done} done, {failed} failed, {pending} to be sent, {sending} that may have been sent) and {}, out of {}, \
         which is as it was",
        args.output.display(),
        counted(pending + sending + done + failed, "image"),
        counted(found.attempts, "attempt"),
        place.path.display(),
    ));
    if found.is_whole() {
        say("Nothing is missing.");
        return Ok(exit::OK);
    }
    tell_missing(&found);
    say(&format!(
        "Keep the old journal. Run the manifests again with --journal {}: what is missing is taken in anew.",
        args.output.display()
    ));
    Ok(exit::FAILED_ITEMS)
}

fn tell_missing(found: &Salvaged) {
    if !found.named.is_empty() {
        let shown = found.named.len().min(NAMED);
        say(&format!(
            "Missing: {} of which only the id could be read: {}{}",
            counted(found.named.len() as u64, "image"),
            found.named[..shown].join(", "),
            if shown < found.named.len() {
                ", …"
            } else {
                ""
            },
        ));
    }
    if found.nameless > 0 {
        say(&format!(
            "Missing: {} at the most, whose ids could not be read either",
            counted(found.nameless, "image")
        ));
    }
    if found.doubtful > 0 {
        say(&format!(
            "{} of which it is no longer certain what X got: sent again by the next run",
            counted(found.doubtful, "image")
        ));
    }
    if found.lost_attempts > 0 {
        say(&format!(
            "Missing: {}; each still counts in the limits",
            counted(found.lost_attempts, "attempt")
        ));
    }
    if !found.parts.is_empty() {
        say(&format!(
            "Missing: rows of {}, which no image depends on",
            found.parts.join(", ")
        ));
    }
}
