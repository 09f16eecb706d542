//! A disk that fails: at each call in turn, full, read-only, or with the journal taken away while it is used.
//!
//! A run on such a disk stops at once and says why; nothing counts that is not on disk; the next run goes on.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Stdio};

use altfill::sandbox::Options;
use tokio::process::Command;

use crate::{
    account::{Account, agrees, is_journal},
    form::{Dice, cases, is_long, tell},
    manifest::{ids, texts},
    shim::{self, Fault},
    world::{Finished, World, faulty, finish},
};

const ITEMS: usize = 24;
const DB: &str = "journal.db";
const RUN: [&str; 6] = ["run", "m.csv", "--workers", "4", "--progress", "json"];

async fn a_world() -> World {
    let world = World::with(Options {
        slow_by: std::time::Duration::from_millis(2),
        ..faulty(&["slow=40%"])
    })
    .await;
    world.write("m.csv", texts(ITEMS));
    world
}

fn account(world: &World) -> Account<'_, altfill::sandbox::Ledger> {
    Account {
        folder: world.path(""),
        journal: DB.to_owned(),
        server: world.ledger(),
    }
}

/// A run that met a failing disk said so and counted nothing that is not on it; the next one does the rest.
async fn goes_on(world: &World, failed: &Finished, case: &str) {
    assert!(matches!(failed.code, 0 | 1), "{case}: {failed:?}");
    if failed.code == 1 {
        let complaints = failed
            .stderr
            .lines()
            .filter(|line| line.starts_with("altfill: "));
        assert_eq!(complaints.count(), 1, "{case}: {failed:?}");
        assert!(
            failed.stderr.contains("journal.db"),
            "{case}: it is not named: {failed:?}"
        );
    }
    let standing = account(world).audit(&failed.stderr, case).await;
    if is_journal(&world.path(DB)).await {
        agrees(failed, &standing, case);
    }
    let requests = world.ledger().requests();
    let finished = world.send(&RUN).await;
    assert_eq!(finished.code, 0, "{case}, and then: {finished:?}");
    let done = account(world)
        .audit(&finished.stderr, case)
        .await
        .of("done");
    assert_eq!(done, ids(ITEMS).into_iter().collect(), "{case}");
    let again = usize::try_from(world.ledger().requests() - requests).unwrap();
    assert_eq!(
        again,
        ITEMS - standing.count("done"),
        "{case}: what is done is not sent again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_at_any_call_stops_the_run_and_costs_nothing_that_counted() {
    let mut dice = Dice::new("disk");
    let kinds: [(&str, &str, bool); 8] = [
        ("w", "eio", true),
        ("w", "enospc", true),
        ("w", "enospc", false),
        ("w", "short", false),
        ("s", "eio", true),
        ("s", "eio", false),
        ("r", "eio", true),
        ("wsto", "eio", true),
    ];
    let (mut faults, mut stopped) = (0, 0);
    for (calls, what, lasts) in kinds {
        let world = a_world().await;
        let count = world.path("count");
        let mut command = world.sending(&RUN);
        shim::count(&mut command, DB, calls, &count);
        finish(command).await.ended(0);
        let all: usize = std::fs::read_to_string(&count)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(all >= 4, "{calls}: {all} calls were seen");
        let each = if is_long() {
            (1..=all).step_by(1 + all / 40).collect()
        } else {
            vec![1 + dice.below(all), 1 + dice.below(all)]
        };
        for at in each {
            let world = a_world().await;
            let case = format!("call {at} of {all} ({calls}) ends in {what}, lasting: {lasts}");
            let mut command = world.sending(&RUN);
            Fault {
                calls,
                at,
                what,
                lasts,
            }
            .befall(&mut command, DB);
            let failed = finish(command).await;
            stopped += usize::from(failed.code == 1);
            goes_on(&world, &failed, &case).await;
            faults += 1;
        }
    }
    tell(&format!(
        "disk: {faults} failing calls, {stopped} of them ended the run with 1; 0 lost, 0 false done"
    ));
}

/// Runs a command in a shell that can write no file longer than so many blocks of 512 or 1,024 bytes.
fn within_limit(command: &Command, blocks: usize) -> Command {
    let inner = command.as_std();
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(inner.get_current_dir().unwrap())
        .env_clear()
        .envs(
            inner
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    limited
}

/// A small disk of its own, for those who may mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "tmpfs",
            ])
            .arg(&at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_run_and_room_lets_it_go_on() {
    let (mut mounted, mut limited) = (0, 0);
    // In KB: from hardly a journal to nearly enough.
    let sizes = [60, 120, 200, 280, 400];
    for size in sizes.into_iter().take(cases(3, 5)) {
        let world = a_world().await;
        world.write("m.csv", texts(400));
        let words = ["run", "m.csv", "--workers", "4", "--progress", "json"];
        if let Some(disk) = SmallDisk::mount(world.path("disk"), &format!("{size}k")) {
            mounted += 1;
            let mut command = world.command(&words);
            command.args([
                "--journal",
                "disk/journal.db",
                "--json",
                "--rate",
                "unlimited",
                "--api-url",
                &world.url(),
            ]);
            let failed = finish(command).await;
            let case = format!("a disk of {size} KB");
            assert_eq!(failed.code, 1, "{case}: {failed:?}");
            assert!(failed.stderr.contains("disk"), "{case}: {failed:?}");
            let account = Account {
                folder: disk.0.clone(),
                journal: DB.to_owned(),
                server: world.ledger(),
            };
            let standing = account.audit(&failed.stderr, &case).await;
            let grown = std::process::Command::new("mount")
                .args(["-o", "remount,size=20m"])
                .arg(&disk.0)
                .status();
            assert!(grown.unwrap().success());
            let requests = world.ledger().requests();
            let mut command = world.command(&words);
            command.args([
                "--journal",
                "disk/journal.db",
                "--json",
                "--rate",
                "unlimited",
                "--api-url",
                &world.url(),
            ]);
            finish(command).await.ended(0);
            assert_eq!(account.audit("", &case).await.count("done"), 400, "{case}");
            let again = usize::try_from(world.ledger().requests() - requests).unwrap();
            assert_eq!(again, 400 - standing.count("done"), "{case}");
            continue;
        }
        // Without the right to mount: a limit on the length of a file ends in the same way.
        limited += 1;
        let case = format!("files of at most {size} KB");
        let failed = finish(within_limit(&world.sending(&words), size)).await;
        assert_eq!(failed.code, 1, "{case}: {failed:?}");
        let standing = account(&world).audit(&failed.stderr, &case).await;
        let finished = world.send(&words).await.ended(0);
        let done = account(&world)
            .audit(&finished.stderr, &case)
            .await
            .count("done");
        assert!(done == 400 && standing.count("done") <= 400, "{case}");
    }
    tell(&format!(
        "full disks: {mounted} small ones mounted, {limited} limits on files; each went on with room"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_may_not_grow_stop_the_run_too() {
    let world = a_world().await;
    world.write("m.csv", texts(300));
    let words = ["run", "m.csv", "--workers", "4", "--progress", "json"];
    let failed = finish(within_limit(&world.sending(&words), 150)).await;
    assert_eq!(failed.code, 1, "{failed:?}");
    account(&world).audit(&failed.stderr, "a limit").await;
    world.send(&words).await.ended(0);
    assert_eq!(
        account(&world).audit("", "without it").await.count("done"),
        300
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_can_only_be_read_is_read() {
    let world = a_world().await;
    world.send(&RUN).await.ended(0);
    let Some(disk) = SmallDisk::mount(world.path("disk"), "4m") else {
        // Root alone may mount; for others the rights of the folder do the same.
        let folder = world.path("");
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o500)).unwrap();
        let status = world.run(&["status", "--journal", DB, "--json"]).await;
        let run = world.send(&["resume"]).await;
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(status.ended(0).number("done"), ITEMS as u64);
        assert_eq!(run.code, 1);
        return;
    };
    std::fs::copy(world.path(DB), disk.0.join(DB)).unwrap();
    let status = std::process::Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&disk.0)
        .status();
    assert!(status.unwrap().success());
    let status = world
        .run(&["status", "--journal", "disk/journal.db", "--json"])
        .await
        .ended(0);
    assert_eq!(status.number("done"), ITEMS as u64);
    let report = world
        .run(&[
            "report",
            "--journal",
            "disk/journal.db",
            "--format",
            "jsonl",
        ])
        .await
        .ended(0);
    assert_eq!(report.stdout.lines().count(), ITEMS);
    let plan = [
        "plan",
        "m.csv",
        "--journal",
        "disk/journal.db",
        "--api-url",
        &world.url(),
    ];
    world.run(&plan).await.ended(0);
    let words = [
        "resume",
        "--journal",
        "disk/journal.db",
        "--api-url",
        &world.url(),
        "--json",
    ];
    let refused = world.run(&words).await.ended(1);
    assert!(refused.stderr.contains("disk/journal.db"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_taken_away_or_replaced_stops_the_run_at_once() {
    for (number, what) in [
        "removed",
        "moved",
        "replaced",
        "its log removed",
        "its folder moved",
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::with(Options {
            slow_by: std::time::Duration::from_millis(10),
            ..faulty(&["slow=100%"])
        })
        .await;
        std::fs::create_dir(world.path("f")).unwrap();
        world.write("m.csv", texts(400));
        let mut command = world.command(&["run", "m.csv", "--workers", "4", "--progress", "json"]);
        command.args([
            "--journal",
            "f/journal.db",
            "--json",
            "--rate",
            "unlimited",
            "--api-url",
            &world.url(),
        ]);
        let going = crate::going::Going::start(command);
        world.reached(40 + number as u64).await;
        let (journal, log) = (world.path("f/journal.db"), world.path("f/journal.db-wal"));
        match what {
            "removed" => std::fs::remove_file(&journal).unwrap(),
            "moved" => std::fs::rename(&journal, world.path("f/elsewhere.db")).unwrap(),
            "replaced" => {
                std::fs::copy(&journal, world.path("f/copy.db")).unwrap();
                std::fs::rename(world.path("f/copy.db"), &journal).unwrap();
            }
            "its log removed" => std::fs::remove_file(&log).unwrap(),
            _ => std::fs::rename(world.path("f"), world.path("g")).unwrap(),
        }
        let requests = world.ledger().requests();
        let stopped = going.end().await.ended(1);
        assert!(
            stopped
                .stderr
                .contains("f/journal.db was moved, removed or replaced"),
            "{what}: {stopped:?}"
        );
        // What was on its way and one turn more.
        assert!(world.ledger().requests() - requests <= 12, "{what}");
        assert_eq!(
            stopped.number("done"),
            0,
            "{what}: what is not in its place is not counted"
        );
    }
}
