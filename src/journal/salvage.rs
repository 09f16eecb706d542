//! Salvaging a damaged journal: what SQLite can still read of it, in a new one.
//!
//! Owns the copying, row by row where a page can't be read, and the rules by which what is missing does no harm: nothing
//! counts as done of which that is not certain, what may have been sent stays `sending`, and what was sent keeps its place
//! in the limits. The damaged journal is only read, and that through a copy.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use sqlx::{Connection, SqliteConnection};

use super::{
    Error, Lock,
    form::{self, keep_form},
    open::{self, Access, connect},
    place::keep_name,
};
use crate::{failpoint::Point, metadata::Metadata, time::Timestamp};

/// What was salvaged, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Items by state: pending, sending, done, failed.
    pub items: [u64; 4],
    /// Media ids of which only the id could be read, in order.
    pub named: Vec<String>,
    /// Items of which not even that could be read, at the most.
    pub nameless: u64,
    /// Items that counted as done or were to be sent, of which it is no longer certain what was sent: they are sent again.
    pub doubtful: u64,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that are missing; each keeps its place in the limits.
    pub lost_attempts: u64,
    /// Other tables of which rows could not be read.
    pub parts: Vec<String>,
}

/// What no altfill has written, and what stands for it: unknown where that may be said, else what does no harm. An attempt
/// without a plausible moment was just now, for the limits.
const IMPLAUSIBLE: [(&str, &str); 8] = [
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

impl Salvaged {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.named.is_empty()
            && self.parts.is_empty()
            && self.nameless + self.doubtful + self.lost_attempts == 0
    }
}

/// Salvages the journal at `old` into a new one at `new`, bound to `api_url` where the old one does not tell its address.
///
/// # Errors
/// Where there is something at `new`, a run holds the old one, or nothing of it can be read.
pub async fn salvage(old: &Path, new: &Path, api_url: Option<&str>) -> Result<Salvaged, Error> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    if !old.exists() {
        return Err(Error::Missing(old.to_owned()));
    }
    if old.is_dir() {
        return Err(Error::Directory(old.to_owned()));
    }
    if new.symlink_metadata().is_ok() {
        return Err(Error::InTheWay(new.to_owned()));
    }
    let _lock = Lock::take(old)?;
    let beside = new
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new()
        .prefix(".altfill-repair-")
        .tempdir_in(beside)
        .map_err(io(beside))?;
    let (copy, fresh) = (folder.path().join("old.db"), folder.path().join("new.db"));
    copy_out(old, &copy).map_err(io(old))?;
    let mut log = old.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        copy_out(Path::new(&log), &folder.path().join("old.db-wal")).map_err(io(old))?;
    }
    mend_header(&copy).map_err(io(&copy))?;
    let unreadable = |source| Error::Unsalvageable {
        path: old.to_owned(),
        source,
    };
    let (version, told) = match look_inside(&copy, old).await {
        Err(Error::Sqlite(_)) => {
            // Its table of tables is damaged, and that is the same in all journals of one form.
            graft(&folder.path().join("pattern.db"), &copy, old).await?;
            look_inside(&copy, old).await
        }
        found => found,
    }
    .map_err(|error| match error {
        Error::Sqlite(source) => unreadable(source),
        other => other,
    })?;
    let address = told
        .or_else(|| api_url.map(str::to_owned))
        .ok_or_else(|| Error::NoAddress(old.to_owned()))?;
    File::create_new(&fresh).map_err(io(&fresh))?;
    open::mark(&fresh).await?;
    let mut connection = connect(&fresh, Access::Write).await?;
    keep_form(&mut connection, old, version).await?;
    // It is waited for the disk once, at the end: nobody reads it before.
    run(&mut connection, "PRAGMA synchronous = OFF").await?;
    let attached = copy
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    sqlx::query("ATTACH ? AS old")
        .bind(format!("file:{attached}?mode=ro"))
        .execute(&mut connection)
        .await?;
    run(&mut connection, "PRAGMA old.cell_size_check = ON").await?;
    let mut salvaged = fill(&mut connection, &address).await?;
    run(&mut connection, "DETACH old").await?;
    form::bring_up_to_date_unkept(&mut connection, &fresh).await?;
    count(&mut connection, &mut salvaged).await?;
    connection.close().await?;

    let file = File::open(&fresh).map_err(io(&fresh))?;
    open::keep_private(&file).map_err(io(&fresh))?;
    file.sync_all().map_err(io(&fresh))?;
    Point::SalvageWritten.pass();
    // Only where nothing has come to stand there meanwhile.
    std::fs::hard_link(&fresh, new)
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            // Not every file system knows two names for one file.
            _ => std::fs::rename(&fresh, new),
        })
        .and_then(|()| keep_name(new))
        .map_err(io(new))?;
    Ok(salvaged)
}

