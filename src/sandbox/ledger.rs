//! The server's own account of what reached it and what it accepted.
//!
//! Owns the counts that a test compares with the client's journal. Decides nothing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::media_id::MediaId;
use crate::time::Timestamp;

/// What happened, shared with the server and readable while it serves.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    starts: Vec<Timestamp>,
    statuses: BTreeMap<u16, u64>,
    strays: Vec<String>,
    look_ups: u64,
    media: HashMap<MediaId, Entry>,
    accepted: u64,
    accepted_media: usize,
    bodies: Option<HashMap<MediaId, Vec<Value>>>,
}

#[derive(Default)]
struct Entry {
    seen: u32,
    turns: u32,
    accepted: u32,
}

impl Ledger {
    pub(super) fn new(record_bodies: bool) -> Self {
        let book = Book {
            bodies: record_bodies.then(HashMap::new),
            ..Book::default()
        };
        Self(Arc::new(Mutex::new(book)))
    }

    /// How many POSTs reached it, but for those to the token endpoint, and however they ended.
    #[must_use]
    pub fn requests(&self) -> u64 {
        u64::try_from(self.book().starts.len()).unwrap_or(u64::MAX)
    }

    /// When each of them arrived, in that order.
    #[must_use]
    pub fn starts(&self) -> Vec<Timestamp> {
        self.book().starts.clone()
    }

    /// How many of them were answered with which status. Those that got no answer are in none.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        self.book().statuses.clone()
    }

    /// Requests for what is not there, as `METHOD /path`: a redirect that was followed ends up here.
    #[must_use]
    pub fn strays(&self) -> Vec<String> {
        self.book().strays.clone()
    }

    /// How often it was asked whose a token is.
    #[must_use]
    pub fn look_ups(&self) -> u64 {
        self.book().look_ups
    }

    /// How many times a request for this media arrived, refused ones and all.
    #[must_use]
    pub fn seen(&self, media_id: &str) -> u32 {
        self.entry(media_id, |entry| entry.seen)
    }

    /// How many times metadata for this media was accepted.
    #[must_use]
    pub fn times_accepted(&self, media_id: &str) -> u32 {
        self.entry(media_id, |entry| entry.accepted)
    }

    /// The bodies accepted for this media, in order; none when bodies are not recorded.
    #[must_use]
    pub fn accepted(&self, media_id: &str) -> Vec<Value> {
        let book = self.book();
        let bodies = book.bodies.as_ref().zip(MediaId::parse(media_id));
        bodies
            .and_then(|(bodies, id)| bodies.get(&id))
            .cloned()
            .unwrap_or_default()
    }

    /// The last body accepted for each media; none when bodies are not recorded.
    #[must_use]
    pub fn last_bodies(&self) -> BTreeMap<String, Value> {
        let book = self.book();
        let bodies = book.bodies.iter().flatten();
        bodies
            .filter_map(|(id, bodies)| Some((id.to_string(), bodies.last()?.clone())))
            .collect()
    }

    /// How many requests were accepted in all.
    #[must_use]
    pub fn total_accepted(&self) -> u64 {
        self.book().accepted
    }

    /// How many different media have accepted metadata.
    #[must_use]
    pub fn distinct_accepted(&self) -> usize {
        self.book().accepted_media
    }

    pub(super) fn arrive(&self, at: Timestamp) {
        self.book().starts.push(at);
    }

    pub(super) fn answer(&self, status: u16) {
        *self.book().statuses.entry(status).or_default() += 1;
    }

    pub(super) fn stray(&self, request: String) {
        self.book().strays.push(request);
    }

    pub(super) fn look_up(&self) {
        self.book().look_ups += 1;
    }

    pub(super) fn see(&self, id: MediaId) {
        self.book().media.entry(id).or_default().seen += 1;
    }

    /// The number of this request among those for this media that the windows let through, from 0. Faults go by it
    /// and not by arrivals: how often the windows refuse is a matter of time, and faults are none of it.
    pub(super) fn turn(&self, id: MediaId) -> u32 {
        let mut book = self.book();
        let turns = &mut book.media.entry(id).or_default().turns;
        *turns += 1;
        *turns - 1
    }

    pub(super) fn accept(&self, id: MediaId, body: &Value) {
        let mut guard = self.book();
        let book = &mut *guard;
        let entry = book.media.entry(id).or_default();
        entry.accepted += 1;
        book.accepted += 1;
        book.accepted_media += usize::from(entry.accepted == 1);
        if let Some(bodies) = &mut book.bodies {
            bodies.entry(id).or_default().push(body.clone());
        }
    }

    fn entry(&self, media_id: &str, read: impl FnOnce(&Entry) -> u32) -> u32 {
        let id = MediaId::parse(media_id);
        id.map_or(0, |id| self.book().media.get(&id).map_or(0, read))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Each change is whole before anything can panic, so a poisoned book is still a true one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(text: &str) -> MediaId {
        MediaId::parse(text).unwrap()
    }

    #[test]
    fn two_media_have_accounts_of_their_own() {
        let ledger = Ledger::new(true);
        for (media, body) in [("7", "a"), ("7", "b"), ("007", "c")] {
            ledger.see(id(media));
            ledger.accept(id(media), &json!(body));
        }
        ledger.see(id("8"));
        assert_eq!(ledger.accepted("7"), [json!("a"), json!("b")]);
        assert_eq!(
            (ledger.seen("7"), ledger.seen("007"), ledger.seen("8")),
            (2, 1, 1)
        );
        assert_eq!(ledger.times_accepted("8"), 0);
        assert_eq!(
            (ledger.total_accepted(), ledger.distinct_accepted()),
            (3, 2)
        );
        assert_eq!(
            ledger.last_bodies(),
            BTreeMap::from([("7".into(), json!("b")), ("007".into(), json!("c"))])
        );
    }

    #[test]
    fn without_bodies_the_numbers_remain() {
        let ledger = Ledger::new(false);
        ledger.accept(id("7"), &json!("a"));
        assert_eq!(
            (ledger.times_accepted("7"), ledger.distinct_accepted()),
            (1, 1)
        );
        assert!(ledger.accepted("7").is_empty() && ledger.last_bodies().is_empty());
    }

    #[test]
    fn turns_count_from_zero_for_each_media() {
        let ledger = Ledger::new(false);
        assert_eq!(
            [
                ledger.turn(id("7")),
                ledger.turn(id("7")),
                ledger.turn(id("8"))
            ],
            [0, 1, 0]
        );
    }
}
