//! What an answer means: one pure function over everything that can come back for a request.
//!
//! Owns [`decide`], which is the contract's table row by row, and the words for causes. Knows no retry counts, no clock
//! and no journal: it says "again", and others say when and how often.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use crate::{
    answer::{Body, Reply},
    item::MediaId,
    metadata::{Metadata, digest::canonical},
    problem::{Kind, Problem},
};

/// Why something is as it is: a short word that does not change between versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(Cow<'static, str>);

impl Cause {
    /// `--timeout` passed.
    pub const TIMEOUT: Self = Self::known("timeout");
    /// No connection, or it broke before an answer.
    pub const CONNECT: Self = Self::known("connect");
    /// The server had a fault of its own.
    pub const SERVER_ERROR: Self = Self::known("server-error");
    /// An answer that can't be one of the API's.
    pub const BAD_ANSWER: Self = Self::known("bad-answer");
    /// A window was exhausted.
    pub const RATE_LIMITED: Self = Self::known("rate-limited");
    /// The token was refused.
    pub const UNAUTHORIZED: Self = Self::known("unauthorized");
    /// The answer points elsewhere, which is never followed.
    pub const REDIRECT: Self = Self::known("redirect");
    /// The token lacks a permission.
    pub const MISSING_SCOPE: Self = Self::known("missing-scope");
    /// The run ended before the answer came.
    pub const INTERRUPTED: Self = Self::known("interrupted");

    /// A word that is known when this is compiled.
    #[must_use]
    pub const fn known(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// A word read from the journal.
    #[must_use]
    pub fn read(word: impl Into<String>) -> Self {
        Self(Cow::Owned(word.into()))
    }

    /// The word.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.0
    }

    /// Whether time alone may mend it: such a failure is tried again by the next run.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        Self::PASSING.contains(&self.word())
    }

    /// The words of the causes that [`Cause::is_passing`].
    pub const PASSING: [&'static str; 4] = ["timeout", "connect", "server-error", "bad-answer"];
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to do about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// X accepted it.
    Done(Vec<Warning>),
    /// Send it again, later.
    Again,
    /// A window is exhausted: everyone waits, then it is sent again.
    Wait,
    /// The token was refused: renew it, then send again.
    Renew,
    /// The item fails.
    Fail,
    /// The run ends, the item stays pending.
    Stop(Stop),
}

/// Why a run ends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Credentials, enrolment, permissions.
    Access,
    /// Credits, spend cap, usage cap.
    Money,
}

/// Something to be told of an item that was accepted all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The answer did not repeat the id.
    Unconfirmed,
    /// The answer had errors beside its data.
    Errors,
    /// The answer shows other metadata than was sent.
    OtherMetadata,
}

impl Warning {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Errors => "errors-beside-data",
            Self::OtherMetadata => "other-metadata",
        }
    }
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to do.
    pub decision: Decision,
    /// Why; nothing where the item is plainly done.
    pub cause: Option<Cause>,
    /// What was said, for people.
    pub detail: Option<String>,
}

impl Outcome {
    fn new(decision: Decision, cause: Cause, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            decision,
            cause: Some(cause),
            detail: (!detail.is_empty()).then_some(detail),
        }
    }
}

/// What `reply` means for the item `media_id`, for which `metadata` was sent.
#[must_use]
pub fn decide(media_id: &MediaId, metadata: &Metadata, reply: &Reply) -> Outcome {
    let (status, body) = match reply {
        Reply::NoConnection(why) => {
            return Outcome::new(Decision::Again, Cause::CONNECT, why.as_str());
        }
        Reply::TimedOut => {
            return Outcome::new(Decision::Again, Cause::TIMEOUT, "no answer in time");
        }
        Reply::Answered { status, body, .. } => (*status, body),
    };
    let json: Option<Value> = match body {
        Body::Complete(bytes) => serde_json::from_slice(bytes).ok(),
        Body::CutOff | Body::OverLong => None,
    };
    match status {
        200 => accepted(media_id, metadata, body, json),
        300..=399 => Outcome::new(
            Decision::Fail,
            Cause::REDIRECT,
            format!("HTTP {status}; redirects are not followed"),
        ),
        100..=299 => Outcome::new(
            Decision::Again,
            Cause::BAD_ANSWER,
            format!("HTTP {status} is no answer of this API"),
        ),
        _ => refused(status, json.as_ref().map(Problem::read)),
    }
}

