//! altfill: backfills alt text and other metadata of images and videos on X.

pub mod item;
pub mod manifest;
pub mod metadata;
pub mod rate;
pub mod row;
pub mod time;
