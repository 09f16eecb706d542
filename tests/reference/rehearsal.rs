//! A run in the sandbox, done with the built program, for pages that tell what a run leaves behind.

use std::{
    fmt::Write,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;

/// How many images it sends.
const IMAGES: usize = 60;

/// What is left of a run.
pub struct Rehearsal {
    folder: TempDir,
    /// What it said.
    pub output: Output,
}

impl Rehearsal {
    /// Some images are accepted, and some X does not know.
    pub fn run(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = "media_id,alt_text\n".to_owned();
        for number in 0..IMAGES {
            let id = Self::media_id(number);
            writeln!(manifest, "{id},Fox {number} in the snow behind a hedge").unwrap();
        }
        fs::write(folder.path().join("m.csv"), manifest).unwrap();
        let words = ["run", "m.csv", "--sandbox", "--fault", "not-found=50%"];
        let output = altfill(&folder, &[&words[..], options].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        Self { folder, output }
    }

    /// The media id of one of its images.
    pub fn media_id(number: usize) -> String {
        format!("1147723568417{number:06}")
    }

    /// The journal that it left.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("altfill.sandbox.db")
    }

    /// Another command there, which succeeds.
    pub fn altfill(&self, words: &[&str]) -> Output {
        let output = altfill(&self.folder, words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        output
    }
}

/// The built program, without anything that the environment could set.
fn altfill(folder: &TempDir, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_altfill"))
        .args(words)
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .unwrap()
}
