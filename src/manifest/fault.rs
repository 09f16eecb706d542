//! What is wrong with one row, told so that a person can mend it: where, what, how, and what stands there.
//!
//! Owns [`Fault`], [`Invalid`] and [`excerpt`]. Judges nothing itself.

use std::{fmt, ops::Range};

use crate::{item::MediaId, metadata::Violation};

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The line of the file on which it begins, counted from 1.
    pub line: u64,
    /// The item it speaks of, where at least that can be read: nothing of it may be sent in this run.
    pub media_id: Option<MediaId>,
    /// Everything that is wrong with it, never only the first.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line of the file on which the row begins, counted from 1; for a quote that is never closed, its own.
    pub line: u64,
    /// The position of the cell's column, or in a JSON line of the character, counted from 1.
    pub column: Option<u64>,
    /// The column's header or the JSON key.
    pub header: Option<String>,
    /// The name of the rule, which does not change between versions.
    pub rule: &'static str,
    /// What is wrong, as the end of a sentence about the place.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What stands there, escaped and cut, with the faulty part between `>>>` and `<<<` where one part is.
    pub cell: Option<String>,
}

impl Fault {
    /// A fault in the row that begins on `line`.
    pub(super) fn new(line: u64, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            line,
            column: None,
            header: None,
            rule,
            message: message.into(),
            hint: None,
            cell: None,
        }
    }

    /// The same, in the column at `position`, counted from 0, or at the JSON key that is called so.
    pub(super) fn at(mut self, position: Option<usize>, header: &str) -> Self {
        self.column = position.map(|position| position as u64 + 1);
        self.header = Some(header.to_owned());
        self
    }

    /// The same with a hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, showing `cell` with the bytes of `mark` marked.
    pub(super) fn shows(mut self, cell: &str, mark: Option<Range<usize>>) -> Self {
        self.cell = Some(excerpt(cell, mark));
        self
    }

    /// The fault of a violation of the schema's rules by a row on `line`; the place is still to be told.
    pub(super) fn of(violation: Violation, line: u64) -> Self {
        Self {
            hint: violation.hint,
            ..Self::new(line, violation.rule, violation.message)
        }
    }
}

/// What a violation says, behind its path: names out of a manifest may stand in it.
pub(super) fn violation_with_path(violation: &Violation) -> String {
    format!("{} {}", excerpt(&violation.path, None), violation.message)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(header) = &self.header {
            write!(f, " ({})", escaped(header))?;
        }
        write!(f, ": {}", self.message)
    }
}

/// How many characters an excerpt shows before and behind what it marks, or from the start where it marks nothing.
const CONTEXT: usize = 30;

/// A text on one line: cut, with control and bidirectional characters escaped, and the bytes of `mark` between `>>>`
/// and `<<<`. A mark that does not fall between characters is dropped.
#[must_use]
pub fn excerpt(text: &str, mark: Option<Range<usize>>) -> String {
    let Some((before, marked, behind)) = mark.and_then(|mark| {
        Some((
            text.get(..mark.start)?,
            text.get(mark.clone())?,
            text.get(mark.end..)?,
        ))
    }) else {
        return head(text, 2 * CONTEXT);
    };
    let skipped = before.chars().count().saturating_sub(CONTEXT);
    let mut into = String::new();
    if skipped > 0 {
        into.push('…');
    }
    before
        .chars()
        .skip(skipped)
        .for_each(|c| show(c, &mut into));
    into.push_str(">>>");
    into.push_str(&head(marked, CONTEXT));
    into.push_str("<<<");
    into.push_str(&head(behind, CONTEXT));
    into
}

/// A whole text with control and bidirectional characters escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut into = String::with_capacity(text.len());
    text.chars().for_each(|c| show(c, &mut into));
    into
}

fn head(text: &str, length: usize) -> String {
    let mut into = String::new();
    let mut characters = text.chars();
    characters
        .by_ref()
        .take(length)
        .for_each(|c| show(c, &mut into));
    if characters.next().is_some() {
        into.push('…');
    }
    into
}

/// Writes a character so that no terminal obeys it and no reader overlooks it.
fn show(c: char, into: &mut String) {
    if c.is_control() || is_invisible(c) {
        into.extend(c.escape_default());
    } else {
        into.push(c);
    }
}

/// Whether a character takes no room of its own or turns the order of others: no id and no header means it.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_marks_what_is_wrong_and_cuts_the_rest() {
        assert_eq!(excerpt("us|usa|de", Some(3..6)), "us|>>>usa<<<|de");
        let long = format!("{}X{}", "a".repeat(50), "b".repeat(50));
        let shown = excerpt(&long, Some(50..51));
        assert_eq!(
            shown,
            format!("…{}>>>X<<<{}…", "a".repeat(30), "b".repeat(30))
        );
        assert_eq!(
            excerpt(&"ä".repeat(61), None),
            format!("{}…", "ä".repeat(60))
        );
        assert_eq!(excerpt("ä", Some(0..1)), "ä");
    }

    #[test]
    fn no_control_or_bidirectional_character_is_shown_raw() {
        assert_eq!(
            excerpt("a\u{1b}[31m\n\u{202e}", None),
            "a\\u{1b}[31m\\n\\u{202e}"
        );
    }

    #[test]
    fn a_fault_says_where() {
        let fault = Fault::new(7, "type", "is \"yes\"").at(Some(1), "alt_text");
        assert_eq!(fault.to_string(), "line 7, column 2 (alt_text): is \"yes\"");
        assert_eq!(Fault::new(7, "json", "ends").to_string(), "line 7: ends");
    }
}
