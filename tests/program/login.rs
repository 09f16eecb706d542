//! `altfill auth`: logging in by a browser and by hand, importing, looking, logging out; and that no secret is ever seen.

use std::{os::unix::fs::PermissionsExt, process::Stdio};

use altfill::sandbox::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

use crate::{
    going::Going,
    manifest::texts,
    world::{Finished, World, faulty, finish},
};

/// A sandbox of the user @brand, at which only what was had by a login is accepted.
fn strict() -> Options {
    Options {
        token_life: Some(std::time::Duration::from_hours(2)),
        user: Some(("77".to_owned(), "brand".to_owned())),
        ..faulty(&[])
    }
}

fn auth(world: &World, words: &[&str]) -> Command {
    let mut command = world.command(&[&["auth"], words].concat());
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    command
}

/// Asks for an address as a browser does, and returns where it is sent.
async fn browse(address: &str) -> (String, String) {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_default();
    (answer.clone(), location.trim().to_owned())
}

/// Logs in as a person does who consents, with these words, and returns how it ended.
async fn log_in(world: &World, words: &[&str], port: u16) -> Finished {
    let (redirect, url) = (format!("http://127.0.0.1:{port}/callback"), world.url());
    let words = [
        words,
        &[
            "login",
            "--client-id",
            "app",
            "--redirect-uri",
            &redirect,
            "--api-url",
            &url,
        ],
    ]
    .concat();
    let mut going = Going::start(auth(world, &words));
    going.says("/i/oauth2/authorize").await;
    let page = going.last_line();
    let (_, back) = browse(&page).await;
    // Somebody else's attempt comes between, and is none.
    let (refused, _) = browse(&format!(
        "http://127.0.0.1:{port}/callback?state=forged&code=x"
    ))
    .await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    let (answer, _) = browse(&back).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("Logged in"),
        "{answer}"
    );
    going.end().await
}

