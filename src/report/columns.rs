//! The columns of a report that has a header, and an item's cells under them.
//!
//! Owns their order: those of the manifests as these were taken in, then what only JSON lines have, then what is added.

use std::collections::{BTreeMap, BTreeSet};

use super::{ADDED, MARK, added, cells, used};
use crate::{
    journal::Export,
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

    /// The form of the manifest that was taken in first.
    pub(super) fn first_form(&self, sources: &BTreeMap<i64, Source>) -> Option<Form> {
        let first = self.sources.first()?;
        sources.get(first).map(|source| source.form)
    }

    /// What the header says.
    pub(super) fn header(self, sources: &BTreeMap<i64, Source>) -> Header {
        let used = self.sources.iter().filter_map(|id| sources.get(id));
        let of_headers = used
            .clone()
            .flat_map(|source| source.columns.iter().cloned());
        let has_lines = used.clone().any(|source| source.form == Form::JsonLines);
        let id = (has_lines || self.sources.is_empty()).then(|| "media_id".to_owned());
        let mut own: Vec<String> = Vec::new();
        for name in of_headers.chain(id).chain(self.paths).chain(self.keys) {
            let is_ours = name == MARK || ADDED.contains(&name.as_str());
            if !is_ours && !own.contains(&name) {
                own.push(name);
            }
        }
        Header { own }
    }
}

/// A header.
#[derive(Debug)]
pub(super) struct Header {
    own: Vec<String>,
}

impl Header {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.own.iter().map(String::as_str);
        own.chain([MARK]).chain(ADDED)
    }

    /// The cells of an item, one for each name.
    pub(super) fn row(
        &self,
        item: &Export,
        sources: &BTreeMap<i64, Source>,
    ) -> impl Iterator<Item = String> {
        let unknown = Source::default();
        let source = sources.get(&item.source_id).unwrap_or(&unknown);
        let mut by_column = cells(item, source);
        let added = added(item, source);
        let own = self
            .own
            .iter()
            .map(move |column| by_column.remove(column).unwrap_or_default());
        own.chain([item.state.word().to_owned()]).chain(added)
    }
}