/// Copies what can be read of a file. A block that the disk refuses is a block of zeros.
fn copy_out(from: &Path, to: &Path) -> io::Result<()> {
    const BLOCK: usize = 4_096;
    let (mut from, mut to) = (File::open(from)?, File::create_new(to)?);
    let length = from.metadata()?.len();
    let mut block = [0; BLOCK];
    let mut at = 0;
    while at < length {
        from.seek(SeekFrom::Start(at))?;
        block.fill(0);
        let size = usize::try_from(length - at).unwrap_or(BLOCK).min(BLOCK);
        let mut read = 0;
        while read < size {
            match from.read(&mut block[read..size]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        to.write_all(&block[..size])?;
        at += size as u64;
    }
    to.flush()
}

/// The first bytes of each journal are the same: where they are damaged they are known all the same. And a file that was
/// cut off has its length again, in zeros.
fn mend_header(copy: &Path) -> io::Result<()> {
    const LONGEST: u64 = 1 << 34;
    let mut file = File::options().read(true).write(true).open(copy)?;
    let mut header = [0; 32];
    let length = file.metadata()?.len();
    if length < 512 {
        return Ok(());
    }
    file.read_exact(&mut header)?;
    header[..16].copy_from_slice(b"SQLite format 3\0");
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let told = u64::from(pages) * 4_096;
    file.rewind()?;
    file.write_all(&header[..16])?;
    if told > length && told < LONGEST {
        file.set_len(told)?;
    }
    Ok(())
}

/// The form of the journal at `copy`, and the address it is bound to, as far as they can be read.
async fn look_inside(copy: &Path, old: &Path) -> Result<(Option<i64>, Option<String>), Error> {
    let mut copy = connect(copy, Access::ReadAndTidy).await?;
    let is_ours: bool = sqlx::query_scalar(
        "SELECT count(*) = 4 FROM sqlite_master WHERE name IN ('items', 'attempts', 'runs', 'journal')",
    )
    .fetch_one(&mut copy)
    .await?;
    if !is_ours {
        return Err(Error::Foreign(old.to_owned()));
    }
    let version = form::form_of(&mut copy).await.unwrap_or_default();
    let told = sqlx::query_scalar("SELECT api_url FROM journal WHERE id = 1")
        .fetch_optional(&mut copy)
        .await
        .unwrap_or_default();
    copy.close().await?;
    Ok((version, told))
}

/// Puts the table of tables of a new journal, made at `pattern`, in the place of the damaged one of `copy`: both lie on
/// the same pages.
async fn graft(pattern: &Path, copy: &Path, old: &Path) -> Result<(), Error> {
    const PAGE: u64 = 4_096;
    let failed = |source| Error::Io {
        path: copy.to_owned(),
        source,
    };
    File::create_new(pattern).map_err(failed)?;
    open::mark(pattern).await?;
    let mut connection = connect(pattern, Access::Write).await?;
    keep_form(&mut connection, old, None).await?;
    let pages: Vec<i64> =
        sqlx::query_scalar("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'")
            .fetch_all(&mut connection)
            .await?;
    connection.close().await?;
    let put = || -> io::Result<()> {
        let mut from = File::open(pattern)?;
        let mut to = File::options().write(true).open(copy)?;
        let mut page = vec![0; usize::try_from(PAGE).unwrap_or_default()];
        for number in pages {
            let at = SeekFrom::Start((number.unsigned_abs() - 1) * PAGE);
            from.seek(at)?;
            from.read_exact(&mut page)?;
            to.seek(at)?;
            to.write_all(&page)?;
        }
        // How many pages there are is no longer the pattern's, and none is free: nothing is written there.
        let count = u32::try_from(to.metadata()?.len() / PAGE).unwrap_or(u32::MAX);
        to.seek(SeekFrom::Start(28))?;
        to.write_all(&count.to_be_bytes())?;
        to.write_all(&[0; 8])
    };
    put().map_err(failed)
}

async fn run(connection: &mut SqliteConnection, statement: &str) -> Result<(), Error> {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}

async fn number(connection: &mut SqliteConnection, statement: &str) -> Result<i64, sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement.to_owned()))
        .fetch_one(connection)
        .await?;
    Ok(found.unwrap_or(0))
}

