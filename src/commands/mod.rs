//! The commands, a file each: what they do from their words to their exit code.
//!
//! With the views they are the only ones who write to the terminal: what a program reads goes to standard output,
//! everything else to standard error.

mod auth;
mod check;
mod config;
mod faults;
pub mod keys;
mod linting;
mod output;
mod packaging;
mod plan;
mod repair;
mod report;
mod resend;
mod resume;
mod run;
mod sandbox;
mod schedule;
mod send;
mod sender;
mod show;
mod signals;
mod status;
mod summary;
mod taking;
mod template;
mod upkeep;

use std::{
    ffi::OsString,
    io::{self, BufRead, Write},
};

use self::summary::Totals;
use crate::{
    cli::{Cli, Command, JournalArgs},
    configuration::{Refusal, salvage},
    error::{Failure, exit},
    journal::Reader,
    progress::{Stream, about, fitted, remember, say, visible},
    rate::Rate,
    settings::JournalPlace,
};

/// Carries a command out, and returns its exit code.
pub async fn execute(cli: Cli) -> u8 {
    match cli.command {
        Command::Run(args) => run::execute(&args).await,
        Command::Resume(args) => resume::execute(&args).await,
        Command::Drop(args) => ended(upkeep::withdraw(&args).await),
        Command::Dismiss(args) => ended(upkeep::dismiss(&args).await),
        Command::Repair(args) => ended(repair::execute(&args).await),
        Command::Template(args) => ended(template::execute(&args)),
        Command::Plan(args) => ended(plan::execute(&args).await),
        Command::Check(args) => ended(check::execute(&args).await),
        Command::Status(args) => ended(status::execute(&args).await),
        Command::Show(args) => ended(show::execute(&args).await),
        Command::Report(args) => ended(report::execute(&args).await),
        Command::Config(args) => ended(config::execute(&args)),
        Command::Auth(args) => ended(auth::execute(&args.command).await),
        Command::Schedule(args) => ended(schedule::execute(&args)),
        Command::Completions(args) => ended(packaging::complete(&args)),
        Command::Man(args) => ended(packaging::explain(&args)),
        Command::Sandbox(args) => ended(sandbox::execute(&args).await),
    }
}

fn ended(result: Result<u8, Failure>) -> u8 {
    result.unwrap_or_else(|failure| {
        say(&complaint(&failure));
        failure.code()
    })
}

/// Reads a journal beside a run that may go on, closes it, and names it where it fails.
async fn reading<T>(
    place: &JournalPlace,
    read: impl AsyncFnOnce(&mut Reader) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let opened = Reader::open(&place.path, place.bound_to.as_deref(), &place.whose).await;
    let mut reader = opened.map_err(|error| error.at(&place.path))?;
    let found = read(&mut reader).await;
    reader.close().await;
    found.map_err(|failure| failure.in_journal(&place.path))
}

/// Trusts further authorities, where some were named.
fn trust(ca_file: Option<&std::path::Path>) -> Result<(), Failure> {
    ca_file.map_or(Ok(()), |path| Ok(crate::api::trust(path)?))
}

/// An error as it is shown: one paragraph.
fn complaint(failure: &Failure) -> String {
    format!("altfill: {failure}")
}

/// Writes what a program reads; what would steer a terminal is written as JSON writes it. A reader that has gone away is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out
        .write_all(visible(text).as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::unexpected(
            format!("standard output can't be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Writes what people read: on a terminal its lines are broken where they fit.
fn tell(text: &str) -> Result<(), Failure> {
    print(&fitted(&visible(text), Stream::Output))
}

/// So many of a thing, in words: `1 image`, `2 images`.
fn counted(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// What so many requests cost, in dollars to a thousandth of a cent: sums such as 3 * 0.005 are no round numbers in binary.
fn cost(requests: u64, price: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of requests stay far below 2^52"
    )]
    let dollars = requests as f64 * price;
    (dollars * 1e5).round() / 1e5
}

/// What was typed to name the journal, for the command that comes next: a blank before each word.
fn place_in_words(args: &JournalArgs, is_typed: impl Fn(&str) -> bool) -> String {
    let journal = args.journal.as_ref();
    let named = [
        ("journal", journal.map(|path| path.display().to_string())),
        ("api-url", args.api_url.as_ref().map(ToString::to_string)),
        ("profile", args.profile.clone()),
    ];
    let mut words = Vec::new();
    if args.sandbox && is_typed("sandbox") {
        words.push("--sandbox".to_owned());
    }
    for (option, value) in named {
        if let Some(value) = value.filter(|_| is_typed(option)) {
            words.push(format!("--{option}"));
            words.push(value);
        }
    }
    words.iter().fold(String::new(), |said, word| {
        // What no shell can be told is told as it is.
        let quoted = shlex::try_quote(word).map_or_else(|_| word.clone(), Into::into);
        said + " " + &quoted
    })
}

/// A limit in words: 500 in 15 min.
fn limit(rate: &Rate) -> String {
    format!("{} in {}", rate.count, about(rate.per))
}

/// Asks a question on the terminal. One that can't be asked is answered by no.
fn agrees(question: &str) -> bool {
    let mut out = io::stderr();
    let question = format!("{question} [y/N]");
    let _ = write!(out, "{} ", fitted(&question, Stream::Error));
    let _ = out.flush();
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// The code with which a run would end that sends nothing more.
const fn code_at_rest(due: u64, failed: u64) -> u8 {
    if due > 0 {
        exit::STOPPED
    } else if failed > 0 {
        exit::FAILED_ITEMS
    } else {
        exit::OK
    }
}

/// Says what is wrong with what was typed or configured, or shows the help that was asked for. Those who watch a run hear of it
/// as far as it can be made out who they are.
pub(crate) async fn refuse(refusal: &Refusal, words: &[OsString]) -> u8 {
    let code = match refusal {
        Refusal::Words(error) => {
            // Nobody who reads is no reason to fail.
            let _ = error.print();
            if error.use_stderr() {
                remember(&error.to_string());
                exit::USAGE
            } else {
                exit::OK
            }
        }
        Refusal::Configuration(failure) => {
            say(&complaint(failure));
            failure.code()
        }
    };
    let sends = words.iter().any(|word| word == "run" || word == "resume");
    if code == exit::USAGE && sends {
        let mut totals = Totals::default();
        (totals.exit_code, totals.exit_reason) = (code, "usage".to_owned());
        if words.iter().any(|word| word == "--json") {
            let _ = print(&totals.to_json().to_string());
        }
        if let Some(args) = salvage(words) {
            send::tell_of_refusal(&args, &totals).await;
        }
    }
    code
}
