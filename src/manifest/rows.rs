//! Rows under a header: each cell read by what its column means, into a [`Record`].
//!
//! Owns [`Rows`]. Does not know whether the cells came out of delimited text or a workbook.

use serde_json::Value;

use super::{
    Options, Record,
    cells::{Cells, Mark},
    draft::{Draft, first_name, lies_in, mark},
    fault::{Fault, Invalid, violation_with_path},
    header::{Column, Columns},
    id,
    ids::{Ids, Naming, Spot},
    mojibake,
    notice::{Noticed, Tally},
    render::{render_in, restored},
    target::Target,
};
use crate::{
    metadata::{
        self, Patch, Violation,
        schema::{Kind, Place},
    },
    time::Timestamp,
};

/// Reads rows by the columns of their header.
pub(super) struct Rows {
    columns: Columns,
    header_line: u64,
    now: Timestamp,
}

impl Rows {
    /// Rows under the header that stands on `header_line`.
    pub(super) fn new(columns: Columns, options: &Options, header_line: u64) -> Self {
        Self {
            columns,
            header_line,
            now: options.now,
        }
    }

    /// The line on which the header stands.
    pub(super) const fn header_line(&self) -> u64 {
        self.header_line
    }

    /// The columns of the header, without those that are dropped.
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .all
            .iter()
            .filter(|column| column.target != Target::Dropped)
    }

    /// The header at a position, where there is one.
    pub(super) fn header(&self, position: usize) -> Option<&str> {
        self.columns
            .all
            .get(position)
            .map(|column| column.header.as_str())
    }

    /// Reads one row; none where it holds nothing at all.
    pub(super) fn read(&self, cells: &Cells, ids: &mut Ids, tally: &mut Tally) -> Option<Record> {
        if cells.is_blank() {
            tally.count(Noticed::Blank, cells.line, "");
            return None;
        }
        let mut draft = Draft::new(cells.line);
        self.read_id(cells, &mut draft, ids, tally);
        for (position, column) in self.columns.all.iter().enumerate() {
            let cell = self.cell(cells, position);
            if cells.mark(position) == Mark::Failed && column.target != Target::Carried {
                draft.faults.push(
                    Fault::new(
                        cells.line,
                        "cell-error",
                        format!("holds {cell}: its formula failed"),
                    )
                    .hint("Mend the formula, or write the value itself.")
                    .at(Some(position), &column.header),
                );
            } else if !cell.is_empty() {
                read_cell(position, column, cell, &mut draft, tally);
            }
        }
        for position in self.columns.all.len()..cells.len() {
            if !cells.get(position).trim().is_empty() {
                let count = self.columns.all.len();
                draft.note(|| Fault {
                    column: Some(position as u64 + 1),
                    ..Fault::new(cells.line, "surplus-cells", format!("stands in a column beyond the {count} of the header"))
                        .hint("Put cells that hold the delimiter or a quote between quotes, or give the column a header.")
                        .shows(cells.get(position), None)
                });
            }
        }
        Some(draft.finish(
            self.now,
            |violation, line| self.fault(violation, line, cells),
            |patch| self.carried(cells, patch),
        ))
    }

    /// The id of a row of which only the cells in front of a broken one are certain.
    pub(super) fn broken(
        &self,
        line: u64,
        mut fault: Fault,
        bytes: &[u8],
        cells: &[(usize, usize)],
    ) -> Invalid {
        let id = self
            .columns
            .all
            .iter()
            .position(|column| column.target == Target::Id);
        let media_id = id
            .and_then(|position| cells.get(position))
            .and_then(|(from, to)| std::str::from_utf8(bytes.get(*from..*to)?).ok())
            .and_then(|cell| id::read(cell.trim_matches('"'), |_| {}).ok());
        fault.header = fault
            .column
            .and_then(|column| self.header(usize::try_from(column).ok()?.checked_sub(1)?))
            .map(str::to_owned);
        Invalid {
            line,
            media_id,
            faults: vec![fault],
        }
    }

    fn cell<'a>(&self, cells: &Cells<'a>, position: usize) -> &'a str {
        let cell = cells.get(position);
        if self.columns.is_report {
            restored(cell)
        } else {
            cell
        }
    }

    fn read_id(&self, cells: &Cells, draft: &mut Draft, ids: &mut Ids, tally: &mut Tally) {
        let mut naming = Naming::default();
        for (position, column) in self.columns.all.iter().enumerate() {
            if !matches!(column.target, Target::Id | Target::Url) {
                continue;
            }
            let spot = Spot {
                position: Some(position),
                header: &column.header,
                cell: self.cell(cells, position),
            };
            if column.target == Target::Url {
                naming.url(spot, self.now, draft);
            } else if cells.mark(position) == Mark::Number {
                naming.id(spot, id::from_number(spot.cell), draft);
            } else {
                let read = id::read(spot.cell, |noticed| {
                    // An empty cell is told of as such.
                    if !spot.cell.trim().is_empty() {
                        tally.count(noticed, cells.line, spot.cell);
                    }
                });
                naming.id(spot, read, draft);
            }
        }
        naming.settle(draft, ids, tally);
    }

    /// The column that a violation of the schema's rules means: the one it lies in, else the nearest filled one.
    fn fault(&self, violation: Violation, line: u64, cells: &Cells) -> Fault {
        let places = || {
            self.columns
                .all
                .iter()
                .enumerate()
                .filter_map(|(position, column)| match &column.target {
                    Target::Place(_, path) => Some((position, column, path.as_str())),
                    Target::Metadata => Some((position, column, "")),
                    _ => None,
                })
        };
        let inside = places()
            .filter(|(position, _, path)| match *path {
                "" => !cells.get(*position).trim().is_empty(),
                path => lies_in(&violation.path, path),
            })
            .max_by_key(|(_, _, path)| path.len());
        let beside = || {
            places().find(|(position, _, path)| {
                !cells.get(*position).is_empty() && first_name(path) == first_name(&violation.path)
            })
        };
        let Some((position, column, path)) = inside.or_else(beside) else {
            let message = violation_with_path(&violation);
            return Fault {
                message,
                ..Fault::of(violation, line)
            };
        };
        let cell = self.cell(cells, position);
        let mark = mark(&violation, cell).filter(|_| !cell.trim_start().starts_with('{'));
        let exact = violation.path.split('[').next() == Some(path);
        let message = if exact {
            violation.message.clone()
        } else {
            violation_with_path(&violation)
        };
        let fault = Fault {
            message,
            ..Fault::of(violation, line)
        }
        .at(Some(position), &column.header);
        if cell.is_empty() {
            fault
        } else {
            fault.shows(cell, mark)
        }
    }

    /// The cells that no report could write again, as JSON; none where it could write all of them.
    fn carried(&self, cells: &Cells, says: &Patch) -> Option<Box<str>> {
        let again = |position: usize, column: &Column, cell: &str| {
            if cell.is_empty() {
                return true;
            }
            column.by_name
                && match &column.target {
                    Target::Id => cells
                        .get(position)
                        .bytes()
                        .all(|byte| byte.is_ascii_digit()),
                    Target::Place(place, path) => written_again(place, path, cell, says),
                    _ => false,
                }
        };
        let written = |(position, column): (usize, &Column)| {
            let cell = self.cell(cells, position);
            (!again(position, column, cell)).then_some(cell)
        };
        let kept = || {
            self.columns
                .all
                .iter()
                .enumerate()
                .filter(|(_, column)| column.target != Target::Dropped)
                .map(written)
        };
        if kept().all(|cell| cell.is_none()) {
            return None;
        }
        let kept: Vec<_> = kept().collect();
        serde_json::to_string(&kept)
            .ok()
            .map(String::into_boxed_str)
    }
}

