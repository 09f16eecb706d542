//! A journal's form: today's, an older one that is brought up to date, or a newer one that is refused.
//!
//! Owns the migrations and the copy that is made before them: a journal of an older form is kept as it was, beside it. A
//! form that has landed is never edited; the next one is added. Who only reads changes nothing, and is shown today's form.

use std::path::{Path, PathBuf};

use sqlx::{
    SqliteConnection,
    migrate::{MigrateError, Migrator},
};

use super::{Error, place::keep_name};
use crate::failpoint::Point;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the journal at `path` up to date. One of an older form is copied first, to `PATH.before-FORM`.
pub(super) async fn bring_up_to_date(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), Error> {
    migrate(connection, path, &MIGRATIONS).await
}

/// The same without a copy, for a journal that nobody has used yet.
pub(super) async fn bring_up_to_date_unkept(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), Error> {
    apply(connection, path, &MIGRATIONS).await
}

/// Gives an empty journal the form `version`, or today's where that is not known.
pub(super) async fn keep_form(
    connection: &mut SqliteConnection,
    path: &Path,
    version: Option<i64>,
) -> Result<(), Error> {
    let newest = newest(&MIGRATIONS);
    let version = version.unwrap_or(newest);
    if version > newest {
        let path = path.to_owned();
        return Err(Error::Newer { path, version });
    }
    let migrations = MIGRATIONS.iter().filter(|step| step.version <= version);
    let migrations = Migrator::with_migrations(migrations.cloned().collect());
    apply(connection, path, &migrations).await
}

/// What each form brought that readers ask for, as views of this connection alone: by them a journal of an earlier form
/// reads like one of today's, though nobody may change it.
const BROUGHT: [(i64, &str); 1] = [(
    2,
    "CREATE TEMP VIEW runs AS SELECT *, 0.0 AS lookups FROM main.runs; \
     CREATE TEMP VIEW profiles AS SELECT profile AS name, id AS account_id FROM main.accounts WHERE profile IS NOT NULL;",
)];

/// Shows a journal that is only read in today's form, and refuses one of a newer form than this altfill knows.
pub(super) async fn show_as_today(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), Error> {
    let newest = newest(&MIGRATIONS);
    let version = match form_of(connection).await? {
        Some(version) if version > newest => {
            return Err(Error::Newer {
                path: path.to_owned(),
                version,
            });
        }
        Some(version) => version,
        // It is being made, or that was cut off.
        None => return Err(Error::Missing(path.to_owned())),
    };
    for (_, views) in BROUGHT.iter().filter(|(form, _)| *form > version) {
        // SQLite's `query_only` holds for what is this connection's own too.
        let views = format!("PRAGMA query_only = OFF; {views} PRAGMA query_only = ON;");
        sqlx::raw_sql(sqlx::AssertSqlSafe(views))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<(), Error> {
    let newest = newest(migrations);
    let is_older = form_of(connection)
        .await?
        .is_some_and(|version| version < newest);
    if is_older {
        back_up(connection, path, newest).await?;
        Point::BackupMade.pass();
    }
    apply(connection, path, migrations).await
}

async fn apply(
    connection: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<(), Error> {
    migrations
        .run(&mut *connection)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                Error::Newer {
                    path: path.to_owned(),
                    version,
                }
            }
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                Error::Sqlite(source)
            }
            // What it says of its own form is not what was ever written there.
            MigrateError::VersionMismatch(_) | MigrateError::Dirty(_) => Error::DamagedAt {
                path: path.to_owned(),
                what: "a form that is none".to_owned(),
            },
            other => Error::Migration(other),
        })
}

