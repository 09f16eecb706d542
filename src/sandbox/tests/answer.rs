//! Faults that end in an answer.

use serde_json::{Value, json};

use super::{order, spoiled};

#[tokio::test]
async fn faults_of_status_say_what_x_says() {
    for (fault, status, kind) in [
        ("500", 500, "about:blank"),
        ("503", 503, "about:blank"),
        ("418", 418, "about:blank"),
        ("599", 599, "about:blank"),
        ("not-found", 404, "resource-not-found"),
        ("forbidden", 403, "not-authorized-for-resource"),
        ("invalid", 400, "invalid-request"),
        ("rate-limited", 429, "about:blank"),
        ("usage-capped", 429, "usage-capped"),
        ("credits", 402, "credits"),
        ("spend-cap", 403, "spend-cap-reached"),
        ("not-enrolled", 403, "client-forbidden"),
        (
            "unsupported-authentication",
            403,
            "unsupported-authentication",
        ),
        ("unauthorized", 401, "about:blank"),
    ] {
        let (sandbox, answer) = spoiled(fault).await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, kind),
            "{fault}"
        );
        assert!(answer.json()["title"].is_string(), "{fault}");
        assert_eq!(sandbox.ledger().times_accepted("1234"), 0, "{fault}");
        let silent = ["503", "unauthorized", "rate-limited"].contains(&fault);
        assert_eq!(
            answer.header("x-rate-limit-limit").is_none(),
            silent,
            "{fault}"
        );
        if status == 429 && !silent {
            assert_eq!(
                answer.header("x-rate-limit-remaining"),
                Some("9"),
                "{fault}"
            );
        }
    }
}

#[tokio::test]
async fn problems_have_all_the_properties_that_the_schema_requires() {
    let body = async |fault| spoiled(fault).await.1.unwrap().json();
    for (fault, properties) in [
        (
            "not-found",
            &["parameter", "value", "resource_id", "resource_type"][..],
        ),
        (
            "forbidden",
            &[
                "parameter",
                "value",
                "resource_id",
                "resource_type",
                "section",
            ],
        ),
        ("usage-capped", &["period", "scope"]),
        ("spend-cap", &["reset_date"]),
        ("not-enrolled", &["reason", "registration_url"]),
    ] {
        let body = body(fault).await;
        assert!(
            properties.iter().all(|name| body[name].is_string()),
            "{fault}: {body}"
        );
    }
    assert_eq!(body("spend-cap").await["title"], "SpendCapReached");
    assert_eq!(
        body("invalid").await["errors"][0]["parameters"],
        json!({"id": ["1234"]})
    );
}

#[tokio::test]
async fn faults_with_a_good_status_are_as_bad_as_they_are_named() {
    let data = json!({"id": "1234", "associated_metadata": order("1234")["metadata"]});
    for (fault, status, accepted) in [
        ("garbage", 200, 0),
        ("other-id", 200, 0),
        ("errors", 200, 0),
        ("partial", 200, 1),
        ("empty", 200, 1),
        ("html", 502, 0),
        ("redirect", 302, 0),
    ] {
        let (sandbox, answer) = spoiled(fault).await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, sandbox.ledger().times_accepted("1234")),
            (status, accepted),
            "{fault}"
        );
        // What a proxy says, it says without the limits.
        let proxy = ["html", "redirect"].contains(&fault);
        assert_eq!(
            answer.header("x-rate-limit-limit").is_none(),
            proxy,
            "{fault}"
        );
        match fault {
            "garbage" => assert!(serde_json::from_str::<Value>(&answer.body).is_err()),
            "other-id" => assert_eq!(answer.json()["data"]["id"], "1235"),
            "errors" => {
                assert_eq!(answer.json()["errors"][0]["resource_id"], "1234");
                assert_eq!(answer.json().get("data"), None);
            }
            "partial" => {
                assert_eq!(answer.json()["data"], data);
                assert!(answer.json()["errors"][0]["type"].is_string());
            }
            "empty" => assert_eq!(
                (answer.body.as_str(), answer.header("content-length")),
                ("", Some("0"))
            ),
            "html" => assert!(
                answer.body.contains("</html>")
                    && answer.header("content-type").unwrap().contains("html")
            ),
            _ => assert_eq!(answer.header("location"), Some("/2/media/elsewhere")),
        }
    }
}
