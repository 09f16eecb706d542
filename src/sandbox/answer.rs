//! What is said to a valid request: the truth, or what a fault makes of it.
//!
//! Owns the deeds of each fault kind, and whether the metadata counts as accepted under it. Decides no fault.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::time::{Sleep, sleep};

use super::{
    connection::Reset,
    kind::Kind,
    media_id::MediaId,
    problem::{self, Said},
    world::World,
};

/// A request that nothing is wrong with.
pub(super) struct Order {
    pub(super) id: MediaId,
    pub(super) body: Value,
}

/// Takes the metadata and says so.
pub(super) fn accept(world: &World, order: &Order) -> Said {
    world.ledger.accept(order.id, &order.body);
    confirm(order.id, order)
}

/// Does to a request what a fault of this kind does.
pub(super) async fn spoil(world: &World, kind: Kind, order: &Order) -> Response {
    let id = order.id;
    match kind {
        Kind::Status(status) => {
            problem::plain(StatusCode::from_u16(status).unwrap_or_default()).into_response()
        }
        Kind::Reset => reset(),
        Kind::ResetAfter => {
            accept(world, order);
            reset()
        }
        Kind::Truncate => truncate(accept(world, order)),
        Kind::Slow => {
            // Accepted before the wait: a client that gives up meanwhile must not take it for unsent.
            let said = accept(world, order);
            tokio::select! {
                () = sleep(world.slow_by) => {}
                () = world.stopped() => {}
            }
            said.into_response()
        }
        Kind::Silent => {
            world.stopped().await;
            reset()
        }
        Kind::Html => {
            let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Over capacity</body></html>";
            (StatusCode::BAD_GATEWAY, Html(page)).into_response()
        }
        Kind::Garbage => raw("{\"data\":{\"id\":"),
        Kind::OtherId => confirm(id.neighbour(), order).into_response(),
        Kind::Partial => {
            let Said(status, mut body) = accept(world, order);
            body["errors"] = json!([problem::not_found(id)]);
            Said(status, body).into_response()
        }
        Kind::Errors => {
            Said(StatusCode::OK, json!({"errors": [problem::not_found(id)]})).into_response()
        }
        Kind::Empty => {
            accept(world, order);
            raw("")
        }
        Kind::NotFound => Said(StatusCode::NOT_FOUND, problem::not_found(id)).into_response(),
        Kind::Forbidden => problem::forbidden(id).into_response(),
        Kind::Invalid => problem::unusable(id).into_response(),
        Kind::RateLimited => problem::plain(StatusCode::TOO_MANY_REQUESTS).into_response(),
        Kind::UsageCapped => problem::usage_capped().into_response(),
        Kind::Credits => problem::credits().into_response(),
        Kind::SpendCap => problem::spend_cap().into_response(),
        Kind::NotEnrolled => problem::not_enrolled().into_response(),
        Kind::UnsupportedAuthentication => problem::unsupported_authentication().into_response(),
        Kind::Unauthorized => problem::plain(StatusCode::UNAUTHORIZED).into_response(),
        Kind::Redirect => (StatusCode::FOUND, [(LOCATION, "/2/media/elsewhere")]).into_response(),
    }
}

fn confirm(id: MediaId, order: &Order) -> Said {
    let metadata = &order.body["metadata"];
    Said(
        StatusCode::OK,
        json!({"data": {"id": id.to_string(), "associated_metadata": metadata}}),
    )
}

fn raw(body: &'static str) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// An answer that is none: the connection takes it as the order to break off.
fn reset() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Reset);
    response
}

/// An answer that promises its whole length and breaks off in the middle.
fn truncate(said: Said) -> Response {
    let Said(status, body) = said;
    let whole = body.to_string();
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let mut response = Said(status, Value::Null).into_response();
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, whole.len().into());
    *response.body_mut() = Body::new(Torn {
        half: Some(half),
        pause: Box::pin(sleep(Duration::from_millis(5))),
    });
    response
}

/// A body that fails after its first half. The pause lets the half go out: an error throws away what is buffered.
struct Torn {
    half: Option<Bytes>,
    pause: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Torn {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        self.pause
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
