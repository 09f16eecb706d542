//! The kinds of problem that the API can name in an answer (RFC 9457; 18 of them in X's schema).
//!
//! Owns the reading of an error's body. A kind is told by the last path segment of its `type`, since both
//! `https://api.twitter.com/2/problems/…` and `https://api.x.com/2/problems/…` are live.

use serde_json::Value;

/// A kind of problem.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the names of X's schema")]
pub enum Kind {
    /// `about:blank`: the status says it all.
    Generic,
    ClientDisconnected,
    ClientForbidden,
    Conflict,
    DisallowedResource,
    DuplicateRules,
    InvalidRequest,
    InvalidRules,
    NoncompliantRules,
    NotAuthorizedForField,
    NotAuthorizedForResource,
    OperationalDisconnect,
    ResourceNotFound,
    ResourceUnavailable,
    RuleCap,
    StreamingConnection,
    UnsupportedAuthentication,
    UsageCapped,
    /// Seen in answers, and not in the schema.
    Credits,
    /// Seen in answers, and not in the schema.
    CreditsDepleted,
    /// Seen in answers, and not in the schema.
    SpendCapReached,
    /// Seen in answers, and not in the schema.
    Oauth1Permissions,
    /// Any other, by its word.
    Other(String),
}

/// The kinds with their words.
const WORDS: [(Kind, &str); 22] = [
    (Kind::Generic, "about:blank"),
    (Kind::ClientDisconnected, "client-disconnected"),
    (Kind::ClientForbidden, "client-forbidden"),
    (Kind::Conflict, "conflict"),
    (Kind::DisallowedResource, "disallowed-resource"),
    (Kind::DuplicateRules, "duplicate-rules"),
    (Kind::InvalidRequest, "invalid-request"),
    (Kind::InvalidRules, "invalid-rules"),
    (Kind::NoncompliantRules, "noncompliant-rules"),
    (Kind::NotAuthorizedForField, "not-authorized-for-field"),
    (
        Kind::NotAuthorizedForResource,
        "not-authorized-for-resource",
    ),
    (Kind::OperationalDisconnect, "operational-disconnect"),
    (Kind::ResourceNotFound, "resource-not-found"),
    (Kind::ResourceUnavailable, "resource-unavailable"),
    (Kind::RuleCap, "rule-cap"),
    (Kind::StreamingConnection, "streaming-connection"),
    (
        Kind::UnsupportedAuthentication,
        "unsupported-authentication",
    ),
    (Kind::UsageCapped, "usage-capped"),
    (Kind::Credits, "credits"),
    (Kind::CreditsDepleted, "credits-depleted"),
    (Kind::SpendCapReached, "spend-cap-reached"),
    (Kind::Oauth1Permissions, "oauth1-permissions"),
];

impl Kind {
    /// The kind that a `type` names.
    #[must_use]
    pub fn of(type_uri: &str) -> Self {
        let word = type_uri
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if word == "SpendCapReached" {
            return Self::SpendCapReached;
        }
        WORDS
            .into_iter()
            .find(|(_, known)| *known == word)
            .map_or_else(|| Self::Other(tame(word)), |(kind, _)| kind)
    }

    /// Its word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => WORDS
                .iter()
                .find(|(kind, _)| kind == known)
                .map_or("about:blank", |(_, word)| word),
        }
    }
}

/// A word from outside, cut down to what a cause may be: it stands in the journal, in reports and on the screen.
fn tame(word: &str) -> String {
    let tame: String = word
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .take(64)
        .collect();
    if tame.is_empty() {
        "unknown-problem".to_owned()
    } else {
        tame.to_ascii_lowercase()
    }
}

/// A problem, as an answer tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// Its kind, where a `type` was given.
    pub kind: Option<Kind>,
    /// The status it names for itself.
    pub status: Option<u16>,
    /// What it says, for people: title, detail, messages.
    pub said: String,
}

impl Problem {
    /// The problem in an answer's JSON; one without a kind where the JSON names none.
    #[must_use]
    pub fn read(json: &Value) -> Self {
        let inner = &json["errors"][0];
        // The old form has only `errors`; a problem may carry further ones inside.
        let problem = if json["type"].is_string() || !inner["type"].is_string() {
            json
        } else {
            inner
        };
        let mut kind = problem["type"].as_str().map(Kind::of);
        if problem["title"] == "SpendCapReached" {
            kind = Some(Kind::SpendCapReached);
        }
        Self {
            kind,
            status: problem["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok()),
            said: said(problem),
        }
    }
}

/// What a problem says, in one line without repetitions, cut to a length and free of control characters.
fn said(problem: &Value) -> String {
    const LONGEST: usize = 500;
    let mut parts: Vec<String> = Vec::new();
    let mut add = |text: String| {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let text = text.trim().trim_end_matches('.');
        if !text.is_empty() && !parts.iter().any(|part| part.contains(text)) {
            parts.push(text.to_owned());
        }
    };
    for text in [&problem["detail"], &problem["title"], &problem["message"]] {
        // A title only where there is no detail: it says less of the same.
        if let Some(text) = text.as_str() {
            add(text.to_owned());
            break;
        }
    }
    for error in problem["errors"].as_array().into_iter().flatten().take(5) {
        if let Some(message) = error["message"]
            .as_str()
            .or_else(|| error["detail"].as_str())
        {
            add(message.to_owned());
        }
    }
    for (label, value) in [
        ("reason", &problem["reason"]),
        ("resets", &problem["reset_date"]),
    ] {
        if let Some(text) = value.as_str() {
            add(format!("{label}: {text}"));
        }
    }
    let said = parts.join("; ");
    match said.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_is_told_by_the_last_segment_of_either_host() {
        for (kind, word) in WORDS {
            assert_eq!(
                Kind::of(&format!("https://api.twitter.com/2/problems/{word}")),
                kind
            );
            assert_eq!(
                Kind::of(&format!("https://api.x.com/2/problems/{word}")),
                kind
            );
            assert_eq!(kind.word(), word);
        }
    }

    #[test]
    fn an_unknown_kind_is_tamed() {
        assert_eq!(
            Kind::of("https://api.x.com/2/problems/Brand-New").word(),
            "brand-new"
        );
        assert_eq!(Kind::of("\u{1b}[31m<b>").word(), "31mb");
        assert_eq!(Kind::of("").word(), "unknown-problem");
    }

    #[test]
    fn a_problem_says_its_detail_and_its_messages_in_one_line() {
        let json = json!({"errors": [{"parameters": {"id": ["abc"]}, "message": "$.id: does not\nmatch"}],
            "title": "Invalid Request", "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request"});
        let problem = Problem::read(&json);
        assert_eq!(problem.kind, Some(Kind::InvalidRequest));
        assert_eq!(
            problem.said,
            "One or more parameters to your request was invalid; $.id: does not match"
        );
    }

    #[test]
    fn the_old_form_has_a_message_and_no_kind() {
        let problem =
            Problem::read(&json!({"errors": [{"code": 88, "message": "Rate limit exceeded"}]}));
        assert_eq!(
            problem,
            Problem {
                kind: None,
                status: None,
                said: "Rate limit exceeded".to_owned()
            }
        );
    }

    #[test]
    fn what_is_said_is_cut_to_a_length() {
        assert_eq!(
            Problem::read(&json!({"detail": "é".repeat(10_000)}))
                .said
                .chars()
                .count(),
            501
        );
    }
}
