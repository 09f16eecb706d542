//! Properties of reading manifests: what is written in any form is read back the same, and no bytes make it panic.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
    path::Path,
};

use altfill::{
    item::MediaId,
    manifest::{Manifest, Options, Record, cell},
    metadata::Metadata,
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp(1_740_787_200_000);

const HEADER: [&str; 8] = [
    "note",
    "media_id",
    "alt_text",
    "sensitive_media_warning.adult_content",
    "geo_restrictions.whitelisted_country_codes",
    "domain_restrictions.whitelist",
    "content_expiration.timestamp_sec",
    "sticker_info.stickers",
];

#[derive(Debug, Clone, PartialEq)]
struct Item {
    id: String,
    metadata: Metadata,
    note: String,
}

impl Item {
    /// Its cells under [`HEADER`].
    fn cells(&self) -> Vec<String> {
        let id: MediaId = self.id.parse().unwrap();
        HEADER
            .iter()
            .map(|header| match *header {
                "note" => self.note.clone(),
                header => cell(header, &id, &self.metadata).unwrap_or_default(),
            })
            .collect()
    }
}

/// Any text that can stand in every form: no character that XML 1.0 cannot hold.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::char::range(' ', '~'),
        2 => prop::sample::select(vec![',', ';', '\t', '|', '"', '\'', '\n', '=', '_', ' ', '{', '\\', '\u{feff}']),
        2 => any::<char>(),
    ];
    vec(character, 1..60).prop_map(|characters| {
        characters
            .into_iter()
            .filter(|c| !c.is_control() || matches!(c, '\t' | '\n'))
            .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
            .collect()
    })
}

fn item() -> impl Strategy<Value = Item> {
    (
        "[0-9]{0,18}[1-9]",
        option::of(text()),
        option::of(any::<bool>()),
        option::of(vec("[a-zA-Z]{2}", 1..4)),
        option::of(vec("[a-z|\\[ ]{0,6}[a-z]", 0..3)),
        option::of(1_740_787_201_i64..4_102_444_800),
        option::of(any::<i64>()),
        option::of(text()),
    )
        .prop_map(
            |(id, alt_text, adult, countries, domains, expiry, sticker, note)| {
                let fields = [
                    alt_text
                        .filter(|text| !text.is_empty())
                        .map(|text| ("alt_text", json!({"text": text}))),
                    adult.map(|adult| ("sensitive_media_warning", json!({"adult_content": adult}))),
                    countries.map(|countries| {
                        ("geo_restrictions", json!({"whitelisted_country_codes": countries, "blacklisted_country_codes": []}))
                    }),
                    domains.map(|domains| ("domain_restrictions", json!({"whitelist": domains}))),
                    expiry.map(|expiry| ("content_expiration", json!({"timestamp_sec": expiry}))),
                    sticker.map(|sticker| ("sticker_info", json!({"stickers": [{"group_annotation_id": sticker, "aspect_ratio": 1.5}]}))),
                ];
                let object: Map<String, Value> = fields
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                Item {
                    id,
                    metadata: Metadata::from_json(&Value::Object(object).to_string()).unwrap(),
                    note: note.unwrap_or_default(),
                }
            },
        )
}

#[derive(Debug, Clone)]
struct Style {
    delimiter: u8,
    terminator: csv::Terminator,
    quoted: bool,
    utf_16: bool,
    mark: bool,
    packed: Packed,
}

#[derive(Debug, Clone, Copy)]
enum Packed {
    Not,
    Gzip,
    Zstd,
}

fn style() -> impl Strategy<Value = Style> {
    (
        prop::sample::select(b",;\t|".to_vec()),
        prop::sample::select(vec![
            csv::Terminator::CRLF,
            csv::Terminator::Any(b'\n'),
            csv::Terminator::Any(b'\r'),
        ]),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec![Packed::Not, Packed::Gzip, Packed::Zstd]),
    )
        .prop_map(
            |(delimiter, terminator, quoted, utf_16, mark, packed)| Style {
                delimiter,
                terminator,
                quoted,
                utf_16,
                mark,
                packed,
            },
        )
}

fn encode(text: &str, style: &Style) -> Vec<u8> {
    let marked = if style.mark || style.utf_16 {
        format!("\u{feff}{text}")
    } else {
        text.to_owned()
    };
    let bytes = if style.utf_16 {
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
    } else {
        marked.into_bytes()
    };
    pack(bytes, style.packed)
}

fn pack(bytes: Vec<u8>, packed: Packed) -> Vec<u8> {
    match packed {
        Packed::Not => bytes,
        Packed::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            encoder.finish().unwrap()
        }
        Packed::Zstd => zstd::encode_all(Cursor::new(bytes), 1).unwrap(),
    }
}

fn delimited(items: &[Item], style: &Style) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(style.delimiter)
        .terminator(style.terminator)
        .quote_style(if style.quoted {
            csv::QuoteStyle::Always
        } else {
            csv::QuoteStyle::Necessary
        })
        .from_writer(Vec::new());
    writer.write_record(HEADER).unwrap();
    for item in items {
        writer.write_record(item.cells()).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    encode(&text, style)
}

