//! The images of the page: rows of the first page for who has no scripts, and blocks of data for the script.
//!
//! Owns the form of both. The script makes the same row of the same data; a change here is one in `script.js` too.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::escape::{Text, data, grouped, shown};
use crate::{item::State, journal::Export, report::used, row::Source};

/// How many images stand in the page itself.
pub(super) const FIRST: i64 = 50;
/// How many images one block of data holds.
const BLOCK: usize = 1_000;
/// Where the alt text stands in the metadata.
const ALT_TEXT: &str = "alt_text.text";

/// Images that are being written as data.
pub(super) struct Items {
    block: Vec<Value>,
    /// The place of each source among the [`names`].
    places: BTreeMap<i64, usize>,
}

impl Items {
    pub(super) fn new(sources: &BTreeMap<i64, Source>) -> Self {
        Self {
            block: Vec::with_capacity(BLOCK),
            places: sources.keys().copied().zip(0..).collect(),
        }
    }

    pub(super) fn write(&mut self, item: &Export, out: &mut (dyn Write + Send)) -> io::Result<()> {
        self.block.push(self.to_json(item));
        if self.block.len() < BLOCK {
            return Ok(());
        }
        self.end(out)
    }

    /// Writes the block that is begun.
    pub(super) fn end(&mut self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = data(&Value::from(std::mem::take(&mut self.block)));
        writeln!(
            out,
            "<script type=\"application/json\" class=\"items\">{block}</script>"
        )
    }

    /// Id, state, alt text, source, line, cause, detail, status, further attempts, other fields; what is
    /// empty at the end is left out.
    fn to_json(&self, item: &Export) -> Value {
        let text = |text: Option<&str>| text.map_or_else(|| json!(0), |text| json!(shown(text)));
        let (alt, fields) = wanted(item);
        let fields: Vec<_> = fields
            .iter()
            .map(|(path, value)| json!([path, shown(value)]))
            .collect();
        let state = match item.state {
            State::Failed if item.dismissed => 4,
            State::Done if item.detail.is_some() => 5,
            state => state.code(),
        };
        let mut values = vec![
            json!(item.media_id.as_str()),
            json!(state),
            json!(shown(&alt)),
            json!(self.places.get(&item.source_id)),
            json!(item.line),
            text(item.cause.as_deref()),
            text(item.detail.as_deref()),
            json!(item.http_status.unwrap_or_default()),
            // One attempt goes without saying.
            json!(item.attempts.max(1) - 1),
            if fields.is_empty() {
                json!(0)
            } else {
                Value::from(fields)
            },
        ];
        let used = values.iter().rposition(|value| *value != 0);
        values.truncate(used.map_or(0, |last| last + 1).max(5));
        Value::from(values)
    }
}

/// The files' names, in the order that items speak of.
pub(super) fn names(sources: &BTreeMap<i64, Source>) -> String {
    let names: Vec<_> = sources.values().map(|source| shown(&source.name)).collect();
    data(&json!(names))
}

/// How many images are listed, and how many of them without a script.
pub(super) fn count(listed: u64, first: u64) -> String {
    let images = super::escape::counted(listed, "image");
    if listed > first {
        format!("{images} in all. Shown are 1 to {}.", grouped(first))
    } else {
        format!("{images} in all.")
    }
}

/// A row of the first page.
pub(super) fn row(item: &Export, sources: &BTreeMap<i64, Source>) -> String {
    let (alt, fields) = wanted(item);
    let mut row = format!(
        "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" class=\"id\">{}</th><td role=\"cell\" data-label=\"Alt text\">",
        item.media_id
    );
    // Writing to a string can't fail.
    if alt.is_empty() {
        row.push_str("<span class=\"empty\">No alt text is wanted</span>");
    } else {
        let _ = write!(row, "<bdi dir=\"auto\" class=\"alt\">{}</bdi>", Text(&alt));
    }
    if !fields.is_empty() {
        row.push_str("<dl class=\"more\">");
        for (path, value) in &fields {
            let _ = write!(
                row,
                "<div><dt>{path}</dt><dd><bdi dir=\"auto\">{}</bdi></dd></div>",
                Text(value)
            );
        }
        row.push_str("</dl>");
    }
    let word = item.state.word();
    let note = match item.state {
        State::Failed if item.dismissed => ", known",
        State::Done if item.detail.is_some() => ", with a warning",
        _ => "",
    };
    let _ = write!(
        row,
        "</td><td role=\"cell\" data-label=\"State\"><span class=\"state {word}\">{word}{note}</span>"
    );
    if let Some(cause) = &item.cause {
        let status = item
            .http_status
            .map_or_else(String::new, |status| format!(", HTTP {status}"));
        let _ = write!(
            row,
            "<span class=\"why\"><bdi dir=\"auto\">{}</bdi>{status}</span>",
            Text(cause)
        );
    }
    if let Some(detail) = &item.detail {
        let _ = write!(
            row,
            "<span class=\"why note\"><bdi dir=\"auto\">{}</bdi></span>",
            Text(detail)
        );
    }
    if item.attempts > 1 {
        let _ = write!(
            row,
            "<span class=\"why note\">{} attempts</span>",
            item.attempts
        );
    }
    let source = sources
        .get(&item.source_id)
        .map_or("", |source| &source.name);
    let _ = writeln!(
        row,
        "</td><td role=\"cell\" data-label=\"From\"><bdi dir=\"auto\">{}</bdi>, line {}</td></tr>",
        Text(source),
        item.line
    );
    row
}

/// The alt text that is wanted, and the other fields with their text.
fn wanted(item: &Export) -> (String, BTreeMap<String, String>) {
    let mut fields = used(&item.wanted);
    let alt = fields.remove(ALT_TEXT).unwrap_or_default();
    (alt, fields)
}
