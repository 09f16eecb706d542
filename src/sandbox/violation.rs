//! What breaks the rules of a request body.
//!
//! Owns the walk through a body along its schema, and the wording of X's validator. Collects all violations and
//! decides no answer.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::{
    media_id::{self, MediaId},
    schema::{BODY, GEO, GEO_LISTS, Need, Shape},
};

/// A rule that a value breaks.
#[derive(Debug)]
pub(super) struct Violation {
    // As a JSON path: `$.metadata.alt_text.text`.
    path: String,
    rule: String,
    /// The value, as the answer shows it.
    pub(super) value: String,
}

impl Violation {
    pub(super) fn message(&self) -> String {
        format!("{}: {}", self.path, self.rule)
    }

    /// The name of what is wrong, as X gives it beside the message.
    pub(super) fn parameter(&self) -> &str {
        self.path.trim_start_matches('$').trim_start_matches('.')
    }
}

/// Every violation in a request body, none when it is valid.
pub(super) fn find(body: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    check(&BODY, "$", body, &mut found);
    found
}

fn check(shape: &Shape, path: &str, value: &Value, found: &mut Vec<Violation>) {
    match (shape, value) {
        (Shape::Object(fields), Value::Object(object)) => check_fields(fields, path, object, found),
        (Shape::Geo, Value::Object(_)) => check_geo(path, value, found),
        (Shape::List(item, min, max), Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                check(item, &format!("{path}[{index}]"), value, found);
            }
            if list.len() < *min {
                note(
                    found,
                    path,
                    value,
                    format!("there must be a minimum of {min} items in the array"),
                );
            } else if list.len() > *max {
                note(
                    found,
                    path,
                    value,
                    format!("there must be a maximum of {max} items in the array"),
                );
            }
        }
        (Shape::Text(max), Value::String(text)) if text.chars().count() > *max => {
            note(
                found,
                path,
                value,
                format!("may only be {max} characters long"),
            );
        }
        (Shape::Word(words), Value::String(word)) if !words.contains(&word.as_str()) => {
            let rule = format!(
                "does not have a value in the enumeration [{}]",
                words.join(", ")
            );
            note(found, path, value, rule);
        }
        (Shape::Id, Value::String(text)) if MediaId::parse(text).is_none() => {
            note(found, path, value, no_match(media_id::PATTERN));
        }
        (Shape::Country, Value::String(code))
            if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            note(found, path, value, no_match("^[a-zA-Z]{2}$"));
        }
        (Shape::Whole, Value::Number(number)) if !is_whole(number) => {
            note(found, path, value, "number found, integer expected");
        }
        (Shape::Text(_) | Shape::Word(_) | Shape::Id | Shape::Country, Value::String(_))
        | (Shape::Flag, Value::Bool(_))
        | (Shape::Number | Shape::Whole, Value::Number(_)) => {}
        (shape, value) => {
            let rule = format!(
                "{} found, {} expected",
                type_found(value),
                type_wanted(shape)
            );
            note(found, path, value, rule);
        }
    }
}

fn check_fields(
    fields: &[(&str, Need, Shape)],
    path: &str,
    object: &Map<String, Value>,
    found: &mut Vec<Violation>,
) {
    for (name, need, shape) in fields {
        let path = format!("{path}.{name}");
        match object.get(*name) {
            Some(value) => check(shape, &path, value, found),
            None if *need == Need::Required => {
                note(found, &path, &"".into(), "is missing but it is required");
            }
            None => {}
        }
    }
    for (name, value) in object {
        if !fields.iter().any(|field| field.0 == name) {
            let rule =
                "is not defined in the schema and the schema does not allow additional properties";
            note(found, &format!("{path}.{name}"), value, rule);
        }
    }
}

