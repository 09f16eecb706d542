//! Reports that go back: what failed, mended in the report itself and fed back, is all that is sent again.

use calamine::{Data, Reader, Xlsx};
use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::{
    manifest::{id, text},
    world::{World, faulty},
};

const HEADER: [&str; 3] = ["photographer", "media_id", "alt_text"];
/// How many items there are.
const COUNT: usize = 30;

/// A world in which some of the items fail for good.
async fn failing() -> World {
    World::with(faulty(&["not-found=30%"])).await
}

fn texts() -> Vec<String> {
    // Texts that a spreadsheet would run, and texts that only look as if a report had guarded them.
    let of = |number| match number % 3 {
        0 => format!("={}", text(number)),
        1 => format!("'-{}", text(number)),
        _ => text(number),
    };
    (0..COUNT).map(of).collect()
}

/// Sends a manifest of which some items fail, and reports these.
async fn report_of_failures(world: &World, manifest: &str, report: &str) -> u64 {
    let words = [
        "run",
        manifest,
        "--halt-after",
        "0",
        "--max-failures",
        "100%",
    ];
    let failed = world.send(&words).await.ended(4).number("failed");
    assert!((2..COUNT as u64 - 2).contains(&failed), "{failed}");
    let words = ["report", "--state", "failed", "-o", report];
    let words = [&words[..], &["--journal", "journal.db"]].concat();
    world.run(&words).await.ended(0);
    failed
}

