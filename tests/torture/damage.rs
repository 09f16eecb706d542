//! Journals that are damaged at random bytes, cut, copied in the middle, or have a damaged log: named, never silently
//! rebuilt, and salvaged without a false word.

use std::collections::BTreeSet;

use altfill::sandbox::Options;

use crate::{
    account::{Account, Server, Standing, is_journal},
    form::{Dice, cases, tell},
    manifest::{ids, texts, texts_by},
    world::{Finished, World, faulty},
};

const ITEMS: usize = 250;
const DB: &str = "journal.db";
const WAL: &str = "journal.db-wal";

/// A world whose journal has items in every state and something of everything else, cut off in the middle.
async fn a_world() -> World {
    let world = World::with(Options {
        slow_by: std::time::Duration::from_millis(4),
        ..faulty(&["not-found=6%", "500=5%", "slow=20%"])
    })
    .await;
    world.write("m.csv", texts(ITEMS));
    let words = [
        "run",
        "m.csv",
        "--max-items",
        "80",
        "--max-failures",
        "100%",
    ];
    world.send(&words).await.ended(5);
    // Some are wanted otherwise, so that there is a history.
    world.write(
        "m.csv",
        texts_by(ITEMS, |number| format!("Better {number}")),
    );
    let mut going = world.start(&["run", "m.csv", "--max-failures", "100%"]);
    world.reached(200).await;
    going.kill();
    going.end().await;
    world
}

/// What SQLite reads and writes at a time.
const PAGE: usize = 8_192;

/// What is damaged, and how.
fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) -> String {
    let length = bytes.len();
    match dice.below(6) {
        0 => {
            let at = dice.below(length);
            bytes[at] ^= 1 << dice.below(8);
            format!("a bit flipped at {at}")
        }
        1 => {
            let (at, size) = (dice.below(length), 1 + dice.below(64));
            for byte in bytes.iter_mut().skip(at).take(size) {
                *byte = u8::try_from(dice.below(256)).unwrap();
            }
            format!("{size} bytes from {at} written over")
        }
        2 => {
            let page = PAGE * dice.below(length / PAGE);
            bytes[page..page + PAGE].fill(0);
            format!("the page at {page} is zeros")
        }
        3 => {
            let pages = length / PAGE;
            let (from, to) = (PAGE * dice.below(pages), PAGE * dice.below(pages));
            bytes.copy_within(from..from + PAGE, to);
            format!("the page at {to} is that at {from}")
        }
        4 => {
            let end = 1 + dice.below(length);
            bytes.truncate(end);
            format!("cut off at {end}")
        }
        _ => {
            for _ in 0..20 {
                let at = dice.below(length);
                bytes[at] ^= 1 << dice.below(8);
            }
            "twenty bits flipped".to_owned()
        }
    }
}

/// What counts as done was accepted, in as much of a journal as can be read. Returns how all stands where that is all.
async fn found(world: &World, journal: &str, case: &str) -> Option<Standing> {
    let mut standing = Standing::default();
    let words = ["report", "--journal", journal, "--format", "jsonl"];
    let report = world.run(&words).await;
    for line in report.stdout.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let (id, state) = (
            row["id"].as_str().unwrap(),
            row["altfill_report"].as_str().unwrap(),
        );
        let of_state = standing.by_state.entry(state.to_owned()).or_default();
        of_state.insert(id.to_owned());
        if state == "done" {
            let accepted = Server::accepted(world.ledger(), id);
            assert!(
                accepted
                    .iter()
                    .any(|body| body["metadata"] == row["metadata"]),
                "{case}: {id} counts as done, and was not accepted so: {accepted:?}"
            );
        }
    }
    if report.code != 0 {
        tell(&format!("{case}: {}", report.stderr.trim()));
        assert!(report.stderr.contains(journal), "{case}: {report:?}");
        return None;
    }
    Some(standing)
}

/// The same of a journal that must be sound.
async fn is_true(world: &World, journal: &str, case: &str) -> Standing {
    found(world, journal, case)
        .await
        .unwrap_or_else(|| panic!("{case}: {journal} can't be read"))
}

/// Whether a refusal names the journal and the cure.
fn is_named(finished: &Finished, case: &str) {
    assert!(finished.stderr.contains(DB), "{case}: {finished:?}");
    let lines = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("altfill:"));
    assert_eq!(lines.count(), 1, "{case}: {finished:?}");
}

