//! How full X's windows were over time, from the starts of requests.
//!
//! Owns a measure that is exact for any stretch and needs no memory: what enters a window and what leaves it are two
//! readings of the same attempts, one behind the other. Keeps no limit and knows none: that is the limiter's.

use std::{collections::VecDeque, time::Duration};

use sqlx::{Row as _, SqliteConnection};

use super::{Error, Reader, overview::milliseconds};
use crate::time::Timestamp;

/// How many starts are read at a time.
const PAGE: i64 = 5_000;

/// How full a sliding window was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The most requests that any stretch ending in each bucket held.
    pub busiest: Vec<(Timestamp, u64)>,
    /// How many the stretch that ends now holds.
    pub now: u64,
}

impl Reader {
    /// How full a window of the length `window` was over time, by stretches of `width`; of one account, or of all.
    ///
    /// It is read twice, once for what enters the window and once for what leaves it.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub async fn usage(
        &mut self,
        window: Duration,
        of_all: bool,
        width: Duration,
        now: Timestamp,
    ) -> Result<Usage, Error> {
        let width = milliseconds(width).max(1);
        let account = (!of_all).then_some(self.account);
        let (mut entering, mut leaving) = (Starts::of(account), Starts::of(account));
        let mut usage = Usage::default();
        let mut inside = 0_u64;
        let mut bucket = None;
        while let Some(started) = entering.next(&mut self.connection).await? {
            let own = started.div_euclid(width) * width;
            // A clock that was set back does not make the chart begin anew.
            let mut at = bucket.unwrap_or(own);
            if bucket.is_none() {
                usage.busiest.push((Timestamp(own), 0));
            }
            while at < own {
                at += width;
                inside -= leaving
                    .pass(&mut self.connection, Timestamp(at) - window, inside)
                    .await?;
                usage.busiest.push((Timestamp(at), inside));
            }
            bucket = Some(at);
            inside -= leaving
                .pass(&mut self.connection, Timestamp(started) - window, inside)
                .await?;
            inside += 1;
            if let Some((_, most)) = usage.busiest.last_mut() {
                *most = inside.max(*most);
            }
        }
        usage.now = inside
            - leaving
                .pass(&mut self.connection, now - window, inside)
                .await?;
        Ok(usage)
    }
}

/// The starts of requests in their order, a page at a time.
struct Starts {
    account: Option<i64>,
    page: VecDeque<i64>,
    after: Option<i64>,
}

impl Starts {
    const fn of(account: Option<i64>) -> Self {
        Self {
            account,
            page: VecDeque::new(),
            after: Some(0),
        }
    }

    /// The next one, which stays where it is.
    async fn peek(&mut self, connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
        if let (true, Some(after)) = (self.page.is_empty(), self.after) {
            let statement = "SELECT t.id, t.started FROM attempts AS t CROSS JOIN runs AS r ON r.id = t.run_id \
                 WHERE t.id > ? AND (?2 IS NULL OR r.account_id = ?2) ORDER BY t.id LIMIT ?3";
            let rows = sqlx::query(statement)
                .bind(after)
                .bind(self.account)
                .bind(PAGE)
                .fetch_all(connection)
                .await?;
            self.after = rows.last().map(|row| row.try_get("id")).transpose()?;
            for row in &rows {
                self.page.push_back(row.try_get("started")?);
            }
        }
        Ok(self.page.front().copied())
    }

    async fn next(&mut self, connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
        let next = self.peek(connection).await?;
        self.page.pop_front();
        Ok(next)
    }

    /// Goes past those that started at `end` or before, `most` at most, and tells how many.
    async fn pass(
        &mut self,
        connection: &mut SqliteConnection,
        end: Timestamp,
        most: u64,
    ) -> Result<u64, Error> {
        let mut passed = 0;
        while passed < most
            && let Some(started) = self.peek(connection).await?
            && started <= end.0
        {
            self.page.pop_front();
            passed += 1;
        }
        Ok(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::overview::tests::{attempt, item, reader};

    #[tokio::test]
    async fn a_window_is_as_full_as_its_busiest_stretch_and_empties_by_itself() {
        let starts = [0, 10, 50, 110, 320].map(|started| attempt(1, 1, 1, started, None));
        let other = attempt(1, 2, 1, 330, None);
        let rows = format!("{}{}{other}", item(1, 2, 1), starts.concat());
        let (_folder, _journal, mut reader) = reader(&rows).await;
        let length = Duration::from_millis(100);
        let now = Timestamp(425);
        let usage = reader.usage(length, false, length, now).await.unwrap();
        let busiest = [(0, 3), (100, 2), (200, 1), (300, 1)];
        let busiest = busiest.map(|(from, most)| (Timestamp(from), most)).to_vec();
        assert_eq!(usage, Usage { busiest, now: 0 });
        let of_all = reader.usage(length, true, length, now).await.unwrap();
        assert_eq!((of_all.busiest[3].1, of_all.now), (2, 1));
    }

    #[tokio::test]
    async fn a_window_is_measured_over_more_starts_than_are_read_at_once() {
        let starts: String = (0..PAGE + 10)
            .map(|number| attempt(1, 1, 1, number, None))
            .collect();
        let (_folder, _journal, mut reader) = reader(&format!("{}{starts}", item(1, 2, 1))).await;
        let (window, width) = (Duration::from_millis(300), Duration::from_secs(60));
        let usage = reader
            .usage(window, false, width, Timestamp(PAGE + 10))
            .await
            .unwrap();
        assert_eq!(usage.busiest, [(Timestamp(0), 300)]);
        assert_eq!(usage.now, 299);
    }
}
