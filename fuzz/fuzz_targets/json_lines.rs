#![no_main]
//! JSON lines: the body's form and the flat one, mixed.

use std::io::Cursor;

use altfill_fuzz::{Reading, options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Whatever the first line is, it is one of these.
    let mut bytes = b"{\"media_id\":\"1146654567674912769\"}\n".to_vec();
    bytes.extend(data);
    let whole = Reading::of(Cursor::new(bytes.clone()), &options(None));
    // Up to a line that ends all, each line that is not blank is one record.
    if whole.error.is_none() {
        let lines = bytes
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .filter(|line| !String::from_utf8_lossy(line).trim().is_empty());
        assert_eq!(whole.records.len(), lines.count(), "{whole:?}");
    }
});
