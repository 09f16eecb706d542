//! Who is told of a run from afar: a file of metrics, a ping, a notification.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    manifest::texts,
    world::{TOKEN, World, faulty, finish, until},
};

/// A service that takes pings and notifications, and remembers them.
struct Listener {
    url: String,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

impl Listener {
    /// It answers each request with this status line and header.
    async fn answering(answer: &'static str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let remembered = told.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let mut bytes = Vec::new();
                let (head, length) = loop {
                    let mut chunk = [0; 4_096];
                    let count = stream.read(&mut chunk).await.unwrap();
                    assert!(count > 0, "the request ends early");
                    bytes.extend_from_slice(&chunk[..count]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some((head, _)) = text.split_once("\r\n\r\n") {
                        let length = head.lines().find_map(|line| {
                            line.to_lowercase()
                                .strip_prefix("content-length: ")?
                                .parse()
                                .ok()
                        });
                        break (head.to_owned(), length.unwrap_or(0));
                    }
                };
                while bytes.len() < head.len() + 4 + length {
                    let mut chunk = [0; 4_096];
                    let count = stream.read(&mut chunk).await.unwrap();
                    bytes.extend_from_slice(&chunk[..count]);
                }
                let body = String::from_utf8_lossy(&bytes[head.len() + 4..]).into_owned();
                remembered.lock().unwrap().push((head, body));
                let _ = stream
                    .write_all(
                        format!(
                            "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        )
                        .as_bytes(),
                    )
                    .await;
            }
        });
        Self { url, told }
    }

    async fn new() -> Self {
        Self::answering("200 OK").await
    }

    /// The paths that were asked for, in order.
    fn paths(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        told.iter()
            .map(|(head, _)| head.split(' ').nth(1).unwrap().to_owned())
            .collect()
    }

    fn last(&self) -> (String, String) {
        self.told.lock().unwrap().last().cloned().unwrap()
    }
}

