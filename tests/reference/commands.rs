//! `commands.md`: every command, argument and option, of the parser.

use std::{collections::BTreeMap, fmt::Write};

use altfill::cli;
use clap::{Arg, ArgAction, Command};

use super::markdown::{anchor, code, prose, table};

/// From so many options on that a command has in common with `run`, it is said so instead of saying them again.
const MANY: usize = 15;

/// Up to so many options need no headings.
const FEW: usize = 10;

const OPENING: &str = "\
# Commands

`altfill COMMAND` and its arguments and options. `altfill COMMAND --help` says the same on a terminal, `altfill man COMMAND` as a manual page.
";

const EVERYWHERE: &str = "
`-h` shows a command's options in short and `--help` in full, `altfill --version` the version.

**Environment.** An option with a name under *environment* can be set there too, and in a [configuration file](configuration.md); a flag beats the
environment, which beats a file. `--config` and `--no-config` stand in no file. Switches take `true` and `false` (or `yes`, `on`, `1` and `no`, `off`, `0`). Where an option may be given more than
once, its values are parted by commas; those of `ALTFILL_MAP` and `ALTFILL_IGNORE` by line breaks.

**Durations** are written `5s`, `15m`, `24h`, `30d`.
";

/// The page.
pub fn page() -> String {
    let mut cli = cli::command();
    cli.build();
    let mut page = OPENING.to_owned();
    let all = commands(&cli, "altfill");
    let rows = all.iter().map(|(name, command)| {
        let link = format!("[`{name}`](#{})", anchor(name));
        [link, prose(&about(command))]
    });
    write!(page, "\n{}", table(["command", "does"], rows)).unwrap();
    write!(
        page,
        "\n## Options of every command\n\n{}",
        options(&cli, cli.get_arguments().filter(|arg| arg.is_global_set()))
    )
    .unwrap();
    page.push_str(EVERYWHERE);
    assert_parted(&cli);
    let run = cli.find_subcommand("run").unwrap().clone();
    for (name, command) in &all {
        page.push_str(&section(name, command, &run));
    }
    page.push_str(&exit_codes(&cli));
    page
}

/// The commands below one, each with its whole name, without those that are not shown.
fn commands<'c>(of: &'c Command, name: &str) -> Vec<(String, &'c Command)> {
    let mut found = Vec::new();
    for command in of.get_subcommands() {
        if command.is_hide_set() || command.get_name() == "help" {
            continue;
        }
        let name = format!("{name} {}", command.get_name());
        let inner = commands(command, &name);
        if inner.is_empty() {
            found.push((name, command));
        } else {
            found.extend(inner);
        }
    }
    found
}

/// That values in the environment are parted as the page says.
fn assert_parted(cli: &Command) {
    let run = cli.find_subcommand("run").unwrap();
    let lists = run
        .get_arguments()
        .filter(|arg| arg.get_env().is_some() && matches!(arg.get_action(), ArgAction::Append));
    for arg in lists {
        let is_free_text = ["map", "ignore"].contains(&arg.get_long().unwrap());
        let parting = if is_free_text { '\n' } else { ',' };
        assert_eq!(arg.get_value_delimiter(), Some(parting), "{arg}");
    }
}

fn about(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    assert!(!about.is_empty(), "{} has no words", command.get_name());
    about
}

fn section(name: &str, command: &Command, run: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let mut text = format!(
        "\n## {name}\n\n{}.\n\n```text\n{usage}\n```\n",
        prose(&about(command))
    );
    let arguments: Vec<_> = command
        .get_positionals()
        .map(|arg| [code(&value(arg)), meaning(command, arg)])
        .collect();
    if !arguments.is_empty() {
        write!(text, "\n{}", table(["argument", "is"], arguments)).unwrap();
    }
    let own: Vec<_> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_global_set() && !arg.is_hide_set())
        // Every command has it, and the page says so once.
        .filter(|arg| arg.get_id() != "help")
        .collect();
    let (known, other): (Vec<&Arg>, Vec<&Arg>) = own
        .iter()
        .partition(|arg| command.get_name() != "run" && is_known(arg, run));
    if known.len() < MANY {
        text.push_str(&groups(name, command, &own));
    } else {
        text.push_str(&as_of_run(name, &known));
        text.push_str(&groups(name, command, &other));
    }
    text.push_str(&ending(command));
    text
}

/// Whether `run` has the same option.
fn is_known(arg: &Arg, run: &Command) -> bool {
    run.get_arguments().any(|other| {
        other.get_long() == arg.get_long()
            && other.get_env() == arg.get_env()
            && other.get_help().map(ToString::to_string) == arg.get_help().map(ToString::to_string)
    })
}

/// The names of options that are explained under `run`.
fn as_of_run(name: &str, known: &[&Arg]) -> String {
    let mut text = format!(
        "\n`{name}` has these options of [`altfill run`](#altfill-run), where they are explained:\n"
    );
    for (heading, args) in by_heading(known) {
        let names: Vec<_> = args.iter().map(|arg| code(&long(arg))).collect();
        let link = format!(
            "[{}](#{})",
            heading.to_lowercase(),
            anchor(&title("altfill run", &heading))
        );
        write!(text, "\n- {link}: {}", names.join(", ")).unwrap();
    }
    text + "\n"
}

/// Tables of options, one for each heading that they have in the help; a few options are one table.
fn groups(name: &str, command: &Command, args: &[&Arg]) -> String {
    if args.is_empty() {
        return String::new();
    }
    if args.len() <= FEW {
        return format!("\n{}", options(command, args.iter().copied()));
    }
    let mut text = String::new();
    for (heading, args) in by_heading(args) {
        write!(text, "\n### {}\n\n", title(name, &heading)).unwrap();
        text.push_str(&options(command, args.into_iter()));
    }
    text
}

