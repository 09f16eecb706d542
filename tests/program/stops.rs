//! What ends a run from the other side: no access, no money, nobody there, another run.

use std::time::Duration;

use tokio::net::TcpListener;

use crate::{
    manifest::texts,
    world::{World, faulty, finish, program},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_concerns_everything_stops_the_run_and_all_stays_due() {
    for (fault, code, reason) in [
        ("usage-capped", 8, "usage-capped"),
        ("credits", 8, "credits"),
        ("spend-cap", 8, "SpendCapReached"),
        ("not-enrolled", 7, "client-forbidden"),
        (
            "unsupported-authentication",
            7,
            "unsupported-authentication",
        ),
        ("unauthorized", 7, "unauthorized"),
    ] {
        let mut world = World::with(faulty(&[fault])).await;
        world.write("m.csv", texts(30));
        let words = ["run", "m.csv", "--workers", "3"];
        let finished = world.send(&words).await.ended(code);
        let object = finished.json();
        let said = object["exit_reason"].as_str().unwrap().replace('-', "");
        let wanted = reason.replace('-', "");
        assert!(said.eq_ignore_ascii_case(&wanted), "{fault}: {object}");
        assert_eq!(finished.number("pending"), 30, "{fault}: {object}");
        assert_eq!((finished.number("done"), finished.number("failed")), (0, 0));
        // Nothing starts once it is known: there is at most what was in flight.
        assert!(world.ledger().requests() <= 5, "{fault}: {object}");
        assert_eq!(world.journal().await.in_state("pending").await.len(), 30);

        world.replace_sandbox(faulty(&[])).await;
        let rest = world.send(&["resume"]).await.ended(0);
        assert_eq!((rest.number("requests"), rest.number("done")), (30, 30));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_what_is_due_is_taken_in_and_waits() {
    let world = World::new().await;
    world.write("m.csv", texts(3));
    let without = |words: &[&str]| {
        let mut command = world.sending(words);
        command.env_remove("X_OAUTH2_ACCESS_TOKEN");
        command
    };
    let finished = finish(without(&["run", "m.csv"])).await.ended(7);
    assert!(
        finished.stderr.contains("X_OAUTH2_ACCESS_TOKEN"),
        "{finished:?}"
    );
    assert_eq!(finished.number("pending"), 3);
    assert_eq!(world.journal().await.in_state("pending").await.len(), 3);
    assert_eq!(world.ledger().requests(), 0);
    world.send(&["resume"]).await.ended(0);
    // Where nothing is due no token is missed.
    let finished = finish(without(&["run", "m.csv"])).await.ended(0);
    assert_eq!(finished.number("unchanged"), 3);
    finish(without(&["resume"])).await.ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_is_not_there_ends_as_69_however_few_items_there_are() {
    for count in [1, 3, 12] {
        let world = World::new().await;
        world.write("m.csv", texts(count));
        let nobody = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let words = [
            "run",
            "m.csv",
            "--journal",
            "journal.db",
            "--api-url",
            &nobody,
        ];
        let bounds = [
            "--max-outage",
            "1s",
            "--max-attempts",
            "2",
            "--rate",
            "unlimited",
            "--json",
        ];
        let finished = world.run(&[&words[..], &bounds].concat()).await.ended(69);
        let object = finished.json();
        assert_eq!(object["exit_reason"], "outage", "{count}: {object}");
        assert_eq!(
            finished.number("pending"),
            count as u64,
            "{count}: {object}"
        );
        assert_eq!(finished.number("failed"), 0, "{count}: {object}");
        let mut journal = world.journal().await;
        assert_eq!(journal.in_state("done").await.len(), 0);
        let causes = journal
            .attempts()
            .await
            .into_iter()
            .map(|attempt| attempt.cause);
        assert!(
            causes
                .into_iter()
                .all(|cause| cause.as_deref() == Some("connect"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_passes_in_time_costs_no_item_an_attempt() {
    let world = World::with(altfill::sandbox::Options {
        outages: vec![(Duration::ZERO, Duration::from_millis(1_500))],
        ..faulty(&[])
    })
    .await;
    world.write("m.csv", texts(40));
    let words = ["run", "m.csv", "--max-attempts", "1", "--max-outage", "30s"];
    let finished = world.send(&words).await.ended(0);
    assert_eq!(
        (finished.number("done"), finished.number("failed")),
        (40, 0)
    );
    assert_eq!(world.ledger().distinct_accepted(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_a_run_has_is_refused_at_once_by_another_one() {
    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(3));
    let mut going = world.start(&["run", "m.csv"]);
    world.reached(3).await;
    let before = world.bytes("journal.db");
    let pid = going.pid().to_string();
    for words in [&["run", "m.csv"][..], &["resume"]] {
        let second = world.send(words).await.ended(75);
        assert!(second.stderr.contains(&pid), "{pid}: {second:?}");
        assert!(second.stderr.contains("since 20"), "{second:?}");
        assert_eq!(second.json()["exit_reason"], "locked");
    }
    // A second name for it is no second journal.
    std::os::unix::fs::symlink(world.path("journal.db"), world.path("link.db")).unwrap();
    let mut command = program(
        world.path("").as_path(),
        &["resume", "--journal", "link.db"],
    );
    command.args(["--api-url", &world.url()]);
    finish(command).await.ended(75);
    assert_eq!(world.bytes("journal.db"), before);
    assert_eq!(world.ledger().requests(), 3);
    going.kill();
    going.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_may_wait_for_the_journal_goes_on_when_it_is_free() {
    let mut world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(3));
    let mut going = world.start(&["run", "m.csv"]);
    world.reached(3).await;
    let waiting = world.start(&["resume", "--lock-wait", "40s"]);
    going.kill();
    going.end().await;
    world.replace_sandbox(faulty(&[])).await;
    let finished = waiting.end().await.ended(0);
    assert_eq!(finished.number("done"), 3);
}
