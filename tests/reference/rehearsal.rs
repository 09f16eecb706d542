//! A run in the sandbox, done with the built program, for pages that tell what a run leaves behind.

use std::{fs, process::Command};

use tempfile::TempDir;

/// The folder in which a run was rehearsed.
pub struct Rehearsal {
    /// It holds `altfill.sandbox.db`.
    pub folder: TempDir,
    /// What stood on standard output.
    pub output: String,
}

impl Rehearsal {
    /// Some images are accepted, and some X does not know.
    pub fn run(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = "media_id,alt_text\n".to_owned();
        for number in 0..60 {
            let row = format!("1147723568417{number:06},Fox {number} in the snow behind a hedge\n");
            manifest.push_str(&row);
        }
        fs::write(folder.path().join("m.csv"), manifest).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_altfill"))
            .args(["run", "m.csv", "--sandbox", "--fault", "not-found=50%"])
            .args(options)
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(4),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            output: String::from_utf8(output.stdout).unwrap(),
            folder,
        }
    }
}
