//! Runs at fixed times: what `schedule` prints means what it says to cron, to systemd and to Kubernetes.

use std::process::Stdio;

use yaml_rust2::{Yaml, YamlLoader};

use crate::{
    manifest::texts,
    world::{World, finish},
};

/// The words with which the samples were made.
const SAMPLE: [&str; 11] = [
    "schedule",
    "/srv/images/archive.csv",
    "--journal",
    "/var/lib/altfill/altfill.db",
    "--at",
    "03:15",
    "--program",
    "/usr/bin/altfill",
    "--format",
    "crontab",
    "--",
];
const OPTIONS: [&str; 4] = ["--max-duration", "5h", "--ok", "5"];

async fn printed(world: &World, format: &str) -> String {
    let mut words: Vec<&str> = SAMPLE.into_iter().chain(OPTIONS).collect();
    words[9] = format;
    world.run(&words).await.ended(0).stdout
}

fn sample(name: &str) -> String {
    let path = format!("{}/samples/schedule/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_samples_are_what_the_command_prints() {
    let world = World::new().await;
    assert_eq!(printed(&world, "crontab").await, sample("crontab"));
    assert_eq!(printed(&world, "cronjob").await, sample("cronjob.yaml"));
    let both = format!("{}\n{}", sample("altfill.service"), sample("altfill.timer"));
    assert_eq!(printed(&world, "systemd").await, both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crontabs_line_runs_whatever_the_paths_hold() {
    let world = World::new().await;
    let folder = "50% off, \"it's\" $HOME `x` \\ ü";
    std::fs::create_dir(world.path(folder)).unwrap();
    world.write(&format!("{folder}/m 1%.csv"), texts(3));
    let (manifest, journal) = (format!("{folder}/m 1%.csv"), format!("{folder}/j%.db"));
    let url = world.url();
    let words = [
        "schedule",
        &manifest,
        "--journal",
        &journal,
        "--",
        "--api-url",
        &url,
        "--json",
    ];
    let scheduled = world.run(&words).await.ended(0);
    assert!(scheduled.stderr.contains("--max-items 0"), "{scheduled:?}");
    let line = scheduled.stdout.trim_end();
    let command = line.strip_prefix("15 3 * * *  ").unwrap();
    // As cron reads it: an escaped % is one, and any other would end the command.
    let command = command.replace("\\%", "\0");
    assert!(!command.contains('%'), "{command}");
    let command = command.replace('\0', "%");
    let run = |command: String| {
        let mut shell = tokio::process::Command::new("/bin/sh");
        shell
            .args(["-c", &command])
            .current_dir("/")
            .env_clear()
            .env("X_OAUTH2_ACCESS_TOKEN", crate::world::TOKEN)
            .stdin(Stdio::null());
        finish(shell)
    };
    // Without its journal it does nothing.
    run(command.clone()).await.ended(2);
    assert!(world.bytes(&journal).is_none());
    world
        .run(&[
            "run",
            &manifest,
            "--journal",
            &journal,
            "--api-url",
            &url,
            "--max-items",
            "0",
        ])
        .await
        .ended(5);
    assert_eq!(run(command).await.ended(0).number("done"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_holds_words_as_systemd_reads_them() {
    let world = World::new().await;
    let words = [
        "schedule",
        "/a b/50%/$x\"y\\z.csv",
        "--journal",
        "/j 1%/$j.db",
        "--format",
        "systemd",
        "--every",
        "6h",
    ];
    let unit = world.run(&words).await.ended(0).stdout;
    assert!(
        unit.contains(
            r#" run "/a b/50%%/$$x\"y\\z.csv" --journal "/j 1%%/$$j.db" --require-journal"#
        ),
        "{unit}"
    );
    assert!(unit.contains("\nReadWritePaths=\"/j 1%%\"\n"), "{unit}");
    assert!(unit.contains("\nOnCalendar=*-*-* 00/6:00:00\n"), "{unit}");
    assert!(
        unit.contains("\nSuccessExitStatus=5 75 130 143\n"),
        "{unit}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cronjob_is_yaml_that_forbids_two_runs_and_keeps_the_journal() {
    let world = World::new().await;
    let words = [
        "schedule",
        "/data/a: 'b' #1.csv",
        "/more/c.csv",
        "--journal",
        "/journal/$(J).db",
        "--format",
        "cronjob",
        "--every",
        "15m",
    ];
    let yaml = world.run(&words).await.ended(0).stdout;
    let job = &YamlLoader::load_from_str(&yaml).unwrap()[0];
    let spec = &job["spec"];
    assert_eq!(spec["schedule"].as_str(), Some("*/15 * * * *"));
    assert_eq!(spec["concurrencyPolicy"].as_str(), Some("Forbid"));
    let job = &spec["jobTemplate"]["spec"];
    assert_eq!(job["backoffLimit"].as_i64(), Some(0));
    let pod = &job["template"]["spec"];
    assert_eq!(pod["restartPolicy"].as_str(), Some("Never"));
    let container = &pod["containers"][0];
    let command: Vec<_> = container["command"]
        .as_vec()
        .unwrap()
        .iter()
        .filter_map(Yaml::as_str)
        .collect();
    assert_eq!(
        command,
        [
            "altfill",
            "run",
            "/data/a: 'b' #1.csv",
            "/more/c.csv",
            "--journal",
            "/journal/$$(J).db",
            "--require-journal",
            "--quiet"
        ]
    );
    let mounts: Vec<_> = container["volumeMounts"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|mount| {
            (
                mount["name"].as_str().unwrap(),
                mount["mountPath"].as_str().unwrap(),
            )
        })
        .collect();
    let volumes: Vec<_> = pod["volumes"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|volume| volume["name"].as_str().unwrap())
        .collect();
    assert_eq!(mounts[0], ("journal", "/journal"));
    assert!(
        mounts.contains(&("manifests", "/data")) && mounts.contains(&("manifests-2", "/more")),
        "{mounts:?}"
    );
    assert!(
        mounts.iter().all(|(name, _)| volumes.contains(name)),
        "{volumes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_scheduled_is_told_now_and_not_at_night() {
    let world = World::new().await;
    for (words, word) in [
        (vec!["-"], "standard input"),
        (vec!["m.csv", "--every", "7m"], "--every"),
        (vec!["m.csv", "--every", "48h"], "--every"),
        (vec!["m.csv", "--at", "25:00"], "03:15"),
        (vec!["m.csv", "--at", "03:15", "--every", "1h"], "--every"),
        (vec!["m.csv", "--", "--worker", "4"], "--worker"),
        (vec!["a\nb.csv"], "control character"),
    ] {
        let refused = world
            .run(&[&["schedule"][..], &words].concat())
            .await
            .ended(2);
        assert!(refused.stderr.contains(word), "{refused:?}");
        assert_eq!(refused.stdout, "");
    }
}