/// The damaged journal itself: a run says what is wrong, or sends nothing that was not wanted. Returns whether it was refused.
async fn run_on_damaged(world: &World, all: &BTreeSet<String>, case: &str) -> bool {
    let mut is_refused = false;
    let status = world.run(&["status", "--journal", DB]).await;
    assert!(matches!(status.code, 0..=2), "{case}: {status:?}");
    let requests = world.ledger().requests();
    let run = world.send(&["resume", "--max-items", "3"]).await;
    match run.code {
        1 | 2 => {
            is_named(&run, case);
            is_refused = true;
            assert!(world.path(DB).exists(), "{case}: it was taken away");
            if run.code == 1 && run.stderr.contains("repair") {
                assert!(run.stderr.contains("-o NEW.db"), "{case}: {run:?}");
            }
        }
        0 | 4 | 5 => {
            found(world, DB, case).await;
        }
        _ => panic!("{case}: {run:?}"),
    }
    assert!(world.ledger().requests() - requests <= 16, "{case}");
    for id in all {
        for body in Server::accepted(world.ledger(), id) {
            let text = body["metadata"]["alt_text"]["text"]
                .as_str()
                .unwrap_or_default();
            assert!(
                text.starts_with("Better ") || text.starts_with("Picture "),
                "{case}: {id} was sent {text:?}"
            );
        }
    }
    is_refused
}

