//! altfill: backfills alt text and other metadata of images and videos on X.

pub mod item;
pub mod metadata;
pub mod rate;
pub mod row;
pub mod sandbox;
pub mod time;