fn workbook(items: &[Item]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(HEADER) {
        sheet.write_string(0, column, header).unwrap();
    }
    for (row, item) in (1..).zip(items) {
        for (column, cell) in (0..).zip(item.cells()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// Reads bytes as a manifest, or says why it or one of its rows is refused.
fn read(bytes: &[u8]) -> Result<Vec<Item>, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let options = Options {
        now: NOW,
        ..Options::default()
    };
    let mut manifest = Manifest::open(file.path(), &options).map_err(|error| error.to_string())?;
    let mut items = Vec::new();
    let mut faults = String::new();
    for record in &mut manifest {
        match record.map_err(|error| error.to_string())? {
            Record::Row(row) => {
                let mut metadata = Metadata::default();
                metadata.lay_over(&row.patch);
                let carried: Value = row.carried.map_or(Value::Null, |carried| {
                    serde_json::from_str(&carried).unwrap()
                });
                // Nothing but the note may be carried: the rest can be written again.
                if let Value::Array(cells) = &carried {
                    assert!(cells[1..].iter().all(Value::is_null), "{carried}");
                }
                let note = carried.get(0).or_else(|| carried.get("note"));
                items.push(Item {
                    id: row.media_id.to_string(),
                    metadata,
                    note: note.and_then(Value::as_str).unwrap_or_default().to_owned(),
                });
            }
            Record::Invalid(invalid) => {
                for fault in invalid.faults {
                    writeln!(faults, "{fault} {:?} {:?}", fault.hint, fault.cell).unwrap();
                }
            }
        }
    }
    for notice in manifest.notices() {
        assert!(!notice.to_string().is_empty() && notice.count > 0);
    }
    if faults.is_empty() {
        Ok(items)
    } else {
        Err(faults)
    }
}

/// Reads bytes to their end, whatever comes.
fn drain(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let options = Options {
        now: NOW,
        ..Options::default()
    };
    match Manifest::open(file.path(), &options) {
        Ok(mut manifest) => {
            let shown = |record| match record {
                Ok(Record::Invalid(invalid)) => {
                    invalid.faults.iter().map(ToString::to_string).collect()
                }
                Ok(Record::Row(_)) => String::new(),
                Err(error) => format!("{error}"),
            };
            assert!(
                !manifest
                    .by_ref()
                    .map(shown)
                    .any(|told| told.contains('\u{1b}'))
            );
            assert!(manifest.notices().iter().all(|notice| notice.count > 0));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn items_written_as_delimited_text_are_read_back_the_same(items in vec(item(), 0..12), style in style()) {
        prop_assert_eq!(read(&delimited(&items, &style)), Ok(items));
    }

    #[test]
    fn items_written_as_json_lines_are_read_back_the_same(items in vec((item(), any::<bool>()), 1..12), style in style()) {
        let mut text = String::new();
        for (item, flat) in &items {
            let mut line = match item.metadata.to_json() {
                Value::Object(fields) if *flat => fields,
                metadata => Map::from_iter([("metadata".to_owned(), metadata)]),
            };
            line.insert("id".to_owned(), json!(item.id));
            line.insert("note".to_owned(), json!(item.note));
            writeln!(text, "{}", Value::Object(line)).unwrap();
        }
        let items: Vec<_> = items.into_iter().map(|(item, _)| item).collect();
        prop_assert_eq!(read(&encode(&text, &style)), Ok(items));
    }

    #[test]
    fn items_written_as_a_workbook_are_read_back_the_same(items in vec(item(), 0..12), packed in prop::sample::select(vec![Packed::Not, Packed::Gzip])) {
        prop_assert_eq!(read(&pack(workbook(&items), packed)), Ok(items));
    }
}

/// Found by fuzzing: a file of a few KiB kept altfill busy for hours.
#[test]
fn a_header_or_an_object_of_very_many_names_is_read_in_no_time() {
    drain(format!("id{}\n1", ",a".repeat(400_000)).as_bytes());
    drain(format!("id{}\n1", ",alt_txt".repeat(100_000)).as_bytes());
    let mut line = "{\"id\":\"1\"".to_owned();
    for key in 0..80_000 {
        write!(line, ",\"{key}\":1").unwrap();
    }
    drain(format!("{line}}}").as_bytes());
}

/// All faults of a row are told, and none of them costs another look at the whole row.
#[test]
fn a_row_with_very_many_faults_is_judged_in_no_time() {
    let codes = vec!["\"usa\""; 150_000].join(",");
    drain(format!("{{\"id\":\"1\",\"metadata\":{{\"geo_restrictions\":{{\"whitelisted_country_codes\":[{codes}]}}}}}}").as_bytes());
    let codes = vec!["usa"; 200_000].join("|");
    drain(format!("id,geo_restrictions.whitelisted_country_codes\n1,{codes}\n").as_bytes());
    drain(format!("id,alt_text\n1,a{}\n", ",b".repeat(400_000)).as_bytes());
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn no_bytes_make_it_panic(start in prop::sample::select(vec![
        &b""[..], b"media_id,alt_text\n", b"id;geo_restrictions.whitelisted_country_codes\n\"", b"{\"id\":", b"\x1f\x8b\x08\0", b"PK\x03\x04",
        b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff\0i\0d\0,", b"\xef\xbb\xbfid,metadata\n1,", b"id,sticker_info.stickers,altfill_report\n'=,[",
    ]), bytes in vec(prop_oneof![any::<u8>(), prop::sample::select(b"\",;\t|\r\n{}[]:'=_0123456789".to_vec())], 0..400)) {
        drain(&[start, &bytes].concat());
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        file in prop::sample::select(vec!["book.xlsx", "kinds.xlsx", "packed.csv.gz", "packed.jsonl.zst", "flat.jsonl", "carried.csv", "repairs.csv", "lists.csv", "media-url-beside.csv"]),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in option::of(any::<prop::sample::Index>()),
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(file);
        let mut bytes = std::fs::read(path).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        drain(&bytes);
    }
}
