//! Manifests that can't be read: nothing is sent, and no journal is made or changed.

use crate::{
    manifest::{id, texts},
    refusals::{is_one_paragraph, refused},
    world::World,
};

/// That a manifest of this text, or one that is missing, ends as 3, and that no journal is left behind.
async fn is_unreadable(manifest: Option<&str>, said: &str) {
    let world = World::new().await;
    if let Some(manifest) = manifest {
        world.write("m.csv", manifest);
    }
    let before = world.files();
    let finished = world.send(&["run", "m.csv"]).await;
    refused(&finished, 3, said, said);
    is_one_paragraph(&finished, said);
    assert!(finished.stderr.contains("m.csv"), "{finished:?}");
    // The lock may stay: whoever removes it could take it from under another run.
    let mut after = world.files();
    after.retain(|name| name != "journal.db.lock");
    assert_eq!(after, before, "{said}");
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
