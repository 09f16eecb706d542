//! What a terminal is shown of a text that somebody else wrote.
//!
//! Owns which characters steer a terminal, and how they are written instead.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// A text without what would steer a terminal: control characters but line ends and tabs, and those that turn the
/// direction of writing, are written as JSON writes them. So JSON stays what it is.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            // Writing to a string can't fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A terminal to which a file's text is written: see [`visible`].
#[derive(Debug)]
pub struct Visible<W> {
    to: W,
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl<W: Write> Visible<W> {
    /// What is written goes to `to`.
    pub const fn new(to: W) -> Self {
        let begun = Vec::new();
        Self { to, begun }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        let text = String::from_utf8_lossy(&self.begun);
        self.to.write_all(visible(&text).as_bytes())?;
        self.begun = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_and_never_sent() {
        assert_eq!(visible("a\tb\nZürich 🌄"), "a\tb\nZürich 🌄");
        assert_eq!(
            visible("\u{1b}[2J\r\u{9b}1m\u{202e}x"),
            "\\u001b[2J\\u000d\\u009b1m\\u202ex"
        );
        // JSON is the same JSON.
        let json = serde_json::json!("a\u{9b}\u{7f}\u{202e}");
        let shown: serde_json::Value = serde_json::from_str(&visible(&json.to_string())).unwrap();
        assert_eq!(shown, json);
    }

    #[test]
    fn a_character_that_comes_in_two_pieces_is_seen_whole() {
        let mut shown = Vec::new();
        let mut terminal = Visible::new(&mut shown);
        for byte in "ü\u{9b}🌄\u{1b}".as_bytes() {
            terminal.write_all(&[*byte]).unwrap();
        }
        assert_eq!(String::from_utf8(shown).unwrap(), "ü\\u009b🌄\\u001b");
    }
}
