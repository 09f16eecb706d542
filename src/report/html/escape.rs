//! What stands in the journal as it may stand in a page.
//!
//! Owns the one way in: nothing from outside becomes markup, ends a block of data, or changes how what stands beside it
//! is read. Characters that show nothing and change that (controls, overrides of the direction) are shown by their number.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use serde_json::Value;

/// Text from outside, within an element or a quoted attribute.
pub(super) struct Text<'t>(pub &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in shown(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The text with a number for each character that would not be seen, and would change how others are.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\r' {
            continue; // Of a line end; the line feed stays.
        }
        if is_hidden(c) {
            // Writing to a string can't fail.
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Controls but line ends and tabs, marks that override the direction or isolate, and what is no character. Joiners and
/// the marks of a direction stay: emoji and texts from right to left need them.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0001}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// JSON in a block of data: it has no `<` that could end the block or begin a comment in it.
pub(super) fn data(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// A number as people read it: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// So many of a thing, in words: `1 image`, `1,200 images`.
pub(super) fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_from_outside_becomes_no_markup() {
        let text = Text("<b class=\"x\" id='y'>&amp;</b>").to_string();
        assert_eq!(
            text,
            "&lt;b class=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;"
        );
    }

    #[test]
    fn data_ends_no_block_and_reads_back_the_same() {
        let value = json!(["</script><!--<script>", "]]>&lt;", "\u{2028}"]);
        let block = data(&value);
        assert!(!block.contains(['<', '>', '&']), "{block}");
        assert_eq!(serde_json::from_str::<Value>(&block).unwrap(), value);
    }

    #[test]
    fn what_would_turn_or_hide_text_is_shown_by_its_number() {
        assert_eq!(shown("a\u{202e}b\u{7}"), "a⟨U+202E⟩b⟨U+0007⟩");
        assert_eq!(shown("one\r\ntwo\t\u{fffe}"), "one\ntwo\t⟨U+FFFE⟩");
        for fine in ["שלום \u{200f}(2)", "👩\u{200d}🔬", "line\nline", "é"] {
            assert_eq!(shown(fine), fine);
        }
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        let of = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(of, ["0", "999", "1,000", "1,234,567"]);
    }
}
