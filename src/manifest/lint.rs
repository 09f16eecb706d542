//! What makes an alt text of little use to those who need it, though X would take it.
//!
//! Owns the [`Rule`]s, whose names do not change between versions, and [`lint`], which applies them to one text.
//! [`Repeats`] finds one text on many items in bounded memory. Only warns: whether a warning stops a run is not for here.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::mojibake;
use crate::{metadata::Field, row::Row};

/// A rule of the lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The text is empty or nothing but white space and invisible characters.
    Blank,
    /// It is a file's name, such as `IMG_1234.jpg`.
    FileName,
    /// It has an address in it, which a screen reader spells out.
    Url,
    /// It begins with *image of* or the like, which a screen reader has said already.
    ImageOf,
    /// It stands in for a text that was to come, such as `TODO` or `alt text`.
    Placeholder,
    /// Its characters were read in a wrong encoding, such as `Ã©` for `é`.
    Mojibake,
    /// It stands on many items.
    Repeated,
    /// It is shorter than a word.
    TooShort,
    /// It is in capitals, which some screen readers spell out.
    AllCapitals,
    /// It has a control character.
    ControlCharacter,
    /// It has a character that overrides the direction of what follows.
    BidiOverride,
    /// It has more than 1,000 UTF-16 units, though at most 1,000 characters: X may count the former.
    Utf16Length,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Blank,
        Self::FileName,
        Self::Url,
        Self::ImageOf,
        Self::Placeholder,
        Self::Mojibake,
        Self::Repeated,
        Self::TooShort,
        Self::AllCapitals,
        Self::ControlCharacter,
        Self::BidiOverride,
        Self::Utf16Length,
    ];

    /// Its name, which does not change between versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blank => "alt-blank",
            Self::FileName => "alt-file-name",
            Self::Url => "alt-url",
            Self::ImageOf => "alt-image-of",
            Self::Placeholder => "alt-placeholder",
            Self::Mojibake => "alt-mojibake",
            Self::Repeated => "alt-repeated",
            Self::TooShort => "alt-too-short",
            Self::AllCapitals => "alt-all-capitals",
            Self::ControlCharacter => "alt-control-character",
            Self::BidiOverride => "alt-bidi-override",
            Self::Utf16Length => "alt-utf16-length",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Blank | Self::Placeholder | Self::TooShort => {
                "Say in a sentence what the image shows."
            }
            Self::FileName => "Say what the image shows in place of the file's name.",
            Self::Url => "Leave the address out, and say what the image shows.",
            Self::ImageOf => "Leave the beginning out: screen readers say that it is an image.",
            Self::Mojibake => {
                "Export the texts again as UTF-8, or name the file's encoding with --encoding."
            }
            Self::Repeated => "Is it a placeholder, or did a column slip?",
            Self::AllCapitals => "Write it in lower case: some screen readers spell capitals out.",
            Self::ControlCharacter | Self::BidiOverride => {
                "Remove the character, which most often came along by copying."
            }
            Self::Utf16Length => "Shorten it: emoji and rare letters may count twice.",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One text that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// What is the matter, as the end of a sentence about the text.
    pub message: String,
}

/// The alt text that a row gives, where it gives one.
#[must_use]
pub fn alt_text(row: &Row) -> Option<&str> {
    row.patch
        .fields()
        .find(|(field, _)| *field == Field::AltText)?
        .1?
        .get("text")?
        .as_str()
}

/// All that one alt text breaks by itself.
#[must_use]
pub fn lint(text: &str) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |rule, message: String| found.push(Warning { rule, message });
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || super::fault::is_invisible(c));
    if trimmed.is_empty() {
        warn(Rule::Blank, "is blank".to_owned());
        return found;
    }
    let lower = if trimmed.is_ascii() {
        trimmed.to_ascii_lowercase()
    } else {
        trimmed.to_lowercase()
    };
    if is_file_name(&lower) {
        warn(Rule::FileName, "is the name of a file".to_owned());
    } else if is_placeholder(&lower) {
        warn(
            Rule::Placeholder,
            "stands in for a text that is to come".to_owned(),
        );
    } else if is_too_short(trimmed) {
        warn(Rule::TooShort, "is shorter than a word".to_owned());
    }
    if let Some(address) = address(&lower) {
        warn(Rule::Url, format!("has an address in it ({address})"));
    }
    if let Some(beginning) = image_of(&lower) {
        warn(Rule::ImageOf, format!("begins with {beginning:?}"));
    }
    if let Some(was) = (!text.is_ascii()).then(|| mojibake::mended(text)).flatten() {
        let was = super::excerpt(&was, None);
        warn(
            Rule::Mojibake,
            format!("was read in a wrong encoding, and was likely {was:?}"),
        );
    }
    if is_all_capitals(trimmed) {
        warn(Rule::AllCapitals, "is in capitals".to_owned());
    }
    // Nothing unseen is in a plain text, as most are.
    let unseen = if is_plain(text) { "" } else { text };
    if let Some(c) = unseen
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        let code = u32::from(c);
        warn(
            Rule::ControlCharacter,
            format!("has the control character U+{code:04X}"),
        );
    }
    if let Some(c) = unseen
        .chars()
        .find(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    {
        let code = u32::from(c);
        warn(
            Rule::BidiOverride,
            format!("turns the direction of what follows by U+{code:04X}"),
        );
    }
    // A text has no more units than bytes: most need no counting.
    if text.len() > 1_000 {
        let units = text.encode_utf16().count();
        if units > 1_000 && text.chars().count() <= 1_000 {
            warn(
                Rule::Utf16Length,
                format!("has {units} UTF-16 units, though at most 1000 characters"),
            );
        }
    }
    found
}

