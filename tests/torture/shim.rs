//! A failing disk and a jumping clock for one child: the shim, compiled once for all tests.
//!
//! Owns its build and the words by which a child is told of it. What it does stands in `shim.c`.

use std::{
    path::{Path, PathBuf},
    process::Command as Compiler,
    sync::OnceLock,
};

use tokio::process::Command;

/// The compiled shim.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torture/shim.c");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join(format!("shim-{}.so", std::process::id()));
        let compiled = Compiler::new("cc")
            .args([
                "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
            ])
            .arg(&library)
            .args([source, "-lpthread"])
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{compiled:?}");
        library
    })
}

/// Puts the shim between a command and the system.
pub fn preload(command: &mut Command) {
    command.env("LD_PRELOAD", library());
}

/// What befalls which call.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The calls that count: see `shim.c`.
    pub calls: &'static str,
    /// Which of them it befalls, from 1.
    pub at: usize,
    /// What happens.
    pub what: &'static str,
    /// Whether it happens from then on.
    pub lasts: bool,
}

impl Fault {
    /// Lets it befall a command, on files whose name holds `files`.
    pub fn befall(&self, command: &mut Command, files: &str) {
        preload(command);
        command
            .env("SHIM_MATCH", files)
            .env("SHIM_OPS", self.calls)
            .env("SHIM_AT", self.at.to_string())
            .env("SHIM_DO", self.what);
        if self.lasts {
            command.env("SHIM_LASTING", "1");
        }
    }
}

/// Has the calls of a command counted into a file.
pub fn count(command: &mut Command, files: &str, calls: &str, into: &Path) {
    preload(command);
    command
        .env("SHIM_MATCH", files)
        .env("SHIM_OPS", calls)
        .env("SHIM_COUNT", into);
}
