//! A journal of the first form, as an older altfill left it.

use std::path::Path;

use sqlx::{Connection, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};

use crate::manifest::id;

fn migrations() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "sql"));
    paths.sort();
    paths
}

/// Whether there is a form older than today's.
pub fn has_been_one() -> bool {
    migrations().len() > 1
}

/// Makes a journal of the first form, with one item that waits.
pub async fn make(path: &Path, api_url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let first = &migrations()[0];
    std::fs::copy(first, folder.path().join(first.file_name().unwrap())).unwrap();
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let pragma = format!("PRAGMA application_id = {}", u32::from_be_bytes(*b"altf"));
    sqlx::query(sqlx::AssertSqlSafe(pragma))
        .execute(&mut connection)
        .await
        .unwrap();
    let migrator = Migrator::new(folder.path().to_owned()).await.unwrap();
    migrator.run(&mut connection).await.unwrap();
    for statement in [
        "INSERT INTO journal (id, api_url, created) VALUES (1, ?1, 0)",
        "INSERT INTO sources (id, name, form) VALUES (1, 'm.csv', '{}')",
    ] {
        sqlx::query(statement)
            .bind(api_url)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let wanted =
        altfill::metadata::Metadata::from_json(r#"{"alt_text":{"text":"Older"}}"#).unwrap();
    sqlx::query(
        "INSERT INTO items (account_id, media_id, wanted, digest, source_id, line, first_seen, updated) VALUES (1, ?, ?, ?, 1, 2, 0, 0)",
    )
    .bind(id(999))
    .bind(wanted.to_json().to_string())
    .bind(wanted.digest().0.to_vec())
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
}
