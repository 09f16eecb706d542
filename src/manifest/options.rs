//! How manifests are to be read.
//!
//! Owns [`Options`]. Where they come from, a flag or a file, is not known here.

use crate::time::Timestamp;

/// How manifests are to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which header supplies a field: the field's path, `media_id` or `media_url`, and the header.
    pub map: Vec<(String, String)>,
    /// Headers that are carried whatever they look like.
    pub ignore: Vec<String>,
    /// The encoding of a text without a byte order mark; UTF-8 unless told.
    pub encoding: Option<String>,
    /// The sheet of a workbook; the first unless told.
    pub sheet: Option<String>,
    /// The moment against which expiries and ids are judged.
    pub now: Timestamp,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            map: Vec::new(),
            ignore: Vec::new(),
            encoding: None,
            sheet: None,
            now: Timestamp::now(),
        }
    }
}
