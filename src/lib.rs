//! altfill: backfills alt text and other metadata of images and videos on X.

pub mod answer;
pub mod api;
pub mod item;
pub mod journal;
pub mod limiter;
pub mod metadata;
pub mod outcome;
pub mod problem;
pub mod rate;
pub mod retry;
pub mod row;
pub mod runner;
pub mod sandbox;
pub mod time;
