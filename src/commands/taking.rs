//! Taking manifests in: from files to the journal's transaction, with every fault shown on the way.
//!
//! Owns the hand-over, to the journal's transaction or, for `check`, to what only finds duplicates. A thread of its own
//! reads and checks rows while the journal's task writes those before them; what stands between the two is bounded, so
//! memory does not grow with the manifest.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::mpsc as std_mpsc,
    time::SystemTime,
};

use tokio::sync::mpsc;

use super::{counted, faults::Faults, linting::Linter};
use crate::{
    error::Failure,
    item::MediaId,
    journal::{Batch, Intake},
    manifest::{self, Duplicates, Fault, Invalid, Manifest, Notice, Record, contradiction},
    progress::say,
    row::{Row, Source},
    settings::ReadSettings,
    time::Timestamp,
};

/// How many batches may wait.
const WAITING: usize = 1;
/// What was found in the manifests, beside what a sink counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// All rows.
    pub rows: u64,
    /// Rows that break a rule.
    pub invalid: u64,
}

impl Found {
    /// The invalid rows as the beginning of a sentence about them.
    pub fn invalid_rows(self) -> String {
        let are = if self.invalid == 1 { "is" } else { "are" };
        format!("{} {are}", counted(self.invalid, "row"))
    }
}

enum Piece<B> {
    Source(Source),
    Rows(B),
    Invalid(Invalid),
    Notices(Vec<Notice>),
    Failed(manifest::Error),
}

/// Makes rows ready for a sink.
pub type Preparer<B> = Box<dyn Fn(Vec<Row>) -> B + Send>;

