//! The altfill command: see the library for all it does.

use std::process::ExitCode;

/// Rows are made on one thread and freed on another: glibc's allocator takes twice the time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// One thread for all that waits: the journal and the reading of manifests have threads of their own, and answers that are
// handed from thread to thread cost more than they take.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    altfill::main(std::env::args_os()).await.into()
}