/// Whether a report would write this very cell from the metadata.
fn written_again(place: &Place, path: &str, cell: &str, says: &Patch) -> bool {
    // A text is rendered as it is written: nothing needs comparing.
    if matches!(place.member.kind, Kind::Text { .. }) {
        return true;
    }
    says.fields()
        .find(|(field, _)| *field == place.field)
        .and_then(|(_, value)| render_in(place, path, value?))
        .is_some_and(|rendered| rendered == cell)
}

fn read_cell(position: usize, column: &Column, cell: &str, draft: &mut Draft, tally: &mut Tally) {
    let line = draft.line;
    let fault = |fault: Fault| fault.at(Some(position), &column.header).shows(cell, None);
    match &column.target {
        Target::Id | Target::Url | Target::Carried | Target::Dropped => {}
        Target::Account | Target::Metadata if cell.trim().is_empty() => {}
        Target::Account => draft.faults.push(fault(account_is_reserved(line))),
        Target::Metadata => match metadata::cell::json(cell.trim(), "metadata") {
            Ok(Value::Object(object)) => {
                if let Some(field) = draft.put_all(object) {
                    draft.faults.push(fault(named_twice(line, &field)));
                }
            }
            Ok(_) => draft.faults.push(fault(
                Fault::new(
                    line,
                    "type",
                    "must be a JSON object: the metadata as a whole",
                )
                .hint(
                    "Write it as {\"alt_text\":{\"text\":\"…\"}}, or use a column for each field.",
                ),
            )),
            Err(violation) => draft.faults.push(fault(Fault::of(violation, line))),
        },
        Target::Place(place, path) => {
            let is_text = matches!(place.member.kind, Kind::Text { .. });
            if !is_text && cell.trim().is_empty() {
                return;
            }
            if is_text && !cell.is_ascii() && mojibake::mended(cell).is_some() {
                tally.count(Noticed::Mojibake, line, cell);
            }
            match metadata::cell::read(cell, &place.member.kind, path) {
                Ok(value) => {
                    if !draft.put(path, value) {
                        draft.faults.push(fault(named_twice(line, path)));
                    }
                }
                Err(violation) => {
                    draft.spoil(place);
                    let mark = mark(&violation, cell);
                    draft.faults.push(
                        Fault::of(violation, line)
                            .at(Some(position), &column.header)
                            .shows(cell, mark),
                    );
                }
            }
        }
    }
}

/// The fault of a filled `account`.
pub(super) fn account_is_reserved(line: u64) -> Fault {
    Fault::new(
        line,
        "account-reserved",
        "is reserved, and must be empty: a journal is of one account",
    )
    .hint("Split the manifest by account, and run each with its own --journal and --profile.")
}

/// The fault of a place that one row gives two values.
pub(super) fn named_twice(line: u64, path: &str) -> Fault {
    Fault::new(
        line,
        "named-twice",
        format!("gives {path} another value than an earlier column of the row does"),
    )
    .hint("Leave one of the two empty.")
}
