//! The samples that come with the program: each is taken in, and the mistakes are all found.

use altfill::sandbox::Options;

use crate::world::World;

fn sample(name: &str) -> String {
    format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_good_sample_is_sent_to_the_last_item() {
    let world = World::with(Options {
        rates: altfill::sandbox::Rates::Unlimited,
        ..Options::default()
    })
    .await;
    let names = ["newsroom.csv", "archive.jsonl", "all-fields.csv"];
    let paths = names.map(sample);
    let words: Vec<&str> = ["run", "--rate", "unlimited"]
        .into_iter()
        .chain(paths.iter().map(String::as_str))
        .collect();
    let finished = world.send(&words).await.ended(0);
    assert_eq!(
        (finished.number("rows"), finished.number("done")),
        (706, 706)
    );
    assert_eq!(world.ledger().distinct_accepted(), 706);
    // The same items in the other form are the same items.
    let finished = world
        .send(&["run", &sample("all-fields.jsonl")])
        .await
        .ended(0);
    assert_eq!(
        (finished.number("unchanged"), finished.number("requests")),
        (6, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_in_the_sample_of_mistakes_is_found() {
    let world = World::new().await;
    let finished = world
        .run(&[
            "check",
            &sample("mistakes.csv"),
            "--json",
            "--errors",
            "e.jsonl",
        ])
        .await
        .ended(3);
    let found = finished.json();
    assert_eq!(
        (found["rows"].as_u64(), found["invalid"].as_u64()),
        (Some(18), Some(14))
    );
    for line in [3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17, 18] {
        assert!(
            finished.stderr.contains(&format!("line {line}")),
            "{line}: {finished:?}"
        );
    }
    let errors = String::from_utf8(world.bytes("e.jsonl").unwrap()).unwrap();
    let lines: Vec<serde_json::Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 14);
    assert_eq!(
        (lines[0]["line"].as_u64(), lines[0]["rule"].as_str()),
        (Some(3), Some("id-scientific"))
    );
}