/// The samples of a metrics file.
fn samples(world: &World) -> BTreeMap<String, String> {
    let text = String::from_utf8(world.bytes("altfill.prom").unwrap()).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_pinged_at_its_start_and_its_end_and_told_of_when_it_had_something_to_do() {
    let (world, ping, hook) = (
        World::new().await,
        Listener::new().await,
        Listener::new().await,
    );
    world.write("m.csv", texts(4));
    let (ping_url, hook_url) = (
        format!("{}/secret-uuid", ping.url),
        format!("{}/hook?key=secret", hook.url),
    );
    let words = [
        "run",
        "m.csv",
        "--quiet",
        "--ping-url",
        &ping_url,
        "--notify-url",
        &hook_url,
    ];
    let ran = world.send(&words).await.ended(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ping.paths(), ["/secret-uuid/start", "/secret-uuid"]);
    assert!(
        ping.last().1.contains("4 images: 4 done"),
        "{:?}",
        ping.last()
    );
    assert_eq!(hook.paths(), ["/hook?key=secret"]);
    assert_eq!(
        serde_json::from_str::<Value>(&hook.last().1).unwrap(),
        ran.json()
    );
    for (head, body) in ping
        .told
        .lock()
        .unwrap()
        .iter()
        .chain(hook.told.lock().unwrap().iter())
    {
        assert!(
            !head.contains(TOKEN) && !body.contains(TOKEN),
            "{head} {body}"
        );
        assert!(head.starts_with("POST "), "{head}");
    }
    // Nothing to do: the ping says that it was looked, and nobody is disturbed.
    world.send(&words).await.ended(0);
    assert_eq!((ping.paths().len(), hook.paths().len()), (4, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_cannot_begin_is_told_of_too() {
    let (world, ping, hook) = (
        World::new().await,
        Listener::new().await,
        Listener::new().await,
    );
    let (ping_url, hook_url) = (format!("{}/p", ping.url), format!("{}/h", hook.url));
    world.write("m.csv", texts(4));
    world.write("bad.csv", "media_id,alt_text\n12x,A fox\n");
    let tell = ["--ping-url", &ping_url, "--notify-url", &hook_url];
    for (case, words, code) in [
        ("invalid", vec!["run", "bad.csv"], 3),
        ("missing", vec!["run", "gone.csv"], 3),
        ("unknown flag", vec!["run", "m.csv", "--colour"], 2),
        ("wrong value", vec!["run", "m.csv", "--workers", "none"], 2),
        ("stopped", vec!["run", "m.csv", "--max-items", "1"], 5),
    ] {
        world.send(&[&words[..], &tell].concat()).await.ended(code);
        assert_eq!(ping.paths().last(), Some(&format!("/p/{code}")), "{case}");
        assert_eq!(
            serde_json::from_str::<Value>(&hook.last().1).unwrap()["exit_code"],
            code,
            "{case}"
        );
    }
    // A mistake in the file that says whom to tell is told.
    std::fs::create_dir_all(world.path(".config/altfill")).unwrap();
    world.write(
        ".config/altfill/altfill.toml",
        format!("ping-url = \"{ping_url}\"\nworker = 3\n"),
    );
    let before = ping.paths().len();
    world.send(&["run", "m.csv"]).await.ended(2);
    assert_eq!(ping.paths()[before..], ["/p/start", "/p/2"]);
    assert!(
        ping.last().1.contains("did you mean workers"),
        "{:?}",
        ping.last()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_told_changes_nothing_and_no_address_is_shown() {
    let world = World::new().await;
    let away = Listener::new().await;
    let (refusing, leading) = (
        Listener::answering("500 Oops").await,
        Listener::answering("307 Away\r\nlocation: /elsewhere").await,
    );
    for (number, listener) in [(1, refusing), (2, leading)] {
        world.write("m.csv", texts(number));
        let (ping, hook) = (
            format!("{}/secret-uuid", listener.url),
            format!("{}/secret-hook", listener.url),
        );
        let ran = world
            .send(&["run", "m.csv", "--ping-url", &ping, "--notify-url", &hook])
            .await
            .ended(0);
        assert!(ran.stderr.contains("was not taken"), "{ran:?}");
        assert!(!ran.stderr.contains("secret"), "{ran:?}");
        assert!(
            listener
                .paths()
                .iter()
                .all(|path| !path.contains("elsewhere"))
        );
    }
    // What listens nowhere, what is no address and what is not encrypted.
    world.write("m.csv", texts(3));
    world
        .send(&["run", "m.csv", "--ping-url", "http://127.0.0.1:9/secret"])
        .await
        .ended(0);
    for wrong in [
        "http://secret.example/x",
        "secret",
        "https://a:secret@b.example",
    ] {
        let ran = world
            .send(&["run", "m.csv", "--ping-url", wrong])
            .await
            .ended(2);
        assert!(ran.stderr.contains("--ping-url"), "{ran:?}");
        assert!(!ran.stderr.contains("secret"), "{ran:?}");
    }
    // A proxy never hears what is for this machine.
    let mut command = world.sending(&["run", "m.csv", "--ping-url", &format!("{}/p", away.url)]);
    command
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9");
    finish(command).await.ended(0);
    assert_eq!(away.paths(), ["/p/start", "/p"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_tell_how_the_journal_stands_while_a_run_goes_on_and_afterwards() {
    let world = World::with(faulty(&["not-found=40%"])).await;
    world.write("m.csv", texts(20));
    let words = [
        "run",
        "m.csv",
        "--metrics-file",
        "altfill.prom",
        "--halt-after",
        "0",
        "--max-failures",
        "100%",
    ];
    let ran = world.send(&words).await.ended(4);
    let seen = samples(&world);
    let items = |state: &str| {
        seen[&format!("altfill_items{{account=\"default\",state=\"{state}\"}}")].clone()
    };
    assert_eq!(items("done"), ran.number("done").to_string());
    assert_eq!(items("failed"), ran.number("failed").to_string());
    assert_eq!(seen["altfill_last_run_exit_code"], "4");
    assert_eq!(seen["altfill_running"], "0");
    assert_eq!(seen["altfill_paused_until_timestamp_seconds"], "0");
    // What was refused costs nothing.
    assert!(
        seen["altfill_spent_dollars_total"].parse::<f64>().unwrap()
            - ran.json()["cost_usd"].as_f64().unwrap()
            < 1e-9
    );
    assert_eq!(seen["altfill_last_progress_timestamp_seconds"].len(), 10);
    assert!(!seen.contains_key("altfill_last_success_timestamp_seconds"));
    // A code that was declared fine is a success, and it is kept when a later run can't begin.
    let fine = [&words[..], &["--ok", "4"]].concat();
    world.send(&fine).await.ended(0);
    let success = samples(&world)["altfill_last_success_timestamp_seconds"].clone();
    world.write("m.csv", "media_id,alt_text\n12x,A fox\n");
    world.send(&words).await.ended(3);
    let seen = samples(&world);
    assert_eq!(seen["altfill_last_run_exit_code"], "3");
    assert_eq!(seen["altfill_last_success_timestamp_seconds"], success);

    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(5));
    let mut going = world.start(&[
        "run",
        "m.csv",
        "--workers",
        "2",
        "--metrics-file",
        "altfill.prom",
    ]);
    until(|| world.bytes("altfill.prom").is_some()).await;
    world.reached(2).await;
    assert_eq!(samples(&world)["altfill_running"], "1");
    // A second run that has to leave takes nothing from the first one's figures.
    world
        .send(&["run", "m.csv", "--metrics-file", "altfill.prom"])
        .await
        .ended(75);
    assert_eq!(samples(&world)["altfill_running"], "1");
    going.signal("TERM").await;
    going.says("stopping").await;
    going.signal("INT").await;
    going.end().await.ended(143);
    assert_eq!(samples(&world)["altfill_last_run_exit_code"], "143");
}

/// An address at which somebody listens and never answers.
async fn deaf() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/uuid", socket.local_addr().unwrap());
    (socket, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_waits_for_nobody_who_shall_be_told() {
    let (_listening, url) = deaf().await;
    let world = World::with(faulty(&["silent=100%"])).await;
    world.write("m.csv", texts(5));
    let told = ["--ping-url", &url, "--notify-url", &url];
    let mut going = world.start(&[&["run", "m.csv", "--workers", "2"], &told[..]].concat());
    world.reached(2).await;
    going.signal("TERM").await;
    going.says("stopping").await;
    going.signal("INT").await;
    let ended = going.end().await.ended(143);
    assert!(ended.stderr.contains("left at once"), "{ended:?}");
    assert!(!ended.stderr.contains("was not taken"), "{ended:?}");

    // One that comes when all is done, and only others are told, is not overheard either.
    let world = World::new().await;
    world.write("m.csv", texts(2));
    let mut going = world.start(&[&["run", "m.csv"], &told[..]].concat());
    going.says("2 images: 2 done").await;
    going.signal("INT").await;
    let ended = going.end().await.ended(0);
    assert!(ended.stderr.contains("left at once"), "{ended:?}");
    assert_eq!(ended.json()["exit_code"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_that_cannot_be_written_are_a_warning_and_a_file_of_something_else_stays() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    world.write("notes.txt", "mine");
    for place in ["notes.txt", "gone/altfill.prom"] {
        let ran = world
            .send(&["run", "m.csv", "--metrics-file", place])
            .await
            .ended(0);
        assert!(ran.stderr.contains(place), "{ran:?}");
    }
    assert_eq!(world.bytes("notes.txt").unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_lines_are_json_where_that_is_asked_for() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    let ran = world
        .send(&[
            "run",
            "m.csv",
            "-vv",
            "--log-format",
            "json",
            "--progress",
            "none",
        ])
        .await
        .ended(0);
    let lines: Vec<Value> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["level"] == "INFO" && line["message"] == "the run begins"),
        "{ran:?}"
    );
}
