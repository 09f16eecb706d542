//! What is wrong with manifests, as it is told: the first faults on the screen, all of them in a file where one was asked for.
//!
//! Owns that file's two forms. Finds no fault itself.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde_json::json;

use super::output::Output;
use crate::{error::Failure, manifest::Fault, progress::say};

/// How many faults are shown on the screen.
const SHOWN: u64 = 50;

/// Shows faults: the first ones on the screen, all of them in a file where one was asked for.
pub struct Faults {
    shown: u64,
    by_rule: BTreeMap<&'static str, u64>,
    file: Option<FaultFile>,
}

impl Faults {
    /// Faults, all of which go to `path` where one is given: as JSON lines where its name ends so, else as CSV.
    pub fn new(path: Option<&Path>) -> Result<Self, Failure> {
        let file = path.map(FaultFile::create).transpose()?;
        Ok(Self {
            shown: 0,
            by_rule: BTreeMap::new(),
            file,
        })
    }

    /// Shows a fault of the manifest `name`.
    pub fn show(&mut self, name: &str, fault: &Fault) -> Result<(), Failure> {
        *self.by_rule.entry(fault.rule).or_default() += 1;
        if self.shown < SHOWN {
            let mut text = format!("{name}, {fault}");
            if let Some(cell) = &fault.cell {
                text.push_str("\n    ");
                text.push_str(cell);
            }
            if let Some(hint) = &fault.hint {
                text.push_str("\n    ");
                text.push_str(hint);
            }
            say(&text);
        }
        self.shown += 1;
        if let Some(file) = &mut self.file {
            file.write(name, fault).map_err(Failure::unexpected)?;
        }
        Ok(())
    }

    /// The faults by rule, once all are shown.
    pub fn end(self) -> Result<BTreeMap<&'static str, u64>, Failure> {
        if self.shown > SHOWN {
            let causes: Vec<_> = self
                .by_rule
                .iter()
                .map(|(rule, count)| format!("{count} {rule}"))
                .collect();
            let more = self.shown - SHOWN;
            say(&format!(
                "… and {more} more ({} in all); --errors FILE writes them down",
                causes.join(", ")
            ));
        }
        if let Some(file) = self.file {
            file.finish().map_err(Failure::unexpected)?;
        }
        Ok(self.by_rule)
    }
}

/// The file of all faults.
enum FaultFile {
    Csv(Box<csv::Writer<Output>>),
    Lines(BufWriter<Output>),
}

impl FaultFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let file = Output::begin(path).map_err(|error| {
            Failure::usage(format!(
                "--errors: {} can't be written: {error}",
                path.display()
            ))
        })?;
        let is_lines = path
            .extension()
            .is_some_and(|name| name.eq_ignore_ascii_case("jsonl"));
        if is_lines {
            return Ok(Self::Lines(BufWriter::new(file)));
        }
        let mut writer = csv::Writer::from_writer(file);
        let header = [
            "manifest", "line", "column", "header", "rule", "message", "hint", "cell",
        ];
        writer.write_record(header).map_err(Failure::unexpected)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    fn write(&mut self, name: &str, fault: &Fault) -> io::Result<()> {
        let Fault {
            line,
            column,
            header,
            rule,
            message,
            hint,
            cell,
        } = fault;
        match self {
            Self::Lines(file) => {
                let object = json!({
                    "manifest": name, "line": line, "column": column, "header": header, "rule": rule,
                    "message": message, "hint": hint, "cell": cell,
                });
                writeln!(file, "{object}")
            }
            Self::Csv(writer) => {
                let (line, column) = (
                    line.to_string(),
                    column.map(|column| column.to_string()).unwrap_or_default(),
                );
                let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
                let record = [
                    name,
                    &line,
                    &column,
                    &text(header),
                    rule,
                    message,
                    &text(hint),
                    &text(cell),
                ];
                Ok(writer.write_record(record)?)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Csv(writer) => writer
                .into_inner()
                .map_err(csv::IntoInnerError::into_error)?,
            Self::Lines(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?,
        };
        file.finish()
    }
}
