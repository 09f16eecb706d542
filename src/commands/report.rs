//! `altfill report`: outcomes as a file.

use std::io::{self, BufWriter, IsTerminal, Write};

use super::{counted, output::Output, reading};
use crate::{
    cli::{FormatArg, ReportArgs},
    error::{Failure, exit},
    failpoint::Point,
    journal::Reader,
    progress::{Visible, say},
    report::{self, Error, Format},
    settings::JournalPlace,
};

pub async fn execute(args: &ReportArgs) -> Result<u8, Failure> {
    let place = JournalPlace::to_read(&args.journal, args.sandbox);
    reading(&place, async |reader| write(args, reader).await).await
}

async fn write(args: &ReportArgs, reader: &mut Reader) -> Result<u8, Failure> {
    let format = match format(args) {
        Some(format) => format,
        // A terminal can't show a workbook.
        None if args.output.is_none() && io::stdout().is_terminal() => Format::Csv,
        None => Format::of(reader.sources().await?.iter().map(|(_, source)| source)),
    };
    let Some(path) = &args.output else {
        let mut out: Box<dyn Write + Send> = if io::stdout().is_terminal() {
            Box::new(BufWriter::new(Visible::new(io::stdout())))
        } else {
            Box::new(BufWriter::new(io::stdout()))
        };
        let written = match report::write(reader, format, args.state, &mut out).await {
            Ok(_) => out.flush().map_err(Error::Write),
            Err(error) => Err(error),
        };
        // Nobody who reads is no failure: `altfill report | head` is a good command.
        return match written {
            Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::OK),
            Err(error) => Err(failed(error)),
            Ok(()) => Ok(exit::OK),
        };
    };
    let cannot =
        |error: io::Error| Failure::usage(format!("{} can't be written: {error}", path.display()));
    let mut out = BufWriter::new(Output::begin(path).map_err(cannot)?);
    let count = report::write(reader, format, args.state, &mut out)
        .await
        .map_err(failed)?;
    let file = out
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    Point::ReportWritten.pass();
    file.finish().map_err(cannot)?;
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
