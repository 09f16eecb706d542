//! `fields.md`: the 13 fields, of the schema's table, of what the rules refuse, and of the sample that has them all.

use std::{collections::BTreeSet, fmt::Write};

use altfill::{
    metadata::{
        Patch, cell,
        schema::{self, FIELDS, Field, Kind, Member},
    },
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use super::markdown::{anchor, code, prose, table, uppercased};

const CSV: &str = include_str!("../../samples/all-fields.csv");
const JSONL: &str = include_str!("../../samples/all-fields.jsonl");
const ERRORS: &str = include_str!("../../docs/errors.md");

const OPENING: &str = "\
# The fields

What X keeps of an image or video, and how a manifest writes it. In a table a column is named by its path, and `alt_text` is short for `alt_text.text`; a line of JSON has the
form of X's own documentation. What a row says of a field replaces that whole field, and a column that is *needed* must be filled where one of its field's others is. In JSON
`null` withdraws a field. [Manifests](../../README.md#manifests) has the rules that hold for all of them, [errors](../errors.md#what-is-wrong-with-a-row) what each refusal means.

The examples are those of `samples/all-fields.csv` and `samples/all-fields.jsonl`. `altfill template` prints a header with all columns.

```sh
altfill template --explain
altfill check samples/all-fields.csv
```

";

/// The page.
pub fn page() -> String {
    let mut page = OPENING.to_owned();
    let rows = Field::ALL.map(|field| {
        let name = field.name();
        [
            format!("[`{name}`](#{})", anchor(name)),
            prose(field.member().about),
        ]
    });
    page.push_str(&table(["field", "is about"], rows));
    for member in &FIELDS {
        page.push_str(&section(member));
    }
    page
}

fn section(field: &'static Member) -> String {
    let paths: Vec<String> = schema::paths()
        .into_iter()
        .filter(|path| path.split('.').next() == Some(field.name))
        .collect();
    let rows = paths.iter().map(|path| {
        let member = schema::place(path).unwrap().member;
        let needed = if is_needed(path) { "yes" } else { "" };
        [
            code(path),
            member.kind.in_words(),
            needed.to_owned(),
            about(member),
        ]
    });
    let mut text = format!(
        "\n## {}\n\n{}.\n\n{}\n",
        field.name,
        uppercased(field.about),
        table(["column", "takes", "needed", "is"], rows)
    );
    for path in &paths {
        let kind = &schema::place(path).unwrap().member.kind;
        assert_bounds(path, kind);
        if let Kind::List {
            of: Kind::Object(members),
            ..
        } = kind
        {
            let rows = members
                .iter()
                .map(|member| [code(member.name), member.kind.in_words(), about(member)]);
            write!(
                text,
                "Each of them may have:\n\n{}\n",
                table(["member", "takes", "is"], rows)
            )
            .unwrap();
        }
    }
    let names: Vec<_> = paths.iter().map(|path| example(path)).collect();
    let (header, cells): (Vec<_>, Vec<_>) = names
        .into_iter()
        .filter(|(_, cell)| !cell.is_empty())
        .unzip();
    write!(text, "```csv\n{}```\n\n", csv(&header, &cells)).unwrap();
    let mut example = Map::new();
    example.insert(field.name.to_owned(), example_of(field.name));
    write!(
        text,
        "```json\n{}\n```\n\n",
        json!({"id": "1225001824336179200", "metadata": example})
    )
    .unwrap();
    let rules: Vec<_> = refusals(field.name, &paths).into_iter().map(code).collect();
    for rule in &rules {
        assert!(
            ERRORS.contains(&format!("\n| {rule} |")),
            "{rule} is in no table of docs/errors.md"
        );
    }
    writeln!(text, "Refused as: {}.", rules.join(", ")).unwrap();
    text
}

fn about(member: &Member) -> String {
    assert!(!member.about.is_empty());
    prose(member.about)
}

/// The moment by which expiries are judged here: the samples' lie after it.
fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_225_600)
}

/// A whole field, of the sample that has all 13; of a long list its first entry.
fn example_of(field: &str) -> Value {
    let first: Value = serde_json::from_str(JSONL.lines().next().unwrap()).unwrap();
    let mut value = first["metadata"][field].clone();
    assert!(value.is_object(), "{field} is in no example");
    if let Some(Value::Array(stickers)) = value.get_mut("stickers") {
        stickers.truncate(1);
    }
    value
}

