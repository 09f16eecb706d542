//! What the runner needs of the world: a queue to take from, and somebody to send.
//!
//! Two small traits, so that whole runs can be tested in virtual time against a queue in memory and an API that is a
//! function. The journal is the queue's one real implementation; the API client's stands with the commands.

use std::{collections::HashSet, future::Future};

use crate::{
    answer::{Reply, Told},
    item::MediaId,
    journal::{Due, Error, Journal, Scope, Settled, Start},
    metadata::Metadata,
    time::Timestamp,
};

/// An answer, with the token that the request carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What came back.
    pub reply: Reply,
    /// Which token was sent, counted from 0; each renewal counts one further.
    pub generation: u32,
    /// Whether that token's own time was over when the answer came, or it was replaced meanwhile.
    pub is_over: bool,
}

/// Why there is no other token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoToken {
    /// A person must act.
    Access(String),
    /// It may be had later.
    Unreachable(String),
}

/// Sends requests.
pub trait Api: Clone + Send + Sync + 'static {
    /// Sends one item's metadata, once.
    fn send(
        &self,
        media_id: &MediaId,
        metadata: &Metadata,
    ) -> impl Future<Output = Answered> + Send;

    /// When another token should be had, so that none runs out on its way; none where that is not known.
    fn renew_at(&self) -> Option<Timestamp>;

    /// Gets a token other than the one of `generation`, and returns which one there is now.
    fn renew(&self, generation: u32) -> impl Future<Output = Result<u32, NoToken>> + Send;
}

/// A queue of due items that survives the run; see [`Journal`] for what each verb promises.
#[expect(missing_docs, reason = "they are the journal's own verbs")]
pub trait Queue: Send {
    fn claim(
        &mut self,
        after: i64,
        now: Timestamp,
        claimed: &HashSet<i64>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Due>, Error>> + Send;
    fn next_retry(
        &mut self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Timestamp>, Error>> + Send;
    fn next_attempt(&mut self) -> i64;
    fn record(
        &mut self,
        settled: &[Settled],
        starts: &[Start],
        told: &[Told],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The journal as the queue of one run.
#[derive(Debug)]
pub struct JournalQueue<'j> {
    /// The journal.
    pub journal: &'j mut Journal,
    /// Whose items.
    pub account: i64,
    /// The run.
    pub run_id: i64,
    /// Which of the items.
    pub scope: Scope,
}

impl Queue for JournalQueue<'_> {
    async fn claim(
        &mut self,
        after: i64,
        now: Timestamp,
        claimed: &HashSet<i64>,
        most: usize,
    ) -> Result<Vec<Due>, Error> {
        self.journal
            .claim(self.account, self.scope, after, now, claimed, most)
            .await
    }

    async fn next_retry(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.journal.next_retry(self.account, now).await
    }

    fn next_attempt(&mut self) -> i64 {
        self.journal.next_attempt()
    }

    async fn record(
        &mut self,
        settled: &[Settled],
        starts: &[Start],
        told: &[Told],
        now: Timestamp,
    ) -> Result<(), Error> {
        self.journal
            .record(self.account, self.run_id, settled, starts, told, now)
            .await
    }
}