fn check_geo(path: &str, value: &Value, found: &mut Vec<Violation>) {
    let before = found.len();
    check(&GEO, path, value, found);
    // With a list missing or of another type there is already something to say.
    if found.len() == before {
        let filled = GEO_LISTS.iter().filter(|list| {
            value[**list]
                .as_array()
                .is_some_and(|list| !list.is_empty())
        });
        if filled.count() != 1 {
            note(
                found,
                path,
                value,
                "should be valid to one and only one schema, but 0 are valid",
            );
        }
    }
}

fn note(found: &mut Vec<Violation>, path: &str, value: &Value, rule: impl Into<Cow<'static, str>>) {
    found.push(Violation {
        path: path.to_owned(),
        rule: rule.into().into_owned(),
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    });
}

fn no_match(pattern: &str) -> String {
    format!("does not match the regex pattern {pattern}")
}

/// Whether a number fits the format `long`, however it is written: `1.0` and `1e3` do.
fn is_whole(number: &Number) -> bool {
    let fits = |float: f64| float.fract() == 0.0 && float.abs() < 9.2e18;
    number.is_i64() || number.as_f64().is_some_and(fits)
}

const fn type_wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Object(_) | Shape::Geo => "object",
        Shape::List(..) => "array",
        Shape::Text(_) | Shape::Word(_) | Shape::Id | Shape::Country => "string",
        Shape::Flag => "boolean",
        Shape::Number => "number",
        Shape::Whole => "integer",
    }
}

