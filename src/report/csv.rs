//! A report as delimited text.
//!
//! Owns its header. A cell that a spreadsheet would run as a formula is neutralised, as the manifest's room has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use super::{ADDED, MARK, added, cells, used};
use crate::{
    journal::Export,
    manifest::neutralised,
    row::{Form, Source},
};

/// The columns that the rows of a report have.
#[derive(Debug, Default)]
pub(super) struct Columns {
    sources: BTreeSet<i64>,
    /// Of items that came without a header: the fields that they have, and the keys that are none.
    paths: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Columns {
    pub(super) fn see(&mut self, item: &Export, sources: &BTreeMap<i64, Source>) {
        self.sources.insert(item.source_id);
        if sources
            .get(&item.source_id)
            .is_some_and(|source| source.form == Form::JsonLines)
        {
            self.paths.extend(used(&item.wanted).into_keys());
            let keys = item
                .carried
                .as_ref()
                .and_then(serde_json::Value::as_object)
                .into_iter()
                .flatten();
            self.keys.extend(keys.map(|(key, _)| key.clone()));
        }
    }

    /// The columns of the manifests in the order in which these were taken in, then what only JSON lines have.
    fn names(self, sources: &BTreeMap<i64, Source>) -> Vec<String> {
        let used = self.sources.iter().filter_map(|id| sources.get(id));
        let of_headers = used
            .clone()
            .flat_map(|source| source.columns.iter().cloned());
        let has_lines = used.clone().any(|source| source.form == Form::JsonLines);
        let id = (has_lines || self.sources.is_empty()).then(|| "media_id".to_owned());
        let mut names: Vec<String> = Vec::new();
        for name in of_headers.chain(id).chain(self.paths).chain(self.keys) {
            let is_ours = name == MARK || ADDED.contains(&name.as_str());
            if !is_ours && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// A table that is being written.
pub(super) struct Table<'o> {
    writer: ::csv::Writer<&'o mut (dyn Write + Send)>,
    columns: Vec<String>,
}

impl<'o> Table<'o> {
    /// Writes the header.
    pub(super) fn begin(
        columns: Columns,
        sources: &BTreeMap<i64, Source>,
        out: &'o mut (dyn Write + Send),
    ) -> io::Result<Self> {
        let first = columns
            .sources
            .first()
            .and_then(|id| sources.get(id))
            .map(|source| source.form);
        let (delimiter, mark) = match first {
            Some(Form::Delimited { delimiter, mark }) => (delimiter, mark),
            _ => (b',', false),
        };
        if mark {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let columns = columns.names(sources);
        let mut writer = ::csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(out);
        let header = columns
            .iter()
            .map(String::as_str)
            .chain([MARK])
            .chain(ADDED);
        writer.write_record(header)?;
        Ok(Self { writer, columns })
    }

    pub(super) fn write(
        &mut self,
        item: &Export,
        sources: &BTreeMap<i64, Source>,
    ) -> io::Result<()> {
        let unknown = Source::default();
        let source = sources.get(&item.source_id).unwrap_or(&unknown);
        let mut by_column = cells(item, source);
        let own = self
            .columns
            .iter()
            .map(|column| by_column.remove(column).unwrap_or_default());
        let record: Vec<String> = own
            .chain([item.state.word().to_owned()])
            .chain(added(item, source))
            .map(|cell| neutralised(&cell).into_owned())
            .collect();
        Ok(self.writer.write_record(record)?)
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