#[derive(Debug, Default)]
struct Figures {
    damaged: usize,
    refused: usize,
    salvaged: usize,
    hopeless: usize,
    items: usize,
    named: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_is_named_and_salvaged_and_never_says_more_than_is_so() {
    let mut dice = Dice::new("damage");
    let world = a_world().await;
    // All in one file: what lies in the log is damaged by another test.
    world
        .run(&["drop", "--journal", DB, "--state", "pending", "1"])
        .await;
    let whole = world.bytes(DB).unwrap();
    let before = is_true(&world, DB, "whole").await;
    assert!(
        before.count("sending") > 0 && before.count("failed") > 0,
        "{before:?}"
    );
    let all: BTreeSet<String> = ids(ITEMS).into_iter().collect();
    let mut figures = Figures::default();
    for number in 0..cases(10, 220) {
        let mut bytes = whole.clone();
        let case = format!("case {number}, {}", damage(&mut dice, &mut bytes));
        for name in [WAL, "journal.db-shm", "new.db", "new.db-wal", "new.db-shm"] {
            let _ = std::fs::remove_file(world.path(name));
        }
        world.write(DB, &bytes);
        figures.damaged += 1;

        let repaired = world
            .run(&[
                "repair",
                "--journal",
                DB,
                "-o",
                "new.db",
                "--api-url",
                &world.url(),
            ])
            .await;
        assert_eq!(world.bytes(DB).unwrap(), bytes, "{case}: repair touched it");
        match repaired.code {
            0 | 4 => figures.salvaged += 1,
            1 => {
                is_named(&repaired, &case);
                assert!(world.bytes("new.db").is_none(), "{case}");
                let is_cut = case.contains("cut off") && bytes.len() >= PAGE;
                assert!(!is_cut, "{case}: its first page stands: {repaired:?}");
                figures.hopeless += 1;
                tell(&format!("{case}: hopeless: {}", repaired.stderr.trim()));
            }
            _ => panic!("{case}: {repaired:?}"),
        }
        if matches!(repaired.code, 0 | 4) {
            let after = is_true(&world, "new.db", &case).await;
            let salvaged: BTreeSet<String> = after.by_state.values().flatten().cloned().collect();
            assert!(salvaged.is_subset(&all), "{case}: {salvaged:?}");
            figures.items += salvaged.len();
            // By their ids, or, where those are damaged too, by their number.
            let told: usize = repaired
                .stderr
                .lines()
                .filter_map(|line| line.strip_prefix("Missing: ")?.split_once(" image"))
                .filter_map(|(count, _)| count.parse::<usize>().ok())
                .sum();
            let missing = all.difference(&salvaged).count();
            assert!(
                missing <= told,
                "{case}: {missing} are missing: {repaired:?}"
            );
            figures.named += missing;
            if repaired.code == 0 {
                assert_eq!(
                    after.by_state, before.by_state,
                    "{case}: nothing is missing, it says: {repaired:?}"
                );
            }
            for id in before.of("sending") {
                let stays = after.of("sending").contains(&id) || !salvaged.contains(&id);
                assert!(stays, "{case}: {id} may have been sent: {repaired:?}");
            }
        }

        figures.refused += usize::from(run_on_damaged(&world, &all, &case).await);
    }
    tell(&format!(
        "damage: {} journals; {} refused by a run, {} salvaged with {} items and {} lost ones named, {} hopeless; 0 false done",
        figures.damaged,
        figures.refused,
        figures.salvaged,
        figures.items,
        figures.named,
        figures.hopeless
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_salvaged_journal_goes_on_where_it_was() {
    let world = a_world().await;
    let before = is_true(&world, DB, "before").await;
    world
        .run(&["repair", "--journal", DB, "-o", "new.db"])
        .await
        .ended(0);
    let accepted: usize = before.of("done").len();
    let requests = world.ledger().requests();
    let words = [
        "run",
        "m.csv",
        "--journal",
        "new.db",
        "--api-url",
        &world.url(),
        "--json",
        "--rate",
        "unlimited",
        "--max-failures",
        "100%",
    ];
    let finished = world.run(&words).await;
    assert!(matches!(finished.code, 0 | 4), "{finished:?}");
    for id in before.of("sending") {
        assert!(
            finished.stderr.contains(&id),
            "{id} is not named: {finished:?}"
        );
    }
    let after = is_true(&world, "new.db", "after").await;
    assert_eq!(after.total(), ITEMS);
    assert!(after.of("done").is_superset(&before.of("done")));
    // What was done is not sent again.
    assert!(world.ledger().requests() - requests <= (ITEMS - accepted) as u64 * 5);
    assert_eq!(finished.number("unchanged"), ITEMS as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_costs_what_it_held_and_nothing_more() {
    let mut dice = Dice::new("log");
    let world = a_world().await;
    let (whole, log) = (world.bytes(DB).unwrap(), world.bytes(WAL).unwrap());
    let mut kept = 0;
    let count = cases(8, 120);
    for number in 0..count {
        let mut bytes = log.clone();
        let case = format!("case {number}, {}", damage(&mut dice, &mut bytes));
        for name in ["journal.db-shm", "journal.db.lock"] {
            let _ = std::fs::remove_file(world.path(name));
        }
        world.write(DB, &whole);
        world.write(WAL, &bytes);
        if !is_journal(&world.path(DB)).await {
            continue;
        }
        // Nothing but what SQLite's checksums vouch for is taken out of it.
        let status = world.run(&["status", "--journal", DB, "--json"]).await;
        if status.code == 0 {
            let standing = found(&world, DB, &case).await;
            kept += standing.map_or(0, |standing| standing.total());
        } else {
            is_named(&status, &case);
        }
        let run = world.send(&["resume", "--max-items", "2"]).await;
        if run.code == 1 || run.code == 2 {
            is_named(&run, &case);
        } else {
            found(&world, DB, &case).await;
        }
    }
    tell(&format!(
        "damage: {count} logs damaged, {kept} items known after it in all; 0 false done"
    ));
}

/// A copy that somebody takes of the files while a run goes on is old or torn, and never false.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_in_the_middle_is_never_false() {
    let world = World::with(Options {
        slow_by: std::time::Duration::from_millis(3),
        ..faulty(&["slow=50%"])
    })
    .await;
    world.write("m.csv", texts(400));
    let going = world.start(&["run", "m.csv"]);
    let (mut copies, mut sound) = (0, 0);
    for part in 1..=cases(3, 12) {
        world.reached((part * 380 / cases(3, 12)) as u64).await;
        let name = format!("copy-{part}.db");
        // The file first and its log after it: what a careless backup does.
        for end in ["", "-wal"] {
            if let Some(bytes) = world.bytes(&format!("{DB}{end}")) {
                world.write(&format!("{name}{end}"), bytes);
            }
        }
        copies += 1;
        let case = format!("copy {part}");
        let status = world.run(&["status", "--journal", &name]).await;
        if status.code == 0 && is_journal(&world.path(&name)).await {
            sound += usize::from(found(&world, &name, &case).await.is_some());
        }
    }
    going.end().await.ended(0);
    tell(&format!(
        "copies: {copies} taken while a run went on, {sound} of them sound; 0 false done"
    ));
    let account = Account {
        folder: world.path(""),
        journal: DB.to_owned(),
        server: world.ledger(),
    };
    assert_eq!(
        account.audit("", "after the copies").await.count("done"),
        400
    );
}
