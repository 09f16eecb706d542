//! The paths by which tokens are had: a person's consent, the token endpoint, and how a token is given back.
//!
//! Owns their forms. The person always consents. Which token is good is [`super::token`]'s.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, LOCATION},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

use super::{
    problem::Said,
    token::{Code, Pair},
    world::World,
};

/// What an app asks a person for.
#[derive(Deserialize)]
pub(super) struct Consent {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
}

/// What the token endpoint is asked.
#[derive(Deserialize)]
pub(super) struct Request {
    grant_type: Option<String>,
    client_id: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    token: Option<String>,
}

/// Sends the person's browser back with a code.
pub(super) async fn consent(
    State(world): State<Arc<World>>,
    Query(asked): Query<Consent>,
) -> Response {
    if asked.response_type != "code" || asked.code_challenge_method != "S256" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = Code {
        client: asked.client_id,
        redirect: asked.redirect_uri.clone(),
        challenge: asked.code_challenge,
        scope: asked.scope,
        until: world.clock.now(),
    };
    let code = world.tokens.permit(code, world.clock.now());
    let back = format!("{}?state={}&code={code}", asked.redirect_uri, asked.state);
    (StatusCode::FOUND, [(LOCATION, back)]).into_response()
}

/// Hands out a pair, for a code or for a refresh token.
pub(super) async fn token(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Form(asked): Form<Request>,
) -> Said {
    let client = client(&headers, &asked);
    sleep(world.token_delay / 2).await;
    let now = world.clock.now();
    let pair = match (
        asked.grant_type.as_deref(),
        &asked.code,
        &asked.refresh_token,
    ) {
        (Some("authorization_code"), Some(code), _) => world.tokens.redeem(
            code,
            &client,
            asked.redirect_uri.as_deref().unwrap_or_default(),
            asked.code_verifier.as_deref().unwrap_or_default(),
            now,
        ),
        (Some("refresh_token"), _, Some(refresh)) => world.tokens.renew(refresh, &client, now),
        _ => None,
    };
    sleep(world.token_delay / 2).await;
    match pair {
        Some(pair) => said(&pair),
        None => Said(
            StatusCode::BAD_REQUEST,
            json!({"error": "invalid_request", "error_description": "Value passed for the token was invalid."}),
        ),
    }
}

/// Takes a token back.
pub(super) async fn revoke(State(world): State<Arc<World>>, Form(asked): Form<Request>) -> Said {
    world
        .tokens
        .revoke(asked.token.as_deref().unwrap_or_default());
    Said(StatusCode::OK, json!({"revoked": true}))
}

/// A confidential client says who it is in a header, a public one in the form.
fn client(headers: &HeaderMap, asked: &Request) -> String {
    let basic = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| BASE64_STANDARD.decode(value).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    basic
        .and_then(|pair| Some(pair.split_once(':')?.0.to_owned()))
        .or_else(|| asked.client_id.clone())
        .unwrap_or_default()
}

fn said(pair: &Pair) -> Said {
    let mut body = json!({
        "token_type": "bearer",
        // Whole seconds on the wire; less than one is none.
        "expires_in": pair.life.as_secs(),
        "access_token": pair.access,
        "scope": pair.scope,
    });
    if let Some(refresh) = &pair.refresh {
        body["refresh_token"] = json!(refresh);
    }
    Said(StatusCode::OK, body)
}
