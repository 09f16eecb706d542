//! How a refusal looks: a code, one paragraph that says what to do, and an object that says the same.

use crate::world::Finished;

/// That a command was refused: its code, a word of its message, and an object that says the same.
#[track_caller]
pub fn refused(finished: &Finished, code: i32, word: &str, case: &str) {
    assert_eq!(finished.code, code, "{case}: {finished:?}");
    let said = finished.stderr.trim_end();
    assert!(
        said.to_lowercase().contains(&word.to_lowercase()),
        "{case}: no {word:?} in {said}"
    );
    assert!(!said.contains("panicked"), "{case}: {said}");
    let object = finished.json();
    assert_eq!(object["exit_code"], code, "{case}: {object}");
    assert_eq!(object["requests"], 0, "{case}: {object}");
}

/// That an error is one paragraph: no empty line, no list of causes, no debug form.
#[track_caller]
pub fn is_one_paragraph(finished: &Finished, case: &str) {
    let said = finished.stderr.trim_end();
    assert!(said.starts_with("altfill: "), "{case}: {said}");
    assert_eq!(said.lines().count(), 1, "{case}: {said}");
}
