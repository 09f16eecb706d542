//! Reading a damaged journal: through a copy, with its first page mended, row by row where a page can't be read.
//!
//! Owns what is known of all journals of one form, and stands in for what is damaged of this one. Judges no row.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use sqlx::{Connection, SqliteConnection};

use super::{number, run};
use crate::journal::{
    Error,
    form::{self, keep_form},
    open::{self, Access, PAGE_SIZE, connect},
};

/// The sizes of pages that journals were made with.
const PAGE_SIZES: [u32; 2] = [4_096, PAGE_SIZE];

/// Copies what can be read of a file. A block that the disk refuses is a block of zeros.
pub(super) fn copy_out(from: &Path, to: &Path) -> io::Result<()> {
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
/// cut off has its length again, in zeros. Returns the size of its pages.
pub(super) fn mend_header(copy: &Path) -> io::Result<u32> {
    const LONGEST: u64 = 1 << 34;
    let mut file = File::options().read(true).write(true).open(copy)?;
    let mut header = [0; 32];
    let length = file.metadata()?.len();
    if length < 512 {
        return Ok(PAGE_SIZE);
    }
    file.read_exact(&mut header)?;
    header[..16].copy_from_slice(b"SQLite format 3\0");
    let told = u32::from(u16::from_be_bytes([header[16], header[17]]));
    let size = if PAGE_SIZES.contains(&told) {
        told
    } else {
        PAGE_SIZE
    };
    // No journal has pages of 64 KiB, which alone are no number of two bytes.
    header[16..18].copy_from_slice(&size.to_be_bytes()[2..]);
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let told = u64::from(pages) * u64::from(size);
    file.rewind()?;
    file.write_all(&header[..18])?;
    if told > length && told < LONGEST {
        file.set_len(told)?;
    }
    Ok(size)
}

/// The form of the journal at `copy`, and the address it is bound to, as far as they can be read.
pub(super) async fn look_inside(
    copy: &Path,
    old: &Path,
) -> Result<(Option<i64>, Option<String>), Error> {
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
/// the same pages, which have the size `page`.
pub(super) async fn graft(pattern: &Path, copy: &Path, old: &Path, page: u32) -> Result<(), Error> {
    let failed = |source| Error::Io {
        path: copy.to_owned(),
        source,
    };
    File::create_new(pattern).map_err(failed)?;
    open::mark(pattern, page).await?;
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
        let size = u64::from(page);
        let mut page = vec![0; usize::try_from(size).unwrap_or_default()];
        for number in pages {
            let at = SeekFrom::Start((number.unsigned_abs() - 1) * size);
            from.seek(at)?;
            from.read_exact(&mut page)?;
            to.seek(at)?;
            to.write_all(&page)?;
        }
        // How many pages there are is no longer the pattern's, and none is free: nothing is written there.
        let count = u32::try_from(to.metadata()?.len() / size).unwrap_or(u32::MAX);
        to.seek(SeekFrom::Start(28))?;
        to.write_all(&count.to_be_bytes())?;
        to.write_all(&[0; 8])
    };
    put().map_err(failed)
}

/// Copies a table, in halves of halves where a part of it can't be read. Returns how many rows that may have been.
pub(super) async fn copy(connection: &mut SqliteConnection, table: &str) -> Result<u64, Error> {
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
