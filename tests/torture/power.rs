//! Power loss: the disk keeps what was waited for, and of the rest any part.
//!
//! The calls that change the journal's files are recorded. At some moment the power goes; from the record a disk is made
//! as it may be found: all that was synced, and of what was written since any of the writes, the last one torn. What was
//! told must stand in it, and each request that the server saw must be known.

use std::{collections::BTreeMap, path::Path};

use altfill::sandbox::Options;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    account::{Account, told_done},
    form::{Dice, cases, tell},
    manifest::{ids, texts},
    shim::{self, Fault},
    world::{World, faulty, finish},
};

const ITEMS: usize = 30;

/// A call of the record.
#[derive(Debug, Clone)]
enum Call {
    Write(usize, Vec<u8>),
    Cut(usize),
    Sync,
    Remove,
    SyncNames,
}

/// Reads a record: each call with the file it was for.
fn read(trace: &[u8]) -> Vec<(String, Call)> {
    let (mut calls, mut rest) = (Vec::new(), trace);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let words: Vec<_> = head.split(' ').collect();
        let (offset, length): (usize, usize) =
            (words[2].parse().unwrap(), words[3].parse().unwrap());
        rest = &rest[end + 1..];
        let call = match words[0] {
            "w" => {
                // A kill may have cut off the record of the last one.
                let bytes = rest[..length.min(rest.len())].to_vec();
                rest = &rest[length.min(rest.len())..];
                Some(Call::Write(offset, bytes))
            }
            "t" => Some(Call::Cut(offset)),
            "s" => Some(Call::Sync),
            "u" => Some(Call::Remove),
            "d" => Some(Call::SyncNames),
            _ => Some(Call::Write(0, Vec::new())),
        };
        calls.extend(call.map(|call| (words[1].to_owned(), call)));
    }
    calls
}

/// A file: what is certain to be on disk, and what came after.
#[derive(Debug, Default)]
struct File {
    kept: Option<Vec<u8>>,
    since: Vec<Call>,
}

fn apply(content: &mut Option<Vec<u8>>, call: &Call, torn: Option<usize>) {
    match call {
        Call::Write(offset, bytes) => {
            let bytes = &bytes[..torn.unwrap_or(bytes.len()).min(bytes.len())];
            let content = content.get_or_insert_default();
            if content.len() < offset + bytes.len() {
                content.resize(offset + bytes.len(), 0);
            }
            content[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Call::Cut(length) => content.get_or_insert_default().resize(*length, 0),
        Call::Remove => *content = None,
        Call::Sync | Call::SyncNames => {}
    }
}

/// The disk as it may be found after the last call of `calls`.
fn after_power_loss(
    calls: &[(String, Call)],
    kind: usize,
    dice: &mut Dice,
) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    for (name, call) in calls {
        if let Call::SyncNames = call {
            // What was removed stays so; what was written after that is as uncertain as before.
            for file in files.values_mut() {
                let removed = file
                    .since
                    .iter()
                    .rposition(|call| matches!(call, Call::Remove));
                for call in file.since.drain(..removed.map_or(0, |last| last + 1)) {
                    apply(&mut file.kept, &call, None);
                }
            }
            continue;
        }
        let file = files.entry(name).or_default();
        if let Call::Sync = call {
            for call in std::mem::take(&mut file.since) {
                apply(&mut file.kept, &call, None);
            }
        } else {
            file.since.push(call.clone());
        }
    }
    let mut disk = BTreeMap::new();
    // Nothing, all, or any part of what was not waited for.
    for (name, file) in files {
        let mut content = file.kept;
        for call in &file.since {
            let (is_kept, torn) = match kind {
                0 => (false, None),
                1 => (true, None),
                _ => (
                    dice.below(2) == 0,
                    (dice.below(3) == 0).then(|| 512 * dice.below(9)),
                ),
            };
            if is_kept {
                apply(&mut content, call, torn);
            }
        }
        if let Some(content) = content.filter(|_| !name.ends_with("-shm")) {
            disk.insert(name.to_owned(), content);
        }
    }
    disk
}

async fn roll_back(path: &Path) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let _ = sqlx::query("SELECT count(*) FROM sqlite_master")
        .execute(&mut connection)
        .await;
    connection.close().await.unwrap();
}

fn lay_out(folder: &Path, disk: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in disk {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_survives_power_loss_at_any_write_and_no_request_is_forgotten() {
    let mut dice = Dice::new("power");
    let (mut losses, mut told_in_all) = (0, 0);
    for number in 0..cases(8, 110) {
        let world = World::with(Options {
            slow_by: std::time::Duration::from_millis(2),
            ..faulty(&["slow=40%"])
        })
        .await;
        world.write("m.csv", texts(ITEMS));
        let words = ["run", "m.csv", "--workers", "4", "--progress", "json"];
        let trace = world.path("trace");
        let mut command = world.sending(&words);
        shim::preload(&mut command);
        let what = dice.one(&["kill", "tear"]);
        let fault = Fault {
            calls: "ws",
            at: 1 + dice.below(if number % 3 == 0 { 100 } else { 220 }),
            what,
            lasts: false,
        };
        fault.befall(&mut command, "journal.db");
        command.env("SHIM_TRACE", &trace);
        let ended = finish(command).await;
        let calls = read(&std::fs::read(&trace).unwrap_or_default());
        let told = told_done(&ended.stderr);
        told_in_all += told.len();
        for picture in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            // The harshest first: nothing is kept that was not waited for.
            let kind = if picture == 0 { 0 } else { dice.below(4) };
            let disk = after_power_loss(&calls, kind, &mut dice);
            lay_out(folder.path(), &disk);
            let case = format!(
                "case {number}.{picture}, {what} at call {} of {}",
                fault.at,
                calls.len()
            );
            let account = Account {
                folder: folder.path().to_owned(),
                journal: "journal.db".to_owned(),
                server: world.ledger(),
            };
            if disk.contains_key("journal.db-journal") {
                // It was being made: whoever may write undoes what is half there.
                roll_back(&folder.path().join("journal.db")).await;
            }
            account.audit(&ended.stderr, &case).await;
            losses += 1;
            if picture == 2 {
                // And the program goes on with the last one.
                std::fs::copy(world.path("m.csv"), folder.path().join("m.csv")).unwrap();
                let mut command = crate::world::program(folder.path(), &words);
                command.args([
                    "--journal",
                    "journal.db",
                    "--api-url",
                    &world.url(),
                    "--json",
                    "--rate",
                    "unlimited",
                ]);
                let finished = finish(command).await;
                assert_eq!(finished.code, 0, "{case}, and then: {finished:?}");
                let done = account.audit(&finished.stderr, &case).await.of("done");
                assert_eq!(done, ids(ITEMS).into_iter().collect(), "{case}");
            }
        }
    }
    tell(&format!(
        "power: {losses} disks as power loss may leave them, {told_in_all} outcomes told before; 0 lost, 0 false done"
    ));
}
