//! The altfill command: see the library for all it does.

use std::process::ExitCode;

/// Rows are made on one thread and freed on another: glibc's allocator takes twice the time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    altfill::main(std::env::args_os()).await.into()
}
