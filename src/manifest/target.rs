//! What a column or key can supply, and how its name may be spelt.
//!
//! Owns [`Target`] and the names. Knows nothing of the other columns beside one.

use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::fault::is_invisible;
use crate::metadata::schema::{self, Kind, Member, Place};

/// What a column or key supplies.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The media id.
    Id,
    /// The address of the image, from which the id is read.
    Url,
    /// The whole of the metadata, as JSON.
    Metadata,
    /// One place of the schema, with its dotted path.
    Place(Place, String),
    /// The account, which is reserved.
    Account,
    /// Nothing: it is carried into reports.
    Carried,
    /// Nothing: a report added it.
    Dropped,
}

impl Target {
    /// What a header or key means by itself; `Carried` where it means nothing.
    #[must_use]
    pub fn of(header: &str) -> Self {
        let name = normal(header);
        match name.as_str() {
            "media_id" | "id" => Self::Id,
            "media_url" => Self::Url,
            "metadata" => Self::Metadata,
            "account" => Self::Account,
            "alt_text" => Self::of("alt_text.text"),
            _ => schema::place(&name).map_or(Self::Carried, |place| Self::Place(place, name)),
        }
    }

    /// The name under which it is known.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Id => "media_id",
            Self::Url => "media_url",
            Self::Metadata => "metadata",
            Self::Account => "account",
            Self::Place(_, path) => short(path),
            Self::Carried | Self::Dropped => "",
        }
    }

    pub(super) const fn is_id(&self) -> bool {
        matches!(self, Self::Id | Self::Url)
    }
}

/// A dotted path as people write it.
pub(super) fn short(path: &str) -> &str {
    if path == "alt_text.text" {
        "alt_text"
    } else {
        path
    }
}

/// A name without what a spreadsheet or a person changes: case, accents, outer and invisible characters, and a space
/// where the name has `_`.
pub(super) fn normal(header: &str) -> String {
    let plain: String = header
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    words
        .join("_")
        .replace("_._", ".")
        .replace("_.", ".")
        .replace("._", ".")
}

/// The dotted paths of all places, objects included, and the other names of a manifest's data.
pub(super) fn fields() -> &'static [String] {
    static FIELDS: LazyLock<Vec<String>> = LazyLock::new(all_fields);
    &FIELDS
}

fn all_fields() -> Vec<String> {
    fn walk(members: &[Member], prefix: &str, into: &mut Vec<String>) {
        for member in members {
            let path = format!("{prefix}{}", member.name);
            if let Kind::Object(inner) = &member.kind {
                walk(inner, &format!("{path}."), into);
            }
            into.push(path);
        }
    }
    let mut into = vec!["metadata".to_owned()];
    walk(&schema::FIELDS, "", &mut into);
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_accents_do_not_matter() {
        for header in [
            "media_id",
            " Media_ID ",
            "MEDIA ID",
            "Média id",
            "\u{feff}id",
            "ｉｄ",
        ] {
            assert_eq!(Target::of(header), Target::Id, "{header:?}");
        }
        assert_eq!(Target::of("Alt Text"), Target::of("alt_text.text"));
        assert_eq!(
            Target::of("Geo Restrictions . Whitelisted Country Codes").name(),
            "geo_restrictions.whitelisted_country_codes"
        );
        assert_eq!(Target::of("Alt-Text"), Target::Carried);
    }
}
