//! Words broken into lines that fit a terminal.
//!
//! Owns where a line may be broken: between words, and never within a command in backticks, which shall be
//! copied: where it is too long for a line the terminal breaks it, and gives it back as one. What is no terminal gets the lines as they are.

use std::{borrow::Cow, io};

/// The narrowest terminal whose lines are broken here.
const NARROWEST: usize = 20;
/// By how much the rest of a line stands farther in, so that it is told from the next one.
const HANGING: usize = 2;

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// A text as it fits the terminal behind `stream`, if one is.
#[must_use]
pub fn fitted(text: &str, stream: Stream) -> Cow<'_, str> {
    let size = match stream {
        Stream::Output => terminal_size::terminal_size_of(io::stdout()),
        Stream::Error => terminal_size::terminal_size_of(io::stderr()),
    };
    match size {
        Some((columns, _)) => broken(text, usize::from(columns.0)),
        None => Cow::Borrowed(text),
    }
}

/// A text whose lines are at most `columns` long, as far as its words are. JSON stays what it is.
fn broken(text: &str, columns: usize) -> Cow<'_, str> {
    let is_long = |line: &str| line.chars().count() > columns;
    if columns < NARROWEST || text.starts_with('{') || !text.lines().any(is_long) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text
        .lines()
        .map(|line| {
            if is_long(line) {
                break_line(line, columns)
            } else {
                line.to_owned()
            }
        })
        .collect();
    Cow::Owned(lines.join("\n"))
}

fn break_line(line: &str, columns: usize) -> String {
    let words = line.trim_start_matches(' ');
    let indent = line.len() - words.len();
    let mut broken = " ".repeat(indent);
    let mut length = indent;
    let mut is_first = true;
    for piece in pieces(words) {
        let width = piece.chars().count();
        if is_first {
            is_first = false;
        } else if length + 1 + width > columns {
            broken.push('\n');
            length = indent + HANGING;
            broken.push_str(&" ".repeat(length));
        } else {
            broken.push(' ');
            length += 1;
        }
        broken.push_str(piece);
        length += width;
    }
    broken
}

/// What stays together: words, and what stands in backticks.
fn pieces(words: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        let word = rest.find(' ').unwrap_or(rest.len());
        let mut end = word;
        if rest[..word].matches('`').count() % 2 == 1
            && let Some(at) = rest[word..].find('`')
        {
            let after = word + at + 1;
            end = rest[after..]
                .find(' ')
                .map_or(rest.len(), |more| after + more);
        }
        pieces.push(&rest[..end]);
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_their_rest_stands_farther_in() {
        assert_eq!(
            broken("    a long line of words\nshort", 20),
            "    a long line of\n      words\nshort"
        );
        assert_eq!(
            broken("two  blanks   stay where they are", 20),
            "two  blanks   stay\n  where they are"
        );
        // A word that is too long has a line of its own, whole.
        let address = "https://x.com/i/oauth2/authorize?a=b";
        assert_eq!(
            broken(&format!("Go to {address} now"), 20),
            format!("Go to\n  {address}\n  now")
        );
    }

    #[test]
    fn a_command_is_never_broken() {
        assert_eq!(
            broken("To go on: `altfill resume`, or again.", 24),
            "To go on:\n  `altfill resume`, or\n  again."
        );
        assert_eq!(
            broken("Say `altfill auth login --manual` now", 20),
            "Say\n  `altfill auth login --manual`\n  now"
        );
        assert_eq!(
            broken("one ` is none of them, is it", 20),
            "one ` is none of\n  them, is it"
        );
    }

    #[test]
    fn what_fits_and_what_a_program_reads_stays_as_it_is() {
        for text in [
            "short",
            "{\"event\": \"done and done and done\"}",
            "",
            "a\n\nb",
        ] {
            assert_eq!(broken(text, 20), text);
        }
        assert_eq!(broken("as long as it may be", 20), "as long as it may be");
        assert_eq!(
            broken("no terminal is as narrow", 5),
            "no terminal is as narrow"
        );
    }
}
