//! Which requests the faults befall.

use std::collections::BTreeMap;

use super::{JSON, options, order, send};
use crate::sandbox::{Options, Sandbox};

/// The outcome of each of these orders, each sent twice in a row: a status, or 0 for none.
async fn outcomes(seed: u64, ids: impl Iterator<Item = u64>) -> BTreeMap<u64, Vec<u16>> {
    let sandbox = Sandbox::start(Options {
        seed,
        ..options(&["503=20%", "reset=10%", "not-found=10%"])
    })
    .await
    .unwrap();
    let mut outcomes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for id in ids {
        let answer = send(&sandbox, JSON, &order(&id.to_string()).to_string()).await;
        outcomes
            .entry(id)
            .or_default()
            .push(answer.map_or(0, |answer| answer.status));
    }
    outcomes
}

#[tokio::test]
async fn the_same_seed_brings_the_same_faults_in_any_order() {
    let up = outcomes(7, (0..60).chain(0..60)).await;
    let down = outcomes(7, (0..60).rev().flat_map(|id| [id, id])).await;
    assert_eq!(up, down);
    assert_ne!(up, outcomes(8, (0..60).chain(0..60)).await);
    for status in [0, 200, 404, 503] {
        assert!(
            up.values().flatten().any(|outcome| *outcome == status),
            "{status}"
        );
    }
}
