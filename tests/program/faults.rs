//! An API with faults: whatever happens, each item ends as it really stands.

use std::collections::BTreeSet;

use crate::{
    manifest::{ids, texts},
    world::{World, faulty},
};

const FAULTS: [&str; 4] = ["503=5%", "reset=2%", "truncate=1%", "not-found=1%"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_thousand_items_none_is_lost_and_none_done_that_was_not_accepted() {
    let world = World::with(faulty(&FAULTS)).await;
    world.write("m.csv", texts(2_000));
    let finished = world
        .send(&["run", "m.csv", "--workers", "32"])
        .await
        .ended(4);
    let mut journal = world.journal().await;
    let items = journal.items().await;
    assert_eq!(items.keys().cloned().collect::<Vec<_>>(), ids(2_000));

    let attempts = journal.attempts().await;
    let failed: BTreeSet<_> = items
        .values()
        .filter(|item| item.state == "failed")
        .collect_ids();
    let done: BTreeSet<_> = items
        .values()
        .filter(|item| item.state == "done")
        .collect_ids();
    assert_eq!(
        failed.len() + done.len(),
        2_000,
        "{:?}",
        journal.states().await
    );
    assert!((5..=45).contains(&failed.len()), "{}", failed.len());
    for id in &done {
        assert!(
            world.ledger().times_accepted(id) >= 1,
            "{id} is done, and was never accepted"
        );
    }
    for id in &failed {
        let item = &items[id];
        assert_eq!(
            (item.cause.as_deref(), item.http_status),
            (Some("resource-not-found"), Some(404))
        );
        // The one way to have got through is an answer that was cut off before the item was found missing.
        let was_cut_off = |attempt: &&crate::journal::Attempt| {
            attempt.media_id == *id && attempt.cause.as_deref() == Some("bad-answer")
        };
        let cut_off = attempts.iter().filter(was_cut_off).count();
        assert_eq!(world.ledger().times_accepted(id) as usize, cut_off, "{id}");
    }
    assert_eq!(finished.number("done"), done.len() as u64);
    assert_eq!(finished.number("failed"), failed.len() as u64);
    assert_eq!(finished.number("pending"), 0);
    assert_eq!(finished.number("requests"), world.ledger().requests());
    assert_eq!(
        finished.number("retries"),
        world.ledger().requests() - 2_000
    );

    // Every fault that struck stands in the log of attempts, by its cause.
    assert_eq!(attempts.len() as u64, world.ledger().requests());
    let causes = |cause: &str| {
        let of_cause = |attempt: &&crate::journal::Attempt| attempt.cause.as_deref() == Some(cause);
        attempts.iter().filter(of_cause).count() as u64
    };
    let answered = world.ledger().statuses();
    assert_eq!(causes("server-error"), answered[&503]);
    assert_eq!(causes("resource-not-found"), answered[&404]);
    assert!(causes("bad-answer") > 0, "answers were cut off");
    let unanswered = world.ledger().requests() - answered.values().sum::<u64>();
    assert_eq!(causes("connect"), unanswered);
    assert!(unanswered > 0, "connections were reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_stays_failed_until_it_is_asked_for_again() {
    let mut world = World::with(faulty(&["not-found=30%"])).await;
    world.write("m.csv", texts(40));
    let first = world.send(&["run", "m.csv"]).await.ended(4);
    let failed = first.number("failed");
    assert!(failed > 0, "{first:?}");
    let requests = world.ledger().requests();
    let second = world.send(&["run", "m.csv"]).await.ended(4);
    assert_eq!(second.number("failed"), failed);
    assert_eq!(world.ledger().requests(), requests);

    world.replace_sandbox(faulty(&[])).await;
    let third = world
        .send(&["run", "m.csv", "--retry-failed"])
        .await
        .ended(0);
    assert_eq!(third.number("requests"), failed);
    assert_eq!(third.number("done"), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_may_have_passed_is_sent_again_by_the_next_run() {
    let mut world = World::with(faulty(&["500=100%"])).await;
    world.write("m.csv", texts(3));
    let first = world
        .send(&["run", "m.csv", "--max-attempts", "1", "--halt-after", "0"])
        .await
        .ended(4);
    assert_eq!((first.number("failed"), first.number("requests")), (3, 3));
    world.replace_sandbox(faulty(&[])).await;
    let second = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!((second.number("done"), second.number("requests")), (3, 3));
}

trait CollectIds {
    fn collect_ids(self) -> BTreeSet<String>;
}

impl<'a, I: Iterator<Item = &'a crate::journal::Item>> CollectIds for I {
    fn collect_ids(self) -> BTreeSet<String> {
        self.map(|item| item.media_id.clone()).collect()
    }
}
