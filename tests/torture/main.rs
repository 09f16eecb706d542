//! Torture: everything under the program is broken, many times, and the account is kept by somebody else.
//!
//! The program is killed, its disk fails and fills, its journal is damaged and taken away, its network lies, its clock
//! jumps, and others run beside it. After every case the journal, the report and what was said are held against the
//! server's own ledger. Each of the seven promises has a test of its name in `promises`.
//!
//! The short form is part of `cargo test`; the long one is `ALTFILL_TORTURE=long cargo test --test torture -- --nocapture`.

mod account;
mod clock;
mod crowd;
mod damage;
mod disk;
mod failpoints;
mod files;
mod form;
mod http2;
mod kills;
mod manifests;
mod network;
mod older;
mod power;
mod promises;
mod server;
mod shim;
mod supply;
mod tls;

// What the tests of the program stand in, they stand in too.
#[path = "../program/going.rs"]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod going;
#[path = "../program/journal.rs"]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod journal;
#[path = "../program/manifest.rs"]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod manifest;
#[path = "../program/world.rs"]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod world;
