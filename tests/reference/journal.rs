//! `journal.md`: the three views, of a journal that a run has left.

use std::{collections::BTreeMap, fmt::Write};

use altfill::journal::views::{VIEWS, View};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    markdown::{code, table, uppercased},
    rehearsal::Rehearsal,
};

const README: &str = include_str!("../../README.md");

const OPENING: &str = "\
# The journal

A journal is a SQLite file. Read it with any SQLite tool, also while a run goes on, through these three views. They stay the same whatever becomes of the
tables behind them; columns may be added. Open it for reading only, and copy it with `.backup`: a file without the `-wal` beside it may lack what was written last.
[How to](../how-to.md#read-the-journal-with-other-programs) has commands.

Moments are RFC 3339 in UTC, with milliseconds: `2026-03-01T01:10:04.250Z`. They can be compared and sorted as text. Causes and reasons are words that stay, and
[errors](../errors.md) says what to do about each.
";

/// The page.
pub fn page() -> String {
    let rehearsal = Rehearsal::run(&[]);
    let path = rehearsal.journal();
    let mut page = OPENING.to_owned();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let options = SqliteConnectOptions::new().filename(path).read_only(true);
            let mut journal = SqliteConnection::connect_with(&options).await.unwrap();
            all_are_known(&mut journal).await;
            for view in &VIEWS {
                page.push_str(&section(&mut journal, view).await);
            }
        });
    page
}

/// That the journal has these views and no other.
async fn all_are_known(journal: &mut SqliteConnection) {
    let made: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
            .fetch_all(journal)
            .await
            .unwrap();
    let mut known = VIEWS.map(|view| view.name);
    known.sort_unstable();
    assert_eq!(made, known);
}

async fn section(journal: &mut SqliteConnection, view: &View) -> String {
    let made: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
        .bind(view.name)
        .fetch_all(&mut *journal)
        .await
        .unwrap();
    let known: Vec<_> = view.columns.iter().map(|column| column.name).collect();
    assert_eq!(made, known, "the columns of {}", view.name);
    let told = format!("`{}({})`", view.name, known.join(", "));
    assert!(README.contains(&told), "the README has another {told}");
    let mut rows = Vec::new();
    for column in view.columns {
        let mut types = types(journal, view.name, column.name).await;
        let may_be_null = column.about.contains("NULL");
        assert!(
            !types.contains_key("null") || may_be_null,
            "{}.{} is NULL, and nothing says when",
            view.name,
            column.name
        );
        types.remove("null");
        let types: Vec<_> = types.into_keys().collect();
        assert_eq!(types.len(), 1, "{}.{}: {types:?}", view.name, column.name);
        let kind = types[0].to_uppercase() + if may_be_null { " or NULL" } else { "" };
        rows.push([code(column.name), kind, column.about.to_owned()]);
    }
    let mut text = format!("\n## {}\n\n", view.name);
    writeln!(text, "{}.\n", uppercased(view.about)).unwrap();
    text + &table(["column", "type", "what stands there"], rows)
}

/// The types that a column's values have, with how many have it.
async fn types(journal: &mut SqliteConnection, view: &str, column: &str) -> BTreeMap<String, i64> {
    let statement = format!("SELECT typeof({column}), count(*) FROM {view} GROUP BY 1");
    let types: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(statement))
        .fetch_all(journal)
        .await
        .unwrap();
    types.into_iter().collect()
}
