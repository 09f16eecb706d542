//! Manifests as people really have them: the corpus in `tests/manifests/`, each file with what is to come of it.

use std::path::Path;

use altfill::{
    manifest::{Error, Manifest, Options, Record},
    time::Timestamp,
};
use serde_json::{Map, Value};

/// The ids of the corpus, by the letter that stands for each below.
const IDS: [(&str, &str); 4] = [
    ("A", "1146654567674912769"),
    ("B", "1900544781383569409"),
    ("C", "266031293949698048"),
    ("E", "608576483511029760"),
];

/// 2025-03-01T00:00:00Z.
const NOW: Timestamp = Timestamp(1_740_787_200_000);

/// A file of the corpus, the options (`map FIELD=HEADER`, `ignore HEADER`, `encoding NAME`, `sheet NAME`), and what comes:
/// - a row: its line, its id, its alt text in quotes or its whole patch, and behind ` + ` what it carries;
/// - an invalid row: its line, its id or `-`, `!`, and for each fault the rule and the column;
/// - a notice: `: ` with its rule and count;
/// - an error, always last: `= ` with its kind, and behind `|` a part of what it says.
///
/// Of rows `…` stands for any.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const PLAIN: &[&str] = &["2 A 'A cat'", "3 B 'A dog'"];

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Delimiters.
    ("plain.csv", &[], PLAIN),
    ("semicolon.csv", &[], &["2 A 'A cat, and a mat, and a hat'", "3 B 'A dog'"]),
    ("tab.tsv", &[], PLAIN),
    ("pipe.csv", &[], PLAIN),
    ("sep-line.csv", &[], &["3 A 'A cat'", "4 B 'A dog'"]),
    // Encodings.
    ("bom.csv", &[], PLAIN),
    ("utf-16le.csv", &[], &["2 A 'Café 🐈'"]),
    ("utf-16be.csv", &[], &["2 A 'Café 🐈'"]),
    ("utf-16le-no-mark.csv", &[], &["2 A 'Café 🐈'"]),
    ("utf-16-cut.csv", &[], &["= Malformed|UTF-16LE"]),
    ("windows-1252.csv", &[], &["2 A 'A cat'", "= Encoding|line 3, column 24: these bytes are no UTF-8. The file is likely windows-1252"]),
    ("windows-1252.csv", &[], &["2 A 'A cat'", "= Encoding|Caf>>>é<<< “crème”"]),
    ("windows-1252.csv", &["encoding windows-1252"], &["2 A 'A cat'", "3 B 'Café “crème”'"]),
    ("shift-jis.csv", &[], &["= Encoding|Shift_JIS"]),
    ("shift-jis.csv", &["encoding shift_jis"], &["2 A '赤い敷物の上で踊る猫'"]),
    ("utf-16le.csv", &["encoding windows-1252"], &["2 A 'Café 🐈'"]),
    ("plain.csv", &["encoding klingon"], &["= NoSuchEncoding|klingon"]),
    ("invalid-utf-8-in-quotes.csv", &[], &["= Encoding|line 2"]),
    ("latin.jsonl", &[], &["= Encoding|windows-1252"]),
    ("mojibake.csv", &[], &["2 A 'A cafÃ© in MÃ¼nchen'", "3 B 'A café'", ": mojibake 1"]),
    // Line ends.
    ("crlf.csv", &[], PLAIN),
    ("lone-cr.csv", &[], PLAIN),
    ("mixed-line-ends.csv", &[], PLAIN),
    ("no-last-newline.csv", &[], PLAIN),
    ("quoted-breaks.csv", &[], &[r#"2 A {"alt_text":{"text":"two\nlines"}}"#, r#"4 B {"alt_text":{"text":"two\r\nmore"}}"#, "6 C 'one'"]),
    ("blank-rows.csv", &[], &["3 A 'A cat'", "7 B 'A dog'", ": blank-rows 3"]),
    ("blank-rows-first.csv", &[], &["4 A 'A cat'", "5 B 'A dog'"]),
    // Quotes.
    ("unclosed-quote.csv", &[], &["2 A! quote-unclosed@2", "3 B 'A dog'", "4 C 'A cow'"]),
    ("unclosed-quote-closed-by-next.csv", &[], &["2 A! quote-unclosed@2", "3 B 'A dog'", "4 C 'A cow'"]),
    ("unclosed-quote-at-end.csv", &[], &["2 A 'A cat'", "3 B! quote-unclosed@2"]),
    ("stray-quote.csv", &[], &["2 A! quote-stray@2", "3 B 'A dog named \"Rex\"'"]),
    ("row-too-long.csv.gz", &[], &["2 -! row-too-long", "3 B 'A dog'"]),
    // Nothing, or nothing of use.
    ("header-only.csv", &[], &[]),
    ("empty.csv", &[], &["= Empty"]),
    ("blank.csv", &[], &["= Empty"]),
    ("only-bom.csv", &[], &["= Empty"]),
    ("empty.csv.gz", &[], &["= Empty"]),
    ("empty.xlsx", &[], &["= Empty"]),
    ("nowhere.csv", &[], &["= Open|nowhere.csv"]),
    (".", &[], &["= Folder"]),
    // Headers.
    ("no-id.csv", &[], &["= NoIdColumn|media_url"]),
    ("near-id.csv", &[], &["= NoIdColumn|Did you mean media_id by \"mediaid\"?"]),
    ("no-header.csv", &[], &["= NoIdColumn|looks like data"]),
    ("near-miss.csv", &[], &["= NearMisses|column 2 (\"alt_txt\") is nearly alt_text"]),
    ("near-miss.csv", &["ignore alt_txt"], &[r#"2 A {} + [null,"A cat"]"#, ": carried-columns 1"]),
    ("near-miss.csv", &["map alt_text=alt_txt"], &[r#"2 A 'A cat' + [null,"A cat"]"#]),
    ("hyphen.csv", &[], &["= NearMisses|\"Alt-Text \""]),
    ("header-case.csv", &[], &["2 A 'A cat'"]),
    ("header-accents.csv", &[], &["2 A 'A cat'"]),
    ("header-break.csv", &[], &[r#"3 A 'A cat' + [null,null,"x"]"#, ": carried-columns 1"]),
    ("field-twice.csv", &[], &["= SameColumnTwice|columns 2 (\"alt_text\") and 3 (\"alt_text.text\")"]),
    ("field-twice.csv", &["ignore alt_text.text"], &[r#"2 A 'A cat' + [null,null,"A dog"]"#, ": carried-columns 1"]),
    ("id-twice.csv", &[], &["= SameColumnTwice|--ignore \"media_id\""]),
    ("id-twice.csv", &["ignore id"], &[r#"2 A 'A cat' + ["1",null,null]"#, ": carried-columns 1"]),
    ("mapped.csv", &["map media_id=asset", "map alt_text=BESCHREIBUNG"], &[r#"2 A 'Eine Katze' + ["1146654567674912769","Eine Katze","3"]"#, ": carried-columns 1"]),
    ("mapped.csv", &["map media_id=Asset", "map alt_text=Text"], &["= NoSuchHeader|Asset, Beschreibung, Preis"]),
    ("mapped.csv", &["map media_id=Asset", "map alt=Preis"], &["= NoSuchField|\"alt\" is no field"]),
    ("unknown-place.csv", &[], &[r#"2 A {} + [null,"x","y"]"#, ": carried-columns 2"]),
    ("carried.csv", &[], &[
        r#"2 A 'A cat' + ["x1",null,"1,5",null,null]"#,
        r#"3 B 'A dog' + ["x2",null,null,null,"say \"hi\""]"#,
        "4 C 'A cow'",
        ": carried-columns 3",
    ]),
    ("pandas-index.csv", &[], &[r#"2 A 'A cat' + ["0",null,null]"#, r#"3 B 'A dog' + ["1",null,null]"#, ": carried-columns 1"]),
    ("empty-columns.csv", &[], &["2 A 'A cat'", "3 B! surplus-cells@4"]),
    ("account-empty.csv", &[], &["2 A 'A cat'"]),
    ("account-filled.csv", &[], &["2 A! account-reserved@1"]),
    // Ids.
    ("scientific.csv", &[], &["2 -! id-scientific@1", "3 -! id-scientific@1", "4 A 'A cow'"]),
    ("float.csv", &[], &["2 -! id-float@1"]),
    ("rounded-few.csv", &[], &["2 1146654567674910000 'A cat'", "3 B 'A dog'", ": id-zeros 1"]),
    ("rounded-many.csv", &[], &["…", ": id-zeros 3", "= RoundedIds|3 of 3"]),
    ("repairs.csv", &[], &[
        r#"2 A 'a cat' + ["'1146654567674912769",null]"#,
        r#"3 A 'a cat' + [" 1146654567674912769 ",null]"#,
        "4 A 'a cat' + [\"\u{a0}1146654567674912769\",null]",
        "5 A 'a cat' + [\"\u{200b}1146654567674912769\",null]",
        r#"6 A 'a cat' + ["=\"1146654567674912769\"",null]"#,
        r#"7 A 'a cat' + ["3_1146654567674912769",null]"#,
        ": id-apostrophe 1", ": id-spaces 2", ": id-invisible 1", ": id-formula 1", ": id-media-key 1",
    ]),
    ("wrong-ids.csv", &[], &["2 -! media-id@1", "3 -! media-id@1", "4 -! media-id@1", "5 -! media-id@1", "6 -! id-missing@1"]),
    ("address-as-id.csv", &[], &["2 -! media-id@1"]),
    ("media-url.csv", &[], &[
        r#"2 C 'A cat' + ["https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg",null]"#,
        r#"3 E 'A dog' + ["https://pbs.twimg.com/media/CHIZFl5U0AAENRU?format=png&name=large",null]"#,
    ]),
    ("media-url-wrong.csv", &[], &["2 -! media-url@1", "3 -! media-url@1", "4 -! media-url@1"]),
    ("media-url-beside.csv", &[], &[
        r#"2 C 'A cat' + [null,"https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg",null]"#,
        "3 C! id-differs@1",
        "4 A! id-differs@1",
        r#"5 C 'A cat' + [null,"https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg",null]"#,
        "6 A 'A cat'",
    ]),
    ("number-ids.jsonl", &[], &["1 9007199254740992 'a cat'", "2 -! id-inexact", "3 -! id-scientific"]),
    ("number-ids.xlsx", &[], &["2 -! id-inexact@1", "3 123456789012345 'A dog'", "4 -! id-inexact@1"]),
    ("repairs.jsonl", &[], &["1 A 'a cat'", "2 B 'a cat'", ": id-spaces 1", ": id-media-key 1"]),
    ("no-id.jsonl", &[], &["1 -! id-missing", "2 -! id-missing", "3 -! media-id"]),
    ("twice.jsonl", &[], &["1 A! named-twice", "2 A! named-twice", "3 A 'a cat'"]),
    ("url.jsonl", &[], &["1 C 'a cat'"]),
    // Cells.
    ("surplus-cells.csv", &[], &["2 A! surplus-cells@3", "3 B 'A dog'"]),
    ("short-rows.csv", &[], &["2 A {}", "3 B 'A dog'"]),
    ("empty-cells.csv", &[], &["2 A {}"]),
    ("only-ids.csv", &[], &["2 A {}", "3 B {}"]),
    ("blank-texts.csv", &[], &["2 A '  A cat '", "3 B '   '"]),
    ("booleans.csv", &[], &[
        r#"2 A {"shared_info":{"shared":true}} + [null," TRUE "]"#,
        r#"3 B {"shared_info":{"shared":false}}"#,
        "4 C! type@2",
        r#"5 E {} + [null," "]"#,
    ]),
    ("lists.csv", &[], &[
        r#"2 A {"geo_restrictions":{"blacklisted_country_codes":[],"whitelisted_country_codes":["us","DE"]}} + [null,"us| DE ",null]"#,
        "3 B! country-code@2",
        r#"4 C {"domain_restrictions":{"whitelist":["a.org","b|c"]}}"#,
        "5 E! empty-entry@2",
    ]),
    ("geo-both.csv", &[], &["2 A! geo-lists@2", r#"3 B {"geo_restrictions":{"blacklisted_country_codes":[],"whitelisted_country_codes":["us"]}}"#]),
    ("objects.csv", &[], &[r#"2 A {"shared_info":{"shared":true}}"#, r#"3 B {"sticker_info":{"stickers":[{"id":"7"}]}}"#, "4 C! type@2"]),
    ("metadata-column.csv", &[], &[
        r#"2 A 'A cat' + [null,"{\"alt_text\":{\"text\":\"A cat\"}}"]"#,
        r#"3 B {"alt_text":null} + [null,"{\"alt_text\":null}"]"#,
        "4 C! json@2",
        "5 E! type@2",
    ]),
    ("metadata-and-field.csv", &[], &[
        "2 A! named-twice@3",
        r#"3 B {"alt_text":{"text":"A dog"},"shared_info":{"shared":true}} + [null,"{\"shared_info\":{\"shared\":true}}",null]"#,
        r#"4 C 'A cow' + [null,"{\"alt_text\":{\"text\":\"A cow\"}}",null]"#,
    ]),
    ("expiry.csv", &[], &[
        r#"2 A {"content_expiration":{"timestamp_sec":1893456000}}"#,
        r#"3 B {"content_expiration":{"timestamp_sec":1893456000}} + [null,"2030-01-01T01:00:00+01:00"]"#,
        "4 C! expiry-past@2",
        "5 E! expiry@2",
        "6 A! expiry-far@2",
    ]),
    ("too-long.csv", &[], &["2 A 1000 characters", "3 B! too-long@2"]),
    ("many-faults.csv", &[], &["2 -! media-id@1 too-long@2 type@3 too-long@4 missing@5"]),
    // A report that comes back.
    ("report.csv", &[], &[r#"2 A '=A cat' + [null,null,"-x"]"#, r#"3 B ''A dog'' + [null,null,"it's"]"#, ": carried-columns 1"]),
    ("report.jsonl", &[], &[r#"1 A 'a cat' + {"sku":"y"}"#, ": carried-columns 1"]),
    // JSON lines.
    ("body.jsonl", &[], &["1 A 'A cat'", "2 B {}"]),
    ("flat.jsonl", &[], &[
        r#"1 A {"alt_text":{"text":"A cat"},"shared_info":{"shared":true}}"#,
        r#"2 B {"alt_text":{"text":"A dog"},"geo_restrictions":{"blacklisted_country_codes":[],"whitelisted_country_codes":["us"]}}"#,
    ]),
    ("mixed.jsonl", &[], &["2 A 'A cat'", "4 B 'A dog'", "5 C 'A cow'"]),
    ("null.jsonl", &[], &[
        r#"1 A {"alt_text":null}"#,
        r#"2 B {"alt_text":null}"#,
        r#"3 C {"sensitive_media_warning":{"adult_content":true}}"#,
        r#"4 E {"sensitive_media_warning":null}"#,
    ]),
    ("empty-strings.jsonl", &[], &["1 A {}", "2 B ''"]),
    ("syntax.jsonl", &[], &["1 A 'a cat'", "2 -! json@46", "3 -! json@1", "4 -! json@52", "5 -! json@4"]),
    ("not-an-object.jsonl", &[], &["1 -! json@21"]),
    ("keys.jsonl", &[], &["1 A! near-miss", r#"2 B 'a cat' + {"note":[1],"sku":"x"}"#, "3 C! unknown-field", ": carried-columns 2"]),
    ("types.jsonl", &[], &["1 A! type", "2 B! type", "3 C! type", "4 E! account-reserved"]),
    ("array.json", &[], &["= Foreign|one JSON array"]),
    ("pretty.json", &[], &["= Foreign|over many lines"]),
    // Packed.
    ("packed.csv.gz", &[], PLAIN),
    ("packed-without-saying.csv", &[], PLAIN),
    ("two-members.csv.gz", &[], PLAIN),
    ("packed.jsonl.zst", &[], &[
        r#"1 A {"alt_text":{"text":"A cat"},"shared_info":{"shared":true}}"#,
        r#"2 B {"alt_text":{"text":"A dog"},"geo_restrictions":{"blacklisted_country_codes":[],"whitelisted_country_codes":["us"]}}"#,
    ]),
    ("cut.csv.gz", &[], &["…", "= Read|ends too early"]),
    ("damaged.csv.gz", &[], &["= Read|cannot be read"]),
    ("packed-twice.csv.gz", &[], &["= Foreign|packed twice"]),
    ("bomb.csv.zst", &[], &["= Bomb|decompression bomb"]),
    // Workbooks.
    ("book.xlsx", &[], &["2 A 'A cat'", "5 B ' A dog '"]),
    ("book.xlsx.gz", &[], &["2 A 'A cat'", "5 B ' A dog '"]),
    ("two-sheets.xlsx", &[], &["2 A 'A cat'"]),
    ("two-sheets.xlsx", &["sheet Two"], &["2 B 'A dog'"]),
    ("two-sheets.xlsx", &["sheet Three"], &["= NoSuchSheet|One, Two"]),
    ("title-row.xlsx", &[], &["4 A 'A cat'"]),
    ("kinds.xlsx", &[], &[
        r#"2 A {"alt_text":{"text":"42"},"content_expiration":{"timestamp_sec":1893456000},"shared_info":{"shared":true}} + [null,null,null,null,"1.5"]"#,
        "3 B! cell-error@2",
        "4 C! expiry@4",
        "5 -! id-missing@1",
        ": carried-columns 1",
    ]),
    ("cut.xlsx", &[], &["= Foreign|damaged"]),
    ("bomb.xlsx", &[], &["= Bomb"]),
    ("bomb-of-rows.xlsx", &[], &["= Bomb"]),
    // Other files.
    ("archive.zip", &[], &["= Foreign|ZIP archive"]),
    ("sheet.ods", &[], &["= Foreign|OpenDocument"]),
    ("old.xls", &[], &["= Foreign|old or a password-protected"]),
    ("image.png", &[], &["= Foreign|no text"]),
    ("paper.pdf", &[], &["= Foreign|PDF"]),
];

fn options(told: &[&str]) -> Options {
    let mut options = Options {
        now: NOW,
        ..Options::default()
    };
    for option in told {
        let (name, value) = option.split_once(' ').unwrap();
        let value = value.to_owned();
        match name {
            "map" => {
                let (field, header) = value.split_once('=').unwrap();
                options.map.push((field.to_owned(), header.to_owned()));
            }
            "ignore" => options.ignore.push(value),
            "encoding" => options.encoding = Some(value),
            "sheet" => options.sheet = Some(value),
            _ => panic!("{name}"),
        }
    }
    options
}

fn letter(id: &str) -> &str {
    IDS.iter()
        .find(|(_, known)| *known == id)
        .map_or(id, |(letter, _)| letter)
}

fn told(record: Record) -> String {
    match record {
        Record::Row(row) => {
            let patch: Map<String, Value> = row
                .patch
                .fields()
                .map(|(field, value)| (field.name().to_owned(), value.cloned().unwrap_or_default()))
                .collect();
            let alt_text = patch.get("alt_text").and_then(|value| value.get("text"));
            let says = match alt_text.and_then(Value::as_str) {
                Some(text) if text.len() > 900 => format!("{} characters", text.chars().count()),
                Some(text) if patch.len() == 1 && !text.contains('\n') => format!("'{text}'"),
                _ => Value::Object(patch).to_string(),
            };
            let carried = row
                .carried
                .map_or_else(String::new, |carried| format!(" + {carried}"));
            format!(
                "{} {} {says}{carried}",
                row.line,
                letter(row.media_id.as_str())
            )
        }
        Record::Invalid(invalid) => {
            let id = invalid
                .media_id
                .map_or_else(|| "-".to_owned(), |id| id.to_string());
            let faults: Vec<_> = invalid
                .faults
                .iter()
                .map(|fault| match fault.column {
                    Some(column) => format!(" {}@{column}", fault.rule),
                    None => format!(" {}", fault.rule),
                })
                .collect();
            format!("{} {}!{}", invalid.line, letter(&id), faults.concat())
        }
    }
}

fn kind(error: &Error) -> String {
    let debug = format!("{error:?}");
    let end = debug
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(debug.len());
    debug[..end].to_owned()
}

fn outcome(file: &str, told_options: &[&str]) -> (Vec<String>, Option<Error>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/manifests")
        .join(file);
    let mut manifest = match Manifest::open(&path, &options(told_options)) {
        Ok(manifest) => manifest,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut lines = Vec::new();
    let mut error = None;
    for record in &mut manifest {
        match record {
            Ok(record) => lines.push(told(record)),
            Err(found) => error = Some(found),
        }
    }
    assert!(manifest.next().is_none(), "{file}: goes on behind its end");
    lines.extend(
        manifest
            .notices()
            .into_iter()
            .map(|notice| format!(": {} {}", notice.rule, notice.count)),
    );
    (lines, error)
}

#[test]
fn each_manifest_of_the_corpus_comes_out_as_written_beside_it() {
    let mut wrong = Vec::new();
    for (file, options, expected) in CASES {
        let (mut found, error) = outcome(file, options);
        let mut expected: Vec<_> = expected.iter().map(|line| (*line).to_owned()).collect();
        if expected.first().is_some_and(|line| line == "…") {
            expected.remove(0);
            found.retain(|line| line.starts_with(':'));
        }
        let wanted_error = expected.pop_if(|line| line.starts_with("= "));
        if found != expected {
            wrong.push(format!(
                "{file} {options:?}\n  wanted {expected:#?}\n  found {found:#?}"
            ));
        }
        let fits = match (&wanted_error, &error) {
            (None, None) => true,
            (Some(wanted), Some(error)) => {
                let (wanted, part) = wanted.split_once('|').unwrap_or((wanted, ""));
                wanted[2..] == kind(error) && error.to_string().contains(part)
            }
            _ => false,
        };
        if !fits {
            let error = error.map(|error| format!("{}|{error}", kind(&error)));
            wrong.push(format!(
                "{file} {options:?}\n  wanted {wanted_error:?}\n  found {error:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_of_the_corpus_is_without_its_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    for entry in folder.read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || CASES.iter().any(|(file, ..)| *file == name),
            "{name}"
        );
    }
}
