//! `altfill config`: each option of a run as it holds here, and where it was set.
//!
//! It shows no secret: what may hold one is shown as far as it holds none.

use serde_json::{Map, Value, json};

use super::print;
use crate::{
    cli::{ConfigArgs, Holding, Origin},
    configuration::Options,
    error::{Failure, exit},
    settings::RunSettings,
};

pub fn execute(args: &ConfigArgs) -> Result<u8, Failure> {
    // What can't be meant together is told here as a run would tell it.
    RunSettings::of_resume(&args.send)?;
    let options = Options::of_this_program();
    let origins = &args.send.origins;
    let nothing = Holding::default();
    let holdings = options.iter().map(|known| {
        let holding = origins.options.get(&known.name).unwrap_or(&nothing);
        let values = holding.values.iter();
        let values: Vec<_> = values.map(|value| shown(&known.name, value)).collect();
        (known, holding, values)
    });
    if args.send.json {
        let options: Map<_, _> = holdings
            .map(|(known, holding, values)| {
                let mut object = match &holding.origin {
                    Origin::Flag => json!({"source": "flag"}),
                    Origin::Environment(name) => json!({"source": "environment", "variable": name}),
                    Origin::File(path, line) => {
                        json!({"source": "file", "file": path.display().to_string(), "line": line})
                    }
                    Origin::Default => json!({"source": "default", "default": known.default}),
                };
                object["value"] = match (values.as_slice(), known.is_list) {
                    ([], _) if known.is_switch => json!(false),
                    ([], _) => Value::Null,
                    ([value], _) if known.is_switch => json!(value == "true"),
                    ([value], false) => json!(value),
                    (values, _) => json!(values),
                };
                (known.name.clone(), object)
            })
            .collect();
        let files: Vec<_> = origins
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        print(&json!({"files": files, "options": options}).to_string())?;
        return Ok(exit::OK);
    }
    let rows: Vec<_> = holdings
        .map(|(known, holding, values)| {
            let (value, from) = match &holding.origin {
                Origin::Flag => (values.join(", "), format!("typed: --{}", known.name)),
                Origin::Environment(name) => {
                    (values.join(", "), format!("the environment: {name}"))
                }
                Origin::File(path, line) => (
                    values.join(", "),
                    format!("{}, line {line}", path.display()),
                ),
                Origin::Default if known.is_switch => ("false".to_owned(), "default".to_owned()),
                Origin::Default if known.default.is_empty() => {
                    ("-".to_owned(), "not set".to_owned())
                }
                Origin::Default => (known.default.clone(), "default".to_owned()),
            };
            (known.name.as_str(), value, from)
        })
        .collect();
    let width =
        |length: fn(&(&str, String, String)) -> usize| rows.iter().map(length).max().unwrap_or(0);
    let names = width(|(name, ..)| name.chars().count());
    let values = width(|(_, value, _)| value.chars().count()).min(44);
    let lines = rows
        .iter()
        .map(|(name, value, from)| format!("{name:names$}  {value:values$}  {from}"));
    let files = if origins.files.is_empty() {
        "No configuration file was read.".to_owned()
    } else {
        let files: Vec<_> = origins
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        format!("Read: {}", files.join(", "))
    };
    print(&format!(
        "{}\n{files}",
        lines.collect::<Vec<_>>().join("\n")
    ))?;
    Ok(exit::OK)
}

/// A value as it may be shown: of a program its name alone, of an address to notify its host alone.
fn shown(name: &str, value: &str) -> String {
    match name {
        "token-command" => match value.split_once(char::is_whitespace) {
            Some((program, _)) => format!("{program} …"),
            None => value.to_owned(),
        },
        "ping-url" | "notify-url" => {
            let (scheme, rest) = value.split_once("://").unwrap_or(("", value));
            let host = rest.split('/').next().unwrap_or_default();
            format!("{scheme}://{host}/…")
        }
        _ => value.to_owned(),
    }
}
