//! How a request is judged: token, path, body, schema.

use std::collections::BTreeMap;

use serde_json::json;

use super::{JSON, PATH, exchange, limited, options, order, post, request, send};
use crate::{
    sandbox::{Options, Sandbox},
    time::Timestamp,
};

#[tokio::test]
async fn accepted_metadata_comes_back_and_stands_in_the_ledger() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    let before = Timestamp::now();
    let body = json!({"id": "007", "metadata": {"alt_text": {"text": "Zwei Kätzchen 🐈"}, "shared_info": {"shared": false}}});
    let answer = post(&sandbox, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"data": {"id": "007", "associated_metadata": body["metadata"]}})
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert!(
        answer
            .header("date")
            .is_some_and(|date| date.ends_with("GMT"))
    );
    assert!(!answer.headers.keys().any(|name| name.contains("limit")));
    post(&sandbox, &order("007")).await;
    post(&sandbox, &order("8")).await;

    let ledger = sandbox.ledger();
    assert_eq!(ledger.accepted("007"), [body, order("007")]);
    assert_eq!(
        (
            ledger.requests(),
            ledger.seen("007"),
            ledger.seen("8"),
            ledger.seen("7")
        ),
        (3, 2, 1, 0)
    );
    assert_eq!(ledger.statuses(), BTreeMap::from([(200, 3)]));
    assert_eq!(ledger.last_bodies()["007"], order("007"));
    assert!(ledger.starts().is_sorted() && ledger.starts()[0] >= before);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_bad_id_is_refused_in_the_shape_seen_in_reality() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    let answer = post(&sandbox, &order("abc")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "errors": [{"parameters": {"id": ["abc"]}, "message": "$.id: does not match the regex pattern ^[0-9]{1,19}$"}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        })
    );
    for id in [
        json!(null),
        json!(7),
        json!(""),
        json!("12345678901234567890"),
    ] {
        let answer = post(&sandbox, &json!({"id": id, "metadata": {}})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "invalid-request"),
            "{id}"
        );
        assert!(
            answer.json()["errors"][0]["parameters"]["id"].is_array(),
            "{id}"
        );
    }
    assert_eq!(
        post(&sandbox, &json!({"metadata": {}})).await.json()["errors"][0]["parameters"],
        json!({"id": [""]})
    );
    assert_eq!(sandbox.ledger().total_accepted(), 0);
}

#[tokio::test]
async fn every_violation_is_told_at_once() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    let body = json!({"id": "x", "metadata": {"alt_text": {"text": "x".repeat(1_001)}, "management_info": {}}});
    let answer = post(&sandbox, &body).await.json();
    let messages: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["message"].clone())
        .collect();
    assert_eq!(
        messages,
        [
            "$.id: does not match the regex pattern ^[0-9]{1,19}$",
            "$.metadata.alt_text.text: may only be 1000 characters long",
            "$.metadata.management_info.managed: is missing but it is required",
        ]
    );
}

#[tokio::test]
async fn a_body_without_the_wrapper_breaks_the_server() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    for body in [
        json!({"id": "1", "alt_text": {"text": "x"}}),
        json!({"id": "1"}),
    ] {
        let answer = post(&sandbox, &body).await;
        assert_eq!(
            (answer.status, answer.json()),
            (500, json!({"code": 131, "message": "Internal error"}))
        );
    }
}

#[tokio::test]
async fn what_is_no_json_request_is_refused() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    let body = order("1").to_string();
    let ask = async |kind, body: &str| send(&sandbox, kind, body).await.unwrap().status;
    assert_eq!(ask("text/plain", &body).await, 400);
    assert_eq!(ask(JSON, &body[1..]).await, 400);
    assert_eq!(ask(JSON, "[]").await, 400);
    assert_eq!(ask("Application/JSON; charset=utf-8", &body).await, 200);
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    assert_eq!(ask(JSON, &padded(1024 * 1024)).await, 200);
    assert_eq!(ask(JSON, &padded(1024 * 1024 + 1)).await, 413);
}

#[tokio::test]
async fn without_the_token_nothing_is_had_and_nothing_is_used_up() {
    let sandbox = Sandbox::start(Options {
        token: Some("secret".into()),
        ..limited(&["1/15m"], &[])
    })
    .await
    .unwrap();
    let me = async |headers: &str| {
        exchange(&sandbox, &request("GET", "/2/users/me", headers, ""))
            .await
            .unwrap()
    };
    for headers in ["", "authorization: Bearer t\r\n"] {
        assert_eq!(me(headers).await.status, 401);
    }
    let answer = me("authorization: Bearer secret\r\n").await.json();
    assert_eq!(
        answer,
        json!({"data": {"id": "2244994945", "name": "Sandbox", "username": "sandbox"}})
    );

    let refused = post(&sandbox, &order("1")).await;
    let unauthorized = json!({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"});
    assert_eq!((refused.status, refused.json()), (401, unauthorized));
    assert_eq!(refused.header("x-rate-limit-limit"), None);
    let headers = format!("authorization: Bearer secret\r\ncontent-type: {JSON}\r\n");
    let answer = exchange(
        &sandbox,
        &request("POST", PATH, &headers, &order("1").to_string()),
    )
    .await
    .unwrap();
    assert_eq!(
        (answer.status, answer.header("x-rate-limit-remaining")),
        (200, Some("0"))
    );
    assert_eq!(sandbox.ledger().seen("1"), 2);
}

#[tokio::test]
async fn other_paths_and_methods_are_not_there() {
    let sandbox = Sandbox::start(options(&[])).await.unwrap();
    let token = "authorization: Bearer t\r\n";
    let ask = async |method, path| {
        exchange(&sandbox, &request(method, path, token, ""))
            .await
            .unwrap()
    };
    for path in ["//2/media/metadata", "/2/media/metadata/", "/"] {
        let answer = ask("POST", path).await;
        assert_eq!(
            (answer.status, answer.json()["status"].clone()),
            (404, json!(404)),
            "{path}"
        );
    }
    assert_eq!(ask("GET", PATH).await.status, 405);
    assert_eq!(sandbox.ledger().strays()[0], "POST //2/media/metadata");
}
