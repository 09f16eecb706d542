//! altfill: backfills alt text and other metadata of images and videos on X.

pub mod rate;
pub mod time;
