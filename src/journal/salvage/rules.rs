//! The rules by which what is missing or false in a salvaged journal does no harm.
//!
//! Owns them, a statement each: nothing counts as done of which that is not certain, what may have been sent stays
//! `sending`, what was sent keeps its place in the limits, and what no altfill has written is put to rest.

use sqlx::SqliteConnection;

use super::{number, run};
use crate::{item::MediaId, journal::Error, metadata::Metadata};

/// What no altfill has written, and what stands for it: unknown where that may be said, else what does no harm. An attempt
/// without a plausible moment was just now, for the limits.
pub(super) const IMPLAUSIBLE: [(&str, &str); 8] = [
    // Ids of X are digits: what is none was another table's.
    (
        "accounts",
        "UPDATE main.accounts SET user_id = NULL, handle = NULL, profile = NULL WHERE user_id GLOB '*[^0-9]*'",
    ),
    (
        "items",
        "UPDATE main.items SET http_status = NULL WHERE http_status NOT BETWEEN 100 AND 999",
    ),
    (
        "items",
        "UPDATE main.items SET failures = 0, passing_runs = 0, dismissed = 0, line = 0, \
         attempts = (SELECT coalesce(max(t.number), 0) FROM main.attempts AS t WHERE t.item_id = items.id) \
         WHERE attempts NOT BETWEEN 0 AND 1000000 OR failures NOT BETWEEN 0 AND 1000000 \
         OR passing_runs NOT BETWEEN 0 AND 1000 OR dismissed NOT IN (0, 1) OR line NOT BETWEEN 0 AND 1000000000000",
    ),
    (
        "items",
        "UPDATE main.items SET first_seen = {now}, updated = {now}, not_before = NULL, accepted_at = NULL \
         WHERE first_seen NOT BETWEEN 0 AND 253402300799999 OR updated NOT BETWEEN 0 AND 253402300799999 \
         OR not_before NOT BETWEEN 0 AND 253402300799999 OR accepted_at NOT BETWEEN 0 AND 253402300799999",
    ),
    (
        "attempts",
        "UPDATE main.attempts SET started = {now}, ended = NULL, cause = 'lost', http_status = NULL, spent = 1, \
         number = iif(number BETWEEN 1 AND 1000000, number, 1) \
         WHERE started NOT BETWEEN 0 AND 253402300799999 OR ended NOT BETWEEN started AND 253402300799999 \
         OR http_status NOT BETWEEN 100 AND 999 OR number NOT BETWEEN 1 AND 1000000 OR spent NOT IN (0, 1)",
    ),
    (
        "runs",
        "UPDATE main.runs SET exit_code = NULL, exit_reason = 'lost', started = min(max(started, 0), {now}), ended = {now}, \
         requests = 0, done = 0, failed = 0, spent = 0, price = 0.005, timeout = 600000 \
         WHERE started NOT BETWEEN 0 AND 253402300799999 OR ended NOT BETWEEN 0 AND 253402300799999 \
         OR exit_code NOT BETWEEN 0 AND 255 OR min(requests, done, failed, spent) < 0 \
         OR max(requests, done, failed, spent) > 1000000000000 OR price NOT BETWEEN 0 AND 1000000000 \
         OR timeout NOT BETWEEN 0 AND 1000000000000",
    ),
    (
        "history",
        "UPDATE main.history SET accepted_at = NULL, replaced = {now} \
         WHERE accepted_at NOT BETWEEN 0 AND 253402300799999 OR replaced NOT BETWEEN 0 AND 253402300799999",
    ),
    (
        "windows",
        "DELETE FROM main.windows WHERE remaining NOT BETWEEN 0 AND 4294967295 OR capacity NOT BETWEEN 0 AND 4294967295 \
         OR reset NOT BETWEEN 0 AND 253402300799999 OR told NOT BETWEEN 0 AND 253402300799999",
    ),
];

/// Makes texts of what a disk has made of texts: what is no UTF-8 can't be read as one.
pub(super) async fn mend_texts(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<(), Error> {
    let columns: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_table_info(?, 'main') WHERE type = 'TEXT'")
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
    for column in columns {
        let texts: Vec<(i64, Vec<u8>)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT rowid, CAST({column} AS BLOB) FROM main.{table} WHERE {column} GLOB '*[^ -~]*'"
        )))
        .fetch_all(&mut *connection)
        .await?;
        for (row, text) in texts {
            if str::from_utf8(&text).is_err() {
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "UPDATE main.{table} SET {column} = ? WHERE rowid = ?"
                )))
                .bind(String::from_utf8_lossy(&text).into_owned())
                .bind(row)
                .execute(&mut *connection)
                .await?;
            }
        }
    }
    Ok(())
}

/// Takes out items whose id the index does not know, where the index can be read: one of the two is not what was written.
pub(super) async fn forget_unknown(connection: &mut SqliteConnection) -> Vec<String> {
    const INDEX: &str = "old.items AS o INDEXED BY sqlite_autoindex_items_1";
    // An index that can't be read to its end, or that lost a page, is no witness.
    let known = number(
        connection,
        &format!("SELECT count(*) FROM {INDEX} WHERE account_id > -1"),
    )
    .await;
    let items = number(connection, "SELECT count(*) FROM main.items").await;
    let is_witness = matches!((known, items), (Ok(known), Ok(items)) if known >= items);
    if !is_witness {
        return Vec::new();
    }
    let unknown = format!(
        "NOT EXISTS (SELECT 1 FROM {INDEX} WHERE o.account_id = i.account_id AND o.media_id = i.media_id AND o.rowid = i.id)"
    );
    let ids: Result<Vec<(i64, Vec<u8>)>, _> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT i.id, CAST(i.media_id AS BLOB) FROM main.items AS i WHERE {unknown}"
    )))
    .fetch_all(&mut *connection)
    .await;
    let mut forged = Vec::new();
    for (id, media_id) in ids.unwrap_or_default() {
        let gone = run(
            connection,
            &format!("DELETE FROM main.items WHERE id = {id}"),
        )
        .await;
        if gone.is_ok() {
            forged.push(String::from_utf8_lossy(&media_id).into_owned());
        }
    }
    forged
}