/// What a 200 means.
fn accepted(media_id: &MediaId, metadata: &Metadata, body: &Body, json: Option<Value>) -> Outcome {
    let again = |why: &str| Outcome::new(Decision::Again, Cause::BAD_ANSWER, why);
    let json = match (body, json) {
        (Body::CutOff, _) => return again("the answer broke off"),
        (Body::OverLong, _) => return again("the answer was longer than any of this API"),
        (Body::Complete(bytes), None) if bytes.iter().all(u8::is_ascii_whitespace) => {
            Value::Object(serde_json::Map::new())
        }
        (Body::Complete(_), Some(json)) if json.is_object() => json,
        _ => return again("the answer is no JSON object"),
    };
    let data = &json["data"];
    let has_errors = !matches!(&json["errors"], Value::Null)
        && json["errors"]
            .as_array()
            .is_none_or(|list| !list.is_empty());
    if has_errors && data.is_null() {
        let problem = Problem::read(&json);
        return refused(problem.status.unwrap_or(200), Some(problem));
    }
    let mut warnings = Vec::new();
    match &data["id"] {
        Value::Null => warnings.push(Warning::Unconfirmed),
        Value::String(id) if id == media_id.as_str() => {}
        Value::Number(id) if id.to_string() == media_id.as_str() => {}
        _ => return again("the answer speaks of another id"),
    }
    if has_errors {
        warnings.push(Warning::Errors);
    }
    if let Some(shown) = data["associated_metadata"].as_object() {
        let same = |(field, value): (crate::metadata::Field, &Value)| {
            shown
                .get(field.name())
                .is_some_and(|shown| canonical(shown) == canonical(value))
        };
        if !metadata.fields().all(same) {
            warnings.push(Warning::OtherMetadata);
        }
    }
    let detail = has_errors
        .then(|| Problem::read(&json).said)
        .filter(|said| !said.is_empty());
    Outcome {
        decision: Decision::Done(warnings),
        cause: None,
        detail,
    }
}

