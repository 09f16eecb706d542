//! A value out of a spreadsheet's cell: text that stands for a boolean, a number, a list or an object.
//!
//! Owns the reading of one cell by the kind of its place. Leaves it to [`super::rules`] to judge what comes out.

use serde_json::Value;

use super::{
    rules::{Violation, quoted},
    schema::Kind,
};

/// Reads a cell that is not empty.
///
/// # Errors
/// What is wrong with it, where it can't be read as `kind` at all.
pub fn read(cell: &str, kind: &Kind, path: &str) -> Result<Value, Violation> {
    let trimmed = cell.trim();
    let wrong = |wanted: &str| {
        Violation::new(
            path,
            "type",
            format!("is {}, and must be {wanted}", quoted(cell)),
        )
    };
    match kind {
        // Texts are sent as they are written, white space included.
        Kind::Text { .. } => Ok(Value::from(cell)),
        Kind::Choice(_) | Kind::MediaId | Kind::CountryCode => Ok(Value::from(trimmed)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        Kind::Boolean => Err(match trimmed.to_lowercase().as_str() {
            "yes" | "y" | "1" | "on" | "ja" | "wahr" | "oui" | "vrai" | "si" | "sí" | "x" => {
                wrong("true or false").hint("Write true.")
            }
            "no" | "n" | "0" | "off" | "nein" | "falsch" | "non" | "faux" => {
                wrong("true or false").hint("Write false.")
            }
            _ => wrong("true or false"),
        }),
        Kind::UnixSeconds => Ok(number(trimmed).unwrap_or_else(|| Value::from(trimmed))),
        Kind::Integer | Kind::Number => number(trimmed).ok_or_else(|| {
            let violation = wrong("a number");
            if trimmed.contains(',') {
                violation.hint("Write a point for the decimal comma.")
            } else {
                violation
            }
        }),
        Kind::List { of, .. } => match trimmed.strip_prefix('[') {
            Some(_) => json(trimmed, path),
            None => list(cell, of, path),
        },
        Kind::Object(_) if trimmed.starts_with('{') => json(trimmed, path),
        Kind::Object(_) => {
            Err(wrong("a JSON object")
                .hint("Write it as {…}, or use a column for each of its parts."))
        }
    }
}

fn list(cell: &str, of: &Kind, path: &str) -> Result<Value, Violation> {
    let entries = cell.split('|').enumerate().map(|(index, entry)| {
        let path = format!("{path}[{index}]");
        if entry.trim().is_empty() {
            return Err(Violation::new(path, "empty-entry", "is empty")
                .hint("Remove the surplus | from the list."));
        }
        read(entry.trim(), of, &path)
    });
    entries.collect::<Result<_, _>>().map(Value::Array)
}

fn number(text: &str) -> Option<Value> {
    // JSON knows no leading plus or zero, and neither NaN nor infinity: what is left is what X can take.
    serde_json::from_str(text).ok().filter(Value::is_number)
}

/// Reads a cell, or a part of one, that holds JSON.
///
/// # Errors
/// Where and why it is no JSON.
pub fn json(text: &str, path: &str) -> Result<Value, Violation> {
    serde_json::from_str(text).map_err(|error| {
        Violation::new(path, "json", format!("is no valid JSON: {error}"))
            .hint("In a CSV each quote inside the cell is written twice: [{\"\"id\"\":\"\"1\"\"}].")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::schema::place;

    fn cell(path: &str, text: &str) -> Result<Value, &'static str> {
        read(text, &place(path).unwrap().member.kind, path).map_err(|violation| violation.rule)
    }

    #[test]
    fn a_cell_is_read_by_the_kind_of_its_place() {
        assert_eq!(cell("alt_text", "  true "), Ok(json!("  true ")));
        assert_eq!(cell("alt_text", "[1]"), Ok(json!("[1]")));
        assert_eq!(cell("shared_info.shared", " TRUE "), Ok(json!(true)));
        assert_eq!(cell("shared_info.shared", "yes"), Err("type"));
        assert_eq!(
            cell("content_expiration.timestamp_sec", " 1893456000 "),
            Ok(json!(1_893_456_000))
        );
        assert_eq!(
            cell("content_expiration.timestamp_sec", "2030-01-01T00:00:00Z"),
            Ok(json!("2030-01-01T00:00:00Z"))
        );
        assert_eq!(
            cell("domain_restrictions.whitelist", "a.org | b.org"),
            Ok(json!(["a.org", "b.org"]))
        );
        assert_eq!(
            cell("domain_restrictions.whitelist", "a.org||b.org"),
            Err("empty-entry")
        );
        assert_eq!(
            cell("domain_restrictions.whitelist", r#" ["a|b"]"#),
            Ok(json!(["a|b"]))
        );
        assert_eq!(cell("sticker_info.stickers", "[{]"), Err("json"));
        assert_eq!(
            cell("shared_info", r#"{"shared":true}"#),
            Ok(json!({"shared": true}))
        );
        assert_eq!(cell("shared_info", "shared"), Err("type"));
        assert_eq!(
            cell("preview_image.media_key.media", " 12 "),
            Ok(json!("12"))
        );
    }
}
