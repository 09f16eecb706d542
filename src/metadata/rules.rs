//! What makes metadata valid: every rule of the schema and of its prose, enforced once, when a row is parsed.
//!
//! Owns [`Violation`], one thing that is wrong with one value and how to mend it. Walks values along the table in
//! [`super::schema`]; the two rules that no table can hold (the two lists of geo restrictions, an expiry in the future)
//! stand here by name.

use serde_json::{Map, Value};

use super::schema::{Field, Kind, Member};
use crate::{item::MediaId, time::Timestamp};

/// 2100-01-01T00:00:00Z in Unix seconds: an expiry beyond it is a slip, most often milliseconds.
const LATEST_EXPIRY: i64 = 4_102_444_800;

/// One thing that is wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the metadata, dotted: `geo_restrictions.whitelisted_country_codes[1]`.
    pub path: String,
    /// The rule's name, which does not change between versions.
    pub rule: &'static str,
    /// What is wrong, as the end of a sentence about the place.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Violation {
    /// A violation of `rule` at `path`.
    pub fn new(path: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            rule,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Checks an object of fields by all rules and brings it into the form in which it is sent.
pub(super) fn parse(
    object: Map<String, Value>,
    now: Timestamp,
) -> Result<Vec<(Field, Option<Value>)>, Vec<Violation>> {
    let mut fields = Vec::with_capacity(object.len());
    let mut check = Check {
        now,
        violations: Vec::new(),
    };
    for (name, mut value) in object {
        let Some(field) = Field::named(&name) else {
            check.unknown(
                &name,
                &name,
                "metadata",
                Field::ALL.iter().map(|field| field.name()),
            );
            continue;
        };
        if value.is_null() {
            fields.push((field, None));
            continue;
        }
        let before = check.violations.len();
        if field == Field::GeoRestrictions {
            complete_geo_lists(&mut value);
        }
        check.value(&field.member().kind, &mut value, &name);
        if field == Field::GeoRestrictions && check.violations.len() == before {
            check.geo_lists(&value, &name);
        }
        fields.push((field, Some(value)));
    }
    if check.violations.is_empty() {
        fields.sort_unstable_by_key(|(field, _)| *field);
        Ok(fields)
    } else {
        Err(check.violations)
    }
}

/// When one geo list is given the other is sent as `[]`, as the schema wants both.
fn complete_geo_lists(value: &mut Value) {
    if let Value::Object(object) = value {
        let lists = ["whitelisted_country_codes", "blacklisted_country_codes"];
        if lists.iter().any(|list| object.contains_key(*list)) {
            for list in lists {
                object
                    .entry(list)
                    .or_insert_with(|| Value::Array(Vec::new()));
            }
        }
    }
}

struct Check {
    now: Timestamp,
    violations: Vec<Violation>,
}

impl Check {
    fn found(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    fn unknown<'a>(
        &mut self,
        path: &str,
        name: &str,
        of: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let known: Vec<_> = known.collect();
        let near = known
            .iter()
            .find(|known| strsim::osa_distance(known, &name.to_lowercase()) <= 2);
        let violation = Violation::new(path, "unknown-field", format!("is no field of {of}"));
        self.found(match near {
            Some(near) => violation.hint(format!("Did you mean {near:?}?")),
            None => violation.hint(format!("Known are: {}.", known.join(", "))),
        });
    }

    fn value(&mut self, kind: &Kind, value: &mut Value, path: &str) {
        match kind {
            Kind::Boolean => {
                if !value.is_boolean() {
                    self.found(wrong_type(path, value, "true or false"));
                }
            }
            Kind::Text { at_most } => match value {
                Value::String(text) => self.text(text, *at_most, path),
                _ => self.found(wrong_type(path, value, "a text")),
            },
            Kind::Choice(words) => {
                if !value.as_str().is_some_and(|text| words.contains(&text)) {
                    let known = words.join(", ");
                    self.found(Violation::new(
                        path,
                        "choice",
                        format!("is {}, and may only be {known}", shown(value)),
                    ));
                }
            }
            Kind::MediaId => match value {
                Value::String(text) => {
                    if let Err(why) = text.parse::<MediaId>() {
                        self.found(Violation::new(path, "media-id", why.to_string()));
                    }
                }
                _ => self.found(wrong_type(path, value, "a media id, as a text")),
            },
            Kind::CountryCode => {
                let valid = |text: &str| {
                    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
                };
                if !value.as_str().is_some_and(valid) {
                    self.found(
                        Violation::new(
                            path,
                            "country-code",
                            format!("is {}, which is no country code", shown(value)),
                        )
                        .hint("Write two letters (ISO 3166-1 alpha-2), for example us, de, jp."),
                    );
                }
            }
            Kind::Integer => match whole(value) {
                Some(_) => {}
                None => self.found(wrong_type(path, value, "a whole number of at most 64 bits")),
            },
            Kind::Number => {
                if !value.is_number() {
                    self.found(wrong_type(path, value, "a number"));
                }
            }
            Kind::UnixSeconds => self.expiry(value, path),
            Kind::List {
                of,
                at_least,
                at_most,
            } => self.list(of, (*at_least, *at_most), value, path),
            Kind::Object(members) => self.object(members, value, path),
        }
    }

    fn text(&mut self, text: &str, at_most: Option<usize>, path: &str) {
        // A text is never longer in code points than in bytes: most need no counting.
        if let Some(most) = at_most.filter(|most| text.len() > *most) {
            let length = text.chars().count();
            if length > most {
                let over = length - most;
                self.found(
                    Violation::new(
                        path,
                        "too-long",
                        format!("has {length} characters, and X takes at most {most}"),
                    )
                    .hint(format!("Shorten it by {over}.")),
                );
            }
        }
    }

    fn expiry(&mut self, value: &mut Value, path: &str) {
        let hint =
            "Write Unix seconds (1893456000) or a date with its offset (2030-01-01T00:00:00Z).";
        let seconds = match value {
            Value::String(text) => Timestamp::parse(text).map(Timestamp::seconds),
            _ => whole(value),
        };
        let Some(seconds) = seconds else {
            let message = format!("is {}, which is no point in time", shown(value));
            return self.found(Violation::new(path, "expiry", message).hint(hint));
        };
        if seconds <= self.now.seconds() {
            let message = format!("is {}, which is in the past", shown(value));
            self.found(
                Violation::new(path, "expiry-past", message)
                    .hint("Give a later date, or leave the cell empty."),
            );
        } else if seconds > LATEST_EXPIRY {
            let message = format!("is {}, which is beyond the year 2100", shown(value));
            self.found(
                Violation::new(path, "expiry-far", message)
                    .hint("Are these milliseconds? X counts seconds."),
            );
        } else if value.is_string() {
            *value = Value::from(seconds);
        }
    }

    fn list(
        &mut self,
        of: &Kind,
        (at_least, at_most): (usize, usize),
        value: &mut Value,
        path: &str,
    ) {
        let Value::Array(entries) = value else {
            return self.found(wrong_type(path, value, "a list"));
        };
        if !(at_least..=at_most).contains(&entries.len()) {
            let message = format!(
                "has {} entries, and X takes {at_least} to {at_most}",
                entries.len()
            );
            self.found(Violation::new(path, "list-length", message));
        }
        for (index, entry) in entries.iter_mut().enumerate() {
            self.value(of, entry, &format!("{path}[{index}]"));
        }
    }

    fn object(&mut self, members: &[Member], value: &mut Value, path: &str) {
        let Value::Object(object) = value else {
            return self.found(wrong_type(path, value, "an object"));
        };
        for (name, value) in object.iter_mut() {
            let inner = format!("{path}.{name}");
            match members.iter().find(|member| member.name == name) {
                Some(member) => self.value(&member.kind, value, &inner),
                None => self.unknown(&inner, name, path, members.iter().map(|member| member.name)),
            }
        }
        for member in members
            .iter()
            .filter(|member| member.required && !object.contains_key(member.name))
        {
            let inner = format!("{path}.{}", member.name);
            self.found(Violation::new(
                inner,
                "missing",
                format!("is missing, and X wants it in {path}"),
            ));
        }
    }

    fn geo_lists(&mut self, value: &Value, path: &str) {
        let filled = |list: &str| {
            value[list]
                .as_array()
                .is_some_and(|entries| !entries.is_empty())
        };
        let problem = match (
            filled("whitelisted_country_codes"),
            filled("blacklisted_country_codes"),
        ) {
            (true, true) => "has both a whitelist and a blacklist, and X takes only one",
            (false, false) => "has neither a whitelist nor a blacklist, and X takes exactly one",
            _ => return,
        };
        self.found(
            Violation::new(path, "geo-lists", problem)
                .hint("Fill one of the two lists and leave the other empty."),
        );
    }
}

/// A whole number of at most 64 bits, also when it is written with a point or an exponent (`1.0`, `1e3`).
fn whole(value: &Value) -> Option<i64> {
    // 2^53: up to here a floating point number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|_| value.is_f64())?;
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    })
}

