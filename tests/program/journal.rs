//! The journal as other programs read it: through its three views, over a connection that can only read.

use std::{collections::BTreeMap, path::Path};

use sqlx::{Connection, FromRow, SqliteConnection, sqlite::SqliteConnectOptions};

/// A row of `item_outcomes`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Item {
    pub account: String,
    pub media_id: String,
    pub state: String,
    pub attempts: i64,
    pub http_status: Option<i64>,
    pub cause: Option<String>,
    pub detail: Option<String>,
    pub dismissed: i64,
    pub source: String,
    pub line: i64,
    pub digest: String,
    pub first_seen: String,
    pub updated: String,
}

/// A row of `attempt_log`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Attempt {
    pub account: String,
    pub media_id: String,
    pub number: i64,
    pub run_id: i64,
    pub started: String,
    pub ended: Option<String>,
    pub http_status: Option<i64>,
    pub cause: Option<String>,
    pub detail: Option<String>,
    pub digest: String,
}

/// A row of `run_log`.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(clippy::struct_field_names, reason = "they are the view's columns")]
pub struct Run {
    pub run_id: i64,
    pub account: String,
    pub started: String,
    pub ended: Option<String>,
    pub exit_code: Option<i64>,
    pub exit_reason: Option<String>,
    pub sources: String,
    pub requests: i64,
    pub done: i64,
    pub failed: i64,
    pub cost_usd: f64,
    pub version: String,
}

/// A journal that is read.
pub struct Views(SqliteConnection);

impl Views {
    pub async fn open(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        Self(SqliteConnection::connect_with(&options).await.unwrap())
    }

    /// All items, by media id.
    pub async fn items(&mut self) -> BTreeMap<String, Item> {
        let items: Vec<Item> = sqlx::query_as("SELECT * FROM item_outcomes")
            .fetch_all(&mut self.0)
            .await
            .unwrap();
        let count = items.len();
        let items: BTreeMap<_, _> = items
            .into_iter()
            .map(|item| (item.media_id.clone(), item))
            .collect();
        assert_eq!(items.len(), count, "an item has one row");
        items
    }

    /// The media ids of the items in this state, in order.
    pub async fn in_state(&mut self, state: &str) -> Vec<String> {
        let items = self.items().await;
        let items = items.into_values().filter(|item| item.state == state);
        items.map(|item| item.media_id).collect()
    }

    /// How many items there are in each state.
    pub async fn states(&mut self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for item in self.items().await.into_values() {
            *states.entry(item.state).or_default() += 1;
        }
        states
    }

    /// All attempts, in the order of their starts.
    pub async fn attempts(&mut self) -> Vec<Attempt> {
        sqlx::query_as("SELECT * FROM attempt_log ORDER BY started, media_id, number")
            .fetch_all(&mut self.0)
            .await
            .unwrap()
    }

    /// All runs, the first one first.
    pub async fn runs(&mut self) -> Vec<Run> {
        sqlx::query_as("SELECT * FROM run_log ORDER BY run_id")
            .fetch_all(&mut self.0)
            .await
            .unwrap()
    }
}
