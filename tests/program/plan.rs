//! What a run would do and cost, told without sending anything or changing the journal.

use crate::{
    manifest::{csv, id, texts, texts_by},
    world::{World, faulty},
};

const PLAN: [&str; 4] = ["--journal", "journal.db", "--json", "--price=0.005"];

fn plan<'w>(words: &[&'w str]) -> Vec<&'w str> {
    ["plan"]
        .into_iter()
        .chain(words.iter().copied())
        .chain(PLAN)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_journal_everything_is_new_and_none_is_made() {
    let world = World::new().await;
    world.write("m.csv", texts(1_201));
    let planned = world.run(&plan(&["m.csv"])).await.ended(0);
    assert_eq!(
        (planned.number("new"), planned.number("requests")),
        (1_201, 1_201)
    );
    assert!((planned.json()["cost_usd"].as_f64().unwrap() - 6.005).abs() < 1e-9);
    // Three windows of 15 minutes: two of them to wait for.
    assert!(
        (1_800..1_860).contains(&planned.number("seconds")),
        "{planned:?}"
    );
    assert!(planned.json()["finish"].as_str().is_some());
    assert_eq!(world.files(), ["m.csv"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_what_the_run_then_does() {
    let world = World::new().await;
    world.write("m.csv", texts(30));
    world.write(
        "others.csv",
        csv(
            &["media_id", "alt_text"],
            [vec![id(900), "Another".to_owned()]],
        ),
    );
    world.send(&["run", "m.csv"]).await.ended(0);
    world
        .send(&["run", "others.csv", "--max-items", "0"])
        .await
        .ended(5);
    let edited = |number| {
        if number < 3 {
            format!("Edited {number}")
        } else {
            crate::manifest::text(number)
        }
    };
    world.write("m.csv", texts_by(32, edited));
    let before = world.bytes("journal.db");
    let planned = world
        .run(&plan(&["m.csv", "--api-url", &world.url()]))
        .await
        .ended(0);
    let keys = [
        "rows",
        "new",
        "changed",
        "unchanged",
        "failed_before",
        "requests",
        "pending_other",
    ];
    assert_eq!(keys.map(|key| planned.number(key)), [32, 2, 3, 27, 0, 5, 1]);
    assert_eq!(
        world.bytes("journal.db"),
        before,
        "the journal is as it was"
    );
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(finished.number("requests"), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_manifest_or_another_address_has_no_plan() {
    let world = World::new().await;
    world.write("m.csv", texts(3));
    world.send(&["run", "m.csv"]).await.ended(0);
    world.write(
        "bad.csv",
        csv(
            &["media_id", "alt_text"],
            [vec!["x".to_owned(), "A".to_owned()]],
        ),
    );
    let refused = world
        .run(&plan(&["bad.csv", "--api-url", &world.url()]))
        .await
        .ended(3);
    assert!(refused.stderr.contains("line 2"), "{refused:?}");
    let refused = world
        .run(&plan(&["m.csv", "--api-url", "https://api.example.org"]))
        .await
        .ended(2);
    assert!(refused.stderr.contains(&world.url()), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_earlier_runs_hold_of_a_window_is_waited_for() {
    let world = World::new().await;
    world.write("m.csv", texts(10));
    world
        .send(&["run", "m.csv", "--max-items", "4"])
        .await
        .ended(5);
    // Four of five places are taken: one request now, and the second when the first of the four is free again.
    let words = ["m.csv", "--api-url", &world.url(), "--rate", "5/1h"];
    let planned = world.run(&plan(&words)).await.ended(0);
    let window = &planned.json()["windows"][0];
    assert_eq!(
        (window["used"].as_u64(), window["windows"].as_u64()),
        (Some(4), Some(2))
    );
    assert!(
        (3_500..=3_601).contains(&planned.number("seconds")),
        "{planned:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fresh_uploads_count_as_old_only_where_their_turn_comes_too_late() {
    let world = World::new().await;
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let fresh = (u64::try_from(since.as_millis()).unwrap() - 1_288_834_974_657) << 22;
    let rows = (0..5).map(|number| vec![(fresh + number).to_string(), "A cat".to_owned()]);
    world.write("m.csv", csv(&["media_id", "alt_text"], rows));
    let planned = world.run(&plan(&["m.csv"])).await.ended(0);
    assert_eq!(planned.number("old_uploads"), 0);
    let words = ["m.csv", "--rate", "2/20h"];
    let planned = world.run(&plan(&words)).await.ended(0);
    assert_eq!(planned.number("old_uploads"), 1, "{planned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_with_the_options_of_a_run_tells_what_that_run_does() {
    let world = World::with(faulty(&["not-found=100%"])).await;
    world.write("m.csv", texts(4));
    world
        .send(&["run", "m.csv", "--halt-after", "0"])
        .await
        .ended(4);
    let mut rows: Vec<_> = (0..6)
        .map(|number| vec![id(number), crate::manifest::text(number)])
        .collect();
    rows.push(vec!["x".to_owned(), "A".to_owned()]);
    world.write("m.csv", csv(&["media_id", "alt_text"], rows));
    let url = world.url();
    for (options, requests) in [
        (&["--skip-invalid"][..], 2),
        (&["--skip-invalid", "--retry-failed"], 6),
        (&["--skip-invalid", "--retry-failed=resource-not-found"], 6),
        (&["--skip-invalid", "--retry-failed=invalid-request"], 2),
    ] {
        let words = [&["m.csv", "--api-url", &url], options].concat();
        let planned = world.run(&plan(&words)).await.ended(0);
        let found = ["requests", "invalid"].map(|key| planned.number(key));
        assert_eq!(found, [requests, 1], "{options:?}");
    }
    // And the run does so.
    let words = [
        "run",
        "m.csv",
        "--skip-invalid",
        "--retry-failed",
        "--halt-after",
        "0",
    ];
    assert_eq!(world.send(&words).await.ended(4).number("requests"), 6);
    // All of them at one a second: five to wait for.
    let words = [
        "m.csv",
        "--api-url",
        &url,
        "--skip-invalid",
        "--retry-failed",
        "--max-rps",
        "1",
    ];
    assert_eq!(world.run(&plan(&words)).await.ended(0).number("seconds"), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_that_a_run_would_refuse_to_send_so_much_anew() {
    let world = World::new().await;
    world.write("m.csv", texts(6));
    world.send(&["run", "m.csv"]).await.ended(0);
    world.write("m.csv", texts_by(6, |number| format!("Edited {number}")));
    let url = world.url();
    let words = ["m.csv", "--api-url", &url];
    let fine = world.run(&plan(&words)).await.ended(0);
    assert_eq!(fine.json()["refused"], false);
    let words = ["m.csv", "--api-url", &url, "--max-resend", "5"];
    let refused = world.run(&plan(&words)).await.ended(0);
    assert_eq!(refused.json()["refused"], true);
    let words = [
        "plan",
        "m.csv",
        "--journal",
        "journal.db",
        "--api-url",
        &url,
        "--max-resend",
        "5",
    ];
    let told = world.run(&words).await.ended(0);
    assert!(
        told.stderr.contains("A run would refuse this: 6 images")
            && told.stderr.contains("--max-resend 6"),
        "{told:?}"
    );
    world
        .send(&["run", "m.csv", "--max-resend", "5"])
        .await
        .ended(6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_speaks_of_limits_and_of_rehearsals_in_words() {
    let world = World::new().await;
    world.write("m.csv", texts(1_201));
    let told = world.run(&["plan", "m.csv"]).await.ended(0);
    assert!(
        told.stdout.contains(
            "X's limit of 500 in 15 min: waited for 2 times\n  X's limit of 50000 in 24 h: enough"
        ),
        "{told:?}"
    );
    assert!(!told.stdout.contains("window"), "{told:?}");
    let told = world.run(&["plan", "m.csv", "--sandbox"]).await.ended(0);
    assert!(
        told.stdout
            .contains("A rehearsal would send 1201 images; at X that would cost $6.00"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_made_while_a_run_holds_the_journal() {
    let world = World::new().await;
    world.write("m.csv", texts(8));
    let going = world.start(&["run", "m.csv", "--rate", "2/1h"]);
    world.reached(2).await;
    let words = ["m.csv", "--api-url", &world.url()];
    let planned = world.run(&plan(&words)).await.ended(0);
    assert!((6..=8).contains(&planned.number("requests")), "{planned:?}");
    drop(going);
}
