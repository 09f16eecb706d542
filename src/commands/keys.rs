//! What the JSON objects tell that commands print with `--json`, key by key.
//!
//! Owns the words alone: each object is made where its command is. The reference is made of these words, and a test of it
//! compares the keys with those that are printed.

/// An object that a command prints.
#[derive(Debug)]
pub struct Printed {
    /// The command's name.
    pub command: &'static str,
    /// Its keys and what each tells, in the order in which one would ask; where a value may be null this says so.
    pub keys: &'static [(&'static str, &'static str)],
}

const ROWS: (&str, &str) = ("rows", "rows of the manifests");
const EMPTY: (&str, &str) = ("empty", "rows that name no field");
const NEW: (&str, &str) = ("new", "rows of images that the journal did not know");
const CHANGED: (&str, &str) = ("changed", "rows that want something else than before");
const UNCHANGED: (&str, &str) = ("unchanged", "rows that want the same as before");

/// The objects whose keys are a promise.
pub const PRINTED: [Printed; 5] = [
    Printed {
        command: "run",
        keys: &[
            (
                "run_id",
                "the run, as in the journal's `run_log`; null where none began",
            ),
            (
                "exit_code",
                "the true exit code, whatever `--ok` makes of it",
            ),
            ("exit_reason", "why it ended so, in a word that stays"),
            ROWS,
            EMPTY,
            ("invalid", "rows that are invalid"),
            NEW,
            CHANGED,
            UNCHANGED,
            (
                "done",
                "images that X has accepted as they are wanted, now or before",
            ),
            (
                "failed",
                "images that failed, now or before, the dismissed ones among them",
            ),
            (
                "dismissed",
                "of those the ones whose failure is marked as known",
            ),
            ("pending", "images that are left to be sent"),
            (
                "pending_other",
                "images of other manifests that are left in the journal",
            ),
            ("requests", "requests sent"),
            (
                "retries",
                "of those the ones that sent an image another time",
            ),
            ("rate_limited", "answers that told to wait"),
            ("warnings", "images accepted with something to look at"),
            (
                "interrupted",
                "images whose outcome an earlier run has left open; they are sent again",
            ),
            (
                "left_open",
                "images whose outcome is not known at the end; the next run sends them again",
            ),
            (
                "cost_usd",
                "what X may charge for the run, in dollars; of a rehearsal, what it would",
            ),
            ("elapsed_s", "how long it took, in seconds"),
        ],
    },
    Printed {
        command: "check",
        keys: &[
            ("exit_code", "0 or 3"),
            ROWS,
            EMPTY,
            ("invalid", "rows that are invalid"),
            ("faults", "how often each rule is broken, by its name"),
        ],
    },
    Printed {
        command: "plan",
        keys: &[
            ROWS,
            EMPTY,
            ("invalid", "rows that are invalid, and skipped"),
            NEW,
            CHANGED,
            UNCHANGED,
            (
                "failed_before",
                "of the unchanged rows those whose image has failed",
            ),
            (
                "resends",
                "of the changed rows those that would send anew what X has accepted otherwise",
            ),
            ("requests", "requests that a run would send"),
            ("cost_usd", "what they would cost, in dollars"),
            (
                "windows",
                "X's limits: the `rate` of each, how many requests are `used` of it now, and how many times it is filled (`windows`)",
            ),
            ("seconds", "how long a run would take at least"),
            ("finish", "when it would end, begun now"),
            (
                "pending_other",
                "images of other manifests that are left in the journal",
            ),
            (
                "old_uploads",
                "images that would be sent more than a day after their upload: X keeps one that nothing uses for a day",
            ),
            (
                "refused",
                "whether a run would refuse the manifests for `--max-resend`",
            ),
        ],
    },
    Printed {
        command: "status",
        keys: &[
            ("journal", "the file"),
            (
                "api_url",
                "the address that the journal is of, or `sandbox`",
            ),
            ("done", "images that X has accepted as they are wanted"),
            (
                "failed",
                "images that failed, the dismissed ones among them",
            ),
            (
                "dismissed",
                "of those the ones whose failure is marked as known",
            ),
            ("pending", "images that are left to be sent"),
            ("sending", "of those the ones that may have been sent"),
            ("failures", "how many images failed, by cause"),
            (
                "windows",
                "X's published limits: the `rate` of each, and how many requests are `used` of it now",
            ),
            (
                "told",
                "what X told of its limits last: `window`, `limit`, `remaining` and `reset` of each",
            ),
            (
                "next_run",
                "what a further run would send, cost and take: `requests`, `cost_usd`, `seconds`",
            ),
            (
                "running",
                "the run that has the journal, by its `pid`, and `since` when; null where none has",
            ),
            (
                "latest_run",
                "the last run: `run_id`, `started`, `ended`, `exit_code`, `exit_reason`, `requests`; null before the first",
            ),
            ("exit_code", "the code with which `--exit-code` ends"),
        ],
    },
    Printed {
        command: "show",
        keys: &[
            ("media_id", "the image's media id"),
            ("state", "`pending`, `sending`, `done` or `failed`"),
            ("metadata", "what is wanted of it, as it is sent"),
            (
                "digest",
                "the SHA-256 of that, the same however it was written",
            ),
            (
                "accepted",
                "when X accepted it last; null where it never did",
            ),
            (
                "cause",
                "why X did not accept it the last time; null where it did",
            ),
            ("detail", "what was said about it; null where nothing was"),
            ("dismissed", "whether its failure is marked as known"),
            ("source", "the manifest with the row that was last taken in"),
            ("line", "the line of that row"),
            ("first_seen", "when it was first taken in"),
            ("updated", "when its row in the journal last changed"),
            (
                "history",
                "what was sent earlier: the `metadata`, and when it was `accepted`, where that is known",
            ),
            (
                "attempts",
                "each request: `number`, `run_id`, `started`, `ended`, `http_status`, `cause`, `detail`",
            ),
        ],
    },
];
