//! A command that goes on: what it says, how it is stopped, how it ends.

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::world::{Finished, PATIENCE};

/// A command that goes on.
pub struct Going {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Going {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it goes on")
    }

    /// Sends it a signal by name, as `kill` knows it.
    pub async fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status();
        assert!(kill.await.unwrap().success());
    }

    /// Ends it as a crash would, without a chance to do anything about it.
    pub fn kill(&mut self) {
        self.child.start_kill().unwrap();
    }

    /// Waits until it says a line with this word on standard error.
    pub async fn says(&mut self, word: &str) {
        let saying = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &line;
                self.said.push('\n');
                if line.contains(word) {
                    return;
                }
            }
            panic!("it never said {word}: {}", self.said);
        };
        timeout(PATIENCE, saying).await.expect("it says nothing");
    }

    /// The line that it said last.
    pub fn last_line(&self) -> String {
        self.said.lines().last().unwrap_or_default().to_owned()
    }

    /// Types a line to it, and no more.
    pub async fn types(&mut self, line: &str) {
        use tokio::io::AsyncWriteExt;
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
        stdin.write_all(b"\n").await.unwrap();
    }

    /// Waits until it has ended.
    pub async fn end(mut self) -> Finished {
        let ending = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &line;
                self.said.push('\n');
            }
            self.child.wait_with_output().await.unwrap()
        };
        let output = timeout(PATIENCE, ending).await.expect("it hangs");
        Finished {
            stderr: self.said,
            ..output.into()
        }
    }
}
