//! Upkeep between runs: withdrawing what was not sent, marking failures as known, an empty manifest to start from.

use altfill::metadata::schema;

use crate::{
    manifest::{id, texts, texts_by},
    world::{World, faulty},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_sent_is_forgotten_and_what_was_accepted_is_wanted_again() {
    let world = World::new().await;
    world.write("m.csv", texts(10));
    world.send(&["run", "m.csv"]).await.ended(0);
    world.write(
        "more.csv",
        texts_by(15, |number| format!("Edited {number}")),
    );
    world
        .send(&["run", "more.csv", "--max-items", "0"])
        .await
        .ended(5);
    let words = ["drop", "--source", "more.csv", "--journal", "journal.db"];
    let refused = world.run(&words).await.ended(2);
    assert!(refused.stderr.contains("--yes"), "{refused:?}");
    let words = [
        "drop",
        "--source",
        "more.csv",
        "--journal",
        "journal.db",
        "--yes",
    ];
    let dropped = world.run(&words).await.ended(0);
    assert!(
        dropped.stderr.contains("15 images withdrawn"),
        "{dropped:?}"
    );
    let resumed = world.send(&["resume"]).await.ended(0);
    assert_eq!(
        (resumed.number("done"), resumed.number("requests")),
        (10, 0)
    );
    // The first texts are wanted again: their manifest is unchanged.
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(
        (finished.number("unchanged"), finished.number("requests")),
        (10, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_not_dropped_and_a_dismissed_failure_no_longer_counts() {
    let world = World::with(faulty(&["not-found=40%"])).await;
    world.write("m.csv", texts(20));
    let words = [
        "run",
        "m.csv",
        "--halt-after",
        "0",
        "--max-failures",
        "100%",
    ];
    let failed = world.send(&words).await.ended(4).number("failed");
    assert!(failed > 2);
    let journal = ["--journal", "journal.db"];
    let dropped = world
        .run(&[&["drop", "--state", "failed", "--yes"], &journal[..]].concat())
        .await
        .ended(0);
    assert!(dropped.stderr.contains("0 images withdrawn"), "{dropped:?}");

    world
        .run(
            &[
                &["report", "--state", "failed", "-o", "failed.csv"],
                &journal[..],
            ]
            .concat(),
        )
        .await
        .ended(0);
    world
        .run(&[&["dismiss", "--file", "failed.csv"], &journal[..]].concat())
        .await
        .ended(0);
    let again = world.send(&words).await.ended(0);
    assert_eq!(
        (again.number("failed"), again.number("requests")),
        (failed, 0)
    );
    // Its row changes: it is sent, and counts again.
    world.write("m.csv", texts_by(20, |number| format!("Other {number}")));
    world
        .send(&[&words[..], &["--max-resend", "20"]].concat())
        .await
        .ended(4);
    let other = world
        .run(
            &[
                &["dismiss", &id(0), "--cause", "no-such-cause"],
                &journal[..],
            ]
            .concat(),
        )
        .await
        .ended(0);
    assert!(other.stderr.contains("0 failures"), "{other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_is_an_empty_manifest_with_every_column() {
    let world = World::new().await;
    let template = world.run(&["template"]).await.ended(0);
    for path in schema::paths() {
        assert!(
            template.stdout.contains(&path) && template.stderr.contains(&path),
            "{path}"
        );
    }
    world.write("t.csv", &template.stdout);
    world.run(&["check", "t.csv"]).await.ended(0);
    let lines = world.run(&["template", "--format", "jsonl"]).await.ended(0);
    world.write("t.jsonl", &lines.stdout);
    let checked = world.run(&["check", "t.jsonl", "--json"]).await.ended(0);
    assert_eq!((checked.number("rows"), checked.number("empty")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_leaves_a_journal_alone_that_a_run_holds_or_that_is_not_there() {
    let world = World::new().await;
    world
        .run(&[
            "drop",
            "--state",
            "pending",
            "--yes",
            "--journal",
            "none.db",
        ])
        .await
        .ended(2);
    world
        .run(&["dismiss", "--cause", "x", "--journal", "none.db"])
        .await
        .ended(2);
    world.run(&["drop", "--yes"]).await.ended(2);
    world.run(&["dismiss"]).await.ended(2);
    assert_eq!(world.files(), Vec::<String>::new());
}
