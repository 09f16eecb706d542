//! A clock that is set by an hour either way, and a machine that sleeps, while a run keeps X's limits.

use std::{path::PathBuf, time::Duration};

use altfill::sandbox::{Options, Rates};
use tokio::time::Instant;

use crate::{
    account::Account,
    form::tell,
    manifest::texts,
    shim,
    world::{World, faulty, until},
};

const HOUR: i64 = 3_600_000;

/// The clocks of a child: how far the wall clock, and the clock that counts sleep, are ahead, in milliseconds.
struct Clocks(PathBuf);

impl Clocks {
    fn set(&self, wall: i64, awake_or_not: i64) {
        // In one piece: it is read at any moment.
        let beside = self.0.with_extension("new");
        std::fs::write(&beside, format!("{wall} {awake_or_not}")).unwrap();
        std::fs::rename(beside, &self.0).unwrap();
    }
}

/// Starts a run of 40 items in a window of 10 a second, as a child with clocks of its own.
async fn a_run(world: &World) -> (crate::going::Going, Clocks) {
    world.write("m.csv", texts(40));
    let clocks = Clocks(world.path("clock"));
    clocks.set(0, 0);
    let mut command = world.sending(&["run", "m.csv", "--rate", "10/1s", "--progress", "json"]);
    shim::preload(&mut command);
    command.env("SHIM_CLOCK", world.path("clock"));
    let going = crate::going::Going::start(command);
    world.reached(5).await;
    (going, clocks)
}

/// That no stretch of a second held more than ten requests, by the server's clock.
fn kept_the_window(world: &World, case: &str) {
    let starts = world.ledger().starts();
    for pair in starts.windows(11) {
        let gap = pair[10].since(pair[0]);
        assert!(
            gap >= Duration::from_millis(990),
            "{case}: 11 requests within {gap:?}"
        );
    }
}

fn account(world: &World) -> Account<'_, altfill::sandbox::Ledger> {
    Account {
        folder: world.path(""),
        journal: "journal.db".to_owned(),
        server: world.ledger(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_by_an_hour_neither_hurries_nor_stops_a_run() {
    for (case, wall) in [("an hour ahead", HOUR), ("an hour back", -HOUR)] {
        let world = World::with(Options {
            rates: Rates::Unlimited,
            ..faulty(&[])
        })
        .await;
        let (going, clocks) = a_run(&world).await;
        clocks.set(wall, 0);
        let began = Instant::now();
        let ended = going.end().await.ended(0);
        assert!(began.elapsed() < Duration::from_secs(30), "{case}");
        kept_the_window(&world, case);
        assert_eq!(
            account(&world)
                .audit(&ended.stderr, case)
                .await
                .count("done"),
            40
        );
    }
    tell(
        "clock: set by an hour ahead and back in the middle of a run; the window was kept and all were done",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_machine_slept_through_counts_in_the_journal_and_in_the_limits() {
    let world = World::new().await;
    let (going, clocks) = a_run(&world).await;
    // The lid is closed for eight hours: all stands still, and then all clocks but the one that counts no sleep are on.
    going.signal("STOP").await;
    let asleep = world.ledger().requests();
    clocks.set(8 * HOUR, 8 * HOUR);
    going.signal("CONT").await;
    let ended = going.end().await.ended(0);
    assert!(asleep < 40, "it slept too late");
    let mut journal = world.journal().await;
    let attempts = journal.attempts().await;
    let started: Vec<_> = attempts
        .iter()
        .map(|attempt| altfill::time::Timestamp::parse(&attempt.started).unwrap())
        .collect();
    let (first, last) = (started[0], started[started.len() - 1]);
    assert!(
        last.since(first) >= Duration::from_hours(8),
        "the last is written down at {last:?}, the first at {first:?}"
    );
    drop(journal);
    assert_eq!(
        account(&world)
            .audit(&ended.stderr, "asleep")
            .await
            .count("done"),
        40
    );
    tell(
        "clock: asleep for eight hours in the middle of a run; attempts after it are written down at their time",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_after_a_sleep_finds_the_window_as_full_as_it_is() {
    let world = World::new().await;
    world.write("m.csv", texts(12));
    let clocks = Clocks(world.path("clock"));
    clocks.set(0, 0);
    let with_clocks = |words: &[&str]| {
        let mut command = world.sending(words);
        shim::preload(&mut command);
        command.env("SHIM_CLOCK", world.path("clock"));
        command
    };
    // Ten in an hour; the machine sleeps before any has started.
    let words = [
        "run",
        "m.csv",
        "--rate",
        "10/1h",
        "--max-items",
        "10",
        "--progress",
        "json",
        "--timeout",
        "3s",
    ];
    let going = crate::going::Going::start(with_clocks(&words));
    world.reached(1).await;
    clocks.set(8 * HOUR, 8 * HOUR);
    going.end().await.ended(5);
    // By the wall clock the window is full for an hour more: nothing may start.
    let again = [
        "run",
        "m.csv",
        "--rate",
        "10/1h",
        "--max-duration",
        "5s",
        "--progress",
        "json",
    ];
    let mut going = crate::going::Going::start(with_clocks(&again));
    going.says("stopping").await;
    going.end().await.ended(5);
    until(|| world.ledger().requests() <= 12).await;
    assert!(
        world.ledger().requests() <= 11,
        "{} requests in an hour",
        world.ledger().requests()
    );
}
