//! Limits: no window is exceeded, by one run or by several that share a journal, and what the headers tell rules.

use std::time::Duration;

use altfill::sandbox::{Options, Rates};

use crate::{
    manifest::{csv, id, text, texts},
    world::{World, faulty},
};

/// Times are whole milliseconds, each rounded down.
const GRANULARITY: Duration = Duration::from_millis(1);

/// That no stretch of this length holds more than so many starts.
#[track_caller]
fn keeps(world: &World, count: usize, per: Duration) {
    let mut starts = world.ledger().starts();
    starts.sort();
    for stretch in starts.windows(count + 1) {
        let lasted = stretch[count].since(stretch[0]);
        assert!(
            lasted + GRANULARITY >= per,
            "{} requests in {lasted:?}: {stretch:?}",
            count + 1
        );
    }
}

/// A sandbox that keeps these windows.
fn limited(rate: &str) -> Options {
    Options {
        rates: Rates::Windows(vec![rate.parse().unwrap()]),
        ..faulty(&[])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_is_kept_in_every_stretch_and_across_runs_of_one_journal() {
    let world = World::new().await;
    world.write("m.csv", texts(14));
    world.write("n.csv", {
        let rows = (14..28).map(|number| vec![id(number), text(number)]);
        csv(&["media_id", "alt_text"], rows)
    });
    for manifest in ["m.csv", "n.csv"] {
        let words = ["run", manifest, "--rate", "10/1s", "--max-rps", "1000"];
        world.send(&words).await.ended(0);
    }
    assert_eq!(world.ledger().requests(), 28);
    keeps(&world, 10, Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_is_kept_over_a_kill() {
    let world = World::new().await;
    world.write("m.csv", texts(24));
    let words = ["--rate", "10/1s", "--max-rps", "1000", "--timeout", "500ms"];
    let mut going = world.start(&[&["run", "m.csv"], &words[..]].concat());
    world.reached(13).await;
    going.kill();
    assert_eq!(going.end().await.code, 128 + 9);
    world
        .send(&[&["resume"], &words[..]].concat())
        .await
        .ended(0);
    assert_eq!(world.ledger().distinct_accepted(), 24);
    keeps(&world, 10, Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pace_lets_one_request_go_after_the_other() {
    let world = World::new().await;
    world.write("m.csv", texts(12));
    let words = ["run", "m.csv", "--rate", "100/1s", "--max-rps", "10"];
    let finished = world.send(&words).await.ended(0);
    // Eleven gaps of a tenth of a second.
    assert!(finished.json()["elapsed_s"].as_f64().unwrap() >= 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_windows_that_the_headers_tell_are_kept_whatever_ours_are() {
    for rate in [&["--max-rps", "500"][..], &["--rate", "unlimited"]] {
        let world = World::with(limited("20/2s")).await;
        world.write("m.csv", texts(50));
        let mut command = world.command(&["run", "m.csv", "--journal", "journal.db", "--json"]);
        command.args(["--api-url", &world.url()]).args(rate);
        let finished = crate::world::finish(command).await.ended(0);
        assert_eq!(finished.number("done"), 50);
        let statuses = world.ledger().statuses();
        assert_eq!(statuses.get(&429), None, "{rate:?}: {statuses:?}");
        assert_eq!(finished.number("rate_limited"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_headers_told_one_run_the_next_one_knows() {
    let world = World::with(limited("20/2s")).await;
    world.write("m.csv", texts(45));
    for items in ["18", "18", "18"] {
        world.send(&["run", "m.csv", "--max-items", items]).await;
    }
    assert_eq!(world.ledger().distinct_accepted(), 45);
    let statuses = world.ledger().statuses();
    assert_eq!(statuses.get(&429), None, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_429_counts_as_no_attempt_and_is_waited_for() {
    // Sixteen at once against five places: the surplus is refused before anything was told.
    let world = World::with(limited("5/1s")).await;
    world.write("m.csv", texts(16));
    let words = ["run", "m.csv", "--workers", "16", "--max-attempts", "1"];
    let finished = world.send(&words).await.ended(0);
    assert_eq!(
        (finished.number("done"), finished.number("failed")),
        (16, 0)
    );
    let refused = world.ledger().statuses().get(&429).copied().unwrap_or(0);
    assert!(refused > 0, "{:?}", world.ledger().statuses());
    assert_eq!(finished.number("rate_limited"), refused);
    assert_eq!(finished.json()["cost_usd"], 0.08);
}