fn store(world: &World) -> String {
    std::fs::read_to_string(world.path(".config/altfill/credentials.toml")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_in_by_a_browser_and_a_run_sends_as_them() {
    let world = World::with(strict()).await;
    let finished = log_in(&world, &[], 9_741).await.ended(0);
    assert!(
        finished.stderr.contains("Logged in as @brand"),
        "{finished:?}"
    );
    let path = world.path(".config/altfill/credentials.toml");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&world.path(".config/altfill")), 0o700);
    let status = finish(auth(
        &world,
        &["status", "--api-url", &world.url(), "--json"],
    ))
    .await
    .ended(0);
    let told = status.json();
    assert_eq!(
        (told["user"].as_str(), told["profile"].as_str()),
        (Some("@brand"), Some("default"))
    );
    assert_eq!(told["renews"], true);
    assert!(
        told["scopes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|scope| scope == "media.write")
    );
    world.write("m.csv", texts(3));
    let mut command = world.sending(&["run", "m.csv"]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let run = finish(command).await.ended(0);
    assert_eq!(run.number("done"), 3);
    assert!(run.stderr.contains("as @brand"), "{run:?}");
    // Out again: X takes the tokens back, and there is no profile left.
    finish(auth(&world, &["logout"])).await.ended(0);
    assert!(!store(&world).contains("profiles.default"));
    finish(auth(&world, &["status", "--api-url", &world.url()]))
        .await
        .ended(7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_without_a_browser_pastes_the_address_back() {
    let world = World::with(strict()).await;
    let words = [
        "login",
        "--manual",
        "--client-id",
        "app",
        "--profile",
        "brand",
        "--api-url",
        &world.url(),
    ];
    let by_hand = async |change: fn(String) -> String| {
        let mut command = auth(&world, &words);
        command
            .stdin(Stdio::piped())
            .env("X_CLIENT_SECRET", "app-secret");
        let mut going = Going::start(command);
        going.says("/i/oauth2/authorize").await;
        let (_, back) = browse(&going.last_line()).await;
        going.types(&change(back)).await;
        going.end().await
    };
    let forged = by_hand(|back| back.replace("state=", "state=x"))
        .await
        .ended(7);
    assert!(forged.stderr.contains("another one"), "{forged:?}");
    by_hand(|_| "nothing\n".to_owned()).await.ended(7);
    by_hand(|back| back.replace("code=", "code=x"))
        .await
        .ended(7);
    by_hand(|back| back).await.ended(0);
    assert!(store(&world).contains("client_secret = \"app-secret\""));
    // Without a client id there is no app, and that is told before a person goes anywhere.
    let finished = finish(auth(&world, &["login", "--profile", "new"]))
        .await
        .ended(2);
    assert!(finished.stderr.contains("X_CLIENT_ID"), "{finished:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_not_overwritten_by_another_users_login() {
    let mut world = World::with(strict()).await;
    log_in(&world, &[], 9_742).await.ended(0);
    let before = store(&world);
    let mut options = strict();
    options.user = Some(("88".to_owned(), "other".to_owned()));
    world.replace_sandbox(options).await;
    let finished = log_in(&world, &[], 9_743).await.ended(7);
    assert!(
        finished.stderr.contains("@brand") && finished.stderr.contains("@other"),
        "{finished:?}"
    );
    assert_eq!(store(&world), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_xurl_and_twurl_keep_becomes_profiles() {
    let keys = ["key", "consumer-secret", "user-token", "token-secret"];
    let mut options = strict();
    options.keys = Some(keys.map(str::to_owned));
    let world = World::with(options).await;
    let pair = world
        .sandbox
        .issue("app", "media.write tweet.read users.read offline.access");
    let xurl = format!(
        "apps:\n  app:\n    client_id: app\n    client_secret: \"\"\n    oauth2_tokens:\n      brand:\n        type: oauth2\n        oauth2:\n          access_token: {}\n          refresh_token: {}\n          expiration_time: 1700000000\ndefault_app: app\n",
        pair.access,
        pair.refresh.unwrap()
    );
    let private = |name: &str, text: &str| {
        world.write(name, text);
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(world.path(name), mode).unwrap();
    };
    private(".xurl", &xurl);
    let import = async |words: &[&str]| {
        let url = world.url();
        let words = [&["import"], words, &["--api-url", &url]].concat();
        finish(auth(&world, &words)).await
    };
    let finished = import(&["xurl"]).await.ended(0);
    for said in ["xurl must log in again", "--token-command 'xurl token'"] {
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
    private(
        ".twurlrc",
        "profiles:\n  brand:\n    key:\n      username: brand\n      consumer_key: key\n      consumer_secret: consumer-secret\n      token: user-token\n      secret: token-secret\nconfiguration:\n  default_profile: [brand, key]\n",
    );
    import(&["twurl", "--profile", "old"]).await.ended(0);
    let run = async |profile: &str, rows: usize| {
        world.write("m.csv", texts(rows));
        let mut command = world.sending(&["run", "m.csv", "--profile", profile]);
        command.env_remove("X_OAUTH2_ACCESS_TOKEN");
        finish(command).await
    };
    // The token of xurl was over: it is renewed by what was imported, and its user is looked up once.
    assert_eq!(run("brand", 2).await.ended(0).number("done"), 2);
    assert_eq!(run("old", 4).await.ended(0).number("requests"), 2);
    assert_eq!(world.sandbox.renewals(), (1, 0));
    let missing = import(&["twurl", "--user", "nobody"]).await.ended(7);
    assert!(
        missing.stderr.contains("brand of the app key"),
        "{missing:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_with_credentials_is_said_with_what_to_do_next() {
    let world = World::with(strict()).await;
    world.write("m.csv", texts(1));
    world.write("empty", "");
    world.write("odd.yml", "- 1");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(world.path("odd.yml"), mode).unwrap();
    let url = world.url();
    let sending = |words: &[&str]| {
        let mut command = world.sending(&[&["run", "m.csv"], words].concat());
        command.env_remove("X_OAUTH2_ACCESS_TOKEN");
        command
    };
    let pasted = async {
        let words = ["login", "--client-id", "app", "--manual", "--api-url", &url];
        let mut command = auth(&world, &words);
        command.stdin(Stdio::null());
        finish(command).await
    };
    let said = [
        (
            finish(sending(&["--token-file", "gone"])).await,
            "--token-file",
        ),
        (
            finish(sending(&["--token-file", "empty"])).await,
            "`altfill auth login`",
        ),
        (
            finish(sending(&["--token-command", "./gone"])).await,
            "in full in --token-command",
        ),
        (
            finish(sending(&["--token-command", "false"])).await,
            "by hand",
        ),
        (finish(auth(&world, &["import", "xurl"])).await, "--file"),
        (
            finish(auth(&world, &["import", "twurl", "--file", "odd.yml"])).await,
            "`altfill auth login`",
        ),
        (
            finish(auth(&world, &["logout"])).await,
            "`altfill auth status`",
        ),
        (pasted.await, "`altfill auth login --manual`"),
    ];
    for (finished, step) in said {
        let finished = finished.ended(7);
        assert!(finished.stderr.contains(step), "{step}: {finished:?}");
    }
    assert_eq!(world.ledger().requests(), 0);
    // A profile of another host: with which words it is meant, or how to log in where it was asked for.
    log_in(&world, &[], 9_742).await.ended(0);
    let status = finish(auth(&world, &["status"])).await.ended(7);
    for step in [
        format!("--api-url {url}"),
        "altfill auth login --profile NAME --api-url https://api.x.com".to_owned(),
    ] {
        assert!(status.stdout.contains(&step), "{step}: {status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_in_the_environment_sign_requests_and_a_token_beats_them() {
    let mut options = strict();
    options.keys =
        Some(["key", "consumer-secret", "user-token", "token-secret"].map(str::to_owned));
    options.token_life = None;
    let world = World::with(options).await;
    let with = async |prefix: &str, secret: &str, rows: usize| {
        world.write("m.csv", texts(rows));
        let mut command = world.sending(&["run", "m.csv"]);
        command
            .env_remove("X_OAUTH2_ACCESS_TOKEN")
            .env(format!("{prefix}_API_KEY"), "key")
            .env(format!("{prefix}_API_KEY_SECRET"), "consumer-secret")
            .env(format!("{prefix}_ACCESS_TOKEN"), "user-token")
            .env(format!("{prefix}_ACCESS_TOKEN_SECRET"), secret);
        finish(command).await
    };
    assert_eq!(
        with("X", "token-secret", 2)
            .await
            .ended(0)
            .number("requests"),
        2
    );
    assert_eq!(
        with("TWITTER", "token-secret", 4)
            .await
            .ended(0)
            .number("requests"),
        2
    );
    let refused = with("X", "wrong", 6).await.ended(7);
    assert_eq!(refused.number("pending"), 2);
    // Both sets: the token wins and the keys are named.
    let mut command = auth(&world, &["status", "--json"]);
    command
        .env("X_OAUTH2_ACCESS_TOKEN", "token-of-the-tests")
        .env("X_API_KEY", "key")
        .env("X_API_SECRET", "consumer-secret")
        .env("X_ACCESS_TOKEN", "user-token")
        .env("X_ACCESS_TOKEN_SECRET", "token-secret");
    let told = finish(command).await.ended(0).json();
    assert!(
        told["source"]
            .as_str()
            .unwrap()
            .contains("X_OAUTH2_ACCESS_TOKEN")
    );
    assert!(
        told["others"][0].as_str().unwrap().contains("X_API_KEY"),
        "{told}"
    );
    // Keys that are not whole are none, and it is said which is missing.
    let mut command = auth(&world, &["status"]);
    command
        .env("X_API_KEY", "key")
        .env("X_API_SECRET", "secret");
    let finished = finish(command).await.ended(7);
    assert!(
        finished
            .stdout
            .contains("X_ACCESS_TOKEN, X_ACCESS_TOKEN_SECRET"),
        "{finished:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_login_lacks_is_told_before_a_run_needs_it() {
    let world = World::with(strict()).await;
    log_in(&world, &[], 9_744).await.ended(0);
    let whole = store(&world);
    let path = world.path(".config/altfill/credentials.toml");
    for scope in ["media.write", "offline.access"] {
        std::fs::write(&path, whole.replace(&format!("\"{scope}\""), "\"other\"")).unwrap();
        let words = ["status", "--api-url", &world.url()];
        let finished = finish(auth(&world, &words)).await.ended(7);
        assert!(
            finished.stdout.contains(&format!("{scope} is missing")),
            "{finished:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_seen_in_anything_that_was_written() {
    let world = World::with(strict()).await;
    let mut said = log_in(&world, &["-vvv"], 9_745).await.ended(0).stderr;
    let status = finish(auth(&world, &["status", "-vvv", "--api-url", &world.url()])).await;
    said += &(status.stdout + &status.stderr);
    // Over at once, so that the run renews them in its middle.
    world
        .sandbox
        .set_token_life(std::time::Duration::from_secs(1));
    let stale = store(&world).replace("expires = \"20", "expires = \"19");
    std::fs::write(world.path(".config/altfill/credentials.toml"), stale).unwrap();
    world.write("m.csv", texts(40));
    let mut command = world.sending(&[
        "run",
        "m.csv",
        "-vvv",
        "--rate",
        "20/1s",
        "--progress",
        "json",
    ]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let run = finish(command).await.ended(0);
    said += &(run.stdout + &run.stderr);
    let report = world
        .run(&[
            "report",
            "--journal",
            "journal.db",
            "-o",
            "report.csv",
            "-vvv",
        ])
        .await
        .ended(0);
    said += &report.stderr;
    assert!(world.sandbox.renewals().0 >= 2);
    for secret in ["sandbox-access-", "sandbox-refresh-", "code-1"] {
        assert!(!said.contains(secret), "{secret}: {said}");
        for name in world.files() {
            let bytes = world.bytes(&name).unwrap_or_default();
            let holds = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!holds, "{name} holds {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apps_own_token_is_known_by_the_answer_and_explained() {
    let world = World::with(faulty(&["unsupported-authentication=100%"])).await;
    world.write("m.csv", texts(30));
    let finished = world.send(&["run", "m.csv"]).await.ended(7);
    assert_eq!(finished.number("pending"), 30);
    assert!(
        finished.stderr.contains("The token is an app's own"),
        "{finished:?}"
    );
}
