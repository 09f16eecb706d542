//! A crash at each named place of the program, and the run after it.
//!
//! The places are compiled out of a release: there the variable that names one does nothing.

use altfill::{failpoint::Point, sandbox::Options};

use crate::{
    account::Account,
    form::{cases, tell},
    manifest::{ids, texts},
    world::{Finished, World, faulty, finish},
};

const ITEMS: usize = 30;
const HAS_POINTS: bool = cfg!(any(debug_assertions, feature = "failpoints"));

/// Some answers come late, some not at all, so that each turn holds a few.
async fn a_world() -> World {
    World::with(Options {
        slow_by: std::time::Duration::from_millis(5),
        ..faulty(&["503=10%", "slow=30%"])
    })
    .await
}

async fn crash(world: &World, words: &[&str], point: Point, time: usize) -> Finished {
    let mut command = if words[0] == "run" {
        world.sending(words)
    } else {
        world.command(words)
    };
    command.env("ALTFILL_FAILPOINT", format!("{}:{time}", point.name()));
    finish(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_each_named_place_is_taken_up_by_the_next_run() {
    let run = ["run", "m.csv", "--workers", "4", "--progress", "json"];
    let mut crashes = 0;
    for point in Point::ALL.iter().copied() {
        let times: &[usize] = match point {
            Point::TurnWritten
            | Point::TurnCommitted
            | Point::RequestsLeft
            | Point::AnswerCame
            | Point::OutcomesTold => {
                if cases(0, 1) == 1 {
                    &[1, 2, 3, 5, 8, 13, 21]
                } else {
                    &[1, 6]
                }
            }
            _ => &[1],
        };
        for time in times.iter().copied() {
            let world = a_world().await;
            world.write("m.csv", texts(ITEMS));
            let case = format!("{}:{time}", point.name());
            let words: &[&str] = match point {
                Point::ReportWritten => {
                    world.send(&run).await.ended(0);
                    &["report", "--journal", "journal.db", "-o", "r.csv"]
                }
                Point::SalvageWritten => {
                    world.send(&run).await.ended(0);
                    &["repair", "--journal", "journal.db", "-o", "new.db"]
                }
                // Reached by a journal of an older form alone.
                Point::BackupMade => {
                    if !crate::older::has_been_one() {
                        continue;
                    }
                    crate::older::make(&world.path("journal.db"), &world.url()).await;
                    &run
                }
                _ => &run,
            };
            let ended = crash(&world, words, point, time).await;
            if !HAS_POINTS {
                assert_eq!(
                    ended.code, 0,
                    "{case}: a release has no such place: {ended:?}"
                );
                continue;
            }
            if time > 6 && ended.code == 0 {
                // Answers that come together make fewer turns.
                continue;
            }
            assert_eq!(ended.code, 128 + 6, "{case} was not reached: {ended:?}");
            crashes += 1;
            let account = Account {
                folder: world.path(""),
                journal: "journal.db".to_owned(),
                server: world.ledger(),
            };
            let left = account.audit(&ended.stderr, &case).await;
            // Answers that are still doubtful stand beside them, and were refusals.
            let may_be_twice = left
                .of("sending")
                .into_iter()
                .filter(|id| world.ledger().times_accepted(id) > 0);
            assert!(may_be_twice.count() <= 4, "{case}: {left:?}");
            assert!(
                world.bytes("r.csv").is_none() && world.bytes("new.db").is_none(),
                "{case}"
            );
            let finished = world.send(&run).await.ended(0);
            for id in left.of("sending") {
                assert!(
                    finished.stderr.contains(&id),
                    "{case}: {id} is not named: {finished:?}"
                );
            }
            let stands = account.audit(&finished.stderr, &case).await;
            assert!(
                stands
                    .of("done")
                    .is_superset(&ids(ITEMS).into_iter().collect()),
                "{case}: {stands:?}"
            );
        }
    }
    tell(&format!(
        "failpoints: {crashes} crashes at {} named places",
        Point::ALL.len()
    ));
}
