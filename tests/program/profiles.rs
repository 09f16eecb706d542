//! Profiles: their tokens renewed by many at once and never lost, and the accounts that they are in a journal.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use altfill::sandbox::{Options, Pair};
use tokio::time::{sleep, timeout};

use crate::{
    going::Going,
    manifest::{id, texts, texts_by},
    world::{Finished, PATIENCE, World, faulty, finish, program, until},
};

/// What a person gives an app that altfill logs in with.
const SCOPES: &str = "media.write tweet.read users.read offline.access";
/// The app of all tests.
const APP: &str = "app-of-the-tests";

/// A sandbox whose tokens live so long.
fn short_lived(life: Duration) -> Options {
    Options {
        token_life: Some(life),
        user: Some(("77".to_owned(), "brand".to_owned())),
        ..faulty(&[])
    }
}

/// One profile as it stands in the store.
fn entry(name: &str, url: &str, pair: &Pair, user_id: Option<&str>, expires: &str) -> String {
    let user = user_id.map_or_else(String::new, |id| {
        format!("user_id = \"{id}\"\nhandle = \"brand\"\n")
    });
    let refresh = pair.refresh.as_deref().unwrap_or_default();
    format!(
        "[profiles.{name}]\napi_url = \"{url}\"\n{user}\n[profiles.{name}.credentials]\nkind = \"oauth2\"\n\
         client_id = \"{APP}\"\nscopes = [\"media.write\", \"offline.access\"]\nserial = 1\n\
         issued = \"2026-01-01T00:00:00Z\"\nexpires = \"{expires}\"\naccess_token = \"{}\"\nrefresh_token = \"{refresh}\"\n\n",
        pair.access
    )
}

