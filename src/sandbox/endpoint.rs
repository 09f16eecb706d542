//! The paths of the API, and the way of a request through them.
//!
//! Owns the order in which a request is judged: token, windows, body, faults. The judges are files of their own.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    answer::{self, Order},
    kind::Kind,
    media_id::MediaId,
    oauth,
    problem::{self, Said},
    violation,
    world::World,
};

/// The longest body that is read.
const BODY_LIMIT: usize = 1024 * 1024;

/// All that can be asked for.
pub(super) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/2/media/metadata", post(create_metadata))
        .route("/2/users/me", get(show_me))
        .route("/2/oauth2/token", post(oauth::token))
        .route("/2/oauth2/revoke", post(oauth::revoke))
        .route("/i/oauth2/authorize", get(oauth::consent))
        .fallback(miss)
        .method_not_allowed_fallback(async || problem::plain(StatusCode::METHOD_NOT_ALLOWED))
        .with_state(world)
}

async fn miss(State(world): State<Arc<World>>, request: Request) -> Said {
    world
        .ledger
        .stray(format!("{} {}", request.method(), request.uri().path()));
    problem::plain(StatusCode::NOT_FOUND)
}

async fn show_me(State(world): State<Arc<World>>, request: Request) -> Said {
    world.ledger.look_up();
    let Some((id, handle)) = &world.user else {
        return problem::plain(StatusCode::SERVICE_UNAVAILABLE);
    };
    if !admits(&world, &request) {
        return problem::plain(StatusCode::UNAUTHORIZED);
    }
    Said(
        StatusCode::OK,
        json!({"data": {"id": id, "name": "Sandbox", "username": handle}}),
    )
}

fn admits(world: &World, request: &Request) -> bool {
    world.tokens.admits(
        request.method(),
        request.uri(),
        request.headers(),
        world.clock.now(),
    )
}

async fn create_metadata(State(world): State<Arc<World>>, request: Request) -> Response {
    let is_admitted = admits(&world, &request);
    let (head, body) = request.into_parts();
    let (id, order) = read(&head.headers, body).await;
    if let Some(id) = id {
        world.ledger.see(id);
    }
    if !is_admitted {
        return problem::plain(StatusCode::UNAUTHORIZED).into_response();
    }
    let Admission {
        refused,
        fault,
        told,
    } = admit(&world, order.as_ref().ok());
    let mut response = match (order, fault) {
        _ if refused => problem::plain(StatusCode::TOO_MANY_REQUESTS).into_response(),
        (Err(said), _) => said.into_response(),
        (Ok(order), None) => answer::accept(&world, &order).into_response(),
        (Ok(order), Some(kind)) => answer::spoil(&world, kind, &order).await,
    };
    if tells_limits(response.status(), fault) {
        response.headers_mut().extend(told);
    }
    response
}

/// What the windows say of a request.
struct Admission {
    refused: bool,
    fault: Option<Kind>,
    told: HeaderMap,
}

/// Lets a request through the windows or not, with the fault that befalls it and what there is to tell of the limits.
/// All under one lock: what is told is the state right after this request.
fn admit(world: &World, order: Option<&Order>) -> Admission {
    let mut windows = world.windows();
    windows.roll(world.clock.now());
    let refused = windows.is_exhausted();
    let mut fault = None;
    if !refused {
        fault = order.and_then(|order| world.faults.choose(order.id, world.ledger.turn(order.id)));
        if !fault.is_some_and(Kind::is_free) {
            windows.take();
        }
    }
    Admission {
        refused,
        fault,
        told: windows.tell(),
    }
}

/// X leaves the limits out of some answers, and what stands in front of it knows none.
fn tells_limits(status: StatusCode, fault: Option<Kind>) -> bool {
    !matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::SERVICE_UNAVAILABLE
    ) && !matches!(fault, Some(Kind::Html | Kind::RateLimited | Kind::Redirect))
}

/// Reads a body: its media id where there is one, and what it orders or why it is refused.
async fn read(headers: &HeaderMap, body: Body) -> (Option<MediaId>, Result<Order, Said>) {
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        return (None, Err(problem::plain(StatusCode::PAYLOAD_TOO_LARGE)));
    };
    let body = match parse(headers, &bytes) {
        Ok(body) => body,
        Err(said) => return (None, Err(said)),
    };
    let id = body["id"].as_str().and_then(MediaId::parse);
    (id, judge(id, body))
}

fn parse(headers: &HeaderMap, bytes: &Bytes) -> Result<Value, Said> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(problem::invalid(
            "The Content-Type of the request must be application/json.",
        ));
    }
    serde_json::from_slice(bytes)
        .map_err(|_| problem::invalid("The body of the request is not valid JSON."))
}

fn judge(id: Option<MediaId>, body: Value) -> Result<Order, Said> {
    let violations = violation::find(&body);
    match id {
        // Not in the schema, but seen: a good id without the wrapper is more than X's validator can take.
        Some(_) if body.get("metadata").is_none() => Err(problem::internal()),
        Some(id) if violations.is_empty() => Ok(Order { id, body }),
        _ => Err(problem::violated(&violations)),
    }
}
