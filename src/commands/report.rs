//! `altfill report`: outcomes as a file.

use std::io::{self, BufWriter, IsTerminal, Write};

use super::{counted, output::Output};
use crate::{
    cli::{FormatArg, ReportArgs},
    error::{Failure, exit},
    failpoint::Point,
    journal::{self, Reader},
    progress::{Visible, say},
    report::{self, Error, Format, SumsFormat},
    settings::JournalPlace,
};

pub async fn execute(args: &ReportArgs) -> Result<u8, Failure> {
    let what = what(args)?;
    let place = JournalPlace::to_read(&args.journal);
    let named = |error: journal::Error| error.at(&place.path);
    let bound_to = place.bound_to.as_deref();
    // Sums are of all accounts, unless one was named.
    let (mut reader, account) = if matches!(what, What::Sums(_)) && !place.whose.is_named {
        let reader = Reader::open_any(&place.path, bound_to).await;
        (reader.map_err(named)?, None)
    } else {
        let reader = Reader::open(&place.path, bound_to, &place.whose).await;
        let reader = reader.map_err(named)?;
        let account = reader.account();
        (reader, Some(account))
    };
    let written = put(args, &what, &mut reader, account).await;
    reader.close().await;
    written.map_err(|failure| failure.in_journal(&place.path))
}

/// Writes the report to where it was asked for.
async fn put(
    args: &ReportArgs,
    what: &What,
    reader: &mut Reader,
    account: Option<i64>,
) -> Result<u8, Failure> {
    let Some(path) = &args.output else {
        let mut out: Box<dyn Write + Send> = if io::stdout().is_terminal() {
            Box::new(BufWriter::new(Visible::new(io::stdout())))
        } else {
            Box::new(BufWriter::new(io::stdout()))
        };
        let written = match write(reader, args, what, account, &mut out).await {
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
    let count = write(reader, args, what, account, &mut out)
        .await
        .map_err(failed)?;
    let file = out
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    Point::ReportWritten.pass();
    file.finish().map_err(cannot)?;
    let of = match what {
        What::Images(_) => "image",
        What::Sums(_) => "row",
    };
    say(&format!("{}: {}", path.display(), counted(count, of)));
    Ok(exit::OK)
}

/// What a report is about, and its form where one was asked for.
enum What {
    Images(Option<Format>),
    Sums(SumsFormat),
}

fn what(args: &ReportArgs) -> Result<What, Failure> {
    let format = format(args);
    if args.by.is_empty() {
        return Ok(What::Images(format));
    }
    match format {
        None | Some(Format::Csv) => Ok(What::Sums(SumsFormat::Csv)),
        Some(Format::JsonLines) => Ok(What::Sums(SumsFormat::JsonLines)),
        Some(Format::Workbook | Format::Html) => Err(Failure::usage(
            "--by writes sums as csv or jsonl: name one of them with --format, or by the end of the file's name",
        )),
    }
}

async fn write(
    reader: &mut Reader,
    args: &ReportArgs,
    what: &What,
    account: Option<i64>,
    out: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let format = match what {
        What::Sums(format) => {
            let count = report::write_sums(reader, *format, &args.by, account, out).await?;
            out.flush()?;
            return Ok(count);
        }
        What::Images(Some(format)) => *format,
        // A terminal can't show a workbook.
        What::Images(None) if args.output.is_none() && io::stdout().is_terminal() => Format::Csv,
        What::Images(None) => Format::of(reader.sources().await?.iter().map(|(_, source)| source)),
    };
    report::write(reader, format, args.state, out).await
}

/// The form that was asked for, by name or by the end of the file's.
fn format(args: &ReportArgs) -> Option<Format> {
    match args.format {
        Some(FormatArg::Csv) => return Some(Format::Csv),
        Some(FormatArg::Jsonl) => return Some(Format::JsonLines),
        Some(FormatArg::Xlsx) => return Some(Format::Workbook),
        Some(FormatArg::Html) => return Some(Format::Html),
        None => {}
    }
    let end = args.output.as_ref()?.extension()?.to_str()?;
    match end.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        "xlsx" => Some(Format::Workbook),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Journal(error) => error.into(),
        Error::Write(error) => Failure::unexpected(format!("the report can't be written: {error}")),
    }
}
