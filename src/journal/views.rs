//! What other programs may read of a journal: its three views, column by column.
//!
//! Owns what the columns mean. The views themselves are made by the migrations; the reference, which stands in `docs/`, is
//! made of both, and a test compares them.

/// A view that stays, whatever becomes of the tables behind it.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What one row of it is.
    pub about: &'static str,
    /// Its columns, in their order.
    pub columns: &'static [Column],
}

/// A column of a view.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What stands in it; where it may be NULL this says so.
    pub about: &'static str,
}

const fn column(name: &'static str, about: &'static str) -> Column {
    Column { name, about }
}

const ACCOUNT: Column = column(
    "account",
    "whose image: the handle, else the profile, else X's id of the user; `default` until one of them is known",
);
const MEDIA_ID: Column = column("media_id", "the image's media id");
const DETAIL: &str = "what was said about it; NULL where nothing was";

/// The views.
pub const VIEWS: [View; 3] = [
    View {
        name: "item_outcomes",
        about: "one row for each image of each account: how it stands now",
        columns: &[
            ACCOUNT,
            MEDIA_ID,
            column(
                "state",
                "`pending`, `sending` (it may have been sent), `done` (X accepted it) or `failed`",
            ),
            column(
                "attempts",
                "how often it was sent, in all runs and for all that was wanted of it",
            ),
            column(
                "http_status",
                "the status of the last answer; NULL where there was none since its row changed",
            ),
            column(
                "cause",
                "why X did not accept it the last time, in a word that stays; NULL where it did, or was not asked",
            ),
            column("detail", DETAIL),
            column(
                "dismissed",
                "1 where `altfill dismiss` marked its failure as known, else 0",
            ),
            column(
                "source",
                "the manifest with the row that was last taken in, as it was named",
            ),
            column(
                "line",
                "the line of that row; in a workbook the number of the row",
            ),
            column(
                "digest",
                "the SHA-256 of the metadata that is wanted, the same however it was written",
            ),
            column("first_seen", "when it was first taken in"),
            column("updated", "when its row here last changed"),
        ],
    },
    View {
        name: "attempt_log",
        about: "one row for each request that was sent for an image",
        columns: &[
            ACCOUNT,
            MEDIA_ID,
            column(
                "number",
                "which attempt of this image it was, counted from 1",
            ),
            column("run_id", "the run that sent it, as in `run_log`"),
            column("started", "when it was sent"),
            column(
                "ended",
                "when its outcome was known; NULL while it is not, and for good where the run was cut off",
            ),
            column(
                "http_status",
                "the status of the answer; NULL where there was none",
            ),
            column(
                "cause",
                "why X did not accept it, in a word that stays; NULL where it did, or nothing is known",
            ),
            column("detail", DETAIL),
            column("digest", "the SHA-256 of the metadata that was sent"),
        ],
    },
    View {
        name: "run_log",
        about: "one row for each `altfill run` and `altfill resume`",
        columns: &[
            column("run_id", "its number, counted from 1"),
            ACCOUNT,
            column("started", "when it began"),
            column(
                "ended",
                "when it ended; NULL while it goes on, and where it was cut off",
            ),
            column(
                "exit_code",
                "the code with which it ended, before `--ok`; NULL as `ended`",
            ),
            column("exit_reason", "why, in a word; NULL as `ended`"),
            column(
                "sources",
                "the names of its manifests, as a JSON array; `[]` for `resume`",
            ),
            column("requests", "how many requests it sent"),
            column("done", "how many images X accepted"),
            column("failed", "how many images failed"),
            column("cost_usd", "what X may charge for it, in dollars"),
            column("version", "the version of altfill"),
        ],
    },
];
