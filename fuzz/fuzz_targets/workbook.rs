#![no_main]
//! Workbooks: the bytes of a ZIP archive as they are, or the parts of a workbook between bytes 0xFF, from which one is
//! made: the sheet, then the shared strings, the styles and the workbook itself. So mutations get past the checksums.

use std::io::{Cursor, Write};

use altfill::row::Form;
use altfill_fuzz::{Reading, forgive_workbook_panics, options};
use libfuzzer_sys::fuzz_target;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const STRINGS: &str = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>media_id</t></si><si><t>alt_text</t></si><si><t>1146654567674912769</t></si><si><r><t>A </t></r><r><t>cat</t></r></si></sst>"#;
const STYLES: &str = r#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#;

fn book(data: &[u8]) -> Vec<u8> {
    let mut parts = data.split(|byte| *byte == 0xff);
    let sheet = parts.next().unwrap_or_default();
    let mut part = |plain: &'static str| match parts.next() {
        None | Some([]) => plain.as_bytes(),
        Some(part) => part,
    };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", part(STRINGS)),
        ("xl/styles.xml", part(STYLES)),
        ("xl/workbook.xml", part(BOOK)),
    ] {
        archive.start_file(name, stored).expect("a name");
        archive.write_all(bytes).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fuzz_target!(init: forgive_workbook_panics(), |data: &[u8]| {
    let bytes = if data.starts_with(b"PK\x03\x04") {
        data.to_vec()
    } else {
        book(data)
    };
    let reading = Reading::of(Cursor::new(bytes), &options(None));
    if let Some(source) = reading.source {
        assert_eq!(source.form, Form::Workbook);
    }
});
