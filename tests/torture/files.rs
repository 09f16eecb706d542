//! Files and what reaches the terminal: for their owner alone, whole or not there, never through a stranger's link.

use std::{
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    path::Path,
    process::Stdio,
};

use crate::{
    account::is_journal,
    manifest::{csv, id, texts},
    world::{World, faulty, finish},
};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journal_lock_report_errors_and_salvaged_journal_are_their_owners_alone() {
    let world = World::new().await;
    world.write("m.csv", texts(20));
    world.write("bad.csv", "media_id,alt_text\nx,y\n");
    // An empty file that somebody has made, open to all, is made private too.
    world.write("journal.db", "");
    std::fs::set_permissions(world.path("journal.db"), PermissionsExt::from_mode(0o666)).unwrap();
    let going = world.start(&["run", "m.csv", "--rate", "10/300ms"]);
    world.reached(5).await;
    for name in [
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        "journal.db.lock",
    ] {
        assert_eq!(mode(&world.path(name)), 0o600, "{name}");
    }
    going.end().await.ended(0);
    world
        .run(&["report", "--journal", "journal.db", "-o", "r.csv"])
        .await
        .ended(0);
    world
        .run(&["repair", "--journal", "journal.db", "-o", "new.db"])
        .await
        .ended(0);
    world
        .run(&["check", "bad.csv", "--errors", "errors.csv"])
        .await
        .ended(3);
    world
        .run(&["check", "bad.csv", "--errors", "errors.jsonl"])
        .await
        .ended(3);
    for name in [
        "journal.db",
        "r.csv",
        "new.db",
        "errors.csv",
        "errors.jsonl",
    ] {
        assert_eq!(mode(&world.path(name)), 0o600, "{name}");
        assert!(!world.bytes(name).unwrap().is_empty(), "{name}");
    }
    let left: Vec<_> = world
        .files()
        .into_iter()
        .filter(|name| name.starts_with('.') || name.ends_with("-wal") || name.ends_with("-shm"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_file_is_written_to_and_never_replaced_and_a_link_stays_a_link() {
    let world = World::new().await;
    world.write("m.csv", texts(5));
    world.send(&["run", "m.csv"]).await.ended(0);
    let report = [
        "report",
        "--journal",
        "journal.db",
        "--format",
        "jsonl",
        "-o",
    ];
    let to = async |path: &str| world.run(&[&report[..], &[path]].concat()).await;
    assert_eq!(to("/dev/stdout").await.ended(0).stdout.lines().count(), 5);
    to("/dev/null").await.ended(0);
    assert!(
        Path::new("/dev/null")
            .metadata()
            .unwrap()
            .file_type()
            .is_char_device(),
        "/dev/null was replaced"
    );
    std::fs::create_dir(world.path("shared")).unwrap();
    world.write("shared/r.jsonl", "old");
    symlink("shared/r.jsonl", world.path("r.jsonl")).unwrap();
    to("r.jsonl").await.ended(0);
    assert!(
        world
            .path("r.jsonl")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
    assert_eq!(
        String::from_utf8(world.bytes("shared/r.jsonl").unwrap())
            .unwrap()
            .lines()
            .count(),
        5
    );
    let refused = to("shared").await;
    assert!(
        refused.code == 2 && world.path("shared").is_dir(),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_file_that_is_a_link_is_refused_and_what_it_points_to_is_untouched() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    world.write("precious", "precious");
    symlink("precious", world.path("journal.db.lock")).unwrap();
    let refused = world.send(&["run", "m.csv"]).await.ended(1);
    assert!(refused.stderr.contains("journal.db.lock"), "{refused:?}");
    assert_eq!(world.bytes("precious").unwrap(), b"precious");
    assert!(!is_journal(&world.path("journal.db")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_file_may_be_a_pipe_or_a_mounted_secret_and_not_a_strangers() {
    let world = World::new().await;
    world.write("m.csv", texts(3));
    // As `altfill run m.csv --token-file <(pass show x)` has it.
    let mut command = world.sending(&[
        "run",
        "m.csv",
        "--max-items",
        "1",
        "--token-file",
        "/dev/stdin",
    ]);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"a-token\n")
        .await
        .unwrap();
    drop(stdin);
    assert_eq!(
        child.wait_with_output().await.unwrap().status.code(),
        Some(5)
    );
    // As Kubernetes mounts it: a link to a link, readable by all.
    std::fs::create_dir(world.path("..2026")).unwrap();
    world.write("..2026/token", "mounted");
    std::fs::set_permissions(world.path("..2026/token"), PermissionsExt::from_mode(0o644)).unwrap();
    symlink("..2026", world.path("..data")).unwrap();
    symlink("..data/token", world.path("token")).unwrap();
    world
        .send(&["run", "m.csv", "--max-items", "1", "--token-file", "token"])
        .await
        .ended(5);
    let requests = world.ledger().requests();
    world.write("open", "a-token");
    std::fs::set_permissions(world.path("open"), PermissionsExt::from_mode(0o666)).unwrap();
    let refused = world
        .send(&["run", "m.csv", "--token-file", "open"])
        .await
        .ended(7);
    assert!(refused.stderr.contains("chmod 600"), "{refused:?}");
    let endless = world
        .send(&["run", "m.csv", "--token-file", "/dev/zero"])
        .await
        .ended(7);
    assert!(endless.stderr.contains("longer"), "{endless:?}");
    // What never ends to print is no token either, and is not waited for.
    world
        .send(&["run", "m.csv", "--token-command", "yes"])
        .await
        .ended(7);
    // Another user's, where there is one to be had.
    world.write("foreign", "a-token");
    if std::os::unix::fs::chown(world.path("foreign"), Some(65_534), None).is_ok() {
        symlink("..2026/token", world.path("planted")).unwrap();
        std::os::unix::fs::lchown(world.path("planted"), Some(65_534), None).unwrap();
        for name in ["foreign", "planted"] {
            let refused = world
                .send(&["run", "m.csv", "--token-file", name])
                .await
                .ended(7);
            assert!(refused.stderr.contains("another user"), "{refused:?}");
        }
    } else {
        // Nobody but root can give a file away, and root's own are everyone's: there is none to refuse.
        world
            .send(&[
                "run",
                "m.csv",
                "--token-file",
                "/etc/hostname",
                "--max-items",
                "0",
            ])
            .await
            .ended(5);
    }
    assert_eq!(world.ledger().requests(), requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_control_character_of_a_manifest_reaches_the_terminal() {
    let world = World::with(faulty(&["not-found=100%"])).await;
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{202e}\u{7f}";
    let steers = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    let name = format!("m{evil}.csv");
    let header = format!("carried {evil}");
    let row = vec![id(0), format!("Text {evil}"), evil.to_owned()];
    world.write(&name, csv(&["media_id", "alt_text", &header], [row]));
    let bad = vec![format!("{evil}1"), evil.repeat(100), evil.to_owned()];
    world.write("bad.csv", csv(&["media_id", "alt_text", &header], [bad]));
    let mut said = Vec::new();
    for words in [
        vec!["check", &name, "bad.csv"],
        vec!["check", "bad.csv", "--json"],
        vec!["check", "bad.csv", "--lint", "error"],
        vec!["plan", &name, "--json"],
        vec!["plan", &name],
    ] {
        said.push(world.run(&words).await);
    }
    said.push(
        world
            .send(&[
                "run",
                &name,
                "--progress",
                "lines",
                "-vvv",
                "--max-failures",
                "100%",
                "--halt-after",
                "0",
            ])
            .await,
    );
    let id = id(0);
    for words in [
        vec!["status"],
        vec!["status", "--json"],
        vec!["show", &id],
        vec!["show", &id, "--json"],
    ] {
        said.push(
            world
                .run(&[&words[..], &["--journal", "journal.db"]].concat())
                .await,
        );
    }
    let mut terminals = Vec::new();
    for finished in said {
        terminals.push(finished.stdout);
        terminals.push(finished.stderr);
    }
    // A report on a terminal: `script` gives it one.
    let mut command = world.command(&[]);
    let altfill = env!("CARGO_BIN_EXE_altfill");
    *command.as_std_mut() = std::process::Command::new("script");
    command
        .args([
            "-qec",
            &format!("{altfill} report --journal journal.db --format csv"),
            "/dev/null",
        ])
        .current_dir(world.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let shown = finish(command).await;
    assert!(shown.stdout.contains("Text "), "{shown:?}");
    terminals.push(shown.stdout.replace("\r\n", "\n"));
    for text in terminals {
        assert!(!text.contains(steers), "{text:?}");
    }
    // What a program reads is what it was.
    let piped = world
        .run(&["report", "--journal", "journal.db", "--format", "csv"])
        .await
        .ended(0);
    assert!(piped.stdout.contains('\u{9b}'), "{piped:?}");
}
