//! A network that lies: whatever comes back, each item ends as the server's book has it, sent exactly as often as the
//! journal says, with the token shown to nobody and no answer taken beyond its bound.

use std::sync::atomic::Ordering;

use tokio::process::Command;

use crate::{
    account::{Account, Server, Standing, agrees},
    form::{Dice, cases, tell},
    http2::Hostile2,
    manifest::{ids, texts},
    server::{Book, FAULTS, Hostile},
    tls::Authority,
    world::{Finished, finish, program},
};

const ITEMS: usize = 60;
/// More than an answer may have, with what lies in buffers on its way.
const MOST_TAKEN: usize = 24 << 20;

/// A folder with a manifest and the authority's certificate, and the command that sends it.
fn sending(folder: &std::path::Path, authority: &Authority, url: &str) -> Command {
    std::fs::write(folder.join("m.csv"), texts(ITEMS)).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let mut command = program(
        folder,
        &[
            "run",
            "m.csv",
            "--journal",
            "journal.db",
            "--json",
            "--progress",
            "json",
        ],
    );
    command.args([
        "--api-url",
        url,
        "--ca-file",
        "ca.pem",
        "--rate",
        "unlimited",
        "--timeout",
        "700ms",
    ]);
    command.args([
        "--max-failures",
        "100%",
        "--halt-after",
        "0",
        "--max-attempts",
        "9",
        "-vvv",
    ]);
    command
}

async fn holds(folder: &std::path::Path, book: &Book, finished: &Finished, case: &str) -> Standing {
    assert!(matches!(finished.code, 0 | 4), "{case}: {finished:?}");
    let account = Account {
        folder: folder.to_owned(),
        journal: "journal.db".to_owned(),
        server: book,
    };
    let standing = account.audit(&finished.stderr, case).await;
    agrees(finished, &standing, case);
    assert_eq!(
        standing.count("done") + standing.count("failed"),
        ITEMS,
        "{case}: {standing:?}"
    );
    // What failed was refused for good; a passing fault fails nothing here.
    for id in ids(ITEMS) {
        if book.accepted(&id).is_empty() {
            assert!(standing.of("failed").contains(&id), "{case}: {id}");
        }
    }
    assert_eq!(
        book.strays.load(Ordering::Relaxed),
        0,
        "{case}: a redirect was followed"
    );
    assert_eq!(
        book.tokenless.load(Ordering::Relaxed),
        0,
        "{case}: a request without the token"
    );
    assert!(
        book.taken.load(Ordering::Relaxed) <= MOST_TAKEN,
        "{case}: {:?} bytes were taken",
        book.taken
    );
    let said = [&finished.stdout, &finished.stderr]
        .map(String::as_str)
        .concat();
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(
        !said.contains(steers) && !said.contains('\u{202e}'),
        "{case}: a control character was said"
    );
    standing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_over_tls_each_item_ends_as_the_server_knows_it() {
    let (authority, dice) = (Authority::new(), Dice::new("network"));
    let (mut faults, mut kinds, mut runs, mut most) = (0, 0, 0, 0);
    while faults < cases(50, 800) {
        let folder = tempfile::tempdir().unwrap();
        let server = Hostile::start(&authority, 7, dice.another(runs)).await;
        let finished = finish(sending(folder.path(), &authority, &server.url())).await;
        holds(
            folder.path(),
            &server.book,
            &finished,
            &format!("run {runs}"),
        )
        .await;
        let (befallen, of_kinds) = server.book.faults();
        assert!(befallen > 10, "run {runs}: {befallen} faults");
        (faults, kinds, runs) = (faults + befallen, kinds.max(of_kinds), runs + 1);
        most = most.max(server.book.taken.load(Ordering::Relaxed));
    }
    tell(&format!(
        "network: {faults} faults over HTTP/1.1 and TLS in {runs} runs, {kinds} of {} kinds in one of them; at most {} KB taken of an \
         answer of 100 MB; 0 lost, 0 false done",
        FAULTS.len() + 6,
        most >> 10
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_over_http_2_each_item_ends_as_the_server_knows_it() {
    let (authority, dice) = (Authority::new(), Dice::new("http2"));
    let (mut faults, mut runs) = (0, 0);
    while faults < cases(20, 300) {
        let folder = tempfile::tempdir().unwrap();
        let server = Hostile2::start(&authority, 6, dice.another(runs)).await;
        let finished = finish(sending(folder.path(), &authority, &server.url())).await;
        holds(
            folder.path(),
            &server.book,
            &finished,
            &format!("run {runs}"),
        )
        .await;
        let (befallen, _) = server.book.faults();
        assert!(befallen > 5, "run {runs}: {befallen} faults");
        (faults, runs) = (faults + befallen, runs + 1);
    }
    tell(&format!(
        "network: {faults} faults over HTTP/2 in {runs} runs, GOAWAY among them; 0 lost, 0 false done"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_trusted_for_its_authority_and_its_host_alone() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let server = Hostile::start(&authority, 0, Dice::new("trust")).await;
    // Without the option the authority is a stranger.
    drop(sending(folder.path(), &authority, &server.url()));
    let without = |extra: &[&str]| {
        let mut command = program(
            folder.path(),
            &[
                "run",
                "m.csv",
                "--journal",
                "journal.db",
                "--json",
                "--rate",
                "unlimited",
            ],
        );
        command
            .args(["--api-url", &server.url()])
            .args(["--max-outage", "1s"])
            .args(extra);
        command
    };
    let refused = finish(without(&[])).await.ended(69);
    assert_eq!(refused.number("pending"), ITEMS as u64);
    assert!(
        refused.stderr.to_lowercase().contains("certificate"),
        "{refused:?}"
    );
    for (name, text) in [
        ("none.pem", ""),
        ("noise.pem", "what is this"),
        ("missing.pem", ""),
    ] {
        if name != "missing.pem" {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let refused = finish(without(&["--ca-file", name])).await.ended(2);
        assert!(refused.stderr.contains(name), "{refused:?}");
    }
    assert_eq!(server.book.seen(&ids(1)[0]), 0);
    finish(without(&["--ca-file", "ca.pem"])).await.ended(0);
    // By the environment too, and each of the other ways to be wrong.
    let mut command = without(&[]);
    command.env("ALTFILL_CA_FILE", "ca.pem");
    finish(command).await.ended(0);
    assert_eq!(server.book.seen(&ids(1)[0]), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reached_fails_no_item() {
    let authority = Authority::new();
    // A port at which nobody listens, and a name that never is one (RFC 6761).
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for url in [
        format!("https://localhost:{port}"),
        "https://nowhere.invalid".to_owned(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = sending(folder.path(), &authority, &url);
        command.args(["--max-outage", "1s"]);
        let finished = finish(command).await.ended(69);
        assert_eq!(
            finished.number("pending"),
            ITEMS as u64,
            "{url}: {finished:?}"
        );
        let account = Account {
            folder: folder.path().to_owned(),
            journal: "journal.db".to_owned(),
            server: &Book::default(),
        };
        assert_eq!(
            account.audit(&finished.stderr, &url).await.count("failed"),
            0
        );
    }
}
