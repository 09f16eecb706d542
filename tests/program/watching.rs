//! Looking at a journal: while a run has it and afterwards, without changing a byte of it.

use serde_json::json;

use crate::{
    manifest::{id, ids, texts, texts_by},
    world::{World, faulty},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_can_be_watched_while_it_goes_on() {
    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(9));
    let mut going = world.start(&["run", "m.csv", "--workers", "4"]);
    world.reached(4).await;

    let status = ["status", "--journal", "journal.db", "--json"];
    let seen = world.run(&status).await.ended(0).json();
    for (key, number) in [("done", 0), ("failed", 0), ("pending", 9), ("sending", 4)] {
        assert_eq!(seen[key], number, "{key}: {seen}");
    }
    assert_eq!(seen["running"]["pid"], going.pid(), "{seen}");
    assert_eq!(seen["next_run"]["requests"], 9, "{seen}");
    assert_eq!(seen["api_url"], world.url());
    let text = world
        .run(&["status", "--journal", "journal.db"])
        .await
        .ended(0);
    assert!(text.stdout.contains(&going.pid().to_string()), "{text:?}");
    assert!(text.stderr.is_empty(), "{text:?}");

    // What is on its way is on disk already.
    let sending = world.journal().await.in_state("sending").await;
    assert_eq!(sending.len(), 4);
    let show = ["show", &sending[0], "--journal", "journal.db"];
    let item = world
        .run(&[&show[..], &["--json"]].concat())
        .await
        .ended(0)
        .json();
    assert_eq!(item["state"], "sending", "{item}");
    assert_eq!(item["attempts"][0]["number"], 1, "{item}");
    assert_eq!(item["attempts"][0]["ended"], json!(null), "{item}");
    assert!(
        world
            .run(&show)
            .await
            .ended(0)
            .stdout
            .contains("on its way")
    );

    going.kill();
    going.end().await;
    let seen = world.run(&status).await.ended(0).json();
    assert_eq!(seen["running"], json!(null), "{seen}");
    assert_eq!(seen["pending"], 9, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_tells_how_all_stands_and_how_a_run_would_end() {
    let world = World::with(faulty(&["not-found=30%"])).await;
    world.write("m.csv", texts(40));
    let run = world
        .send(&["run", "m.csv", "--max-items", "30"])
        .await
        .ended(5);
    let status = ["status", "--journal", "journal.db", "--json"];
    let with_code = [&status[..], &["--exit-code"]].concat();
    let seen = world.run(&status).await.ended(0).json();
    for key in ["done", "failed", "pending"] {
        assert_eq!(seen[key], run.json()[key], "{key}: {seen}");
    }
    assert_eq!(seen["failures"]["resource-not-found"], seen["failed"]);
    assert_eq!(seen["latest_run"]["exit_code"], 5);
    assert_eq!(seen["latest_run"]["run_id"], run.json()["run_id"]);
    assert_eq!(seen["running"], json!(null));
    assert!(
        seen["windows"]
            .as_array()
            .is_some_and(|windows| !windows.is_empty())
    );
    world.run(&with_code).await.ended(5);
    world.send(&["resume"]).await.ended(4);
    world.run(&with_code).await.ended(4);
    world.send(&["run", "m.csv"]).await.ended(4);

    let all_done = World::new().await;
    all_done.write("m.csv", texts(3));
    all_done.send(&["run", "m.csv"]).await.ended(0);
    all_done.run(&with_code).await.ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_tells_what_was_sent_when_and_reading_changes_nothing() {
    let world = World::new().await;
    world.write("m.csv", texts(3));
    world.send(&["run", "m.csv"]).await.ended(0);
    world.write("m.csv", texts_by(3, |number| format!("Better {number}")));
    world.send(&["run", "m.csv"]).await.ended(0);
    let before = world.bytes("journal.db");

    let show = ["show", &id(1), "--journal", "journal.db", "--json"];
    let item = world.run(&show).await.ended(0).json();
    assert_eq!(item["media_id"], id(1));
    assert_eq!(item["state"], "done");
    assert_eq!(item["metadata"]["alt_text"]["text"], "Better 1");
    let sent = world.ledger().accepted(&id(1));
    assert_eq!(
        item["history"][0]["metadata"], sent[0]["metadata"],
        "{item}"
    );
    assert!(item["history"][0]["accepted"].is_string(), "{item}");
    let numbers: Vec<_> = item["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| {
            (
                attempt["number"].as_u64().unwrap(),
                attempt["http_status"].as_u64(),
            )
        })
        .collect();
    assert_eq!(numbers, [(1, Some(200)), (2, Some(200))]);
    let digest = world.journal().await.items().await[&id(1)].digest.clone();
    assert_eq!(item["digest"], digest);
    let text = world
        .run(&["show", &id(1), "--journal", "journal.db"])
        .await;
    assert!(text.ended(0).stdout.contains("Better 1"));

    world
        .run(&["status", "--journal", "journal.db"])
        .await
        .ended(0);
    assert_eq!(world.bytes("journal.db"), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_needs_no_token_and_marks_no_real_item_done() {
    let world = World::new().await;
    world.write("m.csv", texts(25));
    let mut command = world.command(&["run", "m.csv", "--sandbox", "--json"]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let rehearsed = crate::world::finish(command).await.ended(0);
    assert_eq!(
        (rehearsed.number("done"), rehearsed.number("requests")),
        (25, 25)
    );
    assert!(world.bytes("altfill.sandbox.db").is_some());
    assert!(world.bytes("altfill.db").is_none());
    let again = world.run(&["run", "m.csv", "--sandbox", "--json"]).await;
    assert_eq!(again.ended(0).number("requests"), 0);
    let seen = world.run(&["status", "--sandbox", "--json"]).await.ended(0);
    assert_eq!(seen.json()["api_url"], "sandbox");
    assert_eq!(seen.number("done"), 25);

    let real = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(real.number("new"), 25);
    assert_eq!(world.journal().await.in_state("done").await, ids(25));
    assert_eq!(world.ledger().requests(), 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_output_carries_only_the_object_and_quiet_says_nothing() {
    let world = World::new().await;
    world.write("m.csv", texts(5));
    let loud = world
        .send(&["run", "m.csv", "-vvv", "--progress", "json"])
        .await
        .ended(0);
    assert_eq!(loud.stdout.lines().count(), 1, "{loud:?}");
    world.write("m.csv", texts(8));
    let quiet = world.send(&["run", "m.csv", "--quiet"]).await.ended(0);
    assert_eq!(quiet.stderr, "");
    let silent = [
        "run",
        "m.csv",
        "--journal",
        "journal.db",
        "--api-url",
        &world.url(),
        "-q",
    ];
    let silent = world.run(&silent).await.ended(0);
    assert_eq!((&*silent.stdout, &*silent.stderr), ("", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_hears_when_a_run_begins_and_a_file_gets_no_bar() {
    let world = World::new().await;
    world.write("m.csv", texts(5));
    let told = world
        .send(&["run", "m.csv", "--progress", "json"])
        .await
        .ended(0);
    let events: Vec<serde_json::Value> = told
        .stderr
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0], json!({"event": "begun", "due": 5}));
    assert_eq!(
        events
            .iter()
            .filter(|event| event["event"] == "done")
            .count(),
        5
    );
    world.write("m.csv", texts(9));
    let barred = world
        .send(&["run", "m.csv", "--progress", "bar"])
        .await
        .ended(0);
    assert!(!barred.stderr.contains(['\r', '\u{1b}', '░']), "{barred:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_counts_what_failed_for_a_passing_cause_as_a_run_would() {
    let world = World::with(faulty(&["500=100%"])).await;
    world.write("m.csv", texts(3));
    world
        .send(&["run", "m.csv", "--max-attempts", "1", "--halt-after", "0"])
        .await
        .ended(4);
    let status = ["status", "--journal", "journal.db", "--exit-code"];
    assert!(
        world
            .run(&status)
            .await
            .ended(5)
            .stdout
            .contains("would send 3 images")
    );
    let next = format!(
        "`altfill resume --journal journal.db --api-url {}`",
        world.url()
    );
    let told = world.run(&["status", "--journal", "journal.db"]).await;
    assert!(told.stdout.contains(&next), "{told:?}");
    // A run that sends nothing more ends as was told.
    world.send(&["resume", "--max-items", "0"]).await.ended(5);
    world.run(&status).await.ended(5);
}

/// `script` of util-linux gives the program a terminal; other systems' takes other words.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_gets_a_bar_that_fits_it_and_is_gone_at_the_end() {
    for columns in [30, 60, 120] {
        let world = World::with(altfill::sandbox::Options {
            slow_by: std::time::Duration::from_millis(200),
            ..faulty(&["slow=100%"])
        })
        .await;
        world.write("m.csv", texts(20));
        let run = format!(
            "stty cols {columns} rows 24; exec {} run m.csv --workers 4 --journal journal.db --api-url {} --rate unlimited",
            env!("CARGO_BIN_EXE_altfill"),
            world.url()
        );
        let clean = world.command(&[]);
        let command = {
            let mut script = tokio::process::Command::new("script");
            script
                .args(["-qec", &run, "/dev/null"])
                .current_dir(world.path("."))
                .envs(
                    clean
                        .as_std()
                        .get_envs()
                        .filter_map(|(name, value)| Some((name, value?))),
                )
                .env("LC_ALL", "C.UTF-8")
                .env("NO_COLOR", "1")
                .stdin(std::process::Stdio::null())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            script
        };
        let shown = crate::world::finish(command).await.ended(0).stdout;
        // What is drawn stands between what moves the cursor.
        let frames: Vec<&str> = shown
            .split(['\r', '\n', '\u{1b}'])
            .filter(|frame| frame.contains("/20"))
            .map(|frame| frame.trim_start_matches("[2K").trim_end())
            .collect();
        assert!(frames.len() > 1, "{shown:?}");
        for frame in &frames {
            assert!(frame.chars().count() < columns, "{columns}: {frame:?}");
            assert_eq!(frame.contains(['░', '█']), columns > 40, "{frame:?}");
        }
        // Behind what is drawn a terminal writes `^C` on the same line, so that it goes with the bar.
        let drawn = shown
            .split(['\r', '\n'])
            .filter(|line| line.contains("/20"));
        for line in drawn {
            let width = line.trim_start_matches("\u{1b}[2K").chars().count();
            assert!(width + "^C".len() < columns, "{columns}: {line:?}");
        }
        // No colour, and the summary stands alone.
        assert!(!shown.contains("\u{1b}[3"), "{shown:?}");
        assert!(shown.contains("20 images: 20 done."), "{shown:?}");
    }
}