/// An item's number, id, wanted metadata and digest, as they are found.
type Raw = (i64, Vec<u8>, Vec<u8>, Vec<u8>);

/// Takes out items whose metadata is not that of their digest: what would be sent is not what was wanted. Returns their ids.
pub(super) async fn forget_forged(connection: &mut SqliteConnection) -> Result<Vec<String>, Error> {
    let (mut after, mut forged) = (i64::MIN, Vec::new());
    loop {
        let page: Vec<Raw> = sqlx::query_as(
            "SELECT id, CAST(media_id AS BLOB), CAST(wanted AS BLOB), digest FROM main.items WHERE id > ? ORDER BY id LIMIT 2000",
        )
        .bind(after)
        .fetch_all(&mut *connection)
        .await?;
        let Some((last, ..)) = page.last() else {
            return Ok(forged);
        };
        after = *last;
        for (id, media_id, wanted, digest) in page {
            let media_id = String::from_utf8_lossy(&media_id).into_owned();
            let wanted = String::from_utf8_lossy(&wanted);
            let is_whole = Metadata::from_json(&wanted)
                .is_some_and(|wanted| wanted.digest().0.as_slice() == digest)
                && media_id.parse::<MediaId>().is_ok();
            if !is_whole {
                run(
                    connection,
                    &format!("DELETE FROM main.items WHERE id = {id}"),
                )
                .await?;
                forged.push(media_id);
            }
        }
    }
}

/// The media ids that an index of the old journal knows and the new one does not.
pub(super) async fn named(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT CAST(o.media_id AS BLOB) FROM old.items AS o INDEXED BY sqlite_autoindex_items_1 WHERE NOT EXISTS \
         (SELECT 1 FROM main.items AS n WHERE n.account_id = o.account_id AND n.media_id = o.media_id)",
    )
    .fetch_all(connection)
    .await?;
    let shown = |id: &Vec<u8>| String::from_utf8_lossy(id).into_owned();
    Ok(ids.iter().map(shown).collect())
}

/// Makes due again what counts as done without proof, and `sending` what may be on its way. Returns how many there were.
pub(super) async fn doubt(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let mut doubtful = 0;
    for statement in [
        "UPDATE main.items SET state = 0, not_before = NULL WHERE state = 2 AND accepted IS NOT digest",
        // Its last attempt has no end, whatever its row says.
        "UPDATE main.items SET state = 1, not_before = NULL WHERE state <> 1 AND EXISTS (SELECT 1 FROM main.attempts AS t \
         WHERE t.item_id = items.id AND t.number >= items.attempts AND t.ended IS NULL)",
        // Attempts of it are missing, and it is due: which of them was the last is not known.
        "UPDATE main.items SET state = 1, not_before = NULL WHERE state = 0 AND attempts > \
         (SELECT count(*) FROM main.attempts AS t WHERE t.item_id = items.id)",
        // It was sent, and no attempt of it was accepted by what is left of them.
        "UPDATE main.items SET state = 1, not_before = NULL WHERE state = 2 AND attempts <= \
         (SELECT count(*) FROM main.attempts AS t WHERE t.item_id = items.id) AND NOT EXISTS \
         (SELECT 1 FROM main.attempts AS t WHERE t.item_id = items.id AND t.http_status = 200 AND t.digest = items.digest)",
    ] {
        let changed = sqlx::query(statement).execute(&mut *connection).await?;
        doubtful += changed.rows_affected();
    }
    Ok(doubtful)
}

/// What was sent keeps its place in the limits: runs that are missing are made anew, and attempts that are missing count
/// from the last moment at which they can have been. Returns how many attempts are missing.
pub(super) async fn keep_places(connection: &mut SqliteConnection) -> Result<u64, Error> {
    const RUNS: &str = "INSERT INTO main.runs (id, account_id, started, ended, exit_reason, sources, price, timeout, version) \
         SELECT t.run_id, 1, min(t.started), max(coalesce(t.ended, t.started)), 'lost', '[]', \
         coalesce((SELECT max(price) FROM main.runs), 0.005), coalesce((SELECT max(timeout) FROM main.runs), 60000), '' \
         FROM main.attempts AS t WHERE t.run_id NOT IN (SELECT id FROM main.runs) GROUP BY t.run_id";
    run(connection, RUNS).await?;
    let lost = sqlx::query(
        "INSERT INTO main.attempts (id, item_id, run_id, number, digest, started, ended, cause, detail, spent) \
         SELECT (SELECT coalesce(max(id), 0) FROM main.attempts) + row_number() OVER (ORDER BY i.updated, i.id, n.value), \
         i.id, coalesce((SELECT max(id) FROM main.runs), 1), n.value, i.digest, i.updated, NULL, 'lost', \
         'it stood in a part of the journal that could not be read', 1 \
         FROM main.items AS i JOIN (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n \
         WHERE value < (SELECT min(max(attempts), 10000) FROM main.items)) SELECT value FROM n) AS n ON n.value <= i.attempts \
         WHERE NOT EXISTS (SELECT 1 FROM main.attempts AS t WHERE t.item_id = i.id AND t.number = n.value)",
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    // They may all have been of runs that are missing too.
    run(connection, RUNS).await?;
    Ok(lost)
}
