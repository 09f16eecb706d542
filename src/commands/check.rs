//! `altfill check`: validates manifests offline, without a journal.

use serde_json::json;

use super::{counted, faults::Faults, print, taking};
use crate::{
    cli::CheckArgs,
    error::{Failure, exit},
    journal,
    manifest::Duplicates,
    progress::say,
    settings::ReadSettings,
};

pub async fn execute(args: &CheckArgs) -> Result<u8, Failure> {
    let result = check(args).await;
    if let (Err(failure), true) = (&result, args.json) {
        print(&json!({"exit_code": failure.code(), "error": failure.to_string()}).to_string())?;
    }
    result
}

async fn check(args: &CheckArgs) -> Result<u8, Failure> {
    let read = ReadSettings::from(&args.read);
    let mut faults = Faults::new(read.errors.as_deref())?;
    let is_error = read.duplicates == journal::Duplicates::Error;
    let mut sink = taking::IntoNothing {
        duplicates: is_error.then(Duplicates::default),
        ..Default::default()
    };
    let taken = taking::take(&args.manifests, &read, &mut sink, &mut faults, false).await;
    let mut found = match taken {
        Ok(found) => found,
        Err(failure) => {
            // What was found before it stays told.
            faults.end()?;
            return Err(failure);
        }
    };
    let names = sink.names;
    if let Some(duplicates) = sink.duplicates {
        let mut shown = Ok(());
        duplicates
            .find(&names, |contradiction| {
                found.invalid += 1;
                let name = names
                    .get(usize::from(contradiction.source))
                    .map_or("", String::as_str);
                if shown.is_ok() {
                    shown = faults.show(name, &contradiction.fault);
                }
            })
            .map_err(Failure::unexpected)?;
        shown?;
    }
    let by_rule = faults.end()?;
    let code = if found.invalid == 0 {
        exit::OK
    } else {
        exit::INVALID
    };
    let rows = counted(found.rows, "row");
    let empty = if sink.empty > 0 {
        format!(", {} of them name no field", sink.empty)
    } else {
        String::new()
    };
    say(&match found.invalid {
        0 => format!("{rows}, all valid{empty}"),
        invalid => format!("{rows}, {invalid} of them invalid{empty}: mend them, and check again"),
    });
    if args.json {
        let object = json!({
            "exit_code": code,
            "rows": found.rows,
            "empty": sink.empty,
            "invalid": found.invalid,
            "faults": by_rule,
        });
        print(&object.to_string())?;
    }
    Ok(code)
}
