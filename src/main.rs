//! The altfill command: see the library for all it does.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    altfill::main(std::env::args_os()).await.into()
}
