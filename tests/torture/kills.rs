//! SIGKILL at any moment, again and again: nothing lost, nothing false, nothing sent twice that was not on its way.

use std::time::{Duration, Instant};

use altfill::sandbox::Options;
use tokio::time::sleep;

use crate::{
    account::{Account, Standing},
    form::{Dice, cases, tell},
    manifest::{ids, texts_by},
    world::{World, faulty},
};

const ITEMS: usize = 60;
const WORKERS: usize = 6;

/// A world whose API accepts at once and answers a little later, so that a kill finds requests on their way.
async fn a_slow_world() -> World {
    World::with(Options {
        slow_by: Duration::from_millis(12),
        ..faulty(&["slow=60%"])
    })
    .await
}

/// What was found in one lane.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    most_on_their_way: usize,
    twice: usize,
    rounds: usize,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.rounds += other.rounds;
        self.twice += other.twice;
        self.most_on_their_way = self.most_on_their_way.max(other.most_on_their_way);
    }
}

/// One journal after the other, twenty kills on each: its account is held anew after every one, and takes longer as it grows.
async fn kill_again_and_again(kills: usize, dice: Dice) -> Figures {
    let mut all = Figures::default();
    for journal in 0.. {
        if all.kills >= kills {
            break;
        }
        let of_one = kill_on_one_journal(20.min(kills - all.kills), dice.another(journal)).await;
        all.add(&of_one);
    }
    all
}

async fn kill_on_one_journal(kills: usize, mut dice: Dice) -> Figures {
    let world = a_slow_world().await;
    let account = Account {
        folder: world.path(""),
        journal: "journal.db".to_owned(),
        server: world.ledger(),
    };
    let mut figures = Figures::default();
    // A run as long as it takes when nobody kills it: kills fall into all of it, and a little after.
    let mut whole = Duration::from_millis(300);
    while figures.kills < kills {
        let round = figures.rounds;
        let text = |number: usize| format!("Round {round}, picture {number}");
        world.write("m.csv", texts_by(ITEMS, text));
        let (before, mut kills_in_round) = (world.ledger().requests(), 0);
        let mut left: Standing;
        loop {
            let words = ["run", "m.csv", "--workers", "6", "--max-resend", "100%"];
            let began = Instant::now();
            let mut going = world.start(&words);
            // The moment is the case: any will do, and none is waited for.
            let moment =
                whole.mul_f64(f64::from(u32::try_from(dice.below(1_100)).unwrap()) / 1_000.0);
            sleep(moment).await;
            going.kill();
            let ended = going.end().await;
            let case = format!("round {round}, killed after {moment:?}");
            left = account.audit(&ended.stderr, &case).await;
            let on_their_way = left.count("sending");
            assert!(on_their_way <= WORKERS, "{case}: {on_their_way}");
            figures.most_on_their_way = figures.most_on_their_way.max(on_their_way);
            if ended.code == 0 {
                whole = (whole + began.elapsed()) / 2;
                break;
            }
            assert_eq!(ended.code, 128 + 9, "{case}: {ended:?}");
            (figures.kills, kills_in_round) = (figures.kills + 1, kills_in_round + 1);
            // What was on its way is named by the next run; here and there it is looked at.
            if on_their_way > 0 && dice.below(4) == 0 {
                let resumed = world.send(&["resume"]).await.ended(0);
                for id in left.of("sending") {
                    assert!(
                        resumed.stderr.contains(&id),
                        "{case}: {id} is not named: {resumed:?}"
                    );
                }
                left = account.audit(&resumed.stderr, &case).await;
                if left.count("done") == ITEMS {
                    break;
                }
            }
        }
        // A kill may have come before this round's texts were taken in.
        if left.count("done") == ITEMS
            && world
                .ledger()
                .accepted(&ids(1)[0])
                .last()
                .is_some_and(|body| body["metadata"]["alt_text"]["text"] == text(0))
        {
            figures.rounds += 1;
            let requests = usize::try_from(world.ledger().requests() - before).unwrap();
            assert!(
                requests <= ITEMS + kills_in_round * WORKERS,
                "{requests} requests after {kills_in_round} kills"
            );
            figures.twice += requests.saturating_sub(ITEMS);
        }
        assert_eq!(left.total(), ITEMS, "none is lost");
    }
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_loses_nothing_and_sends_again_only_what_was_on_its_way() {
    let (kills, dice) = (cases(12, 500), Dice::new("kills"));
    let lanes =
        [0, 1].map(|lane| tokio::spawn(kill_again_and_again(kills / 2, dice.another(lane))));
    let mut all = Figures::default();
    for lane in lanes {
        let figures = lane.await.unwrap();
        all.add(&figures);
    }
    tell(&format!(
        "kills: {} in {} rounds of {ITEMS} items; at most {} of {WORKERS} on their way at a kill, {} sent again in all",
        all.kills, all.rounds, all.most_on_their_way, all.twice
    ));
}

/// A report is the old one or the new one, and never a part of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_killed_leaves_the_old_one_whole() {
    let (world, mut dice) = (World::new().await, Dice::new("reports"));
    world.write("m.csv", texts_by(300, |number| format!("Picture {number}")));
    world.send(&["run", "m.csv"]).await.ended(0);
    let words = ["report", "--journal", "journal.db", "-o", "r.csv"];
    world.run(&words).await.ended(0);
    let whole = world.bytes("r.csv").unwrap();
    let mut kills = 0;
    for _ in 0..cases(6, 60) {
        let mut child = world.command(&words).spawn().unwrap();
        sleep(Duration::from_micros(dice.below(60_000) as u64)).await;
        child.start_kill().unwrap();
        kills += usize::from(!child.wait().await.unwrap().success());
        assert_eq!(world.bytes("r.csv").unwrap(), whole);
    }
    tell(&format!(
        "reports: {kills} killed, each left the old one whole"
    ));
}