/// Copies all tables, and makes of them a journal that does no harm.
async fn fill(connection: &mut SqliteConnection, address: &str) -> Result<Salvaged, Error> {
    let mut salvaged = Salvaged::default();
    // Each statement is a transaction: one that met a damaged page would take the others with it.
    sqlx::query("INSERT INTO main.journal (id, api_url, created) VALUES (1, ?, ?)")
        .bind(address)
        .bind(Timestamp::now().0)
        .execute(&mut *connection)
        .await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
         AND name NOT IN ('_sqlx_migrations', 'journal') ORDER BY rowid",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut lost_items = 0;
    for table in &tables {
        let lost = copy(connection, table).await?;
        match table.as_str() {
            "items" => lost_items = lost,
            // What is missing of these is counted by the items.
            "attempts" => {}
            _ if lost > 0 => salvaged.parts.push(table.clone()),
            _ => {}
        }
    }
    let mut forged = forget_forged(connection).await?;
    for table in &tables {
        mend_texts(connection, table).await?;
    }
    forged.extend(forget_unknown(connection).await);
    // What the index does not know of the rows that can't be read, nobody does.
    let mut known = named(connection).await.unwrap_or_default();
    known.retain(|id| id.parse::<crate::item::MediaId>().is_ok());
    salvaged.nameless = lost_items.saturating_sub(known.len() as u64);
    salvaged.named = known;
    salvaged.named.extend(forged);
    salvaged.named.sort();
    salvaged.named.dedup();
    for (table, statement) in IMPLAUSIBLE {
        let changed = sqlx::query(sqlx::AssertSqlSafe(
            statement.replace("{now}", &Timestamp::now().0.to_string()),
        ))
        .execute(&mut *connection)
        .await?;
        if changed.rows_affected() > 0 && !salvaged.parts.iter().any(|part| part == table) {
            salvaged.parts.push(table.to_owned());
        }
    }
    run(
        connection,
        "DELETE FROM main.accounts WHERE id <> 1 AND id NOT IN (SELECT account_id FROM main.items) \
         AND id NOT IN (SELECT account_id FROM main.runs)",
    )
    .await?;
    salvaged.doubtful = doubt(connection).await?;
    salvaged.lost_attempts = keep_places(connection).await?;
    for statement in [
        "DELETE FROM main.history WHERE item_id NOT IN (SELECT id FROM main.items)",
        "INSERT INTO main.accounts (id) SELECT DISTINCT account_id FROM main.items \
         WHERE account_id NOT IN (SELECT id FROM main.accounts)",
        "INSERT INTO main.accounts (id) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO main.sources (id, name, form) SELECT DISTINCT source_id, '(lost ' || source_id || ')', '{}' \
         FROM main.items WHERE source_id NOT IN (SELECT id FROM main.sources)",
    ] {
        run(connection, statement).await?;
    }
    Ok(salvaged)
}

