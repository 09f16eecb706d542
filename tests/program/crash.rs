//! SIGKILL in the middle: nothing is lost, nothing counts that was not accepted, and what was on its way is named.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use altfill::sandbox::Options;

use crate::{
    manifest::{ids, texts},
    world::{World, faulty},
};

const ITEMS: usize = 120;
const WORKERS: usize = 6;

/// A moment of the run, as the number of requests that must have arrived.
fn some_moment() -> u64 {
    1 + RandomState::new().hash_one(()) % (ITEMS - 2 * WORKERS) as u64
}

/// A world whose API accepts at once and answers a little later, so that a kill finds requests on their way.
async fn a_slow_world() -> World {
    World::with(Options {
        slow_by: Duration::from_millis(20),
        ..faulty(&["slow=100%"])
    })
    .await
}

/// Kills a run when so many requests have arrived, and sends the rest. Returns whether the kill came in time.
async fn kill_at(moment: u64) -> bool {
    let world = a_slow_world().await;
    world.write("m.csv", texts(ITEMS));
    let workers = WORKERS.to_string();
    let words = ["run", "m.csv", "--workers", &workers];
    let mut going = world.start(&words);
    world.reached(moment).await;
    going.kill();
    let killed = going.end().await;
    if killed.code == 0 || world.journal().await.runs().await[0].exit_code.is_some() {
        // It was faster than the kill: there is no crash to speak of.
        return false;
    }
    assert_eq!(killed.code, 128 + 9, "{killed:?}");
    let cut_off = {
        let mut journal = world.journal().await;
        for id in journal.in_state("done").await {
            assert_eq!(world.ledger().times_accepted(&id), 1, "{id} after {moment}");
        }
        journal.in_state("sending").await
    };
    assert!(cut_off.len() <= WORKERS, "{} after {moment}", cut_off.len());

    let finished = world.send(&words).await.ended(0);
    assert_eq!(finished.number("done"), ITEMS as u64);
    let mut journal = world.journal().await;
    assert_eq!(journal.in_state("done").await, ids(ITEMS));
    let mut twice = 0;
    for id in ids(ITEMS) {
        match world.ledger().seen(&id) {
            1 => {}
            2 => {
                twice += 1;
                assert!(cut_off.contains(&id), "{id} was not in flight at {moment}");
            }
            seen => panic!("{id} was seen {seen} times, killed at {moment}"),
        }
        assert!(world.ledger().times_accepted(&id) >= 1, "{id} is done");
    }
    assert!(
        twice <= WORKERS,
        "{twice} were seen twice, killed at {moment}"
    );
    for id in &cut_off {
        assert!(
            finished.stderr.contains(id),
            "{id} is not named: {finished:?}"
        );
    }
    // The run that was cut off has no code, and its open attempts no end.
    let runs = journal.runs().await;
    assert_eq!((runs.len(), runs[0].exit_code), (2, None));
    assert_eq!(runs[0].exit_reason.as_deref(), Some("cut-off"));
    let attempts = journal.attempts().await;
    let open = attempts.iter().filter(|attempt| attempt.ended.is_none());
    let open: Vec<_> = open
        .inspect(|attempt| assert_eq!(attempt.run_id, runs[0].run_id))
        .collect();
    assert_eq!(open.len(), cut_off.len());
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_run_is_taken_up_where_it_was_and_only_what_was_in_flight_is_sent_twice() {
    let mut crashes = 0;
    for moment in [1, some_moment(), some_moment(), some_moment()] {
        crashes += usize::from(kill_at(moment).await);
    }
    assert!(crashes >= 2, "{crashes} of 4 kills came in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_survives_one_kill_after_the_other() {
    let world = a_slow_world().await;
    world.write("m.csv", texts(ITEMS));
    let workers = WORKERS.to_string();
    let mut kills = 0;
    for moment in [20, 50, 80] {
        let mut going = world.start(&["run", "m.csv", "--workers", &workers]);
        world.reached(moment).await;
        going.kill();
        kills += usize::from(going.end().await.code == 128 + 9);
    }
    assert!(kills >= 2, "{kills} of 3 kills came in time");
    world.send(&["resume"]).await.ended(0);
    assert_eq!(world.ledger().distinct_accepted(), ITEMS);
    let requests = usize::try_from(world.ledger().requests()).unwrap();
    assert!(requests <= ITEMS + kills * WORKERS, "{requests}");
    assert_eq!(world.journal().await.in_state("done").await, ids(ITEMS));
}
