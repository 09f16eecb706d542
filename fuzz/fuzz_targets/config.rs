#![no_main]
//! A configuration file, of the user's own or of a project.

use std::sync::LazyLock;

use altfill::configuration::{Contents, House, Options};
use libfuzzer_sys::fuzz_target;

static OPTIONS: LazyLock<Options> = LazyLock::new(Options::of_this_program);

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let house = if first % 2 == 0 {
        House::Own
    } else {
        House::Project
    };
    let contents = Contents::read(text, &OPTIONS, house);
    assert_eq!(contents, Contents::read(text, &OPTIONS, house));
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    for entry in &contents.entries {
        assert!((1..=lines).contains(&entry.line), "{entry:?}");
        assert!(OPTIONS.get(&entry.key).is_some(), "{entry:?}");
        assert!(house == House::Own || Options::reserved(&entry.key).is_none(), "{entry:?}");
    }
    for mistake in &contents.mistakes {
        assert!((1..=lines).contains(&mistake.line), "{mistake:?}");
        assert!(!mistake.words.chars().any(char::is_control), "{mistake:?}");
        assert!(mistake.words.len() < 4_000, "{mistake:?}");
    }
});
