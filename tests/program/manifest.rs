//! Manifests for the tests: ids and texts that can be reckoned again.

use serde_json::{Value, json};

/// The media id of an item by its number, as long as X's.
pub fn id(number: usize) -> String {
    (1_865_432_109_876_543_211_u64 + 7 * number as u64).to_string()
}

/// The ids of so many items.
pub fn ids(count: usize) -> Vec<String> {
    (0..count).map(id).collect()
}

/// The text of an item.
pub fn text(number: usize) -> String {
    format!("Picture {number}, \"taken\" in Zürich 🌄")
}

/// A CSV of the items from 0, with their texts.
pub fn texts(count: usize) -> String {
    texts_by(count, text)
}

/// A CSV of the items from 0, with texts of one's own.
pub fn texts_by(count: usize, text: impl Fn(usize) -> String) -> String {
    let rows = (0..count).map(|number| vec![id(number), text(number)]);
    csv(&["media_id", "alt_text"], rows)
}

/// A CSV with this header.
pub fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    let lines = std::iter::once(header).chain(rows).map(|row: Vec<String>| {
        let cells: Vec<_> = row
            .iter()
            .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
            .collect();
        cells.join(",") + "\n"
    });
    lines.collect()
}

/// The body that must be sent for an item whose text alone is wanted.
pub fn body(number: usize) -> Value {
    json!({"id": id(number), "metadata": {"alt_text": {"text": text(number)}}})
}
