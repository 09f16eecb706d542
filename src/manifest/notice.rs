//! What is said of a manifest that stops nothing: once, or counted at its end.
//!
//! Owns [`Notice`] and the [`Tally`] that counts them. Keeps one entry a rule, however many rows there are.

use std::{collections::BTreeMap, fmt};

use super::fault::excerpt;

/// Something worth knowing about a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The name of what was noticed, which does not change between versions.
    pub rule: &'static str,
    /// In how many rows, or for `carried-columns` of how many columns; at least 1.
    pub count: u64,
    /// The line where it was first so.
    pub line: u64,
    /// The whole sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

impl Notice {
    /// That these columns are no field.
    pub(super) fn carried(columns: &[String], line: u64) -> Self {
        const MOST: usize = 20;
        let mut names: Vec<_> = columns
            .iter()
            .take(MOST)
            .map(|header| excerpt(header, None))
            .collect();
        if columns.len() > MOST {
            names.push(format!("and {} more", columns.len() - MOST));
        }
        let columns_are = match columns {
            [_] => "1 column is".to_owned(),
            _ => format!("{} columns are", columns.len()),
        };
        Self {
            rule: "carried-columns",
            count: columns.len() as u64,
            line,
            message: format!(
                "{columns_are} no field and only carried into reports: {}",
                names.join(", ")
            ),
            hint: None,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What can be noticed row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Noticed {
    Apostrophe,
    Spaces,
    Invisible,
    Formula,
    MediaKey,
    TrailingZeros,
    Mojibake,
    Blank,
}

impl Noticed {
    const fn rule(self) -> &'static str {
        match self {
            Self::Apostrophe => "id-apostrophe",
            Self::Spaces => "id-spaces",
            Self::Invisible => "id-invisible",
            Self::Formula => "id-formula",
            Self::MediaKey => "id-media-key",
            Self::TrailingZeros => "id-zeros",
            Self::Mojibake => "mojibake",
            Self::Blank => "blank-rows",
        }
    }

    fn message(self, count: u64, line: u64, example: &str) -> String {
        let (ids, were) = if count == 1 {
            ("id", "was")
        } else {
            ("ids", "were")
        };
        let first = format!("first on line {line}: {example}");
        match self {
            Self::Apostrophe => {
                format!("{count} {ids} {were} read without the apostrophe in front ({first})")
            }
            Self::Spaces => {
                format!("{count} {ids} {were} read without the spaces around ({first})")
            }
            Self::Invisible => {
                format!("{count} {ids} {were} read without invisible characters ({first})")
            }
            Self::Formula => format!(
                "{count} {ids} {were} read out of a formula that only holds the text ({first})"
            ),
            Self::MediaKey => format!(
                "{count} {ids} {were} read out of a media key, from the digits behind its _ ({first})"
            ),
            Self::TrailingZeros => {
                format!(
                    "{count} {ids} end in zeros as after rounding by a spreadsheet, which keeps 15 digits ({first})"
                )
            }
            Self::Mojibake => format!(
                "{count} {} with characters that were read in a wrong encoding on the way here ({first})",
                if count == 1 {
                    "text looks as if it were written"
                } else {
                    "texts look as if they were written"
                },
            ),
            Self::Blank => format!(
                "{count} {} without any content {were} passed over (first on line {line})",
                if count == 1 { "row" } else { "rows" },
            ),
        }
    }

    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::TrailingZeros => Some(
                "Compare them with where they come from; export again with the id column as text if they differ.",
            ),
            Self::Mojibake => {
                Some("Export again as UTF-8, or name the encoding of the file with --encoding.")
            }
            _ => None,
        }
    }
}

struct Count {
    rows: u64,
    line: u64,
    example: String,
}

/// Counts what is noticed.
#[derive(Default)]
pub(super) struct Tally {
    once: Vec<Notice>,
    counts: BTreeMap<Noticed, Count>,
}

impl Tally {
    /// Says something once.
    pub(super) fn say(&mut self, notice: Notice) {
        self.once.push(notice);
    }

    /// Counts one more, with the cell that shows it where it is the first.
    pub(super) fn count(&mut self, noticed: Noticed, line: u64, example: &str) {
        self.counts
            .entry(noticed)
            .or_insert_with(|| Count {
                rows: 0,
                line,
                example: excerpt(example, None),
            })
            .rows += 1;
    }

    /// All that was noticed since the last time.
    pub(super) fn drain(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.once);
        notices.extend(
            std::mem::take(&mut self.counts)
                .into_iter()
                .map(|(noticed, count)| Notice {
                    rule: noticed.rule(),
                    count: count.rows,
                    line: count.line,
                    message: noticed.message(count.rows, count.line, &count.example),
                    hint: noticed.hint(),
                }),
        );
        notices
    }
}
