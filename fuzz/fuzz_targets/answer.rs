#![no_main]
//! The meaning of an answer: any status, any body, whole or cut off.

use altfill::{
    answer::{Body, Limits, Reply},
    item::MediaId,
    metadata::Metadata,
    outcome::{Decision, Stop, Warning, decide},
};
use altfill_fuzz::assert_tame;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const ID: &str = "1146654567674912769";
const METADATA: &str =
    r#"{"alt_text":{"text":"a"},"content_expiration":{"timestamp_sec":1893456000}}"#;

fuzz_target!(|data: &[u8]| {
    let [how, low, high, rest @ ..] = data else {
        return;
    };
    // Most of the time a status that means something.
    let status = match how % 4 {
        0 => u16::from_le_bytes([*low, *high]),
        1 => 200,
        _ => [
            400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 500, 503, 302, 204, 0,
        ][usize::from(low % 16)],
    };
    let body = match how / 4 {
        62 => Body::CutOff,
        63 => Body::OverLong,
        _ => Body::Complete(rest.to_vec()),
    };
    let is_whole = matches!(body, Body::Complete(_));
    let id: MediaId = ID.parse().expect("an id");
    let metadata = Metadata::from_json(METADATA).expect("metadata");
    let reply = Reply::Answered {
        status,
        body,
        limits: Limits::default(),
    };
    let outcome = decide(&id, &metadata, &reply);
    assert_eq!(outcome, decide(&id, &metadata, &reply), "it is pure");

    if let Some(detail) = &outcome.detail {
        assert!(!detail.is_empty());
        assert!(detail.chars().count() <= 501, "{}", detail.len());
        assert!(!detail.chars().any(char::is_control), "{detail:?}");
    }
    match &outcome.cause {
        None => assert!(matches!(outcome.decision, Decision::Done(_))),
        Some(cause) => {
            assert!(!matches!(outcome.decision, Decision::Done(_)));
            assert_tame(cause.word());
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_:".contains(c);
            assert!(cause.word().chars().all(is_plain), "{cause}");
            assert!((1..=64).contains(&cause.word().len()), "{cause}");
        }
    }

    let json: Option<Value> = serde_json::from_slice(rest).ok();
    if let Decision::Done(warnings) = &outcome.decision {
        assert_eq!(status, 200);
        assert!(is_whole, "what broke off proves nothing");
        let json = json.unwrap_or_else(|| {
            assert!(rest.trim_ascii().is_empty());
            Value::Object(serde_json::Map::new())
        });
        assert!(json.is_object());
        let told = &json["data"]["id"];
        assert_eq!(told.is_null(), warnings.contains(&Warning::Unconfirmed));
        let is_own = told.as_str() == Some(ID) || told.as_u64() == ID.parse().ok();
        assert!(told.is_null() || is_own, "{told}");
        let mut sorted = warnings.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(*warnings, sorted, "each once, in order");
    }

    match status {
        200 => {}
        402 => assert_eq!(outcome.decision, Decision::Stop(Stop::Money)),
        408 | 425 | 500..=599 | 100..=299 => assert_eq!(outcome.decision, Decision::Again),
        300..=399 => assert_eq!(outcome.decision, Decision::Fail),
        401 => assert!(matches!(
            outcome.decision,
            Decision::Renew | Decision::Stop(Stop::Money)
        )),
        429 => assert!(matches!(
            outcome.decision,
            Decision::Wait | Decision::Stop(Stop::Money)
        )),
        _ => assert!(!matches!(
            outcome.decision,
            Decision::Wait | Decision::Renew
        )),
    }
});
