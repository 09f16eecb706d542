//! Journals that are none, or another's, or not there: refused, and not touched.

use crate::{
    manifest::{csv, id, texts},
    refusals::{is_one_paragraph, refused},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_journal_of_altfill_is_refused_and_not_touched() {
    let world = World::new().await;
    world.write("m.csv", texts(3));
    make_foreign_database(&world.path("foreign.db")).await;
    world.write("text.db", "Dear diary, ".repeat(40));
    world.write("short.db", "x");
    for (name, word) in [
        ("text.db", "SQLite"),
        ("short.db", "SQLite"),
        ("foreign.db", "another program"),
    ] {
        let before = world.bytes(name);
        for command in [
            &["run", "m.csv", "--api-url", &world.url()][..],
            &["resume", "--api-url", &world.url()],
        ] {
            let words = [command, &["--journal", name, "--json"]].concat();
            let finished = world.run(&words).await;
            refused(&finished, 1, word, name);
            is_one_paragraph(&finished, name);
        }
        for command in [&["status"][..], &["show", "1"]] {
            let finished = world.run(&[command, &["--journal", name]].concat()).await;
            assert_eq!(finished.code, 1, "{command:?} {finished:?}");
            assert!(finished.stderr.contains(word), "{finished:?}");
        }
        assert_eq!(world.bytes(name), before, "{name}");
    }
    std::fs::create_dir(world.path("folder.db")).unwrap();
    let finished = world
        .run(&["run", "m.csv", "--journal", "folder.db", "--json"])
        .await;
    refused(&finished, 1, "directory", "folder.db");
    assert_eq!(world.ledger().requests(), 0);
}

async fn make_foreign_database(path: &std::path::Path) {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("CREATE TABLE recipes (name TEXT)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_of_another_address_is_refused_and_not_touched() {
    let (world, other) = (World::new().await, World::new().await);
    world.write("m.csv", texts(5));
    world.send(&["run", "m.csv"]).await.ended(0);
    let before = world.bytes("journal.db");
    for command in [&["run", "m.csv"][..], &["resume"]] {
        let address = [
            "--journal",
            "journal.db",
            "--api-url",
            &other.url(),
            "--json",
        ];
        let finished = world.run(&[command, &address].concat()).await;
        refused(&finished, 2, &world.url(), "other address");
        assert!(finished.stderr.contains(&other.url()), "{finished:?}");
        is_one_paragraph(&finished, "other address");
    }
    assert_eq!(world.bytes("journal.db"), before);
    assert_eq!(other.ledger().requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_journal_is_made_by_none_but_a_run_that_names_it() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    let (id, url) = (id(0), world.url());
    for words in [
        vec!["resume", "--api-url", &url],
        vec!["status"],
        vec!["show", &id],
        vec!["resume", "--sandbox"],
    ] {
        let finished = world.run(&words).await;
        assert_eq!(finished.code, 2, "{words:?} {finished:?}");
        assert!(finished.stderr.contains("--journal"), "{finished:?}");
        is_one_paragraph(&finished, "missing");
    }
    // A cron job in the wrong folder would begin anew.
    let finished = world
        .run(&["run", "m.csv", "--api-url", &url, "--json"])
        .await;
    refused(&finished, 2, "--journal", "unnamed");
    is_one_paragraph(&finished, "unnamed");
    let finished = world.send(&["run", "m.csv", "--require-journal"]).await;
    refused(&finished, 2, "journal.db", "required");
    assert_eq!(world.files(), ["m.csv"]);
    assert_eq!(world.ledger().requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_the_journal_does_not_know_is_no_crash() {
    let world = World::new().await;
    world.write("m.csv", csv(&["media_id", "alt_text"], []));
    world.send(&["run", "m.csv"]).await.ended(0);
    let finished = world
        .run(&["show", &id(0), "--journal", "journal.db"])
        .await;
    assert_eq!(finished.code, 2, "{finished:?}");
    assert!(finished.stderr.contains(&id(0)), "{finished:?}");
}

/// Makes of a journal one of the first form, as an older altfill left it.
async fn make_older(path: &std::path::Path) {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

    const FIRST: &str = include_str!("../../migrations/0001_journal.sql");
    let (_, run_log) = FIRST.split_once("CREATE VIEW run_log").unwrap();
    let statements = format!(
        "DROP VIEW run_log; ALTER TABLE runs DROP COLUMN lookups; DROP TABLE profiles; \
         DELETE FROM _sqlx_migrations WHERE version > 1; CREATE VIEW run_log{run_log}"
    );
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_of_an_earlier_form_is_read_like_todays_and_stays_as_it_is() {
    let world = World::new().await;
    world.write("m.csv", texts(5));
    world.send(&["run", "m.csv"]).await.ended(0);
    make_older(&world.path("journal.db")).await;
    let before = world.bytes("journal.db");
    let (shown, url) = (id(1), world.url());
    let readers: [&[&str]; 7] = [
        &["status"],
        &["show", &shown],
        &["report"],
        &["report", "--format", "html"],
        &["report", "--by", "account,month"],
        &["report", "--profile", "brand"],
        &["plan", "m.csv", "--api-url", &url],
    ];
    for words in readers {
        let words = [words, &["--journal", "journal.db"]].concat();
        let finished = world.run(&words).await.ended(0);
        assert!(!finished.stdout.is_empty(), "{words:?} {finished:?}");
        assert!(world.bytes("journal.db") == before, "{words:?} changed it");
    }
    let sums = world
        .run(&["report", "--by", "account", "--journal", "journal.db"])
        .await;
    assert!(sums.stdout.contains(",5,0.025,5,0"), "{sums:?}");
    // The next run brings it up to date, and keeps it as it was beside it.
    world.send(&["run", "m.csv"]).await.ended(0);
    assert!(world.path("journal.db.before-2").exists());
}
