//! `altfill template`: an empty manifest with all columns, and what each is for.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::print;
use crate::{
    cli::{TemplateArgs, TemplateFormatArg},
    error::{Failure, exit},
    metadata::schema,
    progress::say,
};

pub fn execute(args: &TemplateArgs) -> Result<u8, Failure> {
    let paths = schema::paths();
    let mut explained = String::from("media_id: the image's or video's media id, as text");
    for path in &paths {
        if let Some(schema::Place { member, .. }) = schema::place(path) {
            let (about, takes) = (member.about, member.kind.in_words());
            // Writing to a string can't fail.
            let _ = write!(explained, "\n{path}: {about} ({takes})");
        }
    }
    explained.push_str("\n\nOnly the columns you need must stay; an empty cell says nothing; lists are parted by |.");
    if args.explain {
        print(&explained)?;
    } else {
        let columns = paths.iter().map(String::as_str);
        print(&match args.format.unwrap_or(TemplateFormatArg::Csv) {
            TemplateFormatArg::Csv => ["media_id"]
                .into_iter()
                .chain(columns)
                .collect::<Vec<_>>()
                .join(","),
            // An empty file is no manifest: a line whose fields all say nothing is read, and never sent.
            TemplateFormatArg::Jsonl => {
                let fields = columns.map(|path| (path.to_owned(), Value::from("")));
                let line: Map<_, _> = [("media_id".to_owned(), Value::from("1"))]
                    .into_iter()
                    .chain(fields)
                    .collect();
                Value::Object(line).to_string()
            }
        })?;
        say(&explained);
    }
    Ok(exit::OK)
}
