//! Words for a terminal as Markdown: tables, escapes, links.

use std::collections::BTreeSet;

/// A table of these columns.
pub fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        // An empty cell is one blank, as the README has it.
        format!("| {} |\n", cells.join(" | "))
            .replace("|  |", "| |")
            .replace("|  |", "| |")
    };
    let mut table = line(&head.map(str::to_owned));
    table.push_str(&line(&[const { "---" }; N].map(str::to_owned)));
    rows.into_iter().for_each(|row| table.push_str(&line(&row)));
    table
}

/// Something to be typed or read as it is.
pub fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A help text: options in it become code, and nothing in it is taken for Markdown but its backticks.
pub fn prose(help: &str) -> String {
    let mut parts = Vec::new();
    for (index, part) in help.split('`').enumerate() {
        if index % 2 == 1 {
            parts.push(code(part));
        } else {
            let words: Vec<_> = part.split(' ').map(word).collect();
            parts.push(words.join(" "));
        }
    }
    parts.concat()
}

fn word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| "(),.;:".contains(c));
    let is_option = bare
        .trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_lowercase())
        && bare.starts_with('-');
    let is_pair = bare.contains('=') || bare.contains('_');
    if (is_option || is_pair || bare == "--" || bare == "-") && !bare.is_empty() {
        word.replacen(bare, &code(bare), 1)
    } else {
        word.replace('<', "&lt;").replace('*', "\\*")
    }
}

/// The end of a heading's address, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// The anchors of a page's headings.
pub fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

/// The addresses of a page's links that lead to other files and headings.
pub fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .filter(|link| !link.contains("://"))
}

/// Words as they begin a sentence.
pub fn uppercased(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}
