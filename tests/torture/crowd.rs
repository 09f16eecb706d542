//! Many at once: runs on one journal, and readers beside them.

use altfill::sandbox::Options;
use tokio::task::JoinSet;

use crate::{
    account::Account,
    form::{cases, tell},
    manifest::{ids, texts},
    world::{World, faulty, finish},
};

const ITEMS: usize = 80;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_runs_at_once_one_has_the_journal_and_the_others_say_who() {
    for size in [2, 5, 20] {
        for round in 0..cases(1, 4) {
            let world = World::with(Options {
                slow_by: std::time::Duration::from_millis(30),
                ..faulty(&["slow=100%"])
            })
            .await;
            world.write("m.csv", texts(ITEMS));
            let mut runs = JoinSet::new();
            for _ in 0..size {
                runs.spawn(finish(world.sending(&[
                    "run",
                    "m.csv",
                    "--workers",
                    "4",
                    "--progress",
                    "json",
                ])));
            }
            // Readers all the while, and here and there a kill of one of the runs.
            let mut readers = JoinSet::new();
            let id = ids(1)[0].clone();
            for words in [
                vec!["status"],
                vec!["report", "--format", "csv"],
                vec!["show", &id],
            ] {
                for _ in 0..cases(3, 12) {
                    let mut command = world.command(&words);
                    command.args(["--journal", "journal.db"]);
                    readers.spawn(finish(command));
                }
            }
            let case = format!("{size} runs, round {round}");
            let (mut won, mut said) = (0, String::new());
            while let Some(run) = runs.join_next().await {
                let run = run.unwrap();
                match run.code {
                    0 => won += 1,
                    75 => assert!(
                        run.stderr.contains("another run has the journal"),
                        "{case}: {run:?}"
                    ),
                    _ => panic!("{case}: {run:?}"),
                }
                said += &run.stderr;
            }
            while let Some(reader) = readers.join_next().await {
                let reader = reader.unwrap();
                // Before the first turn there may be no journal, or no such image.
                assert!(matches!(reader.code, 0 | 2), "{case}: {reader:?}");
            }
            assert!(won >= 1, "{case}");
            let left: Vec<_> = world
                .files()
                .into_iter()
                .filter(|name| name.starts_with("journal.db"))
                .collect();
            assert_eq!(
                left,
                ["journal.db", "journal.db.lock"],
                "{case}: nothing else is left"
            );
            let account = Account {
                folder: world.path(""),
                journal: "journal.db".to_owned(),
                server: world.ledger(),
            };
            assert_eq!(
                account.audit(&said, &case).await.count("done"),
                ITEMS,
                "{case}"
            );
            assert_eq!(
                world.ledger().requests(),
                ITEMS as u64,
                "{case}: each was sent once"
            );
        }
    }
    tell("crowd: 2, 5 and 20 runs at once with readers beside them; each item was sent once");
}
