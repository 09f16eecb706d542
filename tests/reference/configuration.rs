//! `configuration.md`: the keys of an `altfill.toml`, of the parser and of the code that reads such a file.

use std::{collections::BTreeSet, fmt::Write};

use altfill::{
    cli,
    configuration::{Contents, House, Known, Options},
};
use clap::{Arg, Command};

use super::markdown::{anchor, code, prose, table};

const OPENING: &str = "\
# The configuration file

An `altfill.toml` holds options that need not be typed each time. Its keys are the long options' names, without the dashes; [commands](commands.md) tells what each does. A flag beats
the environment, which beats a file. An option that a command does not have is passed over there, so one file serves all commands.

Files are looked for in the current folder, in the folder of the first manifest, and in your own configuration folder; the first one that says something of an option wins.
[Configuration](../../README.md#configuration) tells where that is. `altfill config` shows what holds in a folder, and which line of which file set it:

```sh
altfill config
```

A path is meant from the folder of the file that names it. A key that is no option, and a value that can't be read, are errors with their line.

## How values are written

";

const KEYS: &str = "
## The keys

A file in the current folder, or beside a manifest, may have been put there by somebody else. So some keys may not stand *in a project's file*: that is exit code 2. Your own file may
have them, and so may one that `--config` names.
";

/// The section of `commands.md` that has what stands under no heading.
const EVERYWHERE: &str = "Options of every command";

/// One way to write each kind of value.
const EXAMPLES: [&str; 7] = [
    "quiet = true",
    "workers = 4",
    "max-spend = \"20/30d\"",
    "rate = [\"500/15m\", \"50000/24h\"]",
    "ok = [4, 5]",
    "map = { alt_text = \"Description\" }",
    "retry-failed = [\"timeout\", \"connect\"]",
];

/// The page.
pub fn page() -> String {
    let options = Options::of_this_program();
    let mut cli = cli::command();
    cli.build();
    let run = cli.find_subcommand("run").unwrap();
    let mut page = OPENING.to_owned();
    page.push_str(&forms(&options));
    page.push_str(KEYS);
    page.push_str(&keys(&options, run));
    page
}

/// Each form of value that there is, with an example that is really read.
fn forms(options: &Options) -> String {
    let mut told = BTreeSet::new();
    let mut rows = Vec::new();
    for example in EXAMPLES {
        let contents = Contents::read(example, options, House::Own);
        assert_eq!(contents.mistakes, [], "{example}");
        let known = options.get(&contents.entries[0].key).unwrap();
        if told.insert(known.form()) {
            rows.push([prose(&escaped(known.form())), code(example)]);
        }
    }
    // Text is the form of all that is no other.
    rows.push([
        "text in quotes".to_owned(),
        code("journal = \"/srv/images/altfill.db\""),
    ]);
    told.insert("text in quotes");
    let all: BTreeSet<_> = options.iter().map(Known::form).collect();
    assert_eq!(told, all, "each form has an example");
    table(["form", "for example"], rows)
}

/// What stands in quotes and brackets is code.
fn escaped(form: &str) -> String {
    match form.split_once(": ") {
        Some((words, code)) => format!(
            "{words}: {}",
            code.split(", or a list ")
                .map(|part| format!("`{part}`"))
                .collect::<Vec<_>>()
                .join(", or a list ")
        ),
        None => form
            .replace("true or false", "`true` or `false`")
            .replace("true,", "`true`,"),
    }
}

/// Why a project's file may not set it, as the code that reads files judges.
fn refusal(known: &Known) -> Option<&'static str> {
    let why = Options::reserved(&known.name);
    let tried = Contents::read(
        &format!("{} = \"https://a.example\"", known.name),
        &Options::of_this_program(),
        House::Project,
    );
    let is_refused = tried
        .mistakes
        .iter()
        .any(|mistake| mistake.words.contains("a project's folder may not set it"));
    assert_eq!(is_refused, why.is_some(), "{}", known.name);
    why
}

/// All keys, by the heading under which the help has them.
fn keys(options: &Options, run: &Command) -> String {
    let mut groups: Vec<(&str, Vec<[String; 4]>)> = Vec::new();
    let mut count = 0;
    for arg in run.get_arguments() {
        let Some(known) = arg.get_long().and_then(|long| options.get(long)) else {
            continue;
        };
        count += 1;
        let heading = arg.get_help_heading().unwrap_or(EVERYWHERE);
        let row = [
            code(&known.name),
            takes(known, arg),
            prose(&known.default),
            refusal(known).map_or_else(|| "yes".to_owned(), |why| format!("no: it {why}")),
        ];
        match groups.iter_mut().find(|(name, _)| *name == heading) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((heading, vec![row])),
        }
    }
    assert_eq!(count, options.iter().count(), "every key stands somewhere");
    let mut text = String::new();
    for (heading, rows) in groups {
        let title = match heading {
            EVERYWHERE => EVERYWHERE.to_owned(),
            heading => format!("altfill run: {}", heading.to_lowercase()),
        };
        write!(
            text,
            "\n### {heading}\n\nWhat each does: [{title}](commands.md#{}).\n\n",
            anchor(&title)
        )
        .unwrap();
        text.push_str(&table(
            ["key", "takes", "default", "in a project's file"],
            rows,
        ));
    }
    text
}

fn takes(known: &Known, arg: &Arg) -> String {
    let values = arg.get_possible_values();
    if known.is_switch || values.is_empty() {
        let form = prose(&escaped(known.form().split(':').next().unwrap()));
        let value = arg.get_value_names().and_then(|names| names.first());
        let value = value.filter(|_| !known.is_switch);
        return value.map_or_else(
            || form.clone(),
            |value| format!("{}, as {form}", code(value)),
        );
    }
    let values: Vec<_> = values
        .iter()
        .map(|value| code(&format!("\"{}\"", value.get_name())))
        .collect();
    values.join(", ")
}
