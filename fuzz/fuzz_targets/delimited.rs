#![no_main]
//! Delimited text: the look for a delimiter, quotes, encodings. A last byte from 0xF0 on names an encoding to ask for.

use std::io::Cursor;

use altfill_fuzz::{Drops, Reading, options};
use libfuzzer_sys::fuzz_target;

/// What `--encoding` may say.
const ENCODINGS: [&str; 6] = [
    "windows-1252",
    "shift_jis",
    "utf-16le",
    "utf-16be",
    "gb18030",
    "iso-2022-jp",
];

fuzz_target!(|data: &[u8]| {
    let (bytes, encoding) = match data.split_last() {
        Some((last @ 0xf0.., bytes)) => (bytes, ENCODINGS.get(usize::from(last - 0xf0)).copied()),
        _ => (data, None),
    };
    // What is packed or a workbook has a target of its own.
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5")
    {
        return;
    }
    let options = options(encoding);
    let whole = Reading::of(Cursor::new(bytes.to_vec()), &options);
    let lines = 1 + bytes
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count();
    // In an encoding that keeps a state, or has a line end among its other bytes, lines cannot be counted so.
    if encoding.is_none() {
        assert!(whole.records.len() <= lines, "{whole:?}");
    }
    assert_eq!(whole, Reading::of(Drops::new(bytes), &options));
});
