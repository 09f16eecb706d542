//! Places at which a test can end the program as a crash would: at once, with nothing closed, flushed or said.
//!
//! Owns their names. A release has none of them: without debug assertions, and without the feature `failpoints`,
//! [`Point::pass`] is empty, and nothing reads the variable.

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident => $name:literal,)*) => {
        /// A place, named by what has just been done, or is about to be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// The journal's file is there, and nothing says yet whose it is.
    JournalMade => "journal-made",
    /// The file says that it is a journal, and has no tables.
    JournalMarked => "journal-marked",
    /// All manifests are taken in, and nothing of it is committed.
    IntakeTaken => "intake-taken",
    /// The run has begun, on disk.
    RunBegun => "run-begun",
    /// A turn is written, and not committed.
    TurnWritten => "turn-written",
    /// A turn is on disk; its requests have not left, its outcomes are not told.
    TurnCommitted => "turn-committed",
    /// Requests have left.
    RequestsLeft => "requests-left",
    /// An answer has come, and nobody knows of it.
    AnswerCame => "answer-came",
    /// Outcomes were told.
    OutcomesTold => "outcomes-told",
    /// How the run ended is written, and not committed.
    EndWritten => "end-written",
    /// How the run ended is on disk, the journal still open.
    EndCommitted => "end-committed",
    /// The journal is closed, the last line not said.
    JournalClosed => "journal-closed",
    /// A report is whole, beside its place.
    ReportWritten => "report-written",
    /// A journal of an older form was copied, and is not brought up to date.
    BackupMade => "backup-made",
    /// A salvaged journal is whole, beside its place.
    SalvageWritten => "salvage-written",
}

impl Point {
    /// Ends the program here where `ALTFILL_FAILPOINT` says so: by a name, and the how-many-th time after a colon.
    #[cfg(any(debug_assertions, feature = "failpoints"))]
    pub fn pass(self) {
        use std::sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        };

        static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
        static PASSED: AtomicU32 = AtomicU32::new(0);
        let wanted = WANTED.get_or_init(|| {
            let text = std::env::var("ALTFILL_FAILPOINT").ok()?;
            let (name, time) = text.split_once(':').unwrap_or((&text, "1"));
            Some((name.to_owned(), time.parse().ok()?))
        });
        if let Some((name, time)) = wanted
            && name == self.name()
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *time
        {
            std::process::abort();
        }
    }

    /// Nothing: this is a release.
    #[cfg(not(any(debug_assertions, feature = "failpoints")))]
    #[inline]
    pub const fn pass(self) {}
}
