//! Words that can't be meant.

use crate::{manifest::texts, refusals::refused, world::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_cannot_be_meant_end_as_2() {
    let world = World::new().await;
    world.write("m.csv", texts(2));
    let url = world.url();
    let run = ["run", "m.csv", "--json", "--journal", "journal.db"];
    for (case, words, word) in [
        ("unknown flag", vec!["--colour"], "--colour"),
        (
            "sandbox and address",
            vec!["--sandbox", "--api-url", &url],
            "--api-url",
        ),
        ("plain http", vec!["--api-url", "http://api.x.com"], "https"),
        ("no address", vec!["--api-url", "x.com"], "https://"),
        (
            "secret in it",
            vec!["--api-url", "https://a:b@x.com"],
            "password",
        ),
        ("rate", vec!["--rate", "fast"], "500/15m"),
        ("no rate", vec!["--rate", "0/15m"], "0/15m"),
        (
            "both rates",
            vec!["--rate", "unlimited", "--rate", "5/1s"],
            "unlimited",
        ),
        ("no workers", vec!["--workers", "0"], "--workers"),
        ("duration", vec!["--timeout", "30"], "--timeout"),
        ("no time", vec!["--timeout", "0s"], "--timeout"),
        ("spend", vec!["--max-spend", "lots"], "--max-spend"),
        ("failures", vec!["--max-failures", "half"], "--max-failures"),
        (
            "two tokens",
            vec!["--token-file", "t", "--token-command", "c"],
            "--token-command",
        ),
        ("quotes", vec!["--token-command", "'"], "--token-command"),
    ] {
        let finished = world.run(&[&run[..], &words].concat()).await;
        refused(&finished, 2, word, case);
        assert_eq!(world.bytes("journal.db"), None, "{case}");
    }
    assert_eq!(world.run(&[]).await.code, 2);
    assert_eq!(world.run(&["run"]).await.code, 2);
    assert_eq!(world.run(&["fly"]).await.code, 2);
}