fn wrong_type(path: &str, value: &Value, wanted: &str) -> Violation {
    Violation::new(
        path,
        "type",
        format!("is {}, and must be {wanted}", shown(value)),
    )
}

/// A value as an error shows it: cut to a length, and never with a raw control character.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => quoted(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// A text in quotes, cut to 40 characters, with control characters escaped.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(json: Value) -> Vec<(String, &'static str)> {
        let Value::Object(object) = json else {
            panic!("an object")
        };
        match parse(object, Timestamp::from_seconds(1_700_000_000)) {
            Ok(_) => Vec::new(),
            Err(violations) => violations
                .into_iter()
                .map(|found| (found.path, found.rule))
                .collect(),
        }
    }

    fn one(path: &str, rule: &'static str) -> Vec<(String, &'static str)> {
        vec![(path.to_owned(), rule)]
    }

    #[test]
    fn a_body_with_all_thirteen_fields_is_valid() {
        let all = json!({
            "allow_download_status": {"allow_download": true},
            "alt_text": {"text": "A dancing cat"},
            "audience_policy": {"creator_subscriptions": ["Any"], "x_subscriptions": []},
            "content_expiration": {"timestamp_sec": 1_840_787_200},
            "domain_restrictions": {"whitelist": ["example.org"]},
            "found_media_origin": {"provider": "giphy", "id": "u5BzatR15TZ04"},
            "geo_restrictions": {"whitelisted_country_codes": ["us", "DE"], "blacklisted_country_codes": []},
            "management_info": {"managed": false},
            "preview_image": {"media_key": {"media": "1146654567674912769", "media_category": "TweetImage"}},
            "sensitive_media_warning": {"adult_content": true, "graphic_violence": false, "other": false},
            "shared_info": {"shared": false},
            "sticker_info": {"stickers": [{"id": "1", "aspect_ratio": 1.78, "group_annotation_id": 987_654_321_098_765_i64}]},
            "upload_source": {"upload_source": "gallery"},
        });
        assert_eq!(found(all), []);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of rules")]
    fn each_rule_names_the_place_that_breaks_it() {
        let stickers: Vec<_> = (0..26).map(|_| json!({})).collect();
        for (json, path, rule) in [
            (
                json!({"alt_txt": {"text": "a"}}),
                "alt_txt",
                "unknown-field",
            ),
            (json!({"alt_text": "a"}), "alt_text", "type"),
            (json!({"alt_text": {}}), "alt_text.text", "missing"),
            (json!({"alt_text": {"text": 7}}), "alt_text.text", "type"),
            (
                json!({"alt_text": {"text": "a", "lang": "en"}}),
                "alt_text.lang",
                "unknown-field",
            ),
            (
                json!({"alt_text": {"text": "ä".repeat(1_001)}}),
                "alt_text.text",
                "too-long",
            ),
            (
                json!({"allow_download_status": {"allow_download": "true"}}),
                "allow_download_status.allow_download",
                "type",
            ),
            (
                json!({"audience_policy": {"x_subscriptions": ["All"]}}),
                "audience_policy.x_subscriptions[0]",
                "choice",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": "soon"}}),
                "content_expiration.timestamp_sec",
                "expiry",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": "2030-01-01T00:00:00"}}),
                "content_expiration.timestamp_sec",
                "expiry",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": 1_700_000_000}}),
                "content_expiration.timestamp_sec",
                "expiry-past",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": 1_740_787_200_000_i64}}),
                "content_expiration.timestamp_sec",
                "expiry-far",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": 1_840_787_200.5}}),
                "content_expiration.timestamp_sec",
                "expiry",
            ),
            (
                json!({"domain_restrictions": {"whitelist": "example.org"}}),
                "domain_restrictions.whitelist",
                "type",
            ),
            (
                json!({"found_media_origin": {"provider": "giphygiph", "id": "a"}}),
                "found_media_origin.provider",
                "too-long",
            ),
            (
                json!({"found_media_origin": {"provider": "giphy", "id": "a".repeat(25)}}),
                "found_media_origin.id",
                "too-long",
            ),
            (
                json!({"found_media_origin": {"provider": "giphy"}}),
                "found_media_origin.id",
                "missing",
            ),
            (
                json!({"geo_restrictions": {}}),
                "geo_restrictions.whitelisted_country_codes",
                "missing",
            ),
            (
                json!({"geo_restrictions": {"whitelisted_country_codes": ["usa"]}}),
                "geo_restrictions.whitelisted_country_codes[0]",
                "country-code",
            ),
            (
                json!({"geo_restrictions": {"whitelisted_country_codes": ["us"], "blacklisted_country_codes": ["de"]}}),
                "geo_restrictions",
                "geo-lists",
            ),
            (
                json!({"geo_restrictions": {"whitelisted_country_codes": []}}),
                "geo_restrictions",
                "geo-lists",
            ),
            (
                json!({"preview_image": {"media_key": {"media": "12a"}}}),
                "preview_image.media_key.media",
                "media-id",
            ),
            (
                json!({"preview_image": {"media_key": {"media": 12}}}),
                "preview_image.media_key.media",
                "type",
            ),
            (
                json!({"preview_image": {"media_key": {"media_category": "TweetVideo"}}}),
                "preview_image.media_key.media_category",
                "choice",
            ),
            (
                json!({"sticker_info": {"stickers": []}}),
                "sticker_info.stickers",
                "list-length",
            ),
            (
                json!({"sticker_info": {"stickers": stickers}}),
                "sticker_info.stickers",
                "list-length",
            ),
            (
                json!({"sticker_info": {"stickers": [{"group_annotation_id": 1.5}]}}),
                "sticker_info.stickers[0].group_annotation_id",
                "type",
            ),
            (
                json!({"sticker_info": {"stickers": [{"transform_a": "1"}]}}),
                "sticker_info.stickers[0].transform_a",
                "type",
            ),
            (
                json!({"management_info": {"managed": null}}),
                "management_info.managed",
                "type",
            ),
        ] {
            let mut expected = one(path, rule);
            if json == json!({"geo_restrictions": {}}) {
                expected.push((
                    "geo_restrictions.blacklisted_country_codes".to_owned(),
                    "missing",
                ));
            }
            assert_eq!(found(json.clone()), expected, "{json}");
        }
    }

    #[test]
    fn all_violations_of_a_row_are_found() {
        let json = json!({"alt_text": {"text": 1}, "shared_info": {}, "management_info": {"managed": "no"}});
        assert_eq!(found(json).len(), 3);
    }

    #[test]
    fn the_missing_geo_list_is_sent_as_an_empty_one() {
        let Value::Object(object) =
            json!({"geo_restrictions": {"blacklisted_country_codes": ["us"]}})
        else {
            panic!()
        };
        let fields = parse(object, Timestamp(0)).unwrap();
        assert_eq!(
            fields[0].1,
            Some(json!({"blacklisted_country_codes": ["us"], "whitelisted_country_codes": []}))
        );
    }

    #[test]
    fn a_date_is_sent_as_unix_seconds() {
        let Value::Object(object) =
            json!({"content_expiration": {"timestamp_sec": "2030-01-01T01:00:00+01:00"}})
        else {
            panic!()
        };
        let fields = parse(object, Timestamp(0)).unwrap();
        assert_eq!(fields[0].1, Some(json!({"timestamp_sec": 1_893_456_000})));
    }

    #[test]
    fn a_thousand_code_points_are_not_too_long_however_many_bytes_they_have() {
        assert_eq!(found(json!({"alt_text": {"text": "👩".repeat(1_000)}})), []);
    }

    #[test]
    fn a_control_character_is_never_shown_raw() {
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
    }
}
