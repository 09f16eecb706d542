//! Bounds that were told: a run stops at them, says so by its code, and leaves the rest due.

use crate::{
    manifest::{csv, id, text, texts, texts_by},
    world::{World, faulty},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn max_items_bounds_what_is_started_and_0_only_takes_in() {
    let world = World::new().await;
    world.write("m.csv", texts(20));
    let taken = world
        .send(&["run", "m.csv", "--max-items", "0"])
        .await
        .ended(5);
    assert_eq!((taken.number("new"), taken.number("pending")), (20, 20));
    assert_eq!(world.ledger().requests(), 0);
    let some = world
        .send(&["run", "m.csv", "--max-items", "7"])
        .await
        .ended(5);
    assert_eq!((some.number("requests"), some.number("pending")), (7, 13));
    assert_eq!(some.json()["exit_reason"], "max-items");
    assert_eq!(world.ledger().requests(), 7);
    // Exactly as many as remain: nothing remains, so nothing was stopped.
    let rest = world.send(&["resume", "--max-items", "13"]).await.ended(0);
    assert_eq!(rest.number("done"), 20);
    world
        .send(&["run", "m.csv", "--max-items", "0"])
        .await
        .ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn max_spend_is_never_exceeded_in_a_run_or_a_stretch_of_time() {
    let world = World::new().await;
    world.write("m.csv", texts(30));
    let first = world
        .send(&["run", "m.csv", "--max-spend", "0.05"])
        .await
        .ended(5);
    assert_eq!(world.ledger().requests(), 10);
    assert_eq!(first.json()["exit_reason"], "max-spend");
    assert_eq!(first.json()["cost_usd"], 0.05);
    // What this hour's runs have spent counts toward an hour's bound.
    world
        .send(&["run", "m.csv", "--max-spend", "0.06/1h"])
        .await
        .ended(5);
    assert_eq!(world.ledger().requests(), 12);
    world
        .send(&["run", "m.csv", "--max-spend", "0.02", "--price", "0.01"])
        .await
        .ended(5);
    assert_eq!(world.ledger().requests(), 14);
    world
        .send(&["run", "m.csv", "--max-spend", "9"])
        .await
        .ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn max_duration_stops_in_time_and_leaves_the_rest() {
    let world = World::new().await;
    world.write("m.csv", texts(20));
    // One request a minute: the second one would come too late.
    let words = ["run", "m.csv", "--rate", "1/1m", "--max-duration", "5s"];
    let finished = world.send(&words).await.ended(5);
    assert_eq!(finished.number("requests"), 1);
    assert_eq!(finished.json()["exit_reason"], "max-duration");
    assert!(finished.json()["elapsed_s"].as_f64().unwrap() < 5.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_shall_end_as_0_does_and_the_object_keeps_the_true_one() {
    let world = World::new().await;
    world.write("m.csv", texts(4));
    let words = ["run", "m.csv", "--max-items", "1", "--ok", "4,5"];
    let finished = world.send(&words).await.ended(0);
    assert_eq!(finished.number("exit_code"), 5);
    let other = world
        .send(&["resume", "--max-items", "1", "--ok", "4"])
        .await
        .ended(5);
    assert_eq!(other.number("exit_code"), 5);
    assert_eq!(world.journal().await.runs().await[0].exit_code, Some(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_items_all_failing_for_one_cause_halt_the_run() {
    let world = World::with(faulty(&["forbidden=100%"])).await;
    world.write("m.csv", texts(60));
    let words = ["run", "m.csv", "--halt-after", "6", "--workers", "2"];
    let finished = world.send(&words).await.ended(6);
    assert_eq!(finished.json()["exit_reason"], "halt-after");
    // Beside the six there is at most what was in flight.
    assert!((6..=7).contains(&world.ledger().requests()));
    assert!(finished.number("pending") >= 53);
    assert!(
        finished.stderr.contains("not-authorized-for-resource"),
        "{finished:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_failures_halt_the_run() {
    let world = World::with(faulty(&["not-found=30%"])).await;
    world.write("m.csv", texts(200));
    let words = ["run", "m.csv", "--max-failures", "5", "--workers", "2"];
    let finished = world.send(&words).await.ended(6);
    assert_eq!(finished.json()["exit_reason"], "max-failures");
    assert!((6..=7).contains(&finished.number("failed")), "{finished:?}");
    assert!(finished.number("pending") > 100);

    // A share counts from a hundred items on.
    let world = World::with(faulty(&["not-found=30%"])).await;
    world.write("m.csv", texts(200));
    let words = ["run", "m.csv", "--max-failures", "10%", "--workers", "1"];
    world.send(&words).await.ended(6);
    // The first failure from the hundredth item on ends it.
    let requests = world.ledger().requests();
    assert!((100..130).contains(&requests), "{requests}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_anew_is_measured_by_the_done_items_of_its_manifests_alone() {
    let world = World::new().await;
    world.write("m.csv", texts(150));
    let others = (1_000..3_000).map(|number| vec![id(number), "Another".to_owned()]);
    world.write("others.csv", csv(&["media_id", "alt_text"], others));
    world.send(&["run", "m.csv", "others.csv"]).await.ended(0);
    // A fourteenth of what the journal has done, and all of what this manifest speaks of.
    world.write("m.csv", texts_by(150, |number| format!("Wrong {number}")));
    world.send(&["run", "m.csv"]).await.ended(6);
    world
        .send(&["run", "m.csv", "--max-resend", "100%"])
        .await
        .ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_would_send_too_much_anew_is_refused_before_it_is_taken_in() {
    let world = World::new().await;
    world.write("m.csv", texts(150));
    world.send(&["run", "m.csv"]).await.ended(0);
    let before = world.bytes("journal.db");
    world.write(
        "other.csv",
        texts_by(150, |number| format!("Wrong {number}")),
    );
    let refused = world.send(&["run", "other.csv"]).await.ended(6);
    assert_eq!(refused.json()["exit_reason"], "max-resend");
    assert!(refused.stderr.contains("--max-resend"), "{refused:?}");
    // Five of them are shown, old beside new, and nothing that a reader would have to look for.
    for number in 0..5 {
        for shown in [id(number), format!("\"Wrong {number}\"")] {
            assert!(refused.stderr.contains(&shown), "{shown}: {refused:?}");
        }
    }
    assert!(!refused.stderr.contains(&id(5)), "{refused:?}");
    assert!(refused.stderr.contains("150 images"));
    assert_eq!(world.ledger().requests(), 150);
    assert_eq!(world.bytes("journal.db"), before);
    // Fields that are added do not count.
    let rows = (0..150).map(|number| vec![id(number), "true".to_owned()]);
    world.write(
        "more.csv",
        csv(&["media_id", "sensitive_media_warning.other"], rows),
    );
    world.send(&["run", "more.csv"]).await.ended(0);
    assert_eq!(world.ledger().requests(), 300);
    world
        .send(&["run", "other.csv", "--max-resend", "150"])
        .await
        .ended(0);
    assert_eq!(world.ledger().requests(), 450);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_the_smallest_difference_that_the_images_share() {
    let world = World::new().await;
    world.write("m.csv", texts(12));
    world.send(&["run", "m.csv"]).await.ended(0);
    let upper = texts_by(12, |number| text(number).to_uppercase());
    world.write("upper.csv", upper);
    let words = ["run", "upper.csv", "--max-resend", "5"];
    let refused = world.send(&words).await.ended(6);
    assert!(
        refused.stderr.contains("only upper and lower case"),
        "{refused:?}"
    );
}