/// Whether a text has nothing but what a typewriter has. Every byte is looked at, without a branch: so many are at once.
fn is_plain(text: &str) -> bool {
    let odd = |byte: u8| u8::from(!matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
    text.bytes().fold(0, |any, byte| any | odd(byte)) == 0
}

/// Whether a text is nothing but a file's name: of an image or a film, or as cameras number them.
fn is_file_name(lower: &str) -> bool {
    const ENDS: [&str; 16] = [
        "jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "tif", "tiff", "bmp", "svg", "avif",
        "mp4", "mov", "psd", "raw",
    ];
    const CAMERAS: [&str; 8] = [
        "img",
        "dsc",
        "dscf",
        "dscn",
        "pxl",
        "mvimg",
        "screenshot",
        "image",
    ];
    let by_end = lower
        .rsplit_once('.')
        .is_some_and(|(stem, end)| ENDS.contains(&end) && stem.split_whitespace().count() <= 3);
    let by_camera = lower.trim_end_matches(|c: char| c.is_ascii_digit() || "_- ()".contains(c));
    let numbered = by_camera.len() + 3 <= lower.len() && CAMERAS.contains(&by_camera);
    by_end || numbered
}

fn is_placeholder(lower: &str) -> bool {
    const WORDS: [&str; 32] = [
        "alt",
        "alt text",
        "alttext",
        "alt_text",
        "alt-text",
        "todo",
        "to do",
        "tbd",
        "tba",
        "n/a",
        "na",
        "none",
        "null",
        "nil",
        "nan",
        "undefined",
        "placeholder",
        "description",
        "caption",
        "image",
        "photo",
        "picture",
        "pic",
        "img",
        "graphic",
        "untitled",
        "no alt text",
        "no description",
        "lorem ipsum",
        "test",
        "xxx",
        "image description",
    ];
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    WORDS.contains(&bare) || lower.starts_with("lorem ipsum") || bare.is_empty() && lower.is_ascii()
}

/// Whether a text is shorter than a word; in scripts beyond ASCII one character may well be one.
fn is_too_short(text: &str) -> bool {
    text.is_ascii()
        && text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(3)
            .count()
            < 3
}

fn address(lower: &str) -> Option<&str> {
    // Neither is in most texts, and one look for a byte is cheap.
    let scheme = memchr::memchr(b':', lower.as_bytes()).and_then(|_| {
        ["http://", "https://"]
            .iter()
            .filter_map(|start| lower.find(start))
            .min()
    });
    let www = memchr::memmem::find(lower.as_bytes(), b"www.");
    let from = scheme.into_iter().chain(www).min()?;
    lower[from..].split_whitespace().next()
}

fn image_of(lower: &str) -> Option<&str> {
    const THINGS: [&str; 22] = [
        "image of",
        "photo of",
        "picture of",
        "photograph of",
        "graphic of",
        "screenshot of image",
        "pic of",
        "illustration of image",
        "image shows",
        "photo shows",
        "picture shows",
        "image showing",
        "photo showing",
        "picture showing",
        "bild von",
        "foto von",
        "image de",
        "photo de",
        "foto de",
        "imagen de",
        "imagem de",
        "immagine di",
    ];
    let rest = [
        "a ", "an ", "the ", "this ", "ein ", "das ", "une ", "una ", "uma ",
    ]
    .iter()
    .find_map(|article| lower.strip_prefix(article))
    .unwrap_or(lower);
    let thing = THINGS.iter().find(|thing| {
        rest.strip_prefix(**thing)
            .is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
    })?;
    Some(&lower[..lower.len() - rest.len() + thing.len()])
}

/// Whether a text of some length has letters of two cases and only capitals of them.
fn is_all_capitals(text: &str) -> bool {
    let mut capitals = 0;
    for c in text.chars() {
        if c.is_lowercase() {
            return false;
        }
        capitals += usize::from(c.is_uppercase());
    }
    // An abbreviation or two is no shouting.
    capitals >= 10
}

/// Counts equal alt texts, the frequent ones for certain, in bounded memory.
#[derive(Debug, Default)]
pub struct Repeats {
    counts: HashMap<u64, u32>,
}

impl Repeats {
    /// On so many items one text is worth a warning.
    pub const MANY: u32 = 10;
    /// How many texts are counted at a time.
    const MOST: usize = 1 << 16;

    /// Takes in the text of one more item; warns once for each text, when it stands on [`Self::MANY`].
    pub fn note(&mut self, text: &str) -> Option<Warning> {
        let mut hasher = DefaultHasher::new();
        text.trim().hash(&mut hasher);
        let hash = hasher.finish();
        if self.counts.len() >= Self::MOST && !self.counts.contains_key(&hash) {
            // Those that came once make room; what was warned about is remembered, so that it is said once.
            self.counts.retain(|_, count| {
                if *count < Self::MANY {
                    *count -= 1;
                }
                *count > 0
            });
            if self.counts.len() >= Self::MOST {
                return None;
            }
        }
        let count = self.counts.entry(hash).or_default();
        *count = count.saturating_add(1);
        (*count == Self::MANY).then(|| Warning {
            rule: Rule::Repeated,
            message: format!("stands on {} images and more", Self::MANY),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<Rule> {
        lint(text).into_iter().map(|warning| warning.rule).collect()
    }

    #[test]
    fn each_rule_finds_what_it_is_for() {
        for (rule, texts) in [
            (Rule::Blank, &["", "  ", "\u{200b}\n"][..]),
            (
                Rule::FileName,
                &[
                    "IMG_1234.JPG",
                    "photo-final.png",
                    "DSC00012",
                    "my holiday pic.jpeg",
                    "IMG-20240101",
                ],
            ),
            (
                Rule::Url,
                &[
                    "A cat, see https://example.org/cat",
                    "Look at www.example.org now",
                ],
            ),
            (
                Rule::ImageOf,
                &[
                    "Image of a cat",
                    "A photo of a cat on a mat",
                    "Bild von einer Katze",
                    "The picture shows a cat",
                ],
            ),
            (
                Rule::Placeholder,
                &[
                    "TODO",
                    "alt text",
                    "N/A",
                    "[placeholder]",
                    "Lorem ipsum dolor sit amet",
                    "-",
                    "...",
                    "Image",
                ],
            ),
            (Rule::Mojibake, &["A cafÃ© in Paris"]),
            (Rule::TooShort, &["a", "12", "ok"]),
            (Rule::AllCapitals, &["A DANCING CAT ON A MAT"]),
            (Rule::ControlCharacter, &["A cat\u{7}", "A\u{0} cat"]),
            (Rule::BidiOverride, &["A cat \u{202e}tac"]),
        ] {
            for text in texts {
                assert!(
                    rules(text).contains(&rule),
                    "{rule}: {text:?} {:?}",
                    rules(text)
                );
            }
        }
        assert_eq!(rules(&"👩".repeat(501)), [Rule::Utf16Length]);
    }

    #[test]
    fn a_good_text_is_left_alone() {
        for text in [
            "A dancing cat",
            "Image processing pipeline, drawn as five boxes",
            "猫",
            "🎉",
            "Två katter sover på en röd matta.",
            "The NASA logo",
            "NASA, ESA",
            "Chart: sales rise from 3 to 5 million\nbetween 2020 and 2024.",
            "A note that says “none of the above”",
            "Screenshot of a settings page",
            "Photograph",
        ] {
            assert_eq!(rules(text), [], "{text}");
        }
    }

    #[test]
    fn a_text_on_many_items_is_said_once_however_many_others_there_are() {
        let mut repeats = Repeats::default();
        let mut warned = 0;
        for item in 0..300_000_u32 {
            if item % 1_000 == 0 {
                warned += u32::from(repeats.note("Our logo").is_some());
            }
            warned += u32::from(repeats.note(&item.to_string()).is_some());
        }
        assert_eq!(warned, 1);
        assert!(repeats.counts.len() <= Repeats::MOST);
    }

    #[test]
    fn each_rule_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
