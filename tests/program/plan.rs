//! What a run would do and cost, told without sending anything or changing the journal.

use crate::{
    manifest::{csv, id, texts, texts_by},
    world::World,
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
