//! A report as JSON lines: each the request body, with what was carried and what was added beside it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Map, Value, json};

use super::{ADDED, MARK, added, cells};
use crate::{
    journal::Export,
    manifest::Target,
    row::{Form, Source},
};

pub(super) fn write(
    item: &Export,
    sources: &BTreeMap<i64, Source>,
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let unknown = Source::default();
    let source = sources.get(&item.source_id).unwrap_or(&unknown);
    let mut line = Map::new();
    line.insert("id".to_owned(), json!(item.media_id.as_str()));
    line.insert("metadata".to_owned(), item.wanted.to_json());
    if source.form == Form::JsonLines {
        if let Some(Value::Object(keys)) = &item.carried {
            line.extend(keys.clone());
        }
    } else {
        // What the fields tell already is not told twice.
        let others = cells(item, source).into_iter().filter(|(column, cell)| {
            !cell.is_empty() && matches!(Target::of(column), Target::Carried)
        });
        line.extend(others.map(|(column, cell)| (column, Value::from(cell))));
    }
    line.insert(MARK.to_owned(), json!(item.state.word()));
    for (name, value) in ADDED.into_iter().zip(added(item, source)) {
        line.insert(
            name.to_owned(),
            if name == "line" {
                json!(item.line)
            } else {
                json!(value)
            },
        );
    }
    writeln!(out, "{}", Value::Object(line))
}
