//! The windows as a client sees them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{limited, order, post};
use crate::{sandbox::Sandbox, time::Timestamp};

#[tokio::test]
async fn windows_are_told_and_refuse_what_is_too_much() {
    let sandbox = Sandbox::start(limited(&["2/15m", "50000/24h"], &[]))
        .await
        .unwrap();
    let earliest = Timestamp::now().seconds() + 900;
    let first = post(&sandbox, &order("1")).await;
    let reset: i64 = first.header("x-rate-limit-reset").unwrap().parse().unwrap();
    assert!(
        (earliest..earliest + 5).contains(&reset),
        "{reset} {earliest}"
    );
    assert_eq!(first.header("x-rate-limit-limit"), Some("2"));
    assert_eq!(first.header("x-rate-limit-remaining"), Some("1"));
    assert_eq!(first.header("x-app-limit-24hour-limit"), Some("50000"));
    // A refused body counts like any other.
    assert_eq!(
        post(&sandbox, &order("x"))
            .await
            .header("x-rate-limit-remaining"),
        Some("0")
    );

    let refused = post(&sandbox, &order("1")).await;
    let body = json!({"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429});
    assert_eq!((refused.status, refused.json()), (429, body));
    assert_eq!(
        refused.header("x-rate-limit-reset"),
        first.header("x-rate-limit-reset")
    );
    assert_eq!(
        refused.header("x-app-limit-24hour-remaining"),
        Some("49998"),
        "a 429 uses nothing up"
    );
    assert_eq!(
        sandbox.ledger().statuses(),
        BTreeMap::from([(200, 1), (400, 1), (429, 1)])
    );
}

#[tokio::test]
async fn a_window_is_free_again_at_the_reset_it_told() {
    let sandbox = Sandbox::start(limited(&["1/1s"], &[])).await.unwrap();
    let first = post(&sandbox, &order("1")).await;
    let reset: i64 = first.header("x-rate-limit-reset").unwrap().parse().unwrap();
    tokio::time::sleep(Timestamp::from_seconds(reset).since(Timestamp::now())).await;
    assert_eq!(post(&sandbox, &order("1")).await.status, 200);
}