/// What a refusal means; `problem` is `None` where the body is no JSON.
fn refused(status: u16, problem: Option<Problem>) -> Outcome {
    let is_json = problem.is_some();
    let Problem { kind, said, .. } = problem.unwrap_or_default();
    let detail = if said.is_empty() {
        format!("HTTP {status}")
    } else {
        said
    };
    let by_status = || Cause(Cow::Owned(format!("http-{status}")));
    let kind = kind.filter(|kind| *kind != Kind::Generic);
    let cause = kind
        .as_ref()
        .map_or_else(by_status, |kind| Cause(Cow::Owned(kind.word().to_owned())));
    let decision = match (status, &kind) {
        (408 | 425 | 500..=599, _) => {
            return Outcome::new(Decision::Again, Cause::SERVER_ERROR, detail);
        }
        (402, _)
        | (
            _,
            Some(Kind::UsageCapped | Kind::Credits | Kind::CreditsDepleted | Kind::SpendCapReached),
        ) => Decision::Stop(Stop::Money),
        (429, _) => return Outcome::new(Decision::Wait, Cause::RATE_LIMITED, detail),
        (401, _) => return Outcome::new(Decision::Renew, Cause::UNAUTHORIZED, detail),
        (
            _,
            Some(Kind::ClientForbidden | Kind::UnsupportedAuthentication | Kind::Oauth1Permissions),
        ) => Decision::Stop(Stop::Access),
        (403, None | Some(Kind::Other(_))) if detail.to_ascii_lowercase().contains("scope") => {
            let cause = if kind.is_some() {
                cause
            } else {
                Cause::MISSING_SCOPE
            };
            return Outcome::new(Decision::Stop(Stop::Access), cause, detail);
        }
        (
            _,
            Some(
                Kind::ClientDisconnected
                | Kind::OperationalDisconnect
                | Kind::StreamingConnection
                | Kind::Conflict,
            ),
        ) => Decision::Again,
        (_, None) if !is_json => {
            return Outcome::new(
                Decision::Fail,
                Cause::BAD_ANSWER,
                format!("HTTP {status}, and the answer is no JSON"),
            );
        }
        _ => Decision::Fail,
    };
    Outcome::new(decision, cause, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::Limits;

    const ID: &str = "1146654567674912769";

    fn of(reply: &Reply) -> (Decision, String) {
        let metadata = Metadata::from_json(
            r#"{"alt_text":{"text":"a"},"content_expiration":{"timestamp_sec":1.0}}"#,
        );
        let outcome = decide(&ID.parse().unwrap(), &metadata.unwrap(), reply);
        (
            outcome.decision,
            outcome
                .cause
                .map_or_else(String::new, |cause| cause.word().to_owned()),
        )
    }

    fn problem(status: u16, kind: &str) -> (Decision, String) {
        let json = json!({"type": format!("https://api.x.com/2/problems/{kind}"), "title": "T", "detail": "D"});
        of(&Reply::complete(status, json.to_string()))
    }

    fn stopped(stop: Stop, cause: &str) -> (Decision, String) {
        (Decision::Stop(stop), cause.to_owned())
    }

    fn is(decision: Decision, cause: &str) -> (Decision, String) {
        (decision, cause.to_owned())
    }

    #[test]
    fn a_complete_200_is_done_with_warnings_for_what_it_leaves_open() {
        let shown = json!({"alt_text": {"text": "a"}, "content_expiration": {"timestamp_sec": 1}, "shared_info": {}});
        for (body, warnings) in [
            (
                json!({"data": {"id": ID, "associated_metadata": shown}}).to_string(),
                vec![],
            ),
            (json!({"data": {"id": ID}}).to_string(), vec![]),
            (
                json!({"data": {"id": ID}, "errors": []}).to_string(),
                vec![],
            ),
            (String::new(), vec![Warning::Unconfirmed]),
            (" \r\n".to_owned(), vec![Warning::Unconfirmed]),
            ("{}".to_owned(), vec![Warning::Unconfirmed]),
            (json!({"data": {}}).to_string(), vec![Warning::Unconfirmed]),
            (
                json!({"data": {"id": ID}, "errors": [{"title": "T", "type": "about:blank"}]})
                    .to_string(),
                vec![Warning::Errors],
            ),
            (
                json!({"data": {"id": ID, "associated_metadata": {"alt_text": {"text": "b"}}}})
                    .to_string(),
                vec![Warning::OtherMetadata],
            ),
            (
                json!({"data": {"id": ID, "associated_metadata": {}}}).to_string(),
                vec![Warning::OtherMetadata],
            ),
        ] {
            assert_eq!(
                of(&Reply::complete(200, body.clone())),
                is(Decision::Done(warnings), ""),
                "{body}"
            );
        }
    }

    #[test]
    fn a_200_that_proves_nothing_is_sent_again() {
        let again = is(Decision::Again, "bad-answer");
        for body in [
            "<html>",
            "[]",
            "null",
            "\"ok\"",
            r#"{"data":{"id":"1"}}"#,
            r#"{"data":{"id":true}}"#,
            r#"{"data":"#,
        ] {
            assert_eq!(of(&Reply::complete(200, body)), again, "{body}");
        }
        for body in [Body::CutOff, Body::OverLong] {
            assert_eq!(
                of(&Reply::Answered {
                    status: 200,
                    body,
                    limits: Limits::default()
                }),
                again
            );
        }
    }

    #[test]
    fn a_200_with_errors_and_no_data_is_what_the_problem_inside_says() {
        let inside = |error: Value| {
            of(&Reply::complete(
                200,
                json!({"errors": [error]}).to_string(),
            ))
        };
        let kind = |kind: &str| json!({"title": "T", "type": format!("https://api.twitter.com/2/problems/{kind}")});
        assert_eq!(
            inside(kind("resource-not-found")),
            is(Decision::Fail, "resource-not-found")
        );
        assert_eq!(
            inside(kind("usage-capped")),
            stopped(Stop::Money, "usage-capped")
        );
        assert_eq!(inside(kind("conflict")), is(Decision::Again, "conflict"));
        assert_eq!(
            inside(json!({"title": "T", "type": "about:blank", "status": 503})),
            is(Decision::Again, "server-error")
        );
        assert_eq!(
            inside(json!({"title": "T", "type": "about:blank", "status": 429})),
            is(Decision::Wait, "rate-limited")
        );
        assert_eq!(
            inside(json!({"title": "T", "type": "about:blank"})),
            is(Decision::Fail, "http-200")
        );
        assert_eq!(
            inside(json!({"code": 131, "message": "Internal error"})),
            is(Decision::Fail, "http-200")
        );
    }

    #[test]
    fn without_an_answer_it_is_sent_again() {
        assert_eq!(
            of(&Reply::NoConnection("refused".to_owned())),
            is(Decision::Again, "connect")
        );
        assert_eq!(of(&Reply::TimedOut), is(Decision::Again, "timeout"));
    }

    #[test]
    fn a_fault_of_the_server_is_sent_again_whatever_its_body() {
        for status in [408, 425, 500, 502, 503, 504, 507, 599] {
            for body in [
                "",
                "<html>",
                r#"{"code":131,"message":"Internal error"}"#,
                r#"{"type":"about:blank"}"#,
            ] {
                assert_eq!(
                    of(&Reply::complete(status, body)),
                    is(Decision::Again, "server-error"),
                    "{status} {body}"
                );
            }
        }
    }

    #[test]
    fn money_ends_the_run() {
        assert_eq!(
            problem(429, "usage-capped"),
            stopped(Stop::Money, "usage-capped")
        );
        assert_eq!(problem(402, "credits"), stopped(Stop::Money, "credits"));
        assert_eq!(
            problem(402, "something-new"),
            stopped(Stop::Money, "something-new")
        );
        assert_eq!(
            of(&Reply::complete(402, "<html>")),
            stopped(Stop::Money, "http-402")
        );
        for kind in ["spend-cap-reached", "credits", "credits-depleted"] {
            assert_eq!(problem(403, kind), stopped(Stop::Money, kind));
        }
        let titled =
            json!({"title": "SpendCapReached", "type": "about:blank", "reset_date": "2026-12-01"});
        assert_eq!(
            of(&Reply::complete(403, titled.to_string())),
            stopped(Stop::Money, "spend-cap-reached")
        );
    }

    #[test]
    fn any_other_429_waits() {
        for body in [
            "",
            "<html>",
            r#"{"errors":[{"code":88,"message":"Rate limit exceeded"}]}"#,
            r#"{"type":"about:blank"}"#,
        ] {
            assert_eq!(
                of(&Reply::complete(429, body)),
                is(Decision::Wait, "rate-limited"),
                "{body}"
            );
        }
        assert_eq!(
            problem(429, "something-new"),
            is(Decision::Wait, "rate-limited")
        );
    }

    #[test]
    fn a_refused_token_is_renewed() {
        for body in [
            "",
            r#"{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}"#,
        ] {
            assert_eq!(
                of(&Reply::complete(401, body)),
                is(Decision::Renew, "unauthorized")
            );
        }
    }

    #[test]
    fn missing_access_ends_the_run() {
        for kind in [
            "client-forbidden",
            "unsupported-authentication",
            "oauth1-permissions",
        ] {
            assert_eq!(problem(403, kind), stopped(Stop::Access, kind));
        }
        let scope = json!({"title": "Forbidden", "type": "about:blank", "detail": "Missing scope media.write"});
        assert_eq!(
            of(&Reply::complete(403, scope.to_string())),
            stopped(Stop::Access, "missing-scope")
        );
    }

    #[test]
    fn each_of_the_schemas_problem_kinds_is_decided() {
        use Decision::{Again, Fail};
        for (kind, decision) in [
            ("client-disconnected", Again),
            ("client-forbidden", Decision::Stop(Stop::Access)),
            ("conflict", Again),
            ("disallowed-resource", Fail),
            ("duplicate-rules", Fail),
            ("invalid-request", Fail),
            ("invalid-rules", Fail),
            ("noncompliant-rules", Fail),
            ("not-authorized-for-field", Fail),
            ("not-authorized-for-resource", Fail),
            ("operational-disconnect", Again),
            ("resource-not-found", Fail),
            ("resource-unavailable", Fail),
            ("rule-cap", Fail),
            ("streaming-connection", Again),
            ("unsupported-authentication", Decision::Stop(Stop::Access)),
            ("usage-capped", Decision::Stop(Stop::Money)),
            ("some-day-new", Fail),
        ] {
            for status in [400, 403, 404, 409] {
                assert_eq!(
                    problem(status, kind),
                    is(decision.clone(), kind),
                    "{status} {kind}"
                );
            }
        }
        // The eighteenth is about:blank, by which the status decides.
        let blank = of(&Reply::complete(
            404,
            r#"{"type":"about:blank","title":"Not Found"}"#,
        ));
        assert_eq!(blank, is(Fail, "http-404"));
    }

    #[test]
    fn a_refusal_without_a_problem_is_decided_by_its_status() {
        for body in [
            "{}",
            r#"{"code":32,"message":"no"}"#,
            r#"{"type":"about:blank"}"#,
            "[]",
        ] {
            assert_eq!(
                of(&Reply::complete(400, body)),
                is(Decision::Fail, "http-400"),
                "{body}"
            );
        }
        assert_eq!(
            of(&Reply::complete(413, "<html>too large")),
            is(Decision::Fail, "bad-answer")
        );
        assert_eq!(
            of(&Reply::complete(302, "")),
            is(Decision::Fail, "redirect")
        );
        assert_eq!(
            of(&Reply::complete(204, "")),
            is(Decision::Again, "bad-answer")
        );
    }
}
