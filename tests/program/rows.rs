//! Rows that break a rule, contradict each other or say nothing.

use serde_json::json;

use crate::{
    manifest::{csv, id, text, texts},
    world::World,
};

/// A text that is longer than X takes.
fn too_long() -> String {
    "x".repeat(1_001)
}

/// The items from 0 with their texts, in which those of these numbers are too long.
fn with_faults(count: usize, faulty: &[usize]) -> String {
    let rows = (0..count).map(|number| {
        let is_faulty = faulty.contains(&number);
        let text = if is_faulty { too_long() } else { text(number) };
        vec![id(number), text]
    });
    csv(&["media_id", "alt_text"], rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_row_stops_all_and_every_one_is_shown() {
    let world = World::new().await;
    world.write("m.csv", with_faults(20, &[2, 9, 17]));
    let finished = world.send(&["run", "m.csv"]).await.ended(3);
    assert_eq!(
        (finished.number("rows"), finished.number("invalid")),
        (20, 3)
    );
    for line in ["line 4", "line 11", "line 19"] {
        assert!(finished.stderr.contains(line), "{line}: {finished:?}");
    }
    assert!(finished.stderr.contains("m.csv"), "{finished:?}");
    assert!(finished.stderr.contains("--skip-invalid"), "{finished:?}");
    assert_eq!(world.bytes("journal.db"), None, "no journal is left behind");

    world.write("good.csv", texts(5));
    world.send(&["run", "good.csv"]).await.ended(0);
    let before = world.bytes("journal.db");
    world.send(&["run", "m.csv"]).await.ended(3);
    assert_eq!(world.bytes("journal.db"), before);
    assert_eq!(world.ledger().requests(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_invalid_can_be_skipped_and_the_rest_is_sent() {
    let world = World::new().await;
    world.write("m.csv", with_faults(20, &[2, 9, 17]));
    let finished = world
        .send(&["run", "m.csv", "--skip-invalid"])
        .await
        .ended(4);
    assert_eq!(
        (finished.number("done"), finished.number("invalid")),
        (17, 3)
    );
    assert_eq!(world.ledger().distinct_accepted(), 17);
    assert_eq!(world.ledger().seen(&id(9)), 0);
    // The same command again ends the same, and sends nothing.
    world
        .send(&["run", "m.csv", "--skip-invalid"])
        .await
        .ended(4);
    assert_eq!(world.ledger().requests(), 17);
    world.write("m.csv", texts(20));
    let mended = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!((mended.number("new"), mended.number("requests")), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_with_an_invalid_row_is_not_sent_even_with_what_an_earlier_row_wanted() {
    let world = World::new().await;
    world.write("earlier.csv", texts(4));
    world
        .send(&["run", "earlier.csv", "--max-items", "0"])
        .await
        .ended(5);
    // One row of the item is fine, and another one is not.
    let rows = [(0, text(0)), (1, text(1)), (2, text(2)), (1, too_long())];
    let rows = rows.map(|(number, text)| vec![id(number), text]);
    world.write("m.csv", csv(&["media_id", "alt_text"], rows));
    let finished = world
        .send(&["run", "m.csv", "--skip-invalid"])
        .await
        .ended(4);
    assert_eq!(
        (finished.number("done"), finished.number("requests")),
        (2, 2)
    );
    assert_eq!(world.ledger().seen(&id(1)), 0);
    // It is held back in that run only.
    world.send(&["resume"]).await.ended(0);
    let sent = world.ledger().accepted(&id(1));
    assert_eq!(sent[0]["metadata"]["alt_text"]["text"], text(1));
    assert_eq!(world.ledger().requests(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_values_for_one_field_are_an_error_unless_one_is_chosen() {
    for (duplicates, code, sent) in [
        (&[][..], 3, None),
        (&["--duplicates", "first"], 0, Some("One")),
        (&["--duplicates", "last"], 0, Some("Two")),
    ] {
        let world = World::new().await;
        let rows = ["One", "Two"].map(|text| vec![id(0), text.to_owned()]);
        world.write("m.csv", csv(&["media_id", "alt_text"], rows));
        let finished = world.send(&[&["run", "m.csv"], duplicates].concat()).await;
        let finished = finished.ended(code);
        let bodies = world.ledger().accepted(&id(0));
        let texts: Vec<_> = bodies
            .iter()
            .map(|body| body["metadata"]["alt_text"]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, Vec::from_iter(sent), "{duplicates:?}");
        if code == 3 {
            assert!(finished.stderr.contains("line 3"), "{finished:?}");
            assert!(finished.stderr.contains(&id(0)), "{finished:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_name_no_field_are_counted_and_never_sent() {
    let world = World::new().await;
    let rows = [(0, ""), (1, "A cat"), (2, "")];
    let rows = rows.map(|(number, text)| vec![id(number), text.to_owned()]);
    world.write("m.csv", csv(&["media_id", "alt_text"], rows));
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!((finished.number("rows"), finished.number("empty")), (3, 2));
    assert_eq!(world.ledger().requests(), 1);
    assert_eq!(world.journal().await.items().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_lines_are_bodies_and_null_withdraws_a_field() {
    let world = World::new().await;
    let warning = json!({"adult_content": true});
    let body = |number| {
        let metadata =
            json!({"alt_text": {"text": text(number)}, "sensitive_media_warning": warning});
        json!({"id": id(number), "metadata": metadata})
    };
    world.write("m.jsonl", format!("{}\n{}\n", body(0), body(1)));
    world.send(&["run", "m.jsonl"]).await.ended(0);
    assert_eq!(world.ledger().accepted(&id(1)), [body(1)]);

    let less = json!({"media_id": id(1), "sensitive_media_warning.adult_content": null});
    world.write("less.jsonl", format!("{less}\n"));
    let finished = world.send(&["run", "less.jsonl"]).await.ended(0);
    assert_eq!(finished.number("requests"), 1);
    let last = world.ledger().accepted(&id(1)).pop().unwrap();
    assert_eq!(last["metadata"]["alt_text"]["text"], text(1));
    let warning = &last["metadata"]["sensitive_media_warning"]["adult_content"];
    assert_ne!(*warning, json!(true), "{last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_finds_what_a_run_would_without_a_journal_or_a_request() {
    let world = World::new().await;
    world.write("good.csv", texts(6));
    world.write("bad.csv", with_faults(6, &[1, 4]));
    world.run(&["check", "good.csv"]).await.ended(0);
    let finished = world
        .run(&[
            "check",
            "good.csv",
            "bad.csv",
            "--json",
            "--errors",
            "errors.csv",
        ])
        .await
        .ended(3);
    assert_eq!(finished.number("invalid"), 2);
    assert!(finished.stderr.contains("line 3") && finished.stderr.contains("line 6"));
    let errors = String::from_utf8(world.bytes("errors.csv").unwrap()).unwrap();
    assert_eq!(errors.lines().count(), 3, "{errors}");
    world.run(&["check", "missing.csv"]).await.ended(3);
    assert_eq!(world.files(), ["bad.csv", "errors.csv", "good.csv"]);
}
