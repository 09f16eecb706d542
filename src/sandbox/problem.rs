//! What X's refusals look like: the documented bodies, and those seen in reality.
//!
//! Owns their texts and shapes. Which request gets one is decided elsewhere.

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{media_id::MediaId, violation::Violation};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A status and a JSON body.
pub(super) struct Said(pub(super) StatusCode, pub(super) Value);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        (self.0, [(CONTENT_TYPE, JSON)], self.1.to_string()).into_response()
    }
}

/// The address of a problem kind.
fn kind(name: &str) -> String {
    format!("https://api.twitter.com/2/problems/{name}")
}

/// A problem that says nothing but its status.
pub(super) fn plain(status: StatusCode) -> Said {
    let title = status.canonical_reason().unwrap_or("Unknown Error");
    Said(
        status,
        json!({"title": title, "detail": title, "type": "about:blank", "status": status.as_u16()}),
    )
}

/// 500 in the old shape: what a body without its `metadata` wrapper gets.
pub(super) fn internal() -> Said {
    Said(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({"code": 131, "message": "Internal error"}),
    )
}

/// 400 for a request as a whole.
pub(super) fn invalid(message: &str) -> Said {
    invalid_request(&json!([{"parameters": {}, "message": message}]))
}

/// 400 for each rule that a body breaks.
pub(super) fn violated(violations: &[Violation]) -> Said {
    let error = |violation: &Violation| json!({"parameters": {violation.parameter(): [violation.value]}, "message": violation.message()});
    invalid_request(&violations.iter().map(error).collect())
}

fn invalid_request(errors: &Value) -> Said {
    let body = json!({
        "errors": errors,
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": kind("invalid-request"),
    });
    Said(StatusCode::BAD_REQUEST, body)
}

/// 400 for a media that can have no metadata, whatever they say.
pub(super) fn unusable(id: MediaId) -> Said {
    let id = id.to_string();
    invalid_request(
        &json!([{"parameters": {"id": [id]}, "message": format!("The media id [{id}] is not valid.")}]),
    )
}

/// What a media that is not there is called, in an answer or inside of one.
pub(super) fn not_found(id: MediaId) -> Value {
    let id = id.to_string();
    json!({
        "title": "Not Found Error",
        "detail": format!("Could not find media with id: [{id}]."),
        "type": kind("resource-not-found"),
        "parameter": "id",
        "value": id,
        "resource_id": id,
        "resource_type": "media",
    })
}

/// 403 for a media of someone else.
pub(super) fn forbidden(id: MediaId) -> Said {
    let id = id.to_string();
    let body = json!({
        "title": "Authorization Error",
        "detail": format!("Sorry, you are not authorized to change the media with id: [{id}]."),
        "type": kind("not-authorized-for-resource"),
        "parameter": "id",
        "value": id,
        "resource_id": id,
        "resource_type": "media",
        "section": "data",
    });
    Said(StatusCode::FORBIDDEN, body)
}

/// 429 of the monthly cap, which no waiting cures.
pub(super) fn usage_capped() -> Said {
    let body = json!({
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": kind("usage-capped"),
    });
    Said(StatusCode::TOO_MANY_REQUESTS, body)
}

/// 402: the credits are used up.
pub(super) fn credits() -> Said {
    let body = json!({
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [1] does not have any credits to fulfill this request.",
        "type": kind("credits"),
    });
    Said(StatusCode::PAYMENT_REQUIRED, body)
}

/// 403: the cap that its owner set is reached.
pub(super) fn spend_cap() -> Said {
    let body = json!({
        "title": "SpendCapReached",
        "detail": "Your enrolled account [1] has reached its billing cycle spend cap.",
        "type": kind("spend-cap-reached"),
        "reset_date": "2030-01-31",
    });
    Said(StatusCode::FORBIDDEN, body)
}

/// 403: the app belongs to no project.
pub(super) fn not_enrolled() -> Said {
    let body = json!({
        "client_id": "1",
        "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a \
                   Twitter developer App that is attached to a Project.",
        "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
        "title": "Client Forbidden",
        "required_enrollment": "Appropriate Level of API Access",
        "reason": "client-not-enrolled",
        "type": kind("client-forbidden"),
    });
    Said(StatusCode::FORBIDDEN, body)
}

/// 403: a token that speaks for an app and no user.
pub(super) fn unsupported_authentication() -> Said {
    let body = json!({
        "title": "Unsupported Authentication",
        "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. Supported \
                   authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "type": kind("unsupported-authentication"),
        "status": 403,
    });
    Said(StatusCode::FORBIDDEN, body)
}
