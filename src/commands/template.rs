//! `altfill template`: an empty manifest with all columns, and what each is for.

use std::fmt::Write as _;

use super::print;
use crate::{
    cli::TemplateArgs,
    error::{Failure, exit},
    metadata::schema,
    progress::say,
};

pub fn execute(args: &TemplateArgs) -> Result<u8, Failure> {
    let paths = schema::paths();
    let mut explained = String::from("media_id: the image's or video's media id, as text");
    for path in &paths {
        let about = schema::place(path).map_or("", |place| place.member.about);
        // Writing to a string can't fail.
        let _ = write!(explained, "\n{path}: {about}");
    }
    explained.push_str("\n\nOnly the columns you need must stay; an empty cell says nothing; lists are parted by |.");
    if args.explain {
        print(&explained)?;
    } else {
        let columns: Vec<&str> = ["media_id"]
            .into_iter()
            .chain(paths.iter().map(String::as_str))
            .collect();
        print(&columns.join(","))?;
        say(&explained);
    }
    Ok(exit::OK)
}
