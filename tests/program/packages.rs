//! What packagers take out of the program: completions, manual pages.

use std::collections::BTreeSet;

use altfill::cli::Cli;
use clap::CommandFactory;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shell_gets_completions_that_know_the_commands() {
    let world = World::new().await;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.run(&["completions", shell]).await.ended(0);
        for word in ["resume", "max-spend", "schedule"] {
            assert!(script.stdout.contains(word), "{shell} knows no {word}");
        }
        assert_eq!(script.stderr, "");
    }
    world.run(&["completions", "cmd"]).await.ended(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_has_a_manual_page() {
    let world = World::new().await;
    world.run(&["man", "--output", "."]).await.ended(0);
    let pages: BTreeSet<_> = world.files().into_iter().collect();
    let commands = Cli::command();
    for command in commands.get_subcommands() {
        let name = command.get_name();
        assert!(
            pages.contains(&format!("altfill-{name}.1")),
            "{name}: {pages:?}"
        );
        let page = world.run(&["man", name]).await.ended(0).stdout;
        assert!(page.contains(".TH"), "{page}");
    }
    let page = world.run(&["man"]).await.ended(0).stdout;
    assert!(page.contains("75 another run has the journal"), "{page}");
    world.run(&["man", "fly"]).await.ended(2);
    world
        .run(&["man", "--output", "gone/folder"])
        .await
        .ended(2);
}
