//! Several manifests that speak of the same items: fields are laid over each other, and none is sent twice.

use serde_json::json;

use crate::{
    manifest::{csv, id, text, texts},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_manifests_with_different_columns_are_sent_in_the_first_round_only() {
    let world = World::new().await;
    world.write("texts.csv", texts(30));
    let warnings = (0..30).map(|number| vec![id(number), "true".to_owned()]);
    world.write(
        "warnings.csv",
        csv(
            &["media_id", "sensitive_media_warning.adult_content"],
            warnings,
        ),
    );
    for round in 0..3 {
        for manifest in ["texts.csv", "warnings.csv"] {
            let finished = world.send(&["run", manifest]).await.ended(0);
            let requests = if round == 0 { 30 } else { 0 };
            assert_eq!(finished.number("requests"), requests, "{round}, {manifest}");
        }
    }
    assert_eq!(world.ledger().requests(), 60);
    for number in 0..30 {
        let body = world.ledger().accepted(&id(number)).pop().unwrap();
        assert_eq!(body["metadata"]["alt_text"], json!({"text": text(number)}));
        let warning = &body["metadata"]["sensitive_media_warning"];
        assert_eq!(warning["adult_content"], true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_of_one_run_with_different_columns_make_one_request_an_item() {
    let world = World::new().await;
    world.write("texts.csv", texts(10));
    let warnings = (0..10).map(|number| vec![id(number), "true".to_owned()]);
    let header = ["media_id", "sensitive_media_warning.other"];
    world.write("warnings.csv", csv(&header, warnings));
    world
        .send(&["run", "texts.csv", "warnings.csv"])
        .await
        .ended(0);
    assert_eq!(world.ledger().requests(), 10);
    let body = world.ledger().accepted(&id(4)).pop().unwrap();
    assert_eq!(body["metadata"]["alt_text"]["text"], text(4));
    assert_eq!(body["metadata"]["sensitive_media_warning"]["other"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_items_of_other_manifests_stay_and_are_counted_until_a_resume() {
    let world = World::new().await;
    world.write("first.csv", texts(8));
    let taken = world
        .send(&["run", "first.csv", "--max-items", "0"])
        .await
        .ended(5);
    assert_eq!((taken.number("pending"), taken.number("requests")), (8, 0));
    let others = (8..12).map(|number| vec![id(number), text(number)]);
    world.write("second.csv", csv(&["media_id", "alt_text"], others));
    let second = world.send(&["run", "second.csv"]).await.ended(0);
    assert_eq!(second.number("done"), 4);
    assert_eq!(second.number("pending_other"), 8);
    assert_eq!(world.ledger().distinct_accepted(), 4);
    let resumed = world.send(&["resume"]).await.ended(0);
    assert_eq!(
        (resumed.number("requests"), resumed.number("done")),
        (8, 12)
    );
}
