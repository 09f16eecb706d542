//! Planning: what taking manifests in would do, without a word written to the journal.
//!
//! Owns the scratch journal, a file of its own over the real one, which is attached for reading. The intake works on it by
//! the same rules as ever; the items that a batch speaks of are copied over first. So memory and time are those of the
//! manifest, not of the journal, and there is one truth about what a row means.

use std::path::Path;

use super::{Error, Intake, Journal, Lock, open};
use crate::time::Timestamp;

/// What a run would find beside the counts of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outlook {
    /// Due items of other manifests.
    pub others: u64,
    /// Items that would be sent more than a day after the time in their id.
    pub old_uploads: u64,
}

impl Journal {
    /// A scratch journal in `folder` over the one at `path`, or over none.
    pub async fn scratch(folder: &Path, path: Option<&Path>) -> Result<Self, Error> {
        let scratch = folder.join("plan.db");
        let mut journal = open::for_writing(&scratch, "plan", Lock::take(&scratch)?).await?;
        if let Some(path) = path {
            // A path as SQLite's URI has it: what would end it or begin an escape is escaped.
            let path = path
                .to_string_lossy()
                .replace('%', "%25")
                .replace('?', "%3f")
                .replace('#', "%23");
            sqlx::query("ATTACH ? AS old")
                .bind(format!("file:{path}?mode=ro"))
                .execute(&mut journal.connection)
                .await?;
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
    pub async fn outlook(&mut self, now: Timestamp) -> Result<Outlook, Error> {
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
        // A snowflake's upper bits are milliseconds since 2010-11-04T01:42:54.657Z.
        let old_uploads: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM temp.scope AS s JOIN items AS i ON i.id = s.item_id \
             WHERE i.state IN (0, 1) AND (CAST(i.media_id AS INTEGER) >> 22) + 1288834974657 < ? - 86400000",
        )
        .bind(now.0)
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(Outlook {
            others,
            old_uploads: count(old_uploads),
        })
    }
}