fn type_found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The messages for a body with this metadata, without `$.metadata.`.
    fn broken(metadata: &Value) -> Vec<String> {
        let found = find(&json!({"id": "1", "metadata": metadata}));
        found
            .iter()
            .map(|violation| violation.message().replacen("$.metadata.", "", 1))
            .collect()
    }

    #[test]
    fn a_body_with_all_13_fields_is_valid() {
        let metadata = json!({
            "allow_download_status": {"allow_download": true},
            "alt_text": {"text": "A dancing cat"},
            "audience_policy": {"creator_subscriptions": ["Any"], "x_subscriptions": []},
            "content_expiration": {"timestamp_sec": 1_740_787_200},
            "domain_restrictions": {"whitelist": ["example.com"]},
            "found_media_origin": {"id": "u5BzatR15TZ04", "provider": "giphy"},
            "geo_restrictions": {"whitelisted_country_codes": ["us", "DE"], "blacklisted_country_codes": []},
            "management_info": {"managed": false},
            "preview_image": {"media_key": {"media": "1146654567674912769", "media_category": "TweetImage"}},
            "sensitive_media_warning": {"adult_content": true, "graphic_violence": false, "other": false},
            "shared_info": {"shared": false},
            "sticker_info": {"stickers": [{"aspect_ratio": 1.78, "group_annotation_id": 987_654_321_098_765_u64,
                "id": "12345", "sticker_set_annotation_id": 123_456_789_012_345_u64, "transform_a": 1,
                "transform_b": 0, "transform_c": 0, "transform_d": 1, "transform_tx": 10.5, "transform_ty": -5.2}]},
            "upload_source": {"upload_source": "gallery"},
        });
        assert_eq!(metadata.as_object().unwrap().len(), 13);
        assert_eq!(broken(&metadata), [""; 0]);
        assert_eq!(broken(&json!({})), [""; 0]);
    }

    #[test]
    fn each_rule_is_told_with_the_path_of_what_breaks_it() {
        let long =
            "is not defined in the schema and the schema does not allow additional properties";
        for (metadata, message) in [
            (
                json!({"alt_text": {}}),
                "alt_text.text: is missing but it is required",
            ),
            (
                json!({"alt_text": null}),
                "alt_text: null found, object expected",
            ),
            (
                json!({"alt_text": {"text": 7}}),
                "alt_text.text: integer found, string expected",
            ),
            (
                json!({"alt_text": {"text": "x", "lang": "en"}}),
                &format!("alt_text.lang: {long}"),
            ),
            (
                json!({"alttext": {"text": "x"}}),
                &format!("alttext: {long}"),
            ),
            (
                json!({"content_expiration": {"timestamp_sec": "1"}}),
                "content_expiration.timestamp_sec: string found, integer expected",
            ),
            (
                json!({"content_expiration": {"timestamp_sec": 1.5}}),
                "content_expiration.timestamp_sec: number found, integer expected",
            ),
            (
                json!({"domain_restrictions": {"whitelist": [1]}}),
                "domain_restrictions.whitelist[0]: integer found, string expected",
            ),
            (
                json!({"domain_restrictions": {"whitelist": "a"}}),
                "domain_restrictions.whitelist: string found, array expected",
            ),
            (
                json!({"audience_policy": {"x_subscriptions": ["any"]}}),
                "audience_policy.x_subscriptions[0]: does not have a value in the enumeration [Any]",
            ),
            (
                json!({"found_media_origin": {"id": "1", "provider": "123456789"}}),
                "found_media_origin.provider: may only be 8 characters long",
            ),
            (
                json!({"found_media_origin": {"id": "1234567890123456789012345", "provider": "g"}}),
                "found_media_origin.id: may only be 24 characters long",
            ),
            (
                json!({"preview_image": {"media_key": {"media": "3_1"}}}),
                "preview_image.media_key.media: does not match the regex pattern ^[0-9]{1,19}$",
            ),
            (
                json!({"preview_image": {"media_key": {"media_category": "x"}}}),
                "preview_image.media_key.media_category: does not have a value in the enumeration [TweetImage]",
            ),
            (
                json!({"shared_info": {"shared": "true"}}),
                "shared_info.shared: string found, boolean expected",
            ),
            (
                json!({"sticker_info": {"stickers": []}}),
                "sticker_info.stickers: there must be a minimum of 1 items in the array",
            ),
            (
                json!({"sticker_info": {"stickers": vec![json!({}); 26]}}),
                "sticker_info.stickers: there must be a maximum of 25 items in the array",
            ),
            (
                json!({"sticker_info": {"stickers": [{"transform_a": "1"}]}}),
                "sticker_info.stickers[0].transform_a: string found, number expected",
            ),
        ] {
            assert_eq!(broken(&metadata), [message]);
        }
    }

    #[test]
    fn of_the_two_geo_lists_exactly_one_has_countries() {
        let geo = |white: &[&str], black: &[&str]| {
            broken(
                &json!({"geo_restrictions": {"whitelisted_country_codes": white, "blacklisted_country_codes": black}}),
            )
        };
        assert!(geo(&["us"], &[]).is_empty() && geo(&[], &["us", "de"]).is_empty());
        for both in [geo(&[], &[]), geo(&["us"], &["de"])] {
            assert_eq!(
                both,
                ["geo_restrictions: should be valid to one and only one schema, but 0 are valid"]
            );
        }
        let wrong = "geo_restrictions.whitelisted_country_codes[1]: does not match the regex pattern ^[a-zA-Z]{2}$";
        assert_eq!(geo(&["us", "usa"], &[]), [wrong]);
        let alone = broken(&json!({"geo_restrictions": {"whitelisted_country_codes": ["us"]}}));
        assert_eq!(
            alone,
            ["geo_restrictions.blacklisted_country_codes: is missing but it is required"]
        );
    }

    #[test]
    fn alt_text_is_counted_in_code_points() {
        let text = |count| broken(&json!({"alt_text": {"text": "🐈".repeat(count)}}));
        assert!(text(1_000).is_empty());
        assert_eq!(
            text(1_001),
            ["alt_text.text: may only be 1000 characters long"]
        );
    }

    #[test]
    fn all_violations_are_collected() {
        let body = json!({"id": "abc", "extra": 1, "metadata": {"alt_text": {}, "management_info": {"managed": 1}}});
        let paths: Vec<_> = find(&body)
            .iter()
            .map(|found| found.parameter().to_owned())
            .collect();
        assert_eq!(
            paths,
            [
                "id",
                "metadata.alt_text.text",
                "metadata.management_info.managed",
                "extra"
            ]
        );
        assert_eq!(
            find(&json!([]))[0].message(),
            "$: array found, object expected"
        );
    }
}
