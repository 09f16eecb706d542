//! The built program from the outside: what it sends, what it writes down, what it says and how it ends.
//!
//! Each test has a folder of its own and a simulated API in its own process, whose ledger is the other half of the
//! truth. The program is started as a child with a clean environment, and the journal is read through its public views
//! alone. Nothing here sleeps to be in time: what is waited for is a count in the ledger or a line of the program's.

mod access;
mod bounds;
mod columns;
mod configuration;
mod crash;
mod faults;
mod going;
mod journal;
mod journals;
mod limits;
mod lint;
mod login;
mod main_path;
mod manifest;
mod monitoring;
mod outage;
mod packages;
mod plan;
mod profiles;
mod refusals;
mod reports;
mod rows;
mod samples;
mod schedule;
mod signals;
mod stops;
mod unreadable;
mod upkeep;
mod watching;
mod words;
mod world;
