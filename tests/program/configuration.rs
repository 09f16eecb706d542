//! Options that stand in a file: which file counts, what beats what, and what a stranger's file may not do.

use crate::{
    manifest::texts,
    refusals::refused,
    world::{World, finish},
};

const OWN: &str = ".config/altfill/altfill.toml";

/// A world with the user's own file.
async fn with_own(text: &str) -> World {
    let world = World::new().await;
    std::fs::create_dir_all(world.path(".config/altfill")).unwrap();
    world.write(OWN, text);
    world.write("m.csv", texts(6));
    world
}

/// An option as `altfill config` shows it.
async fn option(world: &World, words: &[&str], name: &str) -> serde_json::Value {
    let shown = world
        .run(&[&["config", "--json"], words].concat())
        .await
        .ended(0);
    shown.json()["options"][name].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_beats_the_environment_beats_the_projects_file_beats_the_users_own() {
    let world = with_own("workers = 1\nmax-attempts = 1\nprice = 0.1\nmax-rps = 1\n").await;
    world.write(
        "altfill.toml",
        "workers = 2\nmax-attempts = 2\nprice = 0.2\n",
    );
    let mut command = world.command(&["config", "--json", "--workers", "4", "m.csv"]);
    command
        .env("ALTFILL_WORKERS", "3")
        .env("ALTFILL_MAX_ATTEMPTS", "3");
    let options = finish(command).await.ended(0).json()["options"].clone();
    for (name, value, source) in [
        ("workers", "4", "flag"),
        ("max-attempts", "3", "environment"),
        ("price", "0.2", "file"),
        ("max-rps", "1", "file"),
    ] {
        assert_eq!(options[name]["value"], value, "{name}: {options}");
        assert_eq!(options[name]["source"], source, "{name}: {options}");
    }
    assert_eq!(options["price"]["file"], "altfill.toml");
    assert_eq!(options["price"]["line"], 3);
    assert!(options["max-rps"]["file"].as_str().unwrap().ends_with(OWN));
    assert_eq!(options["timeout"]["source"], "default");
    assert_eq!(options["timeout"]["default"], "30s");
    let text = world.run(&["config"]).await.ended(0).stdout;
    assert!(text.contains("altfill.toml, line 1"), "{text}");
    assert!(text.contains("50%"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_does_what_its_files_say() {
    let world = with_own("max-items = 4\njson = true\nprice = 1\n").await;
    world.write(
        "altfill.toml",
        "journal = \"kept/j.db\"\nrate = [\"unlimited\"]\nok = [5]\nmap = { alt_text = \"Words, of mine\" }\n",
    );
    std::fs::create_dir(world.path("kept")).unwrap();
    world.write(
        "n.csv",
        "media_id,\"Words, of mine\"\n1146654567674912769,A fox\n1146654567674912770,A hare\n",
    );
    let mut command = world.command(&["run", "m.csv"]);
    command.env("ALTFILL_API_URL", world.url());
    let ran = finish(command).await.ended(0);
    assert_eq!((ran.number("exit_code"), ran.number("requests")), (5, 4));
    assert_eq!(ran.json()["cost_usd"], 4.0);
    assert!(world.bytes("kept/j.db").is_some());
    // A mapped column is read, commas and all, and other commands find the same journal.
    let mut command = world.command(&["run", "n.csv"]);
    command.env("ALTFILL_API_URL", world.url());
    assert_eq!(finish(command).await.ended(0).number("done"), 2);
    let status = world.run(&["status", "--json"]).await.ended(0);
    assert_eq!((status.number("done"), status.number("pending")), (6, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_beside_the_manifest_counts_and_its_paths_are_meant_from_there() {
    let world = World::new().await;
    std::fs::create_dir(world.path("archive")).unwrap();
    world.write("archive/m.csv", texts(2));
    world.write(
        "archive/altfill.toml",
        "journal = \"j.db\"\nprice = 2\nworkers = 2\n",
    );
    world.write("altfill.toml", "workers = 3\n");
    let url = world.url();
    let ran = world
        .run(&["run", "archive/m.csv", "--json", "--api-url", &url])
        .await
        .ended(0);
    assert_eq!(ran.json()["cost_usd"], 4.0);
    assert!(world.bytes("archive/j.db").is_some());
    assert_eq!(
        option(&world, &["archive/m.csv"], "workers").await["value"],
        "3"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projects_file_runs_nothing_reaches_nobody_and_is_nobody() {
    let world = World::new().await;
    std::fs::create_dir(world.path("inbox")).unwrap();
    world.write("m.csv", texts(2));
    world.write("inbox/m.csv", texts(2));
    for (key, value) in [
        ("token-command", "touch ran"),
        ("token-file", "token"),
        ("api-url", "https://evil.example"),
        ("errors", "written"),
    ] {
        for (place, manifest) in [
            ("altfill.toml", "m.csv"),
            ("inbox/altfill.toml", "inbox/m.csv"),
        ] {
            let _ = std::fs::remove_file(world.path("altfill.toml"));
            let _ = std::fs::remove_file(world.path("inbox/altfill.toml"));
            world.write(place, format!("workers = 2\n{key} = \"{value}\"\n"));
            let finished = world
                .run(&["run", manifest, "--json", "--journal", "journal.db"])
                .await;
            refused(&finished, 2, "line 2", key);
            assert!(finished.stderr.contains(place), "{finished:?}");
            assert!(
                finished.stderr.contains("your own configuration file"),
                "{finished:?}"
            );
        }
    }
    for absent in ["ran", "written", "journal.db"] {
        assert!(world.bytes(absent).is_none(), "{absent}");
    }
    assert_eq!(world.ledger().requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_own_file_may_name_the_address_and_the_token_and_the_environment_beats_it() {
    let world = with_own("token-file = \"token\"\n").await;
    world.write(".config/altfill/token", "from-the-file");
    // The environment's token beats the file's source.
    world
        .send(&["run", "m.csv", "--max-items", "1"])
        .await
        .ended(5);
    let mut command = world.sending(&["run", "m.csv"]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let ran = finish(command).await.ended(0);
    assert!(ran.stderr.contains("altfill/token"), "{ran:?}");
    // What is typed beats what is configured, also where they are different sources.
    world.write("m.csv", texts(7));
    let mut command = world.sending(&["run", "m.csv", "--token-command", "printf typed"]);
    command.env_remove("X_OAUTH2_ACCESS_TOKEN");
    let ran = finish(command).await.ended(0);
    assert!(ran.stderr.contains("token command printf"), "{ran:?}");
    assert!(!ran.stderr.contains("typed"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_a_file_ends_as_2_with_its_place_and_the_near_option() {
    let world = with_own("").await;
    let url = world.url();
    let run = [
        "run",
        "m.csv",
        "--json",
        "--journal",
        "journal.db",
        "--api-url",
        &url,
    ];
    for (text, line, word) in [
        ("worker = 4", "line 1", "did you mean workers?"),
        ("\nmax_spend = 4", "line 2", "did you mean max-spend?"),
        ("workers = \"many\"", "line 1", "workers"),
        ("quiet = 3", "line 1", "true or false"),
        ("workers = [", "line 1", "no TOML"),
    ] {
        world.write("altfill.toml", text);
        for words in [&run[..], &["check", "m.csv"], &["status"]] {
            let finished = world.run(words).await.ended(2);
            assert!(
                finished.stderr.contains(&format!("altfill.toml, {line}: ")),
                "{finished:?}"
            );
            assert!(finished.stderr.contains(word), "{finished:?}");
        }
        refused(&world.run(&run).await, 2, word, text);
        // What needs no option reads no file.
        world.run(&["template"]).await.ended(0);
        world.run(&["run", "--help"]).await.ended(0);
        // And a file can be passed over.
        world.run(&["check", "m.csv", "--no-config"]).await.ended(0);
    }
    world.write("altfill.toml", b"workers = 1\n# \xff\n");
    assert!(
        world
            .run(&["check", "m.csv"])
            .await
            .ended(2)
            .stderr
            .contains("line 2")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_file_counts_alone_and_as_the_users_own() {
    let world = with_own("workers = 1\n").await;
    world.write("altfill.toml", "max-attempts = 1\n");
    world.write(
        "night.toml",
        "price = 0.1\napi-url = \"https://api.example\"\n",
    );
    let named = ["--config", "night.toml"];
    assert_eq!(option(&world, &named, "price").await["file"], "night.toml");
    assert_eq!(
        option(&world, &named, "api-url").await["value"],
        "https://api.example"
    );
    for other in ["workers", "max-attempts"] {
        assert_eq!(option(&world, &named, other).await["source"], "default");
    }
    assert_eq!(
        option(&world, &["--no-config"], "workers").await["source"],
        "default"
    );
    let missing = world
        .run(&["config", "--config", "gone.toml"])
        .await
        .ended(2);
    assert!(missing.stderr.contains("gone.toml"), "{missing:?}");
    let both = world
        .run(&["config", "--config", "night.toml", "--no-config"])
        .await
        .ended(2);
    assert!(both.stderr.contains("use one of them"), "{both:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_shows_no_secret() {
    let world = with_own("token-command = \"vault read hunter2\"\n").await;
    for words in [&["config"][..], &["config", "--json"]] {
        let shown = world.run(words).await.ended(0);
        assert!(shown.stdout.contains("vault …"), "{shown:?}");
        assert!(!shown.stdout.contains("hunter2"), "{shown:?}");
        assert!(!shown.stdout.contains(crate::world::TOKEN), "{shown:?}");
    }
}
