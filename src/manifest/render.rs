//! How wanted metadata is written into a cell again, and how a cell is kept from being run as a formula.
//!
//! Owns [`render`] and [`cell`], by which a report fills the cells that a row's `carried` leaves out, and the pair of
//! [`neutralised`] and [`restored`]. What comes out is what [`crate::metadata::cell`] reads.

use std::borrow::Cow;

use serde_json::Value;

use super::target::Target;
use crate::{
    item::MediaId,
    metadata::{Field, Metadata, schema::Place},
};

/// What a cell under `header` holds for an item, where its row carries no text of its own for it.
#[must_use]
pub fn cell(header: &str, id: &MediaId, metadata: &Metadata) -> Option<String> {
    match Target::of(header) {
        Target::Id => Some(id.to_string()),
        Target::Place(place, path) => render(&place, &path, metadata),
        // A filled cell of whole metadata is always carried, so that no report says a field in two columns.
        _ => None,
    }
}

/// The text of one place of the schema, at its dotted path, for a cell; none where the metadata does not have it.
#[must_use]
pub fn render(place: &Place, path: &str, metadata: &Metadata) -> Option<String> {
    render_in(place, path, metadata.get(place.field)?)
}

/// The same out of the value of the place's field.
pub(super) fn render_in(place: &Place, path: &str, field: &Value) -> Option<String> {
    let value = path
        .split('.')
        .skip(1)
        .try_fold(field, |value, name| value.get(name))?;
    match value {
        Value::Null => None,
        // The other geo list is sent as [] when one is given: nobody wrote that.
        Value::Array(entries) if entries.is_empty() && place.field == Field::GeoRestrictions => {
            None
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(entries) => Some(list(entries).unwrap_or_else(|| value.to_string())),
        other => Some(other.to_string()),
    }
}

/// Texts between `|`, where that can be read back as the same list.
fn list(entries: &[Value]) -> Option<String> {
    let texts: Vec<_> = entries.iter().map(Value::as_str).collect::<Option<_>>()?;
    let plain = |text: &&str| !text.is_empty() && text.trim() == *text && !text.contains('|');
    let safe = !texts.first()?.starts_with('[') && texts.iter().all(plain);
    safe.then(|| texts.join("|"))
}

/// Whether a cell is, behind any apostrophes, what a spreadsheet runs as a formula.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// A cell as a report writes it: with an apostrophe in front where a spreadsheet would run it.
#[must_use]
pub fn neutralised(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A cell of a report as it was before [`neutralised`].
#[must_use]
pub fn restored(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_written_as_it_would_be_read() {
        let json = json!({
            "alt_text": {"text": " a "},
            "sensitive_media_warning": {"adult_content": true},
            "content_expiration": {"timestamp_sec": 1_893_456_000},
            "geo_restrictions": {"whitelisted_country_codes": ["us", "de"], "blacklisted_country_codes": []},
            "domain_restrictions": {"whitelist": ["a|b"]},
            "audience_policy": {"x_subscriptions": []},
            "preview_image": {"media_key": {"media": "12"}},
        });
        let metadata = Metadata::from_json(&json.to_string()).unwrap();
        let id: MediaId = "7".parse().unwrap();
        for (header, expected) in [
            ("ID", Some("7")),
            ("Alt Text", Some(" a ")),
            ("sensitive_media_warning.adult_content", Some("true")),
            ("sensitive_media_warning.other", None),
            ("sensitive_media_warning", Some("{\"adult_content\":true}")),
            ("content_expiration.timestamp_sec", Some("1893456000")),
            ("geo_restrictions.whitelisted_country_codes", Some("us|de")),
            ("geo_restrictions.blacklisted_country_codes", None),
            ("domain_restrictions.whitelist", Some("[\"a|b\"]")),
            ("audience_policy.x_subscriptions", Some("[]")),
            ("preview_image.media_key.media", Some("12")),
            ("shared_info.shared", None),
            ("media_url", None),
            ("note", None),
        ] {
            assert_eq!(
                cell(header, &id, &metadata).as_deref(),
                expected,
                "{header}"
            );
        }
    }

    #[test]
    fn what_is_neutralised_is_restored() {
        for text in [
            "=1+1", "-1", "+1", "@a", "'=1", "''-1", "\tx", "\rx", "＝1", "'", "", "a", "'a",
            "it's",
        ] {
            assert_eq!(restored(&neutralised(text)), text, "{text:?}");
        }
        assert_eq!(neutralised("=1+1"), "'=1+1");
        assert_eq!(restored("'a"), "'a");
    }
}
