//! Outcomes as a file: from the journal alone, a file a format.
//!
//! Owns the order of the rows, the columns and the hints. A report of failures is a manifest again: it has the columns of
//! the rows as they were taken in, and beside them why each failed. The column `altfill_report` says so, and holds the
//! state; by it the columns that were added are dropped on the way in.

mod columns;
mod csv;
mod html;
mod jsonl;
mod sums;
mod xlsx;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::Value;

use crate::{
    item::State,
    journal::{self, Dimension, Export, Reader},
    manifest::{cell, render},
    metadata::{Metadata, schema},
    row::{Form, Source},
};

/// The column by which a report is known.
const MARK: &str = "altfill_report";
/// The columns that are added beside it.
const ADDED: [&str; 5] = ["cause", "detail", "hint", "source", "line"];
/// How many items are read at a time.
const PAGE: i64 = 1_000;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text, with the delimiter and byte order mark of the first manifest.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// A workbook, each cell of it text.
    Workbook,
    /// One page for people, which works without a network.
    Html,
}

impl Format {
    /// The form of the manifests of `sources`: a workbook where all were, else delimited text.
    #[must_use]
    pub fn of<'s>(sources: impl IntoIterator<Item = &'s Source>) -> Self {
        let mut sources = sources.into_iter().peekable();
        if sources.peek().is_some() && sources.all(|source| source.form == Form::Workbook) {
            Self::Workbook
        } else {
            Self::Csv
        }
    }
}

/// The form of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumsFormat {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum Error {
    #[error(transparent)]
    Journal(#[from] journal::Error),
    #[error("the report can't be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes the items in `state`, or all, to `out`. Returns how many there were.
///
/// # Errors
/// Where the journal can't be read or `out` can't be written.
pub async fn write(
    reader: &mut Reader,
    format: Format,
    state: Option<State>,
    out: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    // A report is of one moment, also while a run goes on.
    reader.hold().await?;
    let sources: BTreeMap<i64, Source> = reader.sources().await?.into_iter().collect();
    match format {
        Format::Html => html::write(reader, state, &sources, out).await,
        Format::JsonLines => each(reader, state, |item| jsonl::write(item, &sources, out)).await,
        Format::Csv => {
            let columns = columns(reader, state, &sources).await?;
            let mut table = csv::Table::begin(columns, &sources, out)?;
            let count = each(reader, state, |item| table.write(item, &sources)).await?;
            table.end()?;
            Ok(count)
        }
        Format::Workbook => {
            let columns = columns(reader, state, &sources).await?;
            let mut book = xlsx::Book::begin(columns, &sources)?;
            let count = each(reader, state, |item| book.write(item, &sources)).await?;
            book.end(out)?;
            Ok(count)
        }
    }
}

/// Writes what was sent of one account or of all, and what came of it, parted by `dimensions`, to `out`. Returns how many rows there are.
///
/// # Errors
/// Where the journal can't be read or `out` can't be written.
pub async fn write_sums(
    reader: &mut Reader,
    format: SumsFormat,
    dimensions: &[Dimension],
    account: Option<i64>,
    out: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let sums = reader.sums(dimensions, account).await?;
    match format {
        SumsFormat::Csv => sums::write_csv(dimensions, &sums, out)?,
        SumsFormat::JsonLines => sums::write_json_lines(dimensions, &sums, out)?,
    }
    Ok(sums.len() as u64)
}

/// The header stands first and must hold what any row has: one look at all rows before.
async fn columns(
    reader: &mut Reader,
    state: Option<State>,
    sources: &BTreeMap<i64, Source>,
) -> Result<columns::Columns, Error> {
    let mut columns = columns::Columns::default();
    each(reader, state, |item| {
        columns.see(item, sources);
        Ok(())
    })
    .await?;
    Ok(columns)
}

/// Reads the items page by page.
async fn each(
    reader: &mut Reader,
    state: Option<State>,
    mut see: impl FnMut(&Export) -> io::Result<()>,
) -> Result<u64, Error> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = reader.export(state, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(count);
        };
        after = last.item_id;
        for item in &page {
            see(item)?;
            count += 1;
        }
    }
}

/// The cells of an item by column: as they were written, or written anew from what is wanted.
fn cells(item: &Export, source: &Source) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    if source.form == Form::JsonLines {
        cells.insert("media_id".to_owned(), item.media_id.to_string());
        cells.extend(used(&item.wanted));
        for (key, value) in item
            .carried
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            cells.insert(key.clone(), text);
        }
        return cells;
    }
    let carried = item.carried.as_ref().and_then(Value::as_array);
    for (position, column) in source.columns.iter().enumerate() {
        let written = carried
            .and_then(|cells| cells.get(position))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let text = written
            .or_else(|| cell(column, &item.media_id, &item.wanted))
            .unwrap_or_default();
        cells.insert(column.clone(), text);
    }
    cells
}

/// The places that metadata fills, with their text: the columns of those items that came without a header.
fn used(metadata: &Metadata) -> BTreeMap<String, String> {
    let text = |path: String| {
        let place = schema::place(&path)?;
        let text = render(&place, &path, metadata)?;
        Some((path, text))
    };
    schema::paths().into_iter().filter_map(text).collect()
}

/// What was added about an item, in the order of [`ADDED`].
fn added(item: &Export, source: &Source) -> [String; 5] {
    [
        item.cause.clone().unwrap_or_default(),
        item.detail.clone().unwrap_or_default(),
        item.cause
            .as_deref()
            .and_then(hint)
            .unwrap_or_default()
            .to_owned(),
        source.name.clone(),
        item.line.to_string(),
    ]
}

/// What to do about a cause.
#[must_use]
pub fn hint(cause: &str) -> Option<&'static str> {
    Some(match cause {
        "resource-not-found" => {
            "X knows no such media for this account: check the id; an upload that was not used in 24 hours is gone"
        }
        "not-authorized-for-resource" => {
            "The media belongs to another account: run it with that account's token"
        }
        "invalid-request" => "X refuses the values: see the detail, mend the row, and run it again",
        "timeout" | "connect" | "server-error" | "bad-answer" => {
            "It may pass: the next run tries again, in three runs at most; then --retry-failed does"
        }
        "redirect" => {
            "The address answers with a redirect: check --api-url, and a proxy on the way"
        }
        _ => return None,
    })
}
