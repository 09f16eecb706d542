//! Taking manifests in: from files to the journal's transaction, with every fault shown on the way.
//!
//! Owns the hand-over. A thread of its own reads and checks rows while the journal's task writes those before them; what
//! stands between the two is bounded, so memory does not grow with the manifest.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use tokio::sync::mpsc;

use crate::{
    error::Failure,
    journal::{Conflict, Intake},
    manifest::{self, Fault, Invalid, Manifest, Notice, Record},
    progress::say,
    row::{Row, Source},
    settings::ReadSettings,
    time::Timestamp,
};

/// How many rows are written by one statement.
const BATCH: usize = 500;
/// How many batches may wait.
const WAITING: usize = 4;
/// How many faults are shown on the screen.
const SHOWN: u64 = 50;

/// What was found in the manifests, beside what the journal counts.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// All rows.
    pub rows: u64,
    /// Rows that break a rule.
    pub invalid: u64,
    /// The faults by rule.
    pub by_rule: BTreeMap<&'static str, u64>,
}

enum Piece {
    Source(Source),
    Rows(Vec<Row>),
    Invalid(Invalid),
    Notices(Vec<Notice>),
    Failed(manifest::Error),
}

/// Takes `manifests` in.
///
/// # Errors
/// Where a manifest or the journal can't be read; faults of rows are shown and counted.
pub async fn take(
    manifests: &[PathBuf],
    read: &ReadSettings,
    intake: &mut Intake<'_>,
    quiet: bool,
) -> Result<Found, Failure> {
    let (sender, mut pieces) = mpsc::channel(WAITING);
    let options = manifest::Options {
        map: read.map.clone(),
        ignore: read.ignore.clone(),
        encoding: read.encoding.clone(),
        sheet: read.sheet.clone(),
        now: Timestamp::now(),
    };
    let paths = manifests.to_vec();
    let reading = tokio::task::spawn_blocking(move || read_all(&paths, &options, &sender));
    let mut found = Found::default();
    let mut faults = Faults::new(read.errors.as_deref())?;
    let (mut source, mut name) = (0, String::new());
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Source(new) => {
                source = intake.source(&new).await?;
                name = new.name;
            }
            Piece::Rows(rows) => {
                found.rows += rows.len() as u64;
                let conflicts = intake.take(source, &rows).await?;
                for conflict in conflicts {
                    found.invalid += 1;
                    intake
                        .hold(std::slice::from_ref(&conflict.media_id))
                        .await?;
                    faults.show(&name, &contradiction(&conflict), &mut found)?;
                }
            }
            Piece::Invalid(invalid) => {
                found.rows += 1;
                found.invalid += 1;
                if let Some(media_id) = invalid.media_id {
                    intake.hold(&[media_id]).await?;
                }
                for fault in &invalid.faults {
                    faults.show(&name, fault, &mut found)?;
                }
            }
            Piece::Notices(notices) if quiet => drop(notices),
            Piece::Notices(notices) => notices
                .iter()
                .for_each(|notice| say(&format!("{name}: {notice}"))),
            Piece::Failed(error) => return Err(error.into()),
        }
    }
    reading.await.map_err(Failure::unexpected)?;
    faults.end(&found)?;
    Ok(found)
}

/// Reads all manifests, one after the other. An error that ends one ends all: what came before it is not kept.
fn read_all(paths: &[PathBuf], options: &manifest::Options, sender: &mpsc::Sender<Piece>) {
    for path in paths {
        let read = read_one(path, options, sender);
        match read {
            Ok(true) => {}
            // Nobody listens any more: the journal has failed, and says so itself.
            Ok(false) => return,
            Err(error) => {
                let _ = sender.blocking_send(Piece::Failed(error));
                return;
            }
        }
    }
}

fn read_one(
    path: &Path,
    options: &manifest::Options,
    sender: &mpsc::Sender<Piece>,
) -> Result<bool, manifest::Error> {
    let send = |piece: Piece| sender.blocking_send(piece).is_ok();
    let mut manifest = Manifest::open(path, options)?;
    if !send(Piece::Source(manifest.source().clone())) {
        return Ok(false);
    }
    let mut batch: Vec<Row> = Vec::with_capacity(BATCH);
    for record in manifest.by_ref() {
        match record? {
            Record::Row(row) => {
                batch.push(row);
                if batch.len() == BATCH
                    && !send(Piece::Rows(std::mem::replace(
                        &mut batch,
                        Vec::with_capacity(BATCH),
                    )))
                {
                    return Ok(false);
                }
            }
            Record::Invalid(invalid) => {
                // Faults are shown in the order of the lines.
                if !batch.is_empty() && !send(Piece::Rows(std::mem::take(&mut batch))) {
                    return Ok(false);
                }
                if !send(Piece::Invalid(invalid)) {
                    return Ok(false);
                }
            }
        }
    }
    if !batch.is_empty() && !send(Piece::Rows(batch)) {
        return Ok(false);
    }
    let notices = manifest.notices();
    Ok(notices.is_empty() || send(Piece::Notices(notices)))
}

fn contradiction(conflict: &Conflict) -> Fault {
    let (name, line) = &conflict.earlier;
    Fault {
        line: conflict.line,
        column: None,
        header: None,
        rule: "duplicate",
        message: format!(
            "gives {} another {} than line {line} of {name}",
            conflict.media_id, conflict.field
        ),
        hint: Some("Remove one of the two rows, or say --duplicates first or last.".to_owned()),
        cell: None,
    }
}

/// Shows faults: the first ones on the screen, all of them in a file where one was asked for.
struct Faults {
    shown: u64,
    file: Option<csv::Writer<File>>,
}

impl Faults {
    fn new(path: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let file = File::create(path).map_err(|error| {
                Failure::usage(format!(
                    "--errors: {} can't be written: {error}",
                    path.display()
                ))
            })?;
            let mut writer = csv::Writer::from_writer(file);
            let header = [
                "manifest", "line", "column", "header", "rule", "message", "hint", "cell",
            ];
            writer.write_record(header).map_err(Failure::unexpected)?;
            Ok::<_, Failure>(writer)
        };
        Ok(Self {
            shown: 0,
            file: path.map(open).transpose()?,
        })
    }

    fn show(&mut self, name: &str, fault: &Fault, found: &mut Found) -> Result<(), Failure> {
        *found.by_rule.entry(fault.rule).or_default() += 1;
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
            let (line, column) = (
                fault.line.to_string(),
                fault.column.map(|column| column.to_string()),
            );
            let record = [
                name,
                &line,
                column.as_deref().unwrap_or_default(),
                fault.header.as_deref().unwrap_or_default(),
                fault.rule,
                &fault.message,
                fault.hint.as_deref().unwrap_or_default(),
                fault.cell.as_deref().unwrap_or_default(),
            ];
            file.write_record(record).map_err(Failure::unexpected)?;
        }
        Ok(())
    }

    fn end(self, found: &Found) -> Result<(), Failure> {
        if self.shown > SHOWN {
            let causes: Vec<_> = found
                .by_rule
                .iter()
                .map(|(rule, count)| format!("{count} {rule}"))
                .collect();
            let more = self.shown - SHOWN;
            say(&format!(
                "… and {more} more ({}); --errors FILE writes them all",
                causes.join(", ")
            ));
        }
        match self.file {
            Some(mut file) => file.flush().map_err(Failure::unexpected),
            None => Ok(()),
        }
    }
}