fn title(name: &str, heading: &str) -> String {
    format!("{name}: {}", heading.to_lowercase())
}

/// Options by the heading under which the help has them, in its order.
fn by_heading<'a>(args: &[&'a Arg]) -> Vec<(String, Vec<&'a Arg>)> {
    let mut groups: Vec<(String, Vec<&Arg>)> = Vec::new();
    for arg in args {
        let heading = arg.get_help_heading().unwrap_or("Options");
        match groups.iter_mut().find(|(known, _)| known == heading) {
            Some((_, group)) => group.push(arg),
            None => groups.push((heading.to_owned(), vec![arg])),
        }
    }
    // As the help has it: those without a heading come first.
    groups.sort_by_key(|(heading, _)| heading != "Options");
    groups
}

fn options<'a>(command: &Command, args: impl Iterator<Item = &'a Arg>) -> String {
    let rows: Vec<_> = args
        .map(|arg| {
            let short = arg.get_short().map(|short| format!("`-{short}`, "));
            let environment = arg.get_env().map(|name| code(&name.to_string_lossy()));
            [
                format!("{}{}", short.unwrap_or_default(), code(&long(arg))),
                meaning(command, arg),
                prose(&default(arg)),
                environment.unwrap_or_default(),
            ]
        })
        .collect();
    if rows.iter().all(|row| row[2..].concat().is_empty()) {
        return table(
            ["option", "what it does"],
            rows.into_iter()
                .map(|[option, meaning, ..]| [option, meaning]),
        );
    }
    table(["option", "what it does", "default", "environment"], rows)
}

/// A long option with its value, as it is typed.
fn long(arg: &Arg) -> String {
    let name = format!("--{}", arg.get_long().unwrap());
    let takes_none = arg
        .get_num_args()
        .is_some_and(|range| range.min_values() == 0);
    match (arg.get_action().takes_values(), takes_none) {
        (false, _) => name,
        (true, true) => format!("{name}[={}]", value(arg)),
        (true, false) => format!("{name} {}", value(arg)),
    }
}

fn value(arg: &Arg) -> String {
    let named = arg.get_value_names().and_then(|names| names.first());
    let name = named.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    let is_many = arg.is_positional() && matches!(arg.get_action(), ArgAction::Append);
    if is_many { format!("{name}…") } else { name }
}

/// The help of an option without its default, the values that it may have, and what it can't stand beside.
fn meaning(command: &Command, arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    assert!(
        !help.is_empty(),
        "{} {} has no words",
        command.get_name(),
        arg.get_id()
    );
    let help = help.split(" [default: ").next().unwrap();
    let mut text = prose(help);
    let values = arg.get_possible_values();
    if !values.is_empty() && arg.get_action().takes_values() {
        let values: Vec<_> = values
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| {
                let about = value
                    .get_help()
                    .map(|help| format!(" ({})", prose(&lowered(&help.to_string()))));
                format!("{}{}", code(value.get_name()), about.unwrap_or_default())
            })
            .collect();
        write!(text, ": {}", values.join("; ")).unwrap();
    }
    // The parser is told of one side, and keeps the two apart whichever comes first.
    let conflicts = |one: &Arg, other: &Arg| {
        let with = command.get_arg_conflicts_with(one);
        with.iter().any(|arg| arg.get_id() == other.get_id())
    };
    let against: Vec<_> = command
        .get_arguments()
        .filter(|other| conflicts(arg, other) || conflicts(other, arg))
        .map(|other| {
            let long = other.get_long().map(|long| format!("--{long}"));
            code(&long.unwrap_or_else(|| value(other)))
        })
        .collect();
    if !against.is_empty() {
        write!(text, "; not with {}", against.join(" or ")).unwrap();
    }
    text
}

/// A help text in the middle of a sentence.
fn lowered(help: &str) -> String {
    let mut chars = help.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    let rest: String = chars.collect();
    // An abbreviation stays.
    if rest.starts_with(|c: char| c.is_uppercase())
        || help.starts_with("X ")
        || help.starts_with("X'")
    {
        help.to_owned()
    } else {
        first.collect::<String>() + &rest
    }
}

fn default(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let said = help
        .split_once("[default: ")
        .and_then(|(_, rest)| rest.split_once(']'))
        // An address stands in angle brackets, for rustdoc.
        .map(|(default, _)| default.trim_matches(['<', '>']).to_owned());
    let set = || {
        let values = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy());
        values.collect::<Vec<_>>().join(", ")
    };
    let is_value = arg.get_action().takes_values();
    said.unwrap_or_else(|| if is_value { set() } else { String::new() })
}

/// What stands below the options of a command in its help.
fn ending(command: &Command) -> String {
    let after = command.get_after_help().map(ToString::to_string);
    match after {
        Some(text) if !text.contains('\n') => format!("\n{}\n", prose(&text)),
        _ => "\nIt ends with one of the [exit codes](#exit-codes).\n".to_owned(),
    }
}

/// The table that `run` ends with.
fn exit_codes(cli: &Command) -> String {
    let help = cli.get_after_help().unwrap().to_string();
    let mut rows = BTreeMap::new();
    for line in help.lines().filter(|line| line.starts_with("  ")) {
        let start = line.find(char::is_alphabetic).unwrap();
        let codes = line[..start].trim();
        let first: u8 = codes.split(", ").next().unwrap().parse().unwrap();
        rows.insert(first, [codes.to_owned(), prose(&line[start..])]);
    }
    format!(
        "\n## Exit codes\n\n{}\nThe reason, and what to do about it: [errors](../errors.md#how-a-run-ends). Codes may be added: treat one that you do not know as a failure.\n",
        table(["code", "means"], rows.into_values())
    )
}
