//! Why a run refuses to send many done images anew: five of them, old beside new, and the smallest difference they share.
//!
//! A wrong manifest over an archive that is done is the dearest mistake there is, so it is shown and not only counted.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    journal::{Counts, Resent},
    runner::Share,
};

/// So many done images may be sent anew whatever part of them that is.
const FEW: u64 = 100;

/// Whether the manifests would send more done images anew than a run may.
pub fn is_too_many(most: Share, counts: Counts) -> bool {
    // A share of few says little: it counts from so many on.
    let counts_at_all = match most {
        Share::Count(_) => true,
        Share::Percent(_) => counts.resends > FEW,
    };
    counts_at_all && most.is_exceeded(counts.resends, counts.done_before)
}

/// The refusal of so many, of which `shown` are the first.
pub fn refusal(count: u64, shown: &[Resent]) -> String {
    format!(
        "{count} images that are done would be sent again with other values. Nothing was taken in or sent.{}",
        why(count, shown)
    )
}

/// What a plan says of it.
pub fn forecast(count: u64, shown: &[Resent]) -> String {
    format!(
        "A run would refuse this: {count} images that are done would be sent again with other values.{}",
        why(count, shown)
    )
}

fn why(count: u64, shown: &[Resent]) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for Resent {
        media_id,
        field,
        old,
        new,
    } in shown
    {
        let (old, new) = (cut(&inner(old)), cut(&inner(new)));
        let _ = write!(text, "\n  {media_id} {field}\n    was {old}\n    now {new}");
    }
    if let Some(shared) = shared(shown) {
        let _ = write!(text, "\n  What they share: {shared}.");
    }
    let _ = write!(
        text,
        "\nIs it the right manifest? If so, say --max-resend {count}"
    );
    text
}

/// A field's value without what is only wrapping: the text of an alt text.
fn inner(value: &Value) -> String {
    match value {
        Value::Object(members) if members.len() == 1 => {
            members.values().next().map_or_else(String::new, inner)
        }
        Value::String(text) => text.clone(),
        Value::Null => "(withdrawn)".to_owned(),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    crate::metadata::rules::quoted(text)
}

/// The smallest difference that all of them have in common, in words.
fn shared(shown: &[Resent]) -> Option<&'static str> {
    type Test = fn(&str, &str) -> bool;
    // From the smallest to the largest: the first that fits all of them is told.
    const DIFFERENCES: [(Test, &str); 6] = [
        (
            |old, new| plain(old, char::is_whitespace) == plain(new, char::is_whitespace),
            "only white space differs",
        ),
        (
            |old, new| straight(old) == straight(new),
            "only the form of quotes, dashes or dots differs",
        ),
        (
            |old, new| old.to_lowercase() == new.to_lowercase(),
            "only upper and lower case differ",
        ),
        (
            |old, new| is_question(old, new),
            "letters have become question marks or other signs: the manifest was read in a wrong encoding",
        ),
        (
            |old, new| !new.is_empty() && old.starts_with(new),
            "the texts are cut off at their end",
        ),
        (|_, new| new == "(withdrawn)", "the field is withdrawn"),
    ];
    let all = |test: &Test| {
        !shown.is_empty()
            && shown
                .iter()
                .all(|it| test(&inner(&it.old), &inner(&it.new)))
    };
    DIFFERENCES
        .iter()
        .find(|(test, _)| all(test))
        .map(|(_, words)| *words)
}

fn plain(text: &str, without: fn(char) -> bool) -> String {
    text.chars().filter(|c| !without(*c)).collect()
}

/// A text with typographic signs as a typewriter has them.
fn straight(text: &str) -> String {
    let text = text
        .replace(['\u{2018}', '\u{2019}', '\u{201a}'], "'")
        .replace(['\u{201c}', '\u{201d}', '\u{201e}'], "\"");
    text.replace(['\u{2013}', '\u{2014}'], "-")
        .replace('\u{2026}', "...")
}

/// Whether what was no ASCII has become something else, and all else is the same.
fn is_question(old: &str, new: &str) -> bool {
    let ascii = |text: &str| plain(text, |c| !c.is_ascii() || c == '?');
    !old.is_ascii() && old != new && ascii(old) == ascii(new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resent(old: &str, new: &str) -> Resent {
        let text = |text: &str| json!({"text": text});
        Resent {
            media_id: "1".parse().unwrap(),
            field: "alt_text",
            old: text(old),
            new: text(new),
        }
    }

    #[test]
    fn the_smallest_difference_that_all_share_is_told() {
        for (pairs, words) in [
            (&[("a  b", "a b"), ("c ", "c")][..], Some("white space")),
            (
                &[("\u{201c}a\u{201d} \u{2014} b", "\"a\" - b")][..],
                Some("quotes"),
            ),
            (&[("A cat", "a CAT")][..], Some("case")),
            (
                &[("Caf\u{e9}", "Caf?"), ("\u{fc}ber", "\u{c3}\u{bc}ber")][..],
                Some("encoding"),
            ),
            (&[("A long text", "A long")][..], Some("cut off")),
            (&[("a b", "a  b"), ("A dog", "A cat")][..], None),
        ] {
            let shown: Vec<_> = pairs.iter().map(|(old, new)| resent(old, new)).collect();
            match words {
                Some(words) => assert!(shared(&shown).unwrap().contains(words), "{pairs:?}"),
                None => assert_eq!(shared(&shown), None),
            }
        }
    }

    #[test]
    fn the_refusal_shows_old_beside_new_and_how_to_go_on() {
        let text = refusal(150, &[resent("Caf\u{e9}", "Caf?")]);
        for part in [
            "150 images",
            "was \"Caf\u{e9}\"",
            "now \"Caf?\"",
            "encoding",
            "--max-resend 150",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
