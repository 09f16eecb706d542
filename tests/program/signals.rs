//! SIGTERM, SIGINT and SIGHUP: the first one stops starting and finishes what is in flight, the second leaves at once.

use std::time::{Duration, Instant};

use altfill::sandbox::Options;

use crate::{
    manifest::{ids, texts},
    world::{World, faulty},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_finishes_what_is_in_flight_and_resume_sends_the_rest() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let world = World::with(Options {
            slow_by: Duration::from_millis(300),
            ..faulty(&["slow=100%"])
        })
        .await;
        world.write("m.csv", texts(20));
        let mut going = world.start(&["run", "m.csv", "--workers", "4"]);
        world.reached(4).await;
        going.signal(signal).await;
        going.says("stopping").await;
        let stopped = going.end().await.ended(code);
        assert_eq!(stopped.json()["exit_code"], code, "{signal}");

        let requests = world.ledger().requests();
        assert!((4..20).contains(&requests), "{requests} after {signal}");
        assert_eq!(
            stopped.number("done"),
            requests,
            "all in flight was awaited"
        );
        assert_eq!(stopped.number("pending"), 20 - requests);
        let next = format!(
            "`altfill resume --journal journal.db --api-url {}`",
            world.url()
        );
        assert!(stopped.stderr.contains(&next), "{stopped:?}");
        let mut journal = world.journal().await;
        let states = journal.states().await;
        assert_eq!(states.get("sending"), None, "{states:?}");
        let run = &journal.runs().await[0];
        assert_eq!(run.exit_code, Some(i64::from(code)));
        drop(journal);

        let resumed = world.send(&["resume", "--workers", "16"]).await.ended(0);
        assert_eq!(resumed.number("done"), 20);
        assert_eq!(world.ledger().requests(), 20, "nothing was sent twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_leaves_at_once_and_what_it_cuts_off_is_named_and_sent_again() {
    let mut world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(5));
    let mut going = world.start(&["run", "m.csv", "--workers", "3", "--stop-timeout", "10m"]);
    world.reached(3).await;
    going.signal("TERM").await;
    going.says("stopping").await;
    let began = Instant::now();
    going.signal("INT").await;
    let stopped = going.end().await.ended(143);
    assert!(began.elapsed() < Duration::from_secs(10), "not at once");
    let sending = world.journal().await.in_state("sending").await;
    assert_eq!(sending.len(), 3);
    for id in &sending {
        assert!(
            stopped.stderr.contains(id),
            "{id} is not named: {stopped:?}"
        );
    }
    assert_eq!(stopped.number("pending"), 5);

    world.replace_sandbox(faulty(&[])).await;
    let resumed = world.send(&["resume"]).await.ended(0);
    assert_eq!((resumed.number("done"), resumed.number("requests")), (5, 5));
    for id in &sending {
        assert!(
            resumed.stderr.contains(id),
            "{id} is not named: {resumed:?}"
        );
    }
    assert_eq!(world.journal().await.in_state("done").await, ids(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_longer_than_the_stop_timeout_is_left_and_named() {
    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(4));
    let going = world.start(&["run", "m.csv", "--workers", "2", "--stop-timeout", "200ms"]);
    world.reached(2).await;
    going.signal("TERM").await;
    let stopped = going.end().await.ended(143);
    let sending = world.journal().await.in_state("sending").await;
    assert_eq!(sending.len(), 2);
    for id in &sending {
        assert!(
            stopped.stderr.contains(id),
            "{id} is not named: {stopped:?}"
        );
    }
    // Two requests without a complete answer may have been charged for.
    assert_eq!(stopped.json()["cost_usd"], 0.01);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_asked_tells_how_it_stands_and_goes_on() {
    for (progress, said) in [
        ("lines", "of 20: "),
        ("none", "of 20: "),
        ("json", "\"event\":\"status\""),
    ] {
        let world = World::with(faulty(&["silent=100%"])).await;
        world.write("m.csv", texts(20));
        let mut command = world.sending(&["run", "m.csv", "--workers", "4"]);
        command.args(["--progress", progress]);
        let mut going = crate::going::Going::start(command);
        world.reached(4).await;
        going.signal("USR1").await;
        going.says(said).await;
        going.kill();
        going.end().await.ended(137);
    }
}
