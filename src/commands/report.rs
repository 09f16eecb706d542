//! `altfill report`: outcomes as a file.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    path::Path,
};

use super::counted;
use crate::{
    cli::{FormatArg, ReportArgs},
    error::{Failure, exit},
    journal::Reader,
    progress::say,
    report::{self, Error, Format},
    settings::JournalPlace,
};

pub async fn execute(args: &ReportArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal, args.sandbox);
    let mut reader =
        Reader::open(&place.path, place.bound_to.as_deref(), Some(&place.whose)).await?;
    let format = match format(args) {
        Some(format) => format,
        // A terminal can't show a workbook.
        None if args.output.is_none() && io::stdout().is_terminal() => Format::Csv,
        None => Format::of(reader.sources().await?.iter().map(|(_, source)| source)),
    };
    let Some(path) = &args.output else {
        // Nobody who reads is no failure: `altfill report | head` is a good command.
        return match report::write(
            &mut reader,
            format,
            args.state,
            &mut BufWriter::new(io::stdout()),
        )
        .await
        {
            Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::OK),
            Err(error) => Err(failed(error)),
            Ok(_) => Ok(exit::OK),
        };
    };
    let cannot =
        |error: io::Error| Failure::usage(format!("{} can't be written: {error}", path.display()));
    // Beside its place and then renamed: nobody ever reads half a report.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut out = BufWriter::new(file.as_file_mut());
    let count = report::write(&mut reader, format, args.state, &mut out)
        .await
        .map_err(failed)?;
    out.flush().map_err(cannot)?;
    drop(out);
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    say(&format!("{}: {}", path.display(), counted(count, "image")));
    Ok(exit::OK)
}

/// The form that was asked for, by name or by the end of the file's.
fn format(args: &ReportArgs) -> Option<Format> {
    match args.format {
        Some(FormatArg::Csv) => return Some(Format::Csv),
        Some(FormatArg::Jsonl) => return Some(Format::JsonLines),
        Some(FormatArg::Xlsx) => return Some(Format::Workbook),
        None => {}
    }
    let end = args.output.as_ref()?.extension()?.to_str()?;
    match end.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        "xlsx" => Some(Format::Workbook),
        _ => None,
    }
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Journal(error) => error.into(),
        Error::Write(error) => Failure::unexpected(format!("the report can't be written: {error}")),
    }
}
