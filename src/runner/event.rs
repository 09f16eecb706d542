//! What happens in a run, for those who watch it; and what has happened, when it is over.
//!
//! Events are told after what they tell of is on disk.

use crate::{
    outcome::{Cause, Stop, Warning},
    time::Timestamp,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Requests left.
    Sent(usize),
    /// X accepted an item.
    Done {
        /// Its media id.
        media_id: String,
        /// What the answer left open.
        warnings: Vec<Warning>,
    },
    /// An item failed.
    Failed {
        /// Its media id.
        media_id: String,
        /// Why.
        cause: Cause,
        /// What was said.
        detail: Option<String>,
    },
    /// An item will be sent again.
    Again {
        /// Its media id.
        media_id: String,
        /// Why.
        cause: Cause,
        /// When, at the earliest.
        at: Timestamp,
    },
    /// Nothing can be sent before this moment.
    Waiting {
        /// Until when.
        until: Timestamp,
        /// For what.
        why: Wait,
    },
    /// Sending goes on after a wait.
    Resumed,
    /// The server's clock is so many milliseconds ahead of ours.
    ClockIsOff(i64),
    /// Nothing starts any more; what is in flight is waited for.
    Stopping(Ending),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A window has room again.
    Window,
    /// X said to wait.
    RateLimited,
    /// X can't be reached.
    Outage,
    /// No fresh token can be had for the moment.
    Token,
    /// Only retries are left, and none is due yet.
    Retry,
}

/// Why a run ended before all was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// A signal, by its number.
    Signal(i32),
    /// X refused the program or its money, with what was said.
    Refused(Stop, Cause, Option<String>),
    /// X was out, or out of reach, for too long.
    Outage(Option<String>),
    /// So many items in a row failed for this cause, and none was done.
    HaltAfter(u32, Cause),
    /// Too many of the items failed: so many of so many.
    MaxFailures(u64, u64),
    /// As many items were started as were asked for.
    MaxItems,
    /// One more request could cost more than was allowed.
    MaxSpend,
    /// The time is up.
    MaxDuration,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Requests sent.
    pub requests: u64,
    /// Of them those that sent an item another time.
    pub retries: u64,
    /// Answers that said that a window was exhausted.
    pub rate_limited: u64,
    /// Requests that X may charge for.
    pub spent: u64,
    /// Items accepted.
    pub done: u64,
    /// Items failed.
    pub failed: u64,
    /// Items accepted with a warning.
    pub warnings: u64,
    /// Requests that were cut off at the end: their outcome is not known.
    pub cut_off: u64,
    /// Why it ended before all was sent, if it did.
    pub ending: Option<Ending>,
}
