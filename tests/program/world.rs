//! What a test stands in: a folder, a simulated API, and the program as a child process.
//!
//! Owns how the program is started and what is known of it when it has ended. Asserts nothing of its own but that it
//! ends at all.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use altfill::sandbox::{Fault, Ledger, Options, Rates, Sandbox};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::{going::Going, journal::Views};

/// The token that every command has in its environment unless a test takes it away.
pub const TOKEN: &str = "token-of-the-tests";
/// What no child and no wait takes, unless something hangs.
pub const PATIENCE: Duration = Duration::from_secs(50);

/// A folder and the API whose items its journal holds.
pub struct World {
    folder: TempDir,
    pub sandbox: Sandbox,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; 128 and more where the system ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON object ({error}): {self:?}"))
    }

    /// One of its numbers.
    #[track_caller]
    pub fn number(&self, key: &str) -> u64 {
        let object = self.json();
        object[key]
            .as_u64()
            .unwrap_or_else(|| panic!("no number {key}: {object}"))
    }

    /// The same, if it ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;

        let status = output.status;
        Self {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A sandbox without limits, in which these faults happen. It tells nobody whose a token is, and charges nothing for it.
pub fn faulty(faults: &[&str]) -> Options {
    Options {
        rates: Rates::Unlimited,
        faults: faults
            .iter()
            .map(|fault| fault.parse::<Fault>().unwrap())
            .collect(),
        seed: 7,
        user: None,
        ..Options::default()
    }
}

impl World {
    /// A world whose API has no limits and no faults.
    pub async fn new() -> Self {
        Self::with(faulty(&[])).await
    }

    pub async fn with(options: Options) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            sandbox: start_on_a_lasting_port(options).await,
        }
    }

    /// Ends the API and starts another one, with an empty ledger, at the same address.
    pub async fn replace_sandbox(&mut self, options: Options) {
        let port = self.url().rsplit(':').next().unwrap().parse().unwrap();
        let interim = Sandbox::start(Options::default()).await.unwrap();
        std::mem::replace(&mut self.sandbox, interim).stop().await;
        // A server that had to be cut off lets go of its port in its own time.
        let starting = async {
            loop {
                let options = Options {
                    port,
                    ..options.clone()
                };
                match Sandbox::start(options).await {
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        sleep(Duration::from_millis(10)).await;
                    }
                    started => return started.unwrap(),
                }
            }
        };
        self.sandbox = timeout(PATIENCE, starting).await.expect("its port is free");
    }

    pub fn url(&self) -> String {
        self.sandbox.url()
    }

    pub fn ledger(&self) -> &Ledger {
        self.sandbox.ledger()
    }

    /// A place in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The bytes of a file, or nothing where there is none.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.path(name)).ok()
    }

    /// The names of all that lies in its folder, in order.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The journal that [`send`](Self::send) uses, as other programs read it.
    pub async fn journal(&self) -> Views {
        Views::open(&self.path("journal.db")).await
    }

    /// The program with these words, in the folder, with a clean environment and the token in it.
    pub fn command(&self, words: &[&str]) -> Command {
        program(self.folder.path(), words)
    }

    /// Runs the program to its end.
    pub async fn run(&self, words: &[&str]) -> Finished {
        finish(self.command(words)).await
    }

    /// `run` or `resume` with this world's journal and address, without a pace of its own and with JSON at the end.
    pub async fn send(&self, words: &[&str]) -> Finished {
        finish(self.sending(words)).await
    }

    /// The command of [`send`](Self::send).
    pub fn sending(&self, words: &[&str]) -> Command {
        let mut command = self.command(words);
        command.args([
            "--journal",
            "journal.db",
            "--api-url",
            &self.url(),
            "--json",
        ]);
        if !words.contains(&"--rate") {
            command.args(["--rate", "unlimited"]);
        }
        command
    }

    /// Starts it and lets it go on; it tells its events as JSON lines.
    pub fn start(&self, words: &[&str]) -> Going {
        let mut command = self.sending(words);
        command.args(["--progress", "json"]);
        Going::start(command)
    }

    /// Waits until so many requests have reached the API.
    pub async fn reached(&self, requests: u64) {
        until(|| self.ledger().requests() >= requests).await;
    }
}

/// Starts a sandbox on a port that the system gives to nobody of its own accord: it can be left and had again, however
/// many connections other tests make meanwhile.
async fn start_on_a_lasting_port(options: Options) -> Sandbox {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        let start = u16::try_from(std::process::id() % 100).unwrap() * 200;
        let port = 12_000 + (start + offset) % 20_000;
        let options = Options {
            port,
            ..options.clone()
        };
        match Sandbox::start(options).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            started => return started.unwrap(),
        }
    }
}

/// The program with a clean environment in a folder.
pub fn program(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_altfill"));
    command
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("X_OAUTH2_ACCESS_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn finish(mut command: Command) -> Finished {
    let output = timeout(PATIENCE, command.output()).await;
    output.expect("it hangs").unwrap().into()
}

/// Waits for something that other threads and processes bring about.
pub async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it never comes");
}
