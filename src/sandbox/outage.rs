//! When nothing gets through: stretches after the start in which every connection is reset.
//!
//! Owns the timetable. Resets nothing itself.

use std::{future, time::Duration};

use tokio::time::{Instant, sleep_until};

/// The outages of a sandbox, from its start on.
pub(super) struct Outages {
    start: Instant,
    spans: Vec<(Duration, Duration)>,
}

impl Outages {
    /// Outages that are counted from now.
    pub(super) fn new(spans: Vec<(Duration, Duration)>) -> Self {
        Self {
            start: Instant::now(),
            spans,
        }
    }

    /// Whether one is on.
    pub(super) fn is_on(&self) -> bool {
        let elapsed = self.start.elapsed();
        self.spans
            .iter()
            .any(|(from, to)| (*from..*to).contains(&elapsed))
    }

    /// Waits until the next one begins: forever when there is none.
    pub(super) async fn next(&self) {
        let elapsed = self.start.elapsed();
        match self
            .spans
            .iter()
            .map(|span| span.0)
            .filter(|from| *from > elapsed)
            .min()
        {
            Some(from) => sleep_until(self.start + from).await,
            None => future::pending().await,
        }
    }
}
