//! A report as one page that works without a network, for people.
//!
//! Owns the order in which the page is written: first what stands above the images, then the images as they stream by,
//! in blocks of data that the page's own script lists. The page's policy allows that script and that style sheet alone,
//! by their hashes. What all of it looks like stands in `page.html`, `style.css` and `script.js`.

mod chart;
mod escape;
mod facts;
mod items;
mod sections;
mod use_of_time;

use std::{collections::BTreeMap, io::Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use self::{facts::Facts, items::Items};
use super::{Error, each};
use crate::{item::State, journal::Reader, row::Source, time::Timestamp};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes the page. Returns how many images it lists.
pub(super) async fn write(
    reader: &mut Reader,
    state: Option<State>,
    sources: &BTreeMap<i64, Source>,
    out: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let facts = Facts::read(reader, sources, Timestamp::now()).await?;
    let first = reader.export(state, 0, items::FIRST).await?;
    let listed = facts.listed(state);
    let fill = |name: &str| {
        match name {
        "policy" => policy(),
        "version" => env!("CARGO_PKG_VERSION").to_owned(),
        "title" => format!("altfill report, {}", chart::minute(facts.now)),
        "style" => STYLE.to_owned(),
        "script" => SCRIPT.to_owned(),
        "about" => sections::about(&facts),
        "summary" => sections::summary(&facts),
        "failures" => sections::failures(&facts),
        "over_time" => use_of_time::outcomes(&facts),
        "limits" => use_of_time::limits(&facts),
        "files" => sections::files(&facts),
        "runs" => sections::runs(&facts),
        "listed" => state.map_or_else(String::new, |state| {
            format!("<p class=\"notice\">Listed are only images that are {state}, as was asked for by <code>--state {state}</code>. The sums above are of all.</p>")
        }),
        "count" => items::count(listed, first.len() as u64),
        "rows" => first.iter().map(|item| items::row(item, sources)).collect(),
        "sources" => items::names(sources),
        // Only the template's own words stand in braces.
        _ => String::new(),
    }
    };
    let mut rest = PAGE;
    let mut count = 0;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.write_all(before.as_bytes())?;
        if name == "data" {
            let mut items = Items::new(sources);
            count = each(reader, state, |item| items.write(item, out)).await?;
            items.end(out)?;
        } else {
            out.write_all(fill(name).as_bytes())?;
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())?;
    out.flush()?;
    Ok(count)
}

/// Nothing is loaded, and nothing but what stands in this file by altfill's own hand is run.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