/// The cell that the sample's first row has in a column; of a list of objects that of [`example_of`].
fn example(path: &str) -> (String, String) {
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let headers = reader.headers().unwrap();
    let column = headers.iter().position(|name| name == path).unwrap();
    let first = reader.records().next().unwrap().unwrap();
    let cell = match path.split_once('.') {
        Some((field, name)) if first[column].starts_with('[') => {
            example_of(field)[name].to_string()
        }
        _ => first[column].to_owned(),
    };
    (path.to_owned(), cell)
}

fn csv(header: &[String], cells: &[String]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let first = |name: &'static str| std::iter::once(name);
    writer
        .write_record(first("media_id").chain(header.iter().map(String::as_str)))
        .unwrap();
    writer
        .write_record(first("1225001824336179200").chain(cells.iter().map(String::as_str)))
        .unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The rules that a field breaks.
fn broken(field: &str, value: Value) -> BTreeSet<&'static str> {
    let mut object = Map::new();
    object.insert(field.to_owned(), value);
    let violations = Patch::parse(object, now()).err().unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| violation.rule)
        .collect()
}

/// The field's example with `value` at a path; without anything there where it is `None`.
fn with(path: &str, value: Option<Value>) -> Value {
    let mut names: Vec<_> = path.split('.').collect();
    let last = names.pop().unwrap();
    let mut whole = example_of(names[0]);
    if path == "geo_restrictions.blacklisted_country_codes" {
        whole["whitelisted_country_codes"] = json!([]);
    }
    let inner = names[1..]
        .iter()
        .fold(&mut whole, |inner, name| &mut inner[*name]);
    let object = inner.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(last.to_owned(), value),
        None => object.remove(last),
    };
    whole
}

/// Whether the field can't be without it.
fn is_needed(path: &str) -> bool {
    let field = path.split('.').next().unwrap();
    assert!(broken(field, example_of(field)).is_empty());
    broken(field, with(path, None)).contains("missing")
}

/// By which rules a field is refused, found by trying: values of every kind at each of its places.
fn refusals(field: &str, paths: &[String]) -> BTreeSet<&'static str> {
    let values = [
        json!(true),
        json!(7),
        json!(1.5),
        json!(""),
        json!("fox"),
        json!("x".repeat(1_001)),
        json!([]),
        json!([true]),
        json!(["zz9"]),
        json!(["us", "de"]),
        json!([{"zz": 1}]),
        json!([{"id": 1, "transform_a": "1", "group_annotation_id": 1.5}]),
        json!(vec![json!({}); 26]),
        json!({}),
        json!({"zz": 1}),
        json!(1),
        json!(9_999_999_999_999_i64),
    ];
    let mut rules = BTreeSet::new();
    for value in &values {
        rules.extend(broken(field, value.clone()));
        for path in paths {
            rules.extend(broken(field, with(path, Some(value.clone()))));
        }
    }
    for path in paths {
        rules.extend(broken(field, with(path, None)));
        let kind = &schema::place(path).unwrap().member.kind;
        for text in ["maybe", "a||b", "[{", "{"] {
            rules.extend(
                cell::read(text, kind, path)
                    .err()
                    .map(|violation| violation.rule),
            );
        }
    }
    rules
}

/// That the bounds of which the page tells are those that hold.
fn assert_bounds(path: &str, kind: &Kind) {
    let field = path.split('.').next().unwrap();
    let rules = |value: Value| broken(field, with(path, Some(value)));
    match kind {
        Kind::Text {
            at_most: Some(most),
        } => {
            assert!(rules(json!("ä".repeat(*most))).is_empty(), "{path}");
            assert!(
                rules(json!("ä".repeat(*most + 1))).contains("too-long"),
                "{path}"
            );
        }
        Kind::List {
            of: Kind::Object(_),
            at_least,
            at_most,
        } => {
            for (count, is_taken) in [
                (*at_least, true),
                (*at_most, true),
                (at_least - 1, false),
                (at_most + 1, false),
            ] {
                let found = rules(json!(vec![json!({}); count]));
                assert_eq!(found.is_empty(), is_taken, "{path}: {count}");
            }
        }
        Kind::MediaId => {
            assert!(
                rules(json!("9".repeat(19))).is_empty() || rules(json!("1".repeat(19))).is_empty(),
                "{path}"
            );
            assert!(rules(json!("1".repeat(20))).contains("media-id"), "{path}");
        }
        _ => {}
    }
}
