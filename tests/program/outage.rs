//! X is out of reach for a while in the middle of a run, for real and not in virtual time.

use std::time::Duration;

use altfill::{
    sandbox::{Options, Rates},
    time::Timestamp,
};

use crate::{manifest::texts, world::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_nothing_and_sending_goes_on_when_it_is_over() {
    let (from, to) = (Duration::from_secs(3), Duration::from_secs(8));
    let options = Options {
        rates: Rates::Unlimited,
        outages: vec![(from, to)],
        ..Options::default()
    };
    let world = World::with(options).await;
    let began = Timestamp::now();
    world.write("m.csv", texts(1_500));
    let words = [
        "run",
        "m.csv",
        "--rate",
        "1000000/1h",
        "--max-rps",
        "250",
        "--max-attempts",
        "1",
    ];
    let finished = world.send(&words).await.ended(0);
    assert_eq!(
        (finished.number("done"), finished.number("failed")),
        (1_500, 0)
    );
    let starts = world.ledger().starts();
    let before = starts.iter().filter(|start| **start < began + from).count();
    assert!(
        before > 100,
        "the outage came too early to be one: {before}"
    );
    let next = starts
        .iter()
        .find(|start| **start >= began + to)
        .expect("requests after the outage");
    assert!(next.since(began + to) < Duration::from_secs(3), "{next}");
}
