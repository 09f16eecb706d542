//! The hot parts by themselves: reading and checking a row, its digest, the limiter, and one turn's writing.
//!
//!     cargo bench
//!
//! What whole processes take is measured by `benches/check` and `benches/compare`.

use std::{collections::HashSet, fmt::Write as _, hint::black_box, io::Cursor, time::Duration};

use altfill::{
    answer::Limits,
    journal::{
        Batch, DEFAULT_ACCOUNT, Duplicates, Journal, Lock, NewRun, Next, RetryFailed, Scope,
        Settled, Start,
    },
    limiter::{Limiter, Opening},
    manifest::{Manifest, Options, Record},
    metadata::Patch,
    rate::{Past, Rates},
    row::{Row, Source},
    time::Timestamp,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

const ROWS: usize = 1_000;
const TEXT: &str =
    "A street accordionist bows to an empty cap, in soft morning light, while \"people\" pass by.";

fn csv() -> Vec<u8> {
    let mut text = String::from("media_id,alt_text\n");
    for row in 0..ROWS {
        let quoted = TEXT.replace('"', "\"\"");
        let _ = writeln!(
            text,
            "{},\"{quoted} {row}\"",
            1_147_723_568_417_013_760 + row
        );
    }
    text.into_bytes()
}

fn rows(bytes: Vec<u8>) -> Vec<Row> {
    let options = Options {
        now: Timestamp::now(),
        ..Options::default()
    };
    let manifest = Manifest::read("bench.csv", Cursor::new(bytes), &options).unwrap();
    manifest
        .map(|record| match record.unwrap() {
            Record::Row(row) => row,
            Record::Invalid(invalid) => panic!("{invalid:?}"),
        })
        .collect()
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a thousand rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter_batched(csv, |bytes| black_box(rows(bytes)), BatchSize::SmallInput);
    });
    let Value::Object(object) = json!({"alt_text": {"text": TEXT}}) else {
        unreachable!()
    };
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            for _ in 0..ROWS {
                black_box(Patch::parse(object.clone(), Timestamp(0)).unwrap());
            }
        });
    });
    let rows = rows(csv());
    group.bench_function("digest", |bencher| {
        bencher.iter(|| {
            for row in &rows {
                black_box(row.patch.digest());
            }
        });
    });
    group.finish();
}

fn limiter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limiter");
    // As it stands when a day's requests are in the window, one every two seconds: a start costs no more.
    for (name, past) in [("empty", 0_u64), ("a full day", 43_000)] {
        let now = Timestamp::now();
        let past = Past {
            app: (0..past)
                .map(|before| now - Duration::from_secs(2 * before))
                .collect(),
            ..Past::default()
        };
        let mut limiter = Limiter::new(&Rates::Own(vec!["50000/24h".parse().unwrap()]), &past);
        let mut later = now;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                later = later + Duration::from_secs(2);
                assert_eq!(limiter.opening(later), Opening::Now);
                let ticket = limiter.start(later);
                limiter.end(ticket, later, Some((200, &Limits::default())));
            });
        });
    }
    group.finish();
}

fn settling(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.db");
    let (mut journal, run_id, items) = runtime.block_on(async {
        let lock = Lock::take(&path).unwrap();
        let mut journal = Journal::open(&path, "http://127.0.0.1:9", lock)
            .await
            .unwrap();
        let now = Timestamp::now();
        let mut intake = journal
            .intake(DEFAULT_ACCOUNT, Duplicates::Error, now)
            .await
            .unwrap();
        let source = intake.source(&Source::default()).await.unwrap();
        intake
            .take(source, &Batch::of(rows(csv()), true))
            .await
            .unwrap();
        let run = NewRun {
            sources: Vec::new(),
            scope: Scope::Everything,
            price: 0.0,
            timeout: Duration::ZERO,
            retry_failed: RetryFailed::Passing,
        };
        let started = intake.commit(&run).await.unwrap();
        let due = journal
            .claim(
                DEFAULT_ACCOUNT,
                Scope::Everything,
                0,
                now,
                &HashSet::new(),
                128,
            )
            .await
            .unwrap();
        let items: Vec<_> = due.iter().map(|due| due.item_id).collect();
        (journal, started.run_id, items)
    });
    let mut group = criterion.benchmark_group("a turn of outcomes and starts, on disk");
    for count in [1, 32, 128] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(count.to_string(), |bencher| {
            bencher.iter(|| {
                let now = Timestamp::now();
                let starts: Vec<_> = items[..count]
                    .iter()
                    .map(|item_id| Start {
                        item_id: *item_id,
                        attempt_id: journal.next_attempt(),
                        started: now,
                    })
                    .collect();
                let settled: Vec<_> = starts
                    .iter()
                    .map(|start| Settled {
                        item_id: start.item_id,
                        attempt_id: start.attempt_id,
                        ended: now,
                        http_status: Some(503),
                        cause: None,
                        detail: None,
                        spent: true,
                        next: Next::Again {
                            at: now,
                            counts: false,
                        },
                    })
                    .collect();
                runtime.block_on(async {
                    for (settled, starts) in [(&[][..], &starts[..]), (&settled[..], &[][..])] {
                        journal
                            .record(DEFAULT_ACCOUNT, run_id, settled, starts, &[], now)
                            .await
                            .unwrap();
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(hot, reading, limiter, settling);
criterion_main!(hot);
