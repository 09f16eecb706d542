//! `altfill check`: validates manifests offline.
//!
//! It takes them into a journal of its own that is thrown away, so that it finds exactly what `run` would.

use serde_json::json;

use super::{print, taking};
use crate::{
    cli::CheckArgs,
    error::{Failure, exit},
    journal::{DEFAULT_ACCOUNT, Journal, Lock},
    progress::say,
    settings::{ReadSettings, SANDBOX},
    time::Timestamp,
};

pub async fn execute(args: &CheckArgs) -> Result<u8, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::unexpected)?;
    let path = folder.path().join("check.db");
    let mut journal = Journal::open(&path, SANDBOX, Lock::take(&path)?).await?;
    let read = ReadSettings::from(&args.read);
    let mut intake = journal
        .intake(DEFAULT_ACCOUNT, read.duplicates, Timestamp::now())
        .await?;
    let found = taking::take(&args.manifests, &read, &mut intake, false).await;
    let counts = intake.counts();
    intake.undo().await?;
    journal.close().await?;
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            if args.json {
                print(
                    &json!({"exit_code": failure.code(), "error": failure.to_string()}).to_string(),
                )?;
            }
            return Err(failure);
        }
    };
    let code = if found.invalid == 0 {
        exit::OK
    } else {
        exit::INVALID
    };
    let rows = |count: u64| {
        if count == 1 {
            "1 row".to_owned()
        } else {
            format!("{count} rows")
        }
    };
    if found.invalid == 0 {
        say(&format!(
            "{}: all valid, {} images, {} empty",
            rows(found.rows),
            counts.new,
            counts.empty
        ));
    } else {
        say(&format!(
            "{}, {} of them invalid",
            rows(found.rows),
            found.invalid
        ));
    }
    if args.json {
        let object = json!({
            "exit_code": code,
            "rows": found.rows,
            "empty": counts.empty,
            "invalid": found.invalid,
            "items": counts.new,
            "faults": found.by_rule,
        });
        print(&object.to_string())?;
    }
    Ok(code)
}
