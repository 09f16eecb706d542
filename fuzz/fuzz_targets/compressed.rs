#![no_main]
//! Compressed input. What begins as a packed file does is read as it is; anything else is packed in both ways first,
//! which must change nothing.

use std::io::{Cursor, Read};

use altfill_fuzz::{Drops, Reading, forgive_workbook_panics, options};
use flate2::{Compression, read::GzEncoder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: forgive_workbook_panics(), |data: &[u8]| {
    let options = options(None);
    let plain = Reading::of(Cursor::new(data.to_vec()), &options);
    if let [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] = data {
        assert_eq!(plain, Reading::of(Drops::new(data), &options));
        return;
    }
    let mut gzip = Vec::new();
    GzEncoder::new(data, Compression::fast())
        .read_to_end(&mut gzip)
        .expect("memory");
    let zstd = zstd::encode_all(data, 1).expect("memory");
    for packed in [gzip, zstd] {
        let cut = packed[..packed.len() - 1].to_vec();
        assert_eq!(Reading::of(Cursor::new(packed), &options), plain);
        // Without its last byte it is whole for nobody.
        assert!(Reading::of(Cursor::new(cut), &options).error.is_some());
    }
});