/// Writes the store into a world's home.
fn write_store(world: &World, entries: &str) {
    let folder = world.path(".config/altfill");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("credentials.toml");
    std::fs::write(&path, entries).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn read_store(world: &World) -> String {
    std::fs::read_to_string(world.path(".config/altfill/credentials.toml")).unwrap()
}

/// A token that is over since long ago, or one that is good for long.
const OVER: &str = "2026-01-01T00:00:02Z";
const GOOD: &str = "2100-01-01T00:00:00Z";

/// A world with one profile, whose tokens live so long and are over now.
async fn with_profile(life: Duration) -> World {
    with_profile_at(short_lived(life)).await
}

/// The same at such a sandbox.
async fn with_profile_at(options: Options) -> World {
    let world = World::with(options).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    write_store(
        &world,
        &entry("brand", &world.url(), &pair, Some("77"), OVER),
    );
    world
}

/// `run` or `resume` as the store's only profile, without a token in the environment.
async fn send(world: &World, words: &[&str]) -> Finished {
    let mut command = world.sending(words);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    finish(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_runs_that_share_a_profile_spend_each_refresh_token_once() {
    let world = with_profile(Duration::from_secs(2)).await;
    for run in 0..3 {
        let rows = (0..1_000).map(|number| vec![id(run * 10_000 + number), "A text".to_owned()]);
        world.write(
            &format!("{run}.csv"),
            crate::manifest::csv(&["media_id", "alt_text"], rows),
        );
    }
    let run = async |run: u32| {
        let words = ["run", &format!("{run}.csv"), "--workers", "8", "--json"];
        let mut command = program(world.path("").as_path(), &words);
        command
            .env_remove("X_OAUTH2_ACCESS_TOKEN")
            .args(["--journal", &format!("{run}.db"), "--api-url", &world.url()])
            // For longer than tokens live.
            .args(["--rate", "150/1s", "--max-rps", "150"]);
        finish(command).await
    };
    let (first, second, third) = tokio::join!(run(0), run(1), run(2));
    for finished in [first, second, third] {
        let finished = finished.ended(0);
        assert_eq!(
            (finished.number("done"), finished.number("failed")),
            (1_000, 0)
        );
    }
    assert_eq!(world.ledger().distinct_accepted(), 3_000);
    let (renewals, reused) = world.sandbox.renewals();
    assert_eq!(reused, 0, "a refresh token was sent twice");
    assert!((3..=20).contains(&renewals), "{renewals}");
    assert_eq!(world.ledger().look_ups(), 0, "whose it is was known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_while_tokens_are_renewed_is_never_locked_out() {
    let mut options = short_lived(Duration::from_millis(1));
    options.token_delay = Duration::from_millis(20);
    let world = with_profile_at(options).await;
    world.write("m.csv", texts(1));
    let words = ["run", "m.csv", "--max-items", "1"];
    let kills: u64 = std::env::var("ALTFILL_KILLS").map_or(40, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        let mut command = world.sending(&words);
        command.env_remove("X_OAUTH2_ACCESS_TOKEN");
        let mut child = command.spawn().unwrap();
        // Every other time from the program's start on, else from the moment at which the refresh token is on its way to
        // be spent: up to when the next pair is on disk.
        if kill % 2 == 1 {
            until(|| read_store(&world).contains("in_doubt")).await;
        }
        sleep(Duration::from_micros(kill * 7_919 % 50_000)).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
    }
    // Whoever renewed a pair for one that was killed has written it down by now, or does so in a moment.
    let (renewals, reused) = world.sandbox.renewals();
    assert!(renewals > kills / 4, "{renewals} renewals in {kills} kills");
    assert_eq!(reused, 0, "a refresh token was sent twice");
    // The refresh token that is there is good still, and the tokens that it brings live from now on.
    world.sandbox.set_token_life(Duration::from_hours(1));
    let finished = send(&world, &["run", "m.csv"]).await.ended(0);
    assert_eq!(finished.number("done"), 1);
    assert_eq!(world.sandbox.renewals().1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_renewal_lost_is_told_and_cured_by_a_login() {
    let world = with_profile(Duration::from_hours(1)).await;
    world.write("m.csv", texts(2));
    // As it is found after the machine went down between X's answer and the disk.
    let store = read_store(&world).replace(
        "serial = 1",
        "serial = 1\nin_doubt = \"2026-01-01T00:00:01Z\"",
    );
    write_store(&world, &store.replace("sandbox-refresh-1", "spent"));
    let finished = send(&world, &["run", "m.csv"]).await.ended(7);
    assert_eq!(finished.number("pending"), 2);
    for said in [
        "was cut off before its answer was kept",
        "altfill auth login --profile brand",
    ] {
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
    assert_eq!(world.ledger().requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_waits_while_no_token_can_be_had_and_ends_with_69_after_max_outage() {
    let world = World::with(short_lived(Duration::from_hours(1))).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    // A token endpoint that is out: the address of nobody.
    let gone = "http://127.0.0.1:9";
    write_store(&world, &entry("brand", gone, &pair, Some("77"), OVER));
    world.write("m.csv", texts(2));
    let words = [
        "run",
        "m.csv",
        "--journal",
        "j.db",
        "--api-url",
        gone,
        "--max-outage",
        "1s",
        "--json",
    ];
    let mut command = world.command(&words);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let finished = finish(command).await.ended(69);
    assert_eq!(
        (finished.number("pending"), finished.number("failed")),
        (2, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_nobody_can_renew_ends_the_run_with_what_to_do() {
    let world = World::with(short_lived(Duration::from_hours(1))).await;
    let pair = world.sandbox.issue("another app", "media.write");
    let store = entry("brand", &world.url(), &pair, Some("77"), GOOD)
        .replace("refresh_token = \"\"\n", "")
        .replace(&pair.access, "over");
    write_store(&world, &store);
    world.write("m.csv", texts(3));
    let finished = send(&world, &["run", "m.csv"]).await.ended(7);
    assert_eq!(finished.number("pending"), 3);
    for said in ["offline.access", "altfill auth login --profile brand"] {
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_of_token_profile_or_name_makes_an_item_new() {
    let mut options = faulty(&[]);
    options.user = Some(("77".to_owned(), "brand".to_owned()));
    let mut world = World::with(options.clone()).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    world.write("m.csv", texts(5));
    // By a token of the environment: whose it is, is asked once, and charged for.
    let finished = world.send(&["run", "m.csv"]).await.ended(0);
    assert_eq!(finished.json()["cost_usd"], 0.035);
    assert_eq!(
        (world.ledger().look_ups(), world.ledger().requests()),
        (1, 5)
    );
    let first = finished.stderr.lines().next().unwrap().to_owned();
    assert!(
        first.contains("as @brand") && first.contains("X_OAUTH2_ACCESS_TOKEN"),
        "{first}"
    );
    assert!((world.journal().await.runs().await[0].cost_usd - 0.035).abs() < 1e-9);
    // By a profile of the same user, known or not, under one name and another.
    for (name, user_id) in [
        ("one", None),
        ("one", Some("77")),
        ("two", Some("77")),
        ("three", None),
    ] {
        write_store(&world, &entry(name, &world.url(), &pair, user_id, GOOD));
        let finished = send(&world, &["run", "m.csv", "--profile", name])
            .await
            .ended(0);
        assert_eq!(
            (finished.number("unchanged"), finished.number("requests")),
            (5, 0)
        );
    }
    assert_eq!(
        (world.ledger().look_ups(), world.ledger().requests()),
        (1, 5)
    );
    // And where nobody tells whose it is, with something to send.
    options.user = None;
    world.replace_sandbox(options).await;
    world.write("m.csv", texts(6));
    let finished = send(&world, &["run", "m.csv", "--profile", "three"])
        .await
        .ended(0);
    assert_eq!(
        (finished.number("requests"), finished.number("new")),
        (1, 1)
    );
    assert_eq!(world.ledger().requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_is_made_only_when_something_is_due_and_is_kept_with_the_profile() {
    let mut options = faulty(&[]);
    options.user = Some(("77".to_owned(), "brand".to_owned()));
    let world = World::with(options).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    write_store(&world, &entry("brand", &world.url(), &pair, None, GOOD));
    world.write("m.csv", texts(2));
    send(&world, &["run", "m.csv", "--max-items", "0"])
        .await
        .ended(5);
    assert_eq!(world.ledger().look_ups(), 0);
    send(&world, &["run", "m.csv"]).await.ended(0);
    assert_eq!(world.ledger().look_ups(), 1);
    assert!(read_store(&world).contains("user_id = \"77\""));
    world.write("m.csv", texts(3));
    send(&world, &["run", "m.csv"]).await.ended(0);
    assert_eq!(world.ledger().look_ups(), 1);
    // What --max-spend does not leave room for is not asked.
    world.write("m.csv", texts(4));
    let finished = world
        .send(&["run", "m.csv", "--max-spend", "0.012"])
        .await
        .ended(0);
    assert_eq!(
        (world.ledger().look_ups(), finished.number("requests")),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_users_token_sends_nothing_and_takes_nothing_in() {
    let mut options = faulty(&[]);
    options.user = Some(("77".to_owned(), "brand".to_owned()));
    let mut world = World::with(options.clone()).await;
    world.write("m.csv", texts(3));
    world.send(&["run", "m.csv"]).await.ended(0);
    options.user = Some(("88".to_owned(), "other".to_owned()));
    world.replace_sandbox(options).await;
    // Nothing is due: nobody asks.
    world.send(&["run", "m.csv"]).await.ended(0);
    world.write("m.csv", texts_by(4, |number| format!("Another {number}")));
    let finished = world.send(&["run", "m.csv"]).await.ended(7);
    assert!(
        finished.stderr.contains("@brand") && finished.stderr.contains("@other"),
        "{finished:?}"
    );
    assert_eq!(world.ledger().requests(), 0);
    let items = world.journal().await.items().await;
    assert_eq!(items.len(), 3, "the fourth was taken in");
    assert!(items.values().all(|item| item.state == "done"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_profile_of_another_user_is_an_account_of_its_own() {
    let world = World::with(faulty(&[])).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    let both = entry("one", &world.url(), &pair, Some("1"), GOOD)
        + &entry("two", &world.url(), &pair, Some("2"), GOOD).replace("brand", "other");
    write_store(&world, &both);
    world.write("m.csv", texts(3));
    let url = world.url();
    let plan = async |name: &str| {
        let words = ["plan", "m.csv", "--journal", "journal.db", "--json"];
        let words = [&words[..], &["--api-url", &url, "--profile", name]].concat();
        world.run(&words).await.ended(0).number("requests")
    };
    for (name, requests) in [("one", 3), ("two", 3), ("one", 0), ("two", 0)] {
        // A plan is of the images of whoever the run sends as, also of one whom the journal does not know yet.
        assert_eq!(plan(name).await, requests, "{name}");
        send(&world, &["run", "m.csv", "--profile", name])
            .await
            .ended(0);
    }
    assert_eq!(world.ledger().requests(), 6);
    // What only reads must know whose, too.
    let words = ["status", "--journal", "journal.db", "--json"];
    let finished = world.run(&words).await.ended(2);
    assert!(
        finished.stderr.contains("@brand") && finished.stderr.contains("@other"),
        "{finished:?}"
    );
    let words = [&words[..], &["--profile", "two"]].concat();
    assert_eq!(world.run(&words).await.ended(0).number("done"), 3);
    // Without a name it is not clear whose what is due would be.
    world.write("m.csv", texts(4));
    let finished = world.send(&["run", "m.csv"]).await.ended(7);
    assert!(finished.stderr.contains("--profile"), "{finished:?}");
    let words = ["plan", "m.csv", "--journal", "journal.db"];
    for more in [
        &["--api-url", &url][..],
        &["--api-url", &url, "--token-file", "t"],
    ] {
        let planned = world.run(&[&words[..], more].concat()).await.ended(2);
        assert!(planned.stderr.contains("--profile"), "{planned:?}");
    }
    // Another user under a known name is a mistake.
    let swapped = both.replace("user_id = \"1\"", "user_id = \"3\"");
    write_store(&world, &swapped);
    let finished = send(&world, &["run", "m.csv", "--profile", "one"])
        .await
        .ended(7);
    assert!(
        finished.stderr.contains("the profile one was"),
        "{finished:?}"
    );
    assert_eq!(world.ledger().requests(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_goes_to_the_host_of_its_login_alone_and_only_its_owner_may_read_it() {
    let world = World::with(faulty(&[])).await;
    let pair = world.sandbox.issue(APP, SCOPES);
    write_store(
        &world,
        &entry("brand", "https://api.x.com", &pair, Some("1"), GOOD),
    );
    world.write("m.csv", texts(1));
    let finished = send(&world, &["run", "m.csv"]).await.ended(7);
    assert!(
        finished.stderr.contains("https://api.x.com"),
        "{finished:?}"
    );
    write_store(
        &world,
        &entry("brand", &world.url(), &pair, Some("1"), GOOD),
    );
    let store = world.path(".config/altfill/credentials.toml");
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o644)).unwrap();
    let finished = send(&world, &["run", "m.csv"]).await.ended(7);
    assert!(finished.stderr.contains("chmod 600"), "{finished:?}");
    assert_eq!(
        (world.ledger().requests(), world.ledger().look_ups()),
        (0, 0)
    );
    // Nothing due asks for no store.
    world.write("m.csv", "media_id,alt_text\n");
    send(&world, &["run", "m.csv"]).await.ended(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_program_while_tokens_are_renewed() {
    let mut options = short_lived(Duration::from_hours(1));
    options.token_delay = Duration::from_secs(30);
    let world = with_profile_at(options).await;
    world.write("m.csv", texts(1));
    let mut command = world.sending(&["run", "m.csv", "--progress", "json"]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let going = Going::start(command);
    wait_for_lock(&world.path(".config/altfill/brand.lock")).await;
    going.signal("INT").await;
    sleep(Duration::from_millis(100)).await;
    going.signal("INT").await;
    let finished = timeout(Duration::from_secs(10), going.end()).await.unwrap();
    assert_eq!(finished.code, 130);
}

async fn wait_for_lock(path: &Path) {
    let waiting = async {
        while !path.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
}
