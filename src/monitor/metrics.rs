//! A run's figures as Prometheus reads them from a file.
//!
//! Owns the metrics' names, which are a promise, and the file's form. It is written beside its place and moved there, so
//! that nobody reads half of it.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

use crate::{journal::Tally, time::Timestamp};

/// What each metric is. The names are a promise.
const METRICS: [(&str, &str, &str); 9] = [
    ("altfill_items", "gauge", "Images in the journal by state."),
    ("altfill_running", "gauge", "1 while a run goes on."),
    (
        "altfill_last_run_exit_code",
        "gauge",
        "The exit code of the last run that ended.",
    ),
    (
        "altfill_last_success_timestamp_seconds",
        "gauge",
        "When a run last ended as 0, in Unix seconds.",
    ),
    (
        "altfill_last_progress_timestamp_seconds",
        "gauge",
        "When an image last had an outcome, or a run began, in Unix seconds.",
    ),
    (
        "altfill_paused_until_timestamp_seconds",
        "gauge",
        "Until when nothing can be sent, in Unix seconds; 0 while there is no pause.",
    ),
    (
        "altfill_spent_dollars_total",
        "counter",
        "What all runs of the journal have cost.",
    ),
    (
        "altfill_token_expires_timestamp_seconds",
        "gauge",
        "When the token expires, in Unix seconds, where that is known.",
    ),
    (
        "altfill_written_timestamp_seconds",
        "gauge",
        "When this file was written, in Unix seconds.",
    ),
];

/// What is known of a journal and its runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// The images of each account by state, under the names that the journal's views have; none before it was read.
    pub tallies: Vec<(String, Tally)>,
    /// Whether a run goes on.
    pub is_running: bool,
    /// With which code the last run ended.
    pub exit_code: Option<u8>,
    /// When a run last ended as 0.
    pub last_success: Option<Timestamp>,
    /// When an image last had an outcome, or a run began.
    pub last_progress: Option<Timestamp>,
    /// Until when nothing can be sent.
    pub paused_until: Option<Timestamp>,
    /// What all runs have cost.
    pub spent_dollars: Option<f64>,
    /// When the token expires.
    pub token_expires: Option<Timestamp>,
}

/// The images by the names of their states.
const fn states(tally: Tally) -> [(&'static str, u64); 5] {
    [
        ("pending", tally.pending),
        ("sending", tally.sending),
        ("done", tally.done),
        ("failed", tally.failed),
        ("dismissed", tally.dismissed),
    ]
}

impl Figures {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self, now: Timestamp) -> String {
        let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.seconds().to_string());
        let mut text = String::new();
        for (name, kind, help) in METRICS {
            // Writing to a string can't fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            let value = match name {
                "altfill_items" => {
                    for (account, tally) in &self.tallies {
                        let account = escaped(account);
                        for (state, count) in states(*tally) {
                            let _ = writeln!(
                                text,
                                "{name}{{account=\"{account}\",state=\"{state}\"}} {count}"
                            );
                        }
                    }
                    None
                }
                "altfill_running" => Some(u8::from(self.is_running).to_string()),
                "altfill_last_run_exit_code" => self.exit_code.map(|code| code.to_string()),
                "altfill_last_success_timestamp_seconds" => moment(self.last_success),
                "altfill_last_progress_timestamp_seconds" => moment(self.last_progress),
                "altfill_paused_until_timestamp_seconds" => {
                    moment(Some(self.paused_until.unwrap_or(Timestamp(0))))
                }
                "altfill_spent_dollars_total" => {
                    self.spent_dollars.map(|dollars| format!("{dollars:.6}"))
                }
                "altfill_token_expires_timestamp_seconds" => moment(self.token_expires),
                _ => moment(Some(now)),
            };
            if let Some(value) = value {
                let _ = writeln!(text, "{name} {value}");
            }
        }
        text
    }

    /// What a former file tells that the journal does not: a success that `--ok` made one, and a run that could not begin.
    #[must_use]
    pub fn recall(text: &str) -> Self {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
                rest.trim().parse::<i64>().ok()
            })
        };
        let moment = |name| value(name).map(Timestamp::from_seconds);
        Self {
            exit_code: value("altfill_last_run_exit_code").and_then(|code| u8::try_from(code).ok()),
            last_success: moment("altfill_last_success_timestamp_seconds"),
            last_progress: moment("altfill_last_progress_timestamp_seconds"),
            ..Self::default()
        }
    }

    /// Writes the file, readable for all.
    ///
    /// # Errors
    /// Where it can't be written, or another file stands there.
    pub fn write(&self, path: &Path, now: Timestamp) -> io::Result<()> {
        if former(path)?.is_some_and(|text| !is_ours(&text)) {
            return Err(io::Error::other(
                "a file of something else stands there, and was left as it is",
            ));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))?;
        file.write_all(self.to_text(now).as_bytes())?;
        // Whoever gathers metrics is another user.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// The text of the file that stands there, if one does.
///
/// # Errors
/// Where it can't be read.
pub(super) fn former(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_ours(text: &str) -> bool {
    text.trim().is_empty() || text.starts_with("# HELP altfill_")
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn figures() -> Figures {
        Figures {
            tallies: vec![(
                "a \"b\" \\ c\nd".to_owned(),
                Tally {
                    pending: 1,
                    sending: 2,
                    done: 3,
                    failed: 4,
                    dismissed: 5,
                },
            )],
            is_running: true,
            exit_code: Some(75),
            last_success: Some(Timestamp::from_seconds(1_700_000_000)),
            last_progress: Some(Timestamp::from_seconds(1_700_000_001)),
            paused_until: None,
            spent_dollars: Some(1.5),
            token_expires: None,
        }
    }

    #[test]
    fn each_metric_has_its_help_its_type_and_its_value() {
        let text = figures().to_text(NOW);
        for line in [
            r#"altfill_items{account="a \"b\" \\ c\nd",state="done"} 3"#,
            "altfill_running 1",
            "altfill_last_run_exit_code 75",
            "altfill_last_success_timestamp_seconds 1700000000",
            "altfill_paused_until_timestamp_seconds 0",
            "altfill_spent_dollars_total 1.500000",
            "altfill_written_timestamp_seconds 1800000000",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
        for (name, kind, _) in METRICS {
            assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        }
        assert!(
            !text.contains("altfill_token_expires_timestamp_seconds 1"),
            "{text}"
        );
    }

    #[test]
    fn what_the_journal_does_not_know_is_recalled() {
        let recalled = Figures::recall(&figures().to_text(NOW));
        assert_eq!(recalled.exit_code, Some(75));
        assert_eq!(recalled.last_success, figures().last_success);
        assert_eq!(recalled.last_progress, figures().last_progress);
        assert_eq!(Figures::recall("no metrics\n"), Figures::default());
    }

    #[test]
    fn a_file_of_something_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.prom");
        fs::write(&path, "alias ls=ls\n").unwrap();
        figures().write(&path, NOW).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "alias ls=ls\n");
        fs::remove_file(&path).unwrap();
        figures().write(&path, NOW).unwrap();
        figures().write(&path, NOW).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o644
            );
        }
    }
}
