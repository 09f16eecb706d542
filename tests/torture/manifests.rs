//! Manifests that are cut off, and such that grow or change while they are read: either nothing of one is taken in, or
//! nothing but what stands in it.

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    form::{Dice, cases, tell},
    manifest::{csv, id, text, texts},
    world::{Finished, World},
};

/// What was taken in, by the report: each with the text that its row has.
async fn taken(world: &World, case: &str) -> usize {
    let report = world
        .run(&["report", "--journal", "journal.db", "--format", "csv"])
        .await;
    if report.code == 2 {
        return 0;
    }
    let report = report.ended(0);
    let mut rows = ::csv::Reader::from_reader(report.stdout.as_bytes());
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    for (number, row) in rows.iter().enumerate() {
        let (wanted, is_last) = (text(number), number + 1 == rows.len());
        // Cut off between the two quotes that stand for one, a cell is a whole cell: nobody can tell.
        let between = |cell: &str| {
            is_last
                && cell.len() < wanted.len()
                && wanted[cell.len()..].starts_with('"')
                && wanted.starts_with(cell)
        };
        assert_eq!(row[0], id(number), "{case}, row {number}");
        assert!(
            row[1] == wanted || between(&row[1]),
            "{case}, row {number}: {row:?}"
        );
    }
    rows.len()
}

async fn take_in(world: &World) -> Finished {
    let mut command = world.sending(&["run", "m.csv", "--max-items", "0", "--quiet"]);
    // A million rows take their time where others use the machine too.
    let output = timeout(Duration::from_secs(900), command.output()).await;
    output.expect("it hangs").unwrap().into()
}

async fn cut(rows: usize, cuts: usize, dice: &mut Dice) -> (usize, usize) {
    let whole = texts(rows);
    let (mut refused, mut complete) = (0, 0);
    for _ in 0..cuts {
        let world = World::new().await;
        let at = dice.below(whole.len());
        world.write("m.csv", &whole.as_bytes()[..at]);
        let case = format!("{rows} rows, cut off at byte {at}");
        let finished = take_in(&world).await;
        let kept = taken(&world, &case).await;
        match finished.code {
            3 => {
                assert_eq!(kept, 0, "{case}: {finished:?}");
                assert!(!world.path("journal.db").exists(), "{case}");
                refused += 1;
            }
            0 | 5 => {
                // Between two rows, or where the last one has no text yet: what is whole is taken in.
                let lines = whole[..whole.floor_char_boundary(at)].matches('\n').count();
                assert!(
                    kept == lines.saturating_sub(1) || kept == lines,
                    "{case}: {kept} of {lines}"
                );
                complete += 1;
            }
            _ => panic!("{case}: {finished:?}"),
        }
    }
    (refused, complete)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_was_cut_off_is_refused_or_ends_with_a_whole_row() {
    let mut dice = Dice::new("manifests");
    let (refused, complete) = cut(500, cases(20, 300), &mut dice).await;
    tell(&format!(
        "manifests: {} cut off at a random byte; {refused} refused, {complete} ended with a whole row",
        refused + complete
    ));
    let (rows, cuts) = (cases(20_000, 1_000_000), cases(2, 4));
    let (refused, complete) = cut(rows, cuts, &mut dice).await;
    tell(&format!(
        "manifests: {cuts} of {rows} rows cut off; {refused} refused, {complete} ended with a whole row"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_grows_or_changes_while_it_is_read_gives_rows_that_stood_in_it() {
    for (what, rows) in [
        ("grows", 8_000),
        ("is cut", 8_000),
        ("is written anew", 8_000),
    ] {
        let world = World::new().await;
        world.write("m.csv", texts(rows));
        let (path, is_over) = (world.path("m.csv"), AtomicBool::new(false));
        let finished = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut number = rows;
                while !is_over.load(Ordering::Relaxed) {
                    match what {
                        // In pieces that end in the middle of a row.
                        "grows" => {
                            let mut file =
                                std::fs::File::options().append(true).open(&path).unwrap();
                            let row = csv(&["x", "x"], [vec![id(number), text(number)]]);
                            let row = row.split_once('\n').unwrap().1.as_bytes();
                            for half in [&row[..row.len() / 2], &row[row.len() / 2..]] {
                                file.write_all(half).unwrap();
                            }
                            number += 1;
                        }
                        "is cut" => {
                            let file = std::fs::File::options().write(true).open(&path).unwrap();
                            let length = file.metadata().unwrap().len();
                            file.set_len(length - length / 50).unwrap();
                        }
                        _ => std::fs::write(&path, texts(rows)).unwrap(),
                    }
                    std::thread::yield_now();
                }
            });
            let finished = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(take_in(&world))
            });
            is_over.store(true, Ordering::Relaxed);
            finished
        });
        // It is refused, unless it was read to its end before anything was done to it.
        assert!(matches!(finished.code, 3 | 5), "{what}: {finished:?}");
        let kept = taken(&world, what).await;
        assert!(
            finished.code == 3 && kept == 0 || kept == rows,
            "{what}: {kept} of a refused one: {finished:?}"
        );
        tell(&format!(
            "manifests: one that {what} while it is read ended with {} and {kept} rows",
            finished.code
        ));
    }
}
