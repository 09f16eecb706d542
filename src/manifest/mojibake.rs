//! Texts whose UTF-8 was once read as Windows-1252: `Ã©` for `é`.
//!
//! Owns [`mended`]. Only tells; no text is changed.

use encoding_rs::WINDOWS_1252;

/// The text as it most likely was, where it looks as if its UTF-8 had been read as Windows-1252.
#[must_use]
pub fn mended(text: &str) -> Option<String> {
    let mut into = String::new();
    let mut found = false;
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        let (ascii, behind) = rest.split_at(plain);
        let length = behind.find(|c: char| c.is_ascii()).unwrap_or(behind.len());
        let (run, behind) = behind.split_at(length);
        into.push_str(ascii);
        match was(run) {
            Some(true_text) => {
                found = true;
                into.push_str(&true_text);
            }
            None => into.push_str(run),
        }
        rest = behind;
    }
    found.then_some(into)
}

/// What a run of characters beyond ASCII was, where it is the Windows-1252 reading of UTF-8.
fn was(run: &str) -> Option<String> {
    // Every such reading begins with a letter from À on, the first byte of a sequence of two to four.
    if !run.starts_with(|c: char| ('\u{c2}'..='\u{f4}').contains(&c)) {
        return None;
    }
    let (bytes, _, lost) = WINDOWS_1252.encode(run);
    if lost {
        return None;
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    text.chars().all(is_usual).then(|| text.to_owned())
}

/// Whether a character is of those that people write: of the scripts in wide use, punctuation, an emoji.
fn is_usual(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{24f}' | '\u{370}'..='\u{52f}' | '\u{590}'..='\u{6ff}' | '\u{900}'..='\u{97f}'
        | '\u{e00}'..='\u{e7f}' | '\u{1e00}'..='\u{1eff}' | '\u{2010}'..='\u{203a}' | '\u{20a0}'..='\u{20bf}'
        | '\u{2100}'..='\u{27bf}' | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{fe0f}' | '\u{feff}' | '\u{200d}' | '\u{1f1e6}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misread_text_is_recognised_and_other_text_is_not() {
        for (text, was) in [
            ("cafÃ© au lait", "café au lait"),
            ("Itâ€™s", "It’s"),
            ("20 Â°C", "20 °C"),
            ("MÃ¼nchen, StraÃŸe", "München, Straße"),
            ("Ð¡Ð¾Ð±Ð°ÐºÐ°", "Собака"),
            ("ðŸ˜€", "😀"),
        ] {
            assert_eq!(mended(text).as_deref(), Some(was), "{text}");
        }
        for text in [
            "café",
            "ÃÉ",
            "Straße",
            "Ça va",
            "À « la »",
            "日本語",
            "Собака",
            "😀",
            "São Paulo",
            "100 °C",
            "naïve Â",
            "",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
