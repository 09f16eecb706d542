//! The lint of alt texts, as `--lint` asks for it.
//!
//! Owns what becomes of a warning: counted by rule for the end of its manifest, or a fault of its row. What is worth one
//! stands in the manifest's room.

use std::collections::BTreeMap;

use crate::{
    manifest::{
        Fault, Invalid, Notice, excerpt,
        lint::{Repeats, Rule, Warning, alt_text, lint},
    },
    row::Row,
    settings::Lint,
};

/// The lint of one run, over all of its manifests.
#[derive(Debug, Default)]
pub struct Linter {
    level: Lint,
    repeats: Repeats,
    counts: BTreeMap<Rule, Count>,
}

#[derive(Debug)]
struct Count {
    rows: u64,
    line: u64,
    first: String,
}

impl Linter {
    /// A lint whose warnings are what `level` says.
    pub fn new(level: Lint) -> Self {
        Self {
            level,
            ..Self::default()
        }
    }

    /// Looks at a row. What is wrong with it is returned where that is an error, and counted where it is none.
    pub fn look(&mut self, row: &Row) -> Option<Invalid> {
        if self.level == Lint::Off {
            return None;
        }
        let text = alt_text(row)?;
        let mut warnings = lint(text);
        warnings.extend(self.repeats.note(text));
        if self.level == Lint::Error {
            return (!warnings.is_empty()).then(|| Invalid {
                line: row.line,
                media_id: Some(row.media_id.clone()),
                faults: warnings
                    .into_iter()
                    .map(|warning| fault(row.line, text, warning))
                    .collect(),
            });
        }
        for Warning { rule, message } in warnings {
            let first = || Count {
                rows: 0,
                line: row.line,
                first: format!("\"{}\" {message}", excerpt(text, None)),
            };
            // Whoever reads has said that already, of every text.
            if rule != Rule::Mojibake {
                self.counts.entry(rule).or_insert_with(first).rows += 1;
            }
        }
        None
    }

    /// What was counted since the last time.
    pub fn notices(&mut self) -> Vec<Notice> {
        let counts = std::mem::take(&mut self.counts).into_iter();
        let notice = |(rule, count): (Rule, Count)| {
            let texts = if count.rows == 1 { "text" } else { "texts" };
            Notice {
                rule: rule.name(),
                count: count.rows,
                line: count.line,
                message: format!(
                    "{rule}: {} alt {texts}, first on line {}: {}. {}",
                    count.rows,
                    count.line,
                    count.first,
                    rule.hint()
                ),
                hint: Some(rule.hint()),
            }
        };
        counts.map(notice).collect()
    }
}

fn fault(line: u64, text: &str, Warning { rule, message }: Warning) -> Fault {
    Fault {
        line,
        column: None,
        header: Some("alt_text".to_owned()),
        rule: rule.name(),
        message,
        hint: Some(rule.hint().to_owned()),
        cell: Some(excerpt(text, None)),
    }
}