/// Feeds a report back as it is and then mended: none is sent, and then the mended one alone.
async fn feed_back(world: &mut World, report: &str, failed: u64, mend: impl FnOnce(&World)) {
    world.replace_sandbox(faulty(&[])).await;
    let same = world.send(&["run", report]).await.ended(4);
    assert_eq!(
        (same.number("unchanged"), same.number("requests")),
        (failed, 0),
        "{same:?}"
    );
    mend(world);
    let mended = world.send(&["run", report]).await.ended(4);
    assert_eq!(
        (mended.number("changed"), mended.number("requests")),
        (1, 1),
        "{mended:?}"
    );
    assert_eq!(mended.number("failed"), failed - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csv_of_failures_keeps_its_form_and_only_what_was_mended_is_sent() {
    let mut world = failing().await;
    let rows = texts().into_iter().enumerate().map(|(number, text)| {
        let text = text.replace('"', "\"\"");
        format!("Ann;{};\"{text}\"\n", id(number))
    });
    let csv: String = std::iter::once(format!("\u{feff}{}\n", HEADER.join(";")))
        .chain(rows)
        .collect();
    world.write("m.csv", csv);
    let failed = report_of_failures(&world, "m.csv", "failed.csv").await;
    let report = String::from_utf8(world.bytes("failed.csv").unwrap()).unwrap();
    let header =
        "\u{feff}photographer;media_id;alt_text;altfill_report;cause;detail;hint;source;line";
    assert_eq!(report.lines().next(), Some(header));
    feed_back(&mut world, "failed.csv", failed, |world| {
        let last = report.lines().last().unwrap();
        let mended = report.replace(last, &last.replace("Picture", "Photograph"));
        world.write("failed.csv", mended);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_of_failures_has_whole_ids_and_only_what_was_mended_is_sent() {
    let mut world = failing().await;
    let rows: Vec<_> = texts()
        .into_iter()
        .enumerate()
        .map(|(number, text)| vec!["Ann".to_owned(), id(number), text])
        .collect();
    let header: Vec<_> = HEADER.map(str::to_owned).into();
    write(&world, "m.xlsx", &[vec![header], rows].concat());
    // The name of the file says nothing here: the form is that of the manifests.
    let failed = report_of_failures(&world, "m.xlsx", "failed").await;
    let mut report = read(&world, "failed");
    assert_eq!(report.len() as u64, failed + 1);
    assert_eq!(
        report[0][..4],
        ["photographer", "media_id", "alt_text", "altfill_report"]
    );
    let ids: Vec<String> = (0..COUNT).map(id).collect();
    assert!(
        report[1..].iter().all(|row| ids.contains(&row[1])),
        "{report:?}"
    );
    feed_back(&mut world, "failed", failed, |world| {
        let last = report.last_mut().unwrap();
        last[2] = "A mended text".to_owned();
        write(world, "failed", &report);
    })
    .await;
    let csv = ["report", "-o", "all.csv", "--journal", "journal.db"];
    world.run(&csv).await.ended(0);
    let csv = world.bytes("all.csv").unwrap();
    assert!(
        csv.starts_with(b"photographer,media_id"),
        "the name says CSV"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_by_account_and_month_are_those_of_the_journal() {
    let world = failing().await;
    let rows: Vec<String> = (0..COUNT)
        .map(|number| format!("{},Picture {number}\n", id(number)))
        .collect();
    world.write("m.csv", format!("media_id,alt_text\n{}", rows.concat()));
    let words = ["--halt-after", "0", "--max-failures", "100%"];
    let sent = world
        .send(&[&["run", "m.csv"], &words[..]].concat())
        .await
        .ended(4);
    let sums = ["report", "--by", "account,month", "--journal", "journal.db"];
    let csv = world.run(&sums).await.ended(0).stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], "account,month,requests,dollars,done,failed");
    // A test at midnight of the first has two months.
    let sum = |column: usize| -> f64 {
        let cells = lines[1..].iter().map(|line| line.split(',').nth(column));
        cells
            .map(|cell| cell.unwrap().parse::<f64>().unwrap())
            .sum()
    };
    let object = sent.json();
    for (column, key) in [(2, "requests"), (3, "cost_usd"), (4, "done"), (5, "failed")] {
        assert!(
            (sum(column) - object[key].as_f64().unwrap()).abs() < 1e-9,
            "{key}: {csv} {object}"
        );
    }
    let to_file = [&sums[..], &["-o", "sums.jsonl"]].concat();
    world.run(&to_file).await.ended(0);
    let line = world.bytes("sums.jsonl").unwrap();
    let first = line.split(|byte| *byte == b'\n').next().unwrap();
    let object: Value = serde_json::from_slice(first).unwrap();
    assert_eq!(object["account"], "default");
    assert!(object["dollars"].is_number() && object["month"].is_string());
    for wrong in [
        &["--format", "html"][..],
        &["-o", "sums.xlsx"],
        &["--state", "done"],
    ] {
        world.run(&[&sums[..], wrong].concat()).await.ended(2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_whole_private_and_chosen_by_its_name() {
    let world = failing().await;
    let rows: Vec<String> = (0..COUNT)
        .map(|number| format!("{},</script><!-- {number} {{{{data}}}}\n", id(number)))
        .collect();
    world.write("m.csv", format!("media_id,alt_text\n{}", rows.concat()));
    report_of_failures(&world, "m.csv", "failed.csv").await;
    let words = ["report", "-o", "report.html", "--journal", "journal.db"];
    let said = world.run(&words).await.ended(0).stderr;
    assert!(said.contains("report.html: 30 images"), "{said}");
    let page = String::from_utf8(world.bytes("report.html").unwrap()).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    // Each block that is begun is ended by the page itself.
    let count = |what: &str| page.matches(what).count();
    assert_eq!(count("<script"), 3, "the files, the images, the script");
    assert_eq!(count("</script>"), count("<script"));
    assert_eq!(count("&lt;/script&gt;&lt;!-- "), COUNT);
    assert_eq!(
        count("{{data}}"),
        2 * COUNT,
        "what looks like a template is text"
    );
    let same = ["report", "--format", "html", "--journal", "journal.db"];
    let printed = world.run(&same).await.ended(0).stdout;
    assert_eq!(printed.matches("<tr").count(), count("<tr"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(world.path("report.html")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

/// Writes rows of text as a workbook.
fn write(world: &World, name: &str, rows: &[Vec<String>]) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    world.write(name, book.save_to_buffer().unwrap());
}

/// The rows of a workbook, which must be nothing but text.
fn read(world: &World, name: &str) -> Vec<Vec<String>> {
    let bytes = std::io::Cursor::new(world.bytes(name).unwrap());
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(bytes).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let cell = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("{other:?} is no text"),
    };
    range
        .rows()
        .map(|row| row.iter().map(cell).collect())
        .collect()
}
