//! Tokens: where they come from, what happens when one is refused, and that none is ever seen.

use std::os::unix::fs::PermissionsExt;

use altfill::sandbox::Options;

use crate::{
    manifest::texts,
    world::{Finished, TOKEN, World, faulty, finish},
};

/// A sandbox that accepts this token alone.
fn accepting(token: &str) -> Options {
    Options {
        token: Some(token.to_owned()),
        ..faulty(&[])
    }
}

/// Writes a program that prints `prefix` and how many times it has been run.
fn write_token_command(world: &World, prefix: &str) {
    let script =
        format!("#!/bin/sh\nread n < count\nn=$((n + 1))\necho $n > count\necho {prefix}$n\n");
    world.write("count", "0\n");
    world.write("token-command", script);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.path("token-command"), mode).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_command_is_run_again_once_however_many_requests_were_refused() {
    let world = World::with(accepting("token-2")).await;
    write_token_command(&world, "token-");
    world.write("m.csv", texts(50));
    let words = ["run", "m.csv", "--token-command", "./token-command"];
    let finished = world.send(&words).await.ended(0);
    assert_eq!(finished.number("done"), 50);
    assert_eq!(world.bytes("count").unwrap(), b"2\n");
    let refused = world.ledger().statuses()[&401];
    assert!((1..=8).contains(&refused), "{refused}");
    assert_eq!(world.ledger().requests(), 50 + refused);
    let attempts = world.journal().await.attempts().await;
    let unauthorized = attempts
        .iter()
        .filter(|attempt| attempt.http_status == Some(401));
    assert_eq!(unauthorized.count() as u64, refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_after_it_was_renewed_ends_the_run() {
    let world = World::with(accepting("another")).await;
    write_token_command(&world, "token-");
    world.write("m.csv", texts(10));
    let words = ["run", "m.csv", "--token-command", "./token-command"];
    let finished = world.send(&words).await.ended(7);
    assert_eq!(finished.number("pending"), 10);
    assert_eq!(world.bytes("count").unwrap(), b"2\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let mut world = World::with(accepting("first")).await;
    world.write("token", "first\n");
    world.write("m.csv", texts(60));
    let words = [
        "run",
        "m.csv",
        "--token-file",
        "token",
        "--rate",
        "20/500ms",
    ];
    let going = world.start(&words);
    world.reached(15).await;
    world.write("token", "second\n");
    let before = world.ledger().clone();
    world.replace_sandbox(accepting("second")).await;
    let finished = going.end().await.ended(0);
    assert_eq!(finished.number("done"), 60);
    let accepted = before.distinct_accepted() + world.ledger().distinct_accepted();
    assert!(accepted >= 60, "{accepted}");
    assert!(world.ledger().statuses()[&401] >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_named_beats_the_environment_and_must_give_a_token() {
    let world = World::with(accepting("named")).await;
    world.write("m.csv", texts(3));
    world.write("token", "named\n");
    world.write("blank", "\n");
    for source in [
        ["--token-file", "missing"],
        ["--token-file", "blank"],
        ["--token-command", "false"],
        ["--token-command", "./missing"],
    ] {
        let words = [&["run", "m.csv"], &source[..]].concat();
        let finished = world.send(&words).await.ended(7);
        assert_eq!(finished.number("pending"), 3, "{source:?}");
        assert!(finished.stderr.contains("token"), "{finished:?}");
    }
    assert_eq!(world.ledger().requests(), 0);
    let words = ["run", "m.csv", "--token-file", "token"];
    let finished = world.send(&words).await.ended(0);
    // It says as whom and from where, first of all.
    let first = finished.stderr.lines().next().unwrap();
    assert!(
        first.contains("default") && first.contains("token"),
        "{first}"
    );
}

/// That a secret stands in nothing that was said and in no file of the folder but `except`.
#[track_caller]
fn is_nowhere(secret: &str, world: &World, finished: &Finished, except: &[&str]) {
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert!(!said.contains(secret), "it was said: {said}");
    for name in world.files() {
        let bytes = world.bytes(&name).unwrap_or_default();
        let holds = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!holds || except.contains(&&*name), "{name} holds it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_is_seen_in_streams_journal_or_lock_whatever_happens() {
    let faults = [
        "503=10%",
        "reset=5%",
        "truncate=5%",
        "not-found=10%",
        "html=5%",
    ];
    let mut world = World::with(faulty(&faults)).await;
    world.write("m.csv", texts(40));
    let words = ["run", "m.csv", "-vvv", "--progress", "json"];
    let finished = world.send(&words).await.ended(4);
    is_nowhere(TOKEN, &world, &finished, &[]);
    assert!(world.files().contains(&"journal.db.lock".to_owned()));

    world.replace_sandbox(accepting("another")).await;
    world.write("m.csv", texts(45));
    let finished = world.send(&words).await.ended(7);
    is_nowhere(TOKEN, &world, &finished, &[]);

    world.write("token", "token-in-a-file");
    let from_file = [&words[..], &["--token-file", "token"]].concat();
    let finished = world.send(&from_file).await.ended(7);
    is_nowhere("token-in-a-file", &world, &finished, &["token"]);
    is_nowhere(TOKEN, &world, &finished, &[]);

    let from_command = [&words[..], &["--token-command", "echo token-as-a-word"]].concat();
    let finished = world.send(&from_command).await.ended(7);
    is_nowhere("token-as-a-word", &world, &finished, &[]);

    // What has no form of a token is not repeated in the complaint either.
    let mut command = world.sending(&words);
    command.env("X_OAUTH2_ACCESS_TOKEN", "two secret-words");
    let finished = finish(command).await.ended(7);
    is_nowhere("secret-words", &world, &finished, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_redirect_is_followed_with_the_token() {
    let world = World::with(faulty(&["redirect=100%"])).await;
    world.write("m.csv", texts(2));
    world.send(&["run", "m.csv"]).await.ended(4);
    assert!(
        world.ledger().strays().is_empty(),
        "{:?}",
        world.ledger().strays()
    );
    for item in world.journal().await.items().await.values() {
        assert_eq!(
            (&*item.state, item.cause.as_deref()),
            ("failed", Some("redirect"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_is_never_reached_through_a_proxy() {
    let (world, proxy) = (World::new().await, World::new().await);
    world.write("m.csv", texts(2));
    let mut command = world.sending(&["run", "m.csv"]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env(name, proxy.url());
    }
    finish(command).await.ended(0);
    assert_eq!(world.ledger().distinct_accepted(), 2);
    assert_eq!(
        (proxy.ledger().requests(), proxy.ledger().strays().len()),
        (0, 0)
    );
}
