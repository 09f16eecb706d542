//! The seven promises, a test each and named after it: the shortest that would fail if it were broken.
//!
//! Each is tortured at length elsewhere: `docs/reliability.md` has the table.

use std::time::Duration;

use altfill::sandbox::Options;

use crate::{
    account::{Account, told_done},
    form::{Dice, cases},
    going::Going,
    manifest::{csv, id, ids, text, texts, texts_by},
    server::Hostile,
    tls::Authority,
    world::{TOKEN, World, faulty, finish, program, until},
};

fn account(world: &World) -> Account<'_, altfill::sandbox::Ledger> {
    Account {
        folder: world.path(""),
        journal: "journal.db".to_owned(),
        server: world.ledger(),
    }
}

async fn a_slow_world(faults: &[&str]) -> World {
    World::with(Options {
        slow_by: Duration::from_millis(10),
        ..faulty(faults)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_1_an_outcome_that_was_shown_is_on_disk() {
    for number in [1, 7, 20] {
        let world = a_slow_world(&["slow=50%"]).await;
        world.write("m.csv", texts(60));
        let mut going = world.start(&["run", "m.csv", "--workers", "4"]);
        for _ in 0..number {
            going.says("\"event\":\"done\"").await;
        }
        going.kill();
        let ended = going.end().await;
        let told = told_done(&ended.stderr);
        assert!(told.len() >= number, "{told:?}");
        let standing = account(&world)
            .audit(&ended.stderr, "told, then killed")
            .await;
        assert!(standing.of("done").is_superset(&told));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_item_is_lost_and_none_is_done_that_was_not_accepted() {
    let world = a_slow_world(&[
        "reset-after=10%",
        "truncate=10%",
        "garbage=5%",
        "other-id=5%",
        "slow=30%",
    ])
    .await;
    world.write("m.csv", texts(80));
    let words = ["run", "m.csv", "--workers", "5"];
    let mut going = world.start(&words);
    world.reached(40).await;
    going.kill();
    let killed = going.end().await;
    let left = account(&world).audit(&killed.stderr, "killed").await;
    let finished = world.send(&words).await.ended(0);
    for id in left.of("sending") {
        assert!(
            finished.stderr.contains(&id),
            "{id} is not named: {finished:?}"
        );
    }
    let standing = account(&world).audit("", "finished").await;
    assert_eq!(standing.of("done"), ids(80).into_iter().collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_3_no_window_is_exceeded_across_runs_and_crashes() {
    let world = a_slow_world(&["slow=50%"]).await;
    world.write("m.csv", texts(50));
    let words = ["run", "m.csv", "--rate", "15/1500ms", "--timeout", "300ms"];
    let mut dice = Dice::new("windows");
    for kill in 1..=3_u64 {
        let mut going = world.start(&words);
        world
            .reached((12 * kill).min(40) + dice.below(3) as u64)
            .await;
        going.kill();
        going.end().await;
    }
    world.send(&words).await.ended(0);
    let starts = world.ledger().starts();
    assert!(starts.len() >= 50);
    for stretch in starts.windows(16) {
        let gap = stretch[15].since(stretch[0]);
        assert!(
            gap >= Duration::from_millis(1_490),
            "16 requests within {gap:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_what_is_done_costs_no_request_and_what_changed_is_sent_again() {
    let world = World::new().await;
    world.write("m.csv", texts(20));
    world.send(&["run", "m.csv"]).await.ended(0);
    // The same in another order, in two files, with a column more.
    let row = |number: usize| vec![text(number), id(number), format!("note {number}")];
    let header = ["alt_text", "media_id", "note"];
    world.write("a.csv", csv(&header, (0..10).rev().map(row)));
    world.write("b.csv", csv(&header, (10..20).rev().map(row)));
    let again = world.send(&["run", "b.csv", "a.csv"]).await.ended(0);
    assert_eq!(
        (again.number("unchanged"), again.number("requests")),
        (20, 0)
    );
    world.write(
        "m.csv",
        texts_by(20, |number| {
            if number == 7 {
                "Changed".to_owned()
            } else {
                text(number)
            }
        }),
    );
    let changed = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(
        (changed.number("changed"), changed.number("requests")),
        (1, 1)
    );
    assert_eq!(world.ledger().seen(&id(7)), 2);
    account(&world).audit("", "changed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_5_a_second_run_leaves_at_once_and_says_who_has_the_journal() {
    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(5));
    let mut going = world.start(&["run", "m.csv"]);
    world.reached(1).await;
    let second = world.send(&["run", "m.csv"]).await.ended(75);
    let holder = format!("process {} since 2", going.pid());
    assert!(second.stderr.contains(&holder), "{second:?}");
    world.send(&["resume"]).await.ended(75);
    going.kill();
    going.end().await;
    // However it ended, the journal is free.
    let free = world.send(&["resume", "--max-items", "0"]).await;
    assert_eq!(free.code, 5, "{free:?}");
}

/// The most memory that a command had, in KB.
async fn peak(world: &World, words: &[&str]) -> u64 {
    let mut child = world.sending(words).spawn().unwrap();
    let path = format!("/proc/{}/status", child.id().unwrap());
    let mut peak = 0;
    let code = loop {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let told = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let told = told.and_then(|told| told.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(told.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert_eq!(code, Some(5));
    peak
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_6_memory_does_not_grow_with_the_manifest() {
    let (few, many) = (cases(5_000, 50_000), cases(50_000, 1_000_000));
    let mut peaks = Vec::new();
    for rows in [few, many] {
        let world = World::new().await;
        world.write("m.csv", texts(rows));
        peaks.push(peak(&world, &["run", "m.csv", "--max-items", "0", "--quiet"]).await);
    }
    crate::form::tell(&format!(
        "memory: {} KB for {few} rows, {} KB for {many}",
        peaks[0], peaks[1]
    ));
    // SQLite's cache fills up to its bound of 16 MB, and no further.
    assert!(
        peaks[1] < peaks[0] + 24_000,
        "{peaks:?} KB for {few} and {many} rows"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_no_secret_is_seen_anywhere_or_sent_to_another_host() {
    // A server that gives the token back, redirects elsewhere, and answers nonsense.
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let server = Hostile::start(&authority, 8, Dice::new("secrets")).await;
    std::fs::write(folder.path().join("m.csv"), texts(40)).unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let mut command = program(
        folder.path(),
        &[
            "run",
            "m.csv",
            "--journal",
            "journal.db",
            "--json",
            "-vvv",
            "--progress",
            "json",
        ],
    );
    command.args([
        "--api-url",
        &server.url(),
        "--ca-file",
        "ca.pem",
        "--timeout",
        "500ms",
        "--rate",
        "unlimited",
    ]);
    command.args(["--max-failures", "100%", "--halt-after", "0"]);
    let going = Going::start(command);
    let path = format!("/proc/{}/cmdline", going.pid());
    let line = || String::from_utf8(std::fs::read(&path).unwrap_or_default()).unwrap();
    until(|| line().contains("--ca-file")).await;
    assert!(!line().contains(TOKEN));
    let finished = going.end().await;
    assert!(matches!(finished.code, 0 | 4), "{finished:?}");
    let account = Account {
        folder: folder.path().to_owned(),
        journal: "journal.db".to_owned(),
        server: &*server.book,
    };
    // The audit looks for the token in all that was said and in every file.
    account
        .audit(&(finished.stdout.clone() + &finished.stderr), "secrets")
        .await;
    assert_eq!(
        server
            .book
            .strays
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
    let id = ids(1)[0].clone();
    for words in [vec!["report"], vec!["show", &id], vec!["status"]] {
        let mut command = program(folder.path(), &words);
        command.args(["--journal", "journal.db"]);
        let shown = finish(command).await.ended(0);
        assert!(
            !shown.stdout.contains(TOKEN) && !shown.stderr.contains(TOKEN),
            "{words:?}"
        );
    }
}
