//! The main path: a manifest is sent, once, and never again unless a row changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    manifest::{body, id, ids, text, texts, texts_by},
    world::World,
};

/// The keys that `--json` has on every exit.
const KEYS: [&str; 18] = [
    "run_id",
    "exit_code",
    "exit_reason",
    "rows",
    "empty",
    "invalid",
    "new",
    "changed",
    "unchanged",
    "done",
    "failed",
    "pending",
    "pending_other",
    "requests",
    "retries",
    "rate_limited",
    "cost_usd",
    "elapsed_s",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_item_is_sent_as_written_and_written_down() {
    let world = World::new().await;
    world.write("m.csv", texts(120));
    let finished = world.send(&["run", "m.csv"]).await.ended(0);

    let wanted: BTreeMap<_, _> = (0..120).map(|number| (id(number), body(number))).collect();
    assert_eq!(world.ledger().last_bodies(), wanted);
    assert_eq!(world.ledger().requests(), 120);
    assert!(world.ledger().strays().is_empty());

    let object = finished.json();
    for key in KEYS {
        assert!(object.get(key).is_some(), "no {key}: {object}");
    }
    for (key, number) in [
        ("exit_code", 0),
        ("rows", 120),
        ("new", 120),
        ("done", 120),
        ("requests", 120),
    ] {
        assert_eq!(finished.number(key), number, "{key}: {object}");
    }
    for key in [
        "empty",
        "invalid",
        "changed",
        "unchanged",
        "failed",
        "pending",
        "pending_other",
        "retries",
        "rate_limited",
    ] {
        assert_eq!(finished.number(key), 0, "{key}: {object}");
    }
    assert_eq!(object["cost_usd"], 0.6);
    assert!(object["elapsed_s"].as_f64().unwrap() > 0.0);

    let mut journal = world.journal().await;
    let items = journal.items().await;
    assert_eq!(items.keys().cloned().collect::<Vec<_>>(), ids(120));
    for (line, item) in (2..).zip(items.values()) {
        assert_eq!(
            (
                &*item.state,
                &*item.account,
                item.attempts,
                item.http_status
            ),
            ("done", "default", 1, Some(200))
        );
        assert_eq!((item.cause.as_ref(), item.detail.as_ref()), (None, None));
        assert_eq!((item.dismissed, &*item.source), (0, "m.csv"));
        assert_eq!(item.line, line);
        assert_eq!(item.digest.len(), 64);
        assert!(item.digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(item.first_seen.ends_with('Z') && item.first_seen <= item.updated);
    }
    let attempts = journal.attempts().await;
    assert_eq!(attempts.len(), 120);
    for attempt in &attempts {
        let item = &items[&attempt.media_id];
        assert_eq!((attempt.number, attempt.http_status), (1, Some(200)));
        assert_eq!(attempt.digest, item.digest);
        assert_eq!(attempt.account, item.account);
        assert_eq!(
            (attempt.cause.as_ref(), attempt.detail.as_ref()),
            (None, None)
        );
        assert!(
            attempt
                .ended
                .as_ref()
                .is_some_and(|ended| *ended >= attempt.started)
        );
    }
    let [run] = &journal.runs().await[..] else {
        panic!("one run")
    };
    assert_eq!(object["run_id"], run.run_id);
    assert!(attempts.iter().all(|attempt| attempt.run_id == run.run_id));
    assert_eq!(
        (run.exit_code, run.requests, run.done, run.failed),
        (Some(0), 120, 120, 0)
    );
    assert_eq!(object["exit_reason"], run.exit_reason.clone().unwrap());
    assert!((run.cost_usd - 0.6).abs() < 1e-9);
    assert!(
        run.ended
            .as_ref()
            .is_some_and(|ended| *ended >= run.started)
    );
    assert_eq!(run.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(run.account, "default");
    let sources: Value = serde_json::from_str(&run.sources).unwrap();
    assert_eq!(sources, serde_json::json!(["m.csv"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_costs_no_request_and_three_changed_rows_cost_three() {
    let world = World::new().await;
    world.write("m.csv", texts(60));
    world.send(&["run", "m.csv"]).await.ended(0);
    let before = world.ledger().requests();

    let again = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(world.ledger().requests(), before);
    assert_eq!(
        (again.number("unchanged"), again.number("requests")),
        (60, 0)
    );
    assert_eq!(again.json()["cost_usd"], 0.0);

    let changed = [3, 17, 59];
    let new_text = |number| {
        if changed.contains(&number) {
            format!("Another {number}")
        } else {
            text(number)
        }
    };
    world.write("m.csv", texts_by(60, new_text));
    let third = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(world.ledger().requests(), before + 3);
    assert_eq!((third.number("changed"), third.number("requests")), (3, 3));
    for number in 0..60 {
        let id = id(number);
        let times = if changed.contains(&number) { 2 } else { 1 };
        assert_eq!(world.ledger().times_accepted(&id), times, "{number}");
        let last = world.ledger().accepted(&id).pop().unwrap();
        assert_eq!(last["metadata"]["alt_text"]["text"], new_text(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_splitting_other_columns_and_other_names_make_nothing_due() {
    let world = World::new().await;
    world.write("m.csv", texts(40));
    world.send(&["run", "m.csv"]).await.ended(0);

    let rows = |numbers: Vec<usize>| {
        let rows = numbers
            .into_iter()
            .map(|number| vec![text(number), "holiday".to_owned(), id(number)]);
        crate::manifest::csv(&["alt_text.text", "album", "id"], rows)
    };
    world.write("late.csv", rows((20..40).rev().collect()));
    world.write("early.csv", rows((0..20).rev().collect()));
    let again = world.send(&["run", "late.csv", "early.csv"]).await.ended(0);
    assert_eq!((again.number("rows"), again.number("unchanged")), (40, 40));
    assert_eq!(world.ledger().requests(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_manifest_and_an_empty_resume_are_done_at_once() {
    let world = World::new().await;
    world.write("m.csv", "media_id,alt_text\n");
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(
        (finished.number("rows"), finished.number("requests")),
        (0, 0)
    );
    world.send(&["resume"]).await.ended(0);
    assert_eq!(world.ledger().requests(), 0);
}
