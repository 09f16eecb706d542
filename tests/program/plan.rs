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
