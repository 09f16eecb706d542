//! Planning: what taking manifests in would do, without a word written to the journal.
//!
//! Owns the scratch journal, a file of its own over the real one, which is attached for reading. The intake works on it by
//! the same rules as ever; the items that a batch speaks of are copied over first. So memory and time are those of the
//! manifest, not of the journal, and there is one truth about what a row means.

use std::path::Path;

use sqlx::Row as _;

use super::{Error, Intake, Journal, Lock, open};
use crate::item::MediaId;

/// What a run would find beside the counts of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outlook {
    /// Due items of other manifests.
    pub others: u64,
}

impl Journal {
    /// A scratch journal in `folder` over the one at `path`, or over none.
    pub async fn scratch(folder: &Path, path: Option<&Path>) -> Result<Self, Error> {
        let scratch = folder.join("plan.db");
        let mut journal = open::for_writing(&scratch, "plan", Lock::take(&scratch)?).await?;
        if let Some(path) = path {
            open::attach_old(&mut journal.connection, path).await?;
            journal.is_over = true;
        }
        Ok(journal)
    }
}

impl Intake<'_> {
    /// Copies those of `ids`, a JSON array, that the journal below knows and this one does not.
    pub(super) async fn copy_from_below(&mut self, ids: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO main.items SELECT o.* FROM json_each(?) AS j \
             CROSS JOIN old.items AS o ON o.account_id = ? AND o.media_id = j.value \
             WHERE NOT EXISTS (SELECT 1 FROM main.items AS i WHERE i.id = o.id)",
        )
        .bind(ids)
        .bind(self.account)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// What a run would find beside.
    pub async fn outlook(&mut self) -> Result<Outlook, Error> {
        let count = |count: i64| count.unsigned_abs();
        let others = if self.is_over {
            let all: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM old.items INDEXED BY items_due WHERE account_id = ? AND state IN (0, 1)",
            )
            .bind(self.account)
            .fetch_one(&mut *self.transaction)
            .await?;
            let ours: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM temp.scope AS s JOIN old.items AS o ON o.id = s.item_id WHERE o.state IN (0, 1)",
            )
            .fetch_one(&mut *self.transaction)
            .await?;
            count(all - ours)
        } else {
            0
        };
        Ok(Outlook { others })
    }

    /// The next items that a run would send, after the row `after`, in the order in which it would.
    pub async fn due_after(&mut self, after: i64, most: i64) -> Result<Vec<(i64, MediaId)>, Error> {
        let rows = sqlx::query(
            "SELECT i.id, i.media_id FROM items AS i INDEXED BY items_due CROSS JOIN temp.scope AS s ON s.item_id = i.id \
             WHERE i.account_id = ? AND i.state IN (0, 1) AND s.held = 0 AND i.id > ? ORDER BY i.id LIMIT ?",
        )
        .bind(self.account)
        .bind(after)
        .bind(most)
        .fetch_all(&mut *self.transaction)
        .await?;
        rows.iter()
            .map(|row| {
                let media_id: &str = row.try_get("media_id")?;
                let damaged = |_| Error::Damaged(format!("the id of image {media_id}"));
                Ok((row.try_get("id")?, media_id.parse().map_err(damaged)?))
            })
            .collect()
    }
}