/// Where rows go.
pub trait Sink {
    /// Rows as it takes them in.
    type Batch: Send + 'static;
    /// How many rows it has.
    fn count(batch: &Self::Batch) -> u64;
    /// What makes rows ready, on a thread of its own.
    fn preparer(&self) -> Preparer<Self::Batch>;
    /// A manifest begins.
    async fn source(&mut self, source: &Source) -> Result<(), Failure>;
    /// Rows of it; returned are the faults of those that contradict earlier ones, with their items.
    async fn take(&mut self, batch: &Self::Batch) -> Result<Vec<(MediaId, Fault)>, Failure>;
    /// An item of which a row is invalid.
    async fn hold(&mut self, media_id: MediaId) -> Result<(), Failure>;
    /// All rows are in.
    async fn end(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The journal's transaction as a sink.
pub struct IntoJournal<'i, 'j> {
    intake: &'i mut Intake<'j>,
    source: i64,
}

impl<'i, 'j> IntoJournal<'i, 'j> {
    /// Rows go into `intake`.
    pub const fn new(intake: &'i mut Intake<'j>) -> Self {
        Self { intake, source: 0 }
    }
}

impl Sink for IntoJournal<'_, '_> {
    type Batch = Batch;

    fn count(batch: &Batch) -> u64 {
        batch.len()
    }

    fn preparer(&self) -> Preparer<Batch> {
        Box::new(self.intake.preparer())
    }

    async fn source(&mut self, source: &Source) -> Result<(), Failure> {
        self.source = self.intake.source(source).await?;
        Ok(())
    }

    async fn take(&mut self, batch: &Batch) -> Result<Vec<(MediaId, Fault)>, Failure> {
        let conflicts = self.intake.take(self.source, batch).await?.into_iter();
        let fault = |conflict: crate::journal::Conflict| {
            let (name, line) = (&conflict.earlier.0, conflict.earlier.1);
            let fault = contradiction(
                conflict.line,
                conflict.media_id.as_str(),
                conflict.field,
                (name, line),
            );
            (conflict.media_id, fault)
        };
        Ok(conflicts.map(fault).collect())
    }

    async fn hold(&mut self, media_id: MediaId) -> Result<(), Failure> {
        Ok(self.intake.hold(&[media_id]).await?)
    }

    async fn end(&mut self) -> Result<(), Failure> {
        Ok(self.intake.count_known().await?)
    }
}

/// Duplicates alone: what `check` needs of a journal.
#[derive(Default)]
pub struct IntoNothing {
    /// What has been seen of each id; nothing is kept where two values are no error.
    pub duplicates: Option<Duplicates>,
    /// The manifests' names.
    pub names: Vec<String>,
    /// Rows that name no field.
    pub empty: u64,
}

impl Sink for IntoNothing {
    type Batch = Vec<Row>;

    fn count(rows: &Vec<Row>) -> u64 {
        rows.len() as u64
    }

    fn preparer(&self) -> Preparer<Vec<Row>> {
        Box::new(|rows| rows)
    }

    async fn source(&mut self, source: &Source) -> Result<(), Failure> {
        self.names.push(source.name.clone());
        Ok(())
    }

    async fn take(&mut self, rows: &Vec<Row>) -> Result<Vec<(MediaId, Fault)>, Failure> {
        let source = u16::try_from(self.names.len().saturating_sub(1)).unwrap_or(u16::MAX);
        for row in rows {
            self.empty += u64::from(row.patch.is_empty());
            if let Some(duplicates) = &mut self.duplicates {
                duplicates.note(source, row).map_err(Failure::unexpected)?;
            }
        }
        Ok(Vec::new())
    }

    async fn hold(&mut self, _: MediaId) -> Result<(), Failure> {
        Ok(())
    }
}

/// Takes `manifests` in.
///
/// # Errors
/// Where a manifest or the journal can't be read; faults of rows are shown and counted.
pub async fn take<S: Sink>(
    manifests: &[PathBuf],
    read: &ReadSettings,
    sink: &mut S,
    faults: &mut Faults,
    quiet: bool,
) -> Result<Found, Failure> {
    let (sender, raw) = mpsc::channel(WAITING);
    let (ready, mut pieces) = mpsc::channel(WAITING);
    let options = manifest::Options {
        map: read.map.clone(),
        ignore: read.ignore.clone(),
        encoding: read.encoding.clone(),
        sheet: read.sheet.clone(),
        now: Timestamp::now(),
    };
    let paths = manifests.to_vec();
    let lint = Linter::new(read.lint);
    // Rows go back to the thread that made them when they are taken in: memory is cheapest to free where it was had.
    let (taken, used) = std_mpsc::channel();
    let prepare = sink.preparer();
    let reading = tokio::task::spawn_blocking(move || {
        read_all(&paths, &options, lint, &Hand { sender, used });
    });
    let preparing = tokio::task::spawn_blocking(move || prepare_all(raw, &prepare, &ready));
    let mut found = Found::default();
    let mut name = String::new();
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Source(new) => {
                sink.source(&new).await?;
                name = new.name;
            }
            Piece::Rows(rows) => {
                found.rows += S::count(&rows);
                for (media_id, fault) in sink.take(&rows).await? {
                    found.invalid += 1;
                    sink.hold(media_id).await?;
                    faults.show(&name, &fault)?;
                }
                // Nobody takes them back where all is read.
                let _ = taken.send(rows);
            }
            Piece::Invalid(invalid) => {
                found.rows += 1;
                found.invalid += 1;
                if let Some(media_id) = invalid.media_id {
                    sink.hold(media_id).await?;
                }
                for fault in &invalid.faults {
                    faults.show(&name, fault)?;
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
    preparing.await.map_err(Failure::unexpected)?;
    sink.end().await?;
    Ok(found)
}

/// What the reading thread gives, and what it gets back.
struct Hand<B> {
    sender: mpsc::Sender<Piece<Vec<Row>>>,
    used: std_mpsc::Receiver<B>,
}

impl<B> Hand<B> {
    /// Gives a piece; false where nobody takes it any more.
    fn send(&self, piece: Piece<Vec<Row>>) -> bool {
        self.used.try_iter().for_each(drop);
        self.sender.blocking_send(piece).is_ok()
    }
}

/// Makes rows ready, on a thread between the one that reads and the one that writes, so that neither waits for it.
fn prepare_all<B>(
    mut raw: mpsc::Receiver<Piece<Vec<Row>>>,
    prepare: &Preparer<B>,
    ready: &mpsc::Sender<Piece<B>>,
) {
    while let Some(piece) = raw.blocking_recv() {
        let piece = match piece {
            Piece::Rows(rows) => Piece::Rows(prepare(rows)),
            Piece::Source(source) => Piece::Source(source),
            Piece::Invalid(invalid) => Piece::Invalid(invalid),
            Piece::Notices(notices) => Piece::Notices(notices),
            Piece::Failed(error) => Piece::Failed(error),
        };
        if ready.blocking_send(piece).is_err() {
            return;
        }
    }
}

/// Reads all manifests, one after the other. An error that ends one ends all: what came before it is not kept.
fn read_all<B>(paths: &[PathBuf], options: &manifest::Options, mut lint: Linter, hand: &Hand<B>) {
    for path in paths {
        let read = read_one(path, options, &mut lint, hand);
        match read {
            Ok(true) => {}
            // Nobody listens any more: the journal has failed, and says so itself.
            Ok(false) => return,
            Err(error) => {
                hand.send(Piece::Failed(error));
                return;
            }
        }
    }
}

/// A file that is read, as it was before: another one that is put in its place meanwhile is no change of it.
struct Watched {
    file: File,
    before: (u64, Option<SystemTime>),
}

impl Watched {
    /// The file at `path`; nothing where that is none, but a pipe.
    fn new(path: &Path) -> Option<Self> {
        path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let file = File::open(path).ok()?;
        let before = Self::look(&file)?;
        Some(Self { file, before })
    }

    fn look(file: &File) -> Option<(u64, Option<SystemTime>)> {
        let file = file.metadata().ok()?;
        Some((file.len(), file.modified().ok()))
    }

    fn has_changed(&self) -> bool {
        Self::look(&self.file) != Some(self.before)
    }
}

fn read_one<B>(
    path: &Path,
    options: &manifest::Options,
    lint: &mut Linter,
    hand: &Hand<B>,
) -> Result<bool, manifest::Error> {
    let send = |piece| hand.send(piece);
    let watched = Watched::new(path);
    let rows = |batch: &mut Vec<Row>| {
        Piece::Rows(std::mem::replace(batch, Vec::with_capacity(Batch::ROWS)))
    };
    let mut manifest = Manifest::open(path, options)?;
    if !send(Piece::Source(manifest.source().clone())) {
        return Ok(false);
    }
    let mut batch: Vec<Row> = Vec::with_capacity(Batch::ROWS);
    for record in manifest.by_ref() {
        let record = match record? {
            Record::Row(row) => lint.look(&row).map_or(Record::Row(row), Record::Invalid),
            invalid @ Record::Invalid(_) => invalid,
        };
        match record {
            Record::Row(row) => {
                batch.push(row);
                if batch.len() == Batch::ROWS && !send(rows(&mut batch)) {
                    return Ok(false);
                }
            }
            Record::Invalid(invalid) => {
                // Faults are shown in the order of the lines.
                if !batch.is_empty() && !send(rows(&mut batch)) {
                    return Ok(false);
                }
                if !send(Piece::Invalid(invalid)) {
                    return Ok(false);
                }
            }
        }
    }
    if !batch.is_empty() && !send(rows(&mut batch)) {
        return Ok(false);
    }
    if watched.is_some_and(|watched| watched.has_changed()) {
        let file = path.display().to_string();
        return Err(manifest::Error::Changed { file });
    }
    let mut notices = manifest.notices();
    notices.extend(lint.notices());
    Ok(notices.is_empty() || send(Piece::Notices(notices)))
}
