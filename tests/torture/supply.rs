//! What the program is made of: no OpenSSL, and each exception of `deny.toml` still needed.

/// All crates that the program and its tests are built of, on any system: those that are locked.
fn crates() -> Vec<&'static str> {
    const LOCK: &str = include_str!("../../Cargo.lock");
    let names = LOCK
        .lines()
        .filter_map(|line| line.strip_prefix("name = \""));
    let crates: Vec<_> = names.map(|name| name.trim_end_matches('"')).collect();
    assert!(crates.len() > 100, "{crates:?}");
    crates
}

#[test]
fn there_is_no_openssl_in_the_tree() {
    let crates = crates();
    assert!(crates.contains(&"rustls"));
    for name in crates {
        let is_openssl =
            name.starts_with("openssl") && name != "openssl-probe" || name == "native-tls";
        assert!(!is_openssl, "{name}");
    }
}

#[test]
fn each_excuse_for_an_advisory_is_for_a_crate_that_is_there() {
    let deny = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let crates = crates();
    let excuses: Vec<_> = deny
        .lines()
        .filter_map(|line| {
            line.split_once("reason = \"")
                .filter(|_| line.contains("RUSTSEC"))
        })
        .collect();
    assert_eq!(excuses.len(), 2, "{excuses:?}");
    for (_, reason) in excuses {
        let name = reason.split(' ').next().unwrap();
        assert!(crates.contains(&name), "{name} is excused, and gone");
    }
}