/// Copies a table, in halves of halves where a part of it can't be read. Returns how many rows that may have been.
async fn copy(connection: &mut SqliteConnection, table: &str) -> Result<u64, Error> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT n.name FROM pragma_table_info(?1, 'main') AS n JOIN pragma_table_info(?1, 'old') AS o ON o.name = n.name",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    if columns.is_empty() {
        return Ok(0);
    }
    let columns = columns.join(", ");
    if table == "accounts" {
        run(connection, "DELETE FROM main.accounts").await?;
    }
    let last = last_row(connection, table).await;
    let (mut ranges, mut lost) = (
        vec![(i64::MIN, last), (last.saturating_add(1), i64::MAX)],
        0,
    );
    // What lies beyond the last row that is known is tried once; within, the ranges are halved.
    ranges.reverse();
    while let Some((low, high)) = ranges.pop() {
        let statement = format!(
            "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM old.{table} NOT INDEXED WHERE rowid BETWEEN {low} AND {high}"
        );
        if run(connection, &statement).await.is_ok() {
            continue;
        }
        match (low, high) {
            (_, i64::MAX) => {}
            (i64::MIN, _) => ranges.push((1, high)),
            _ if low >= high => lost += 1,
            _ => {
                let middle = low + (high - low) / 2;
                ranges.push((middle + 1, high));
                ranges.push((low, middle));
            }
        }
    }
    Ok(lost)
}

/// The last row of a table: by the table, by an index where that can't be read, or by what may fit in the file.
async fn last_row(connection: &mut SqliteConnection, table: &str) -> i64 {
    let by_index = match table {
        "items" => "SELECT max(rowid) FROM old.items INDEXED BY sqlite_autoindex_items_1",
        "attempts" => "SELECT max(rowid) FROM old.attempts INDEXED BY attempts_item",
        _ => "SELECT 0",
    };
    let by_table = format!("SELECT max(rowid) FROM old.{table} NOT INDEXED");
    let (by_table, by_index) = (
        number(connection, &by_table).await,
        number(connection, by_index).await.unwrap_or(0),
    );
    match by_table {
        Ok(last) if last.max(by_index) < 1 << 40 => last.max(by_index),
        Err(_) if by_index > 0 && by_index < 1 << 40 => by_index,
        // No row takes less than so many bytes.
        _ => number(
            connection,
            "SELECT page_count * page_size / 16 FROM pragma_page_count('old'), pragma_page_size('old')",
        )
        .await
        .unwrap_or(1_000_000),
    }
}

/// An item's number, id, wanted metadata and digest, as they are found.
type Raw = (i64, Vec<u8>, Vec<u8>, Vec<u8>);

/// Takes out items whose metadata is not that of their digest: what would be sent is not what was wanted. Returns their ids.
async fn forget_forged(connection: &mut SqliteConnection) -> Result<Vec<String>, Error> {
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
                && media_id.parse::<crate::item::MediaId>().is_ok();
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

/// Makes texts of what a disk has made of texts: what is no UTF-8 can't be read as one.
async fn mend_texts(connection: &mut SqliteConnection, table: &str) -> Result<(), Error> {
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
async fn forget_unknown(connection: &mut SqliteConnection) -> Vec<String> {
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

/// The media ids that an index of the old journal knows and the new one does not.
async fn named(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
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
async fn doubt(connection: &mut SqliteConnection) -> Result<u64, Error> {
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
async fn keep_places(connection: &mut SqliteConnection) -> Result<u64, Error> {
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

async fn count(connection: &mut SqliteConnection, salvaged: &mut Salvaged) -> Result<(), Error> {
    let states: Vec<(i64, i64)> =
        sqlx::query_as("SELECT state, count(*) FROM items GROUP BY state")
            .fetch_all(&mut *connection)
            .await?;
    for (state, count) in states {
        if let Some(place) = usize::try_from(state)
            .ok()
            .and_then(|state| salvaged.items.get_mut(state))
        {
            *place = count.unsigned_abs();
        }
    }
    let attempts = number(connection, "SELECT count(*) FROM attempts").await?;
    salvaged.attempts = attempts
        .unsigned_abs()
        .saturating_sub(salvaged.lost_attempts);
    Ok(())
}
