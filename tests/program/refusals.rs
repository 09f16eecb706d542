//! What can't be meant or can't be read is refused in one paragraph that says what to do, and nothing is harmed.

use crate::{
    manifest::{csv, id, texts},
    world::{Finished, World},
};

/// That a command was refused: its code, a word of its message, and an object that says the same.
#[track_caller]
fn refused(finished: &Finished, code: i32, word: &str, case: &str) {
    assert_eq!(finished.code, code, "{case}: {finished:?}");
    let said = finished.stderr.trim_end();
    assert!(
        said.to_lowercase().contains(&word.to_lowercase()),
        "{case}: no {word:?} in {said}"
    );
    assert!(!said.contains("panicked"), "{case}: {said}");
    let object = finished.json();
    assert_eq!(object["exit_code"], code, "{case}: {object}");
    assert_eq!(object["requests"], 0, "{case}: {object}");
}

/// That an error is one paragraph: no empty line, no list of causes, no debug form.
#[track_caller]
fn is_one_paragraph(finished: &Finished, case: &str) {
    let said = finished.stderr.trim_end();
    assert!(said.starts_with("altfill: "), "{case}: {said}");
    assert_eq!(said.lines().count(), 1, "{case}: {said}");
}

/// That a manifest of this text, or one that is missing, ends as 3, and that no journal is left behind.
async fn is_unreadable(manifest: Option<&str>, word: &str) {
    let world = World::new().await;
    if let Some(manifest) = manifest {
        world.write("m.csv", manifest);
    }
    let before = world.files();
    let finished = world.send(&["run", "m.csv"]).await;
    refused(&finished, 3, word, word);
    is_one_paragraph(&finished, word);
    assert!(finished.stderr.contains("m.csv"), "{finished:?}");
    // The lock may stay: whoever removes it could take it from under another run.
    let mut after = world.files();
    after.retain(|name| name != "journal.db.lock");
    assert_eq!(after, before, "{word}");
    assert_eq!(world.ledger().requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_manifest_is_refused() {
    is_unreadable(None, "m.csv").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_no_bytes_is_no_empty_manifest() {
    is_unreadable(Some(""), "empty").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_without_an_id_column_is_refused() {
    is_unreadable(Some("picture,alt_text\nx,y\n"), "media_id").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_column_twice_is_refused() {
    let text = format!("media_id,alt_text,alt_text\n{},a,b\n", id(0));
    is_unreadable(Some(&text), "alt_text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_nearly_a_field_is_refused() {
    let text = format!("media_id,alt_txt\n{},a\n", id(0));
    is_unreadable(Some(&text), "alt_text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_no_manifest() {
    let world = World::new().await;
    std::fs::create_dir(world.path("pictures.csv")).unwrap();
    let finished = world.send(&["run", "pictures.csv"]).await;
    refused(&finished, 3, "folder", "folder");
    is_one_paragraph(&finished, "folder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_cannot_be_read_changes_no_byte_of_a_journal() {
    let world = World::new().await;
    world.write("m.csv", texts(20));
    world.send(&["run", "m.csv"]).await.ended(0);
    let before = world.bytes("journal.db");
    world.write("bad.csv", "picture,alt_text\nx,y\n");
    // The good manifest before it is not taken in either.
    world.write("more.csv", texts(30));
    for bad in ["missing.csv", "bad.csv"] {
        let finished = world.send(&["run", "more.csv", bad]).await;
        refused(&finished, 3, bad, bad);
        assert_eq!(world.bytes("journal.db"), before, "{bad}");
    }
    assert_eq!(world.ledger().requests(), 20);
}

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
async fn words_that_cannot_be_meant_end_as_2() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    let url = world.url();
    let run = ["run", "m.csv", "--json", "--journal", "journal.db"];
    for (case, words, word) in [
        ("unknown flag", vec!["--colour"], "--colour"),
        (
            "sandbox and address",
            vec!["--sandbox", "--api-url", &url],
            "--api-url",
        ),
        ("plain http", vec!["--api-url", "http://api.x.com"], "https"),
        ("no address", vec!["--api-url", "x.com"], "https://"),
        (
            "secret in it",
            vec!["--api-url", "https://a:b@x.com"],
            "password",
        ),
        ("rate", vec!["--rate", "fast"], "500/15m"),
        ("no rate", vec!["--rate", "0/15m"], "0/15m"),
        (
            "both rates",
            vec!["--rate", "unlimited", "--rate", "5/1s"],
            "unlimited",
        ),
        ("no workers", vec!["--workers", "0"], "--workers"),
        ("duration", vec!["--timeout", "30"], "--timeout"),
        ("no time", vec!["--timeout", "0s"], "--timeout"),
        ("spend", vec!["--max-spend", "lots"], "--max-spend"),
        ("failures", vec!["--max-failures", "half"], "--max-failures"),
        (
            "two tokens",
            vec!["--token-file", "t", "--token-command", "c"],
            "--token-command",
        ),
        ("quotes", vec!["--token-command", "'"], "--token-command"),
    ] {
        let finished = world.run(&[&run[..], &words].concat()).await;
        refused(&finished, 2, word, case);
        assert_eq!(world.bytes("journal.db"), None, "{case}");
    }
    assert_eq!(world.run(&[]).await.code, 2);
    assert_eq!(world.run(&["run"]).await.code, 2);
    assert_eq!(world.run(&["fly"]).await.code, 2);
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
