//! A server that answers at once: what `benches/compare` sends to, the same for each program that it compares.
//!
//!     cargo run --release --example at-once
//!
//! Owns nothing but that. It takes a free port of this machine, prints its address, and answers every request with the id
//! that it was sent, until it is ended. It checks nothing and keeps nothing, so that what is measured is the client.

use std::{convert::Infallible, io::Write, net::Ipv4Addr};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What stands before the id in a request as altfill writes it.
const BEFORE_ID: &[u8] = br#"{"id":"#;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(answer);
            // A client that goes away is no fault of the server's.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let mut answer = Vec::with_capacity(64);
    answer.extend_from_slice(br#"{"data":{"id":"#);
    answer.extend_from_slice(id(&body));
    answer.extend_from_slice(b"}}");
    let mut response = Response::new(Full::new(answer.into()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The id of a body with its quotes, as it stands there.
fn id(body: &[u8]) -> &[u8] {
    // As aiohttp writes it there is a space behind the colon.
    let body = body
        .strip_prefix(BEFORE_ID)
        .unwrap_or_default()
        .trim_ascii_start();
    match body.iter().skip(1).position(|byte| *byte == b'"') {
        Some(end) => &body[..end + 2],
        None => b"null",
    }
}