fn newest(migrations: &Migrator) -> i64 {
    let versions = migrations.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

/// The form that the journal is in; nothing while it has none.
pub(super) async fn form_of(connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
    let has_form: bool = sqlx::query_scalar(
        "SELECT count(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !has_form {
        return Ok(None);
    }
    Ok(
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(connection)
            .await?,
    )
}

/// Copies the journal as it is. What stood at the copy's place told no more: it was of this journal, earlier.
async fn back_up(connection: &mut SqliteConnection, path: &Path, newest: i64) -> Result<(), Error> {
    let copy = backup_of(path, newest);
    let failed = |source| Error::Io {
        path: copy.clone(),
        source,
    };
    let folder = copy
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // For its owner's eyes only, and in its place once it is whole.
    let file = tempfile::Builder::new()
        .prefix(".altfill-backup-")
        .tempfile_in(folder)
        .map_err(failed)?;
    sqlx::query("VACUUM INTO ?")
        .bind(file.path().to_string_lossy().into_owned())
        .execute(connection)
        .await?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&copy).map_err(|error| failed(error.error))?;
    keep_name(&copy).map_err(failed)
}

/// Where the copy lies that is made before a journal is brought to the form `version`.
fn backup_of(path: &Path, version: i64) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = real.into_os_string();
    name.push(format!(".before-{version}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;
    use crate::journal::{Journal, Lock, Whose};

    /// The migrations and one more.
    async fn with_one_more(folder: &Path, sql: &str) -> Migrator {
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for entry in std::fs::read_dir(migrations).unwrap() {
            let entry = entry.unwrap();
            if entry.path().extension().is_some_and(|end| end == "sql") {
                std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        std::fs::write(folder.join("9000_more.sql"), sql).unwrap();
        Migrator::new(folder.to_owned()).await.unwrap()
    }

    async fn a_journal(path: &Path) {
        let lock = Lock::take(path).unwrap();
        let journal = Journal::open(path, "https://api.x.com", lock)
            .await
            .unwrap();
        journal.close().await.unwrap();
    }

    async fn open(path: &Path) -> SqliteConnection {
        let url = format!("sqlite:{}", path.display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    async fn has_more(path: &Path) -> bool {
        sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_master WHERE name = 'more'")
            .fetch_one(&mut open(path).await)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_journal_of_an_older_form_is_copied_for_its_owner_alone_and_then_brought_up_to_date()
    {
        let (folder, forms) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("j.db");
        a_journal(&path).await;
        let newer = with_one_more(forms.path(), "CREATE TABLE more (id INTEGER) STRICT;").await;
        let mut connection = open(&path).await;
        migrate(&mut connection, &path, &newer).await.unwrap();
        connection.close().await.unwrap();
        let copy = folder.path().join("j.db.before-9000");
        assert!(has_more(&path).await && !has_more(&copy).await);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        // The copy is a journal as it was: today's altfill opens it, and the newer one is refused in words.
        a_journal(&copy).await;
        let refused = Journal::open(&path, "https://api.x.com", Lock::take(&path).unwrap()).await;
        assert!(matches!(refused, Err(Error::Newer { version: 9000, .. })));
        let read = super::super::Reader::open(&path, None, &Whose::default()).await;
        assert!(matches!(read, Err(Error::Newer { version: 9000, .. })));
    }

    #[tokio::test]
    async fn a_form_that_fails_leaves_the_journal_and_its_copy_as_they_were() {
        let (folder, forms) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("j.db");
        a_journal(&path).await;
        let newer = with_one_more(
            forms.path(),
            "CREATE TABLE more (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
        )
        .await;
        let mut connection = open(&path).await;
        migrate(&mut connection, &path, &newer).await.unwrap_err();
        connection.close().await.unwrap();
        assert!(!has_more(&path).await);
        a_journal(&path).await;
        a_journal(&folder.path().join("j.db.before-9000")).await;
    }

    #[tokio::test]
    async fn each_form_after_the_first_has_its_views_for_those_who_only_read() {
        let brought: Vec<_> = BROUGHT.iter().map(|(form, _)| *form).collect();
        let forms: Vec<_> = MIGRATIONS.iter().map(|step| step.version).collect();
        assert_eq!(brought, forms[1..]);
    }

    #[tokio::test]
    async fn a_new_journal_and_one_of_todays_form_have_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.db");
        a_journal(&path).await;
        a_journal(&path).await;
        let names = std::fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "the journal and its lock: {names:?}");
    }
}
