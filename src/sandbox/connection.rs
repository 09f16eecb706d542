//! Connections: how they are accepted, served, and broken off.
//!
//! Owns the accept loop, which is not axum's because some faults end a connection in ways that no answer can. What
//! is answered on one is none of its business.

use std::{
    error::Error,
    fmt, io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, response::Response};
use hyper::{Method, Request, Version, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::sleep,
};
use tower::ServiceExt;

use super::{endpoint, world::World};

/// The mark on a response that is to be no response but a reset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reset;

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reset on purpose")
    }
}

impl Error for Reset {}

/// Accepts connections until the sandbox stops, then waits for those that are left.
pub(super) async fn accept(listener: TcpListener, world: Arc<World>) {
    let routes = endpoint::routes(world.clone());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, routes.clone(), world.clone()));
                }
                // Out of file descriptors, most likely: the only cure is time.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            () = world.stopped() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, routes: Router, world: Arc<World>) {
    let line = Arc::new(Line::default());
    let _ = stream.set_nodelay(true);
    let wire = Wire {
        stream,
        line: line.clone(),
    };
    if world.outages.is_on() {
        line.cut();
        return;
    }
    let service =
        service_fn(|request| answer(request, routes.clone(), world.clone(), line.clone()));
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(wire), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            // An error here is a client that left or a fault that was wanted: neither is anyone's business.
            _ = connection.as_mut() => return,
            () = line.is_cut.notified() => return,
            () = world.outages.next() => line.cut(),
            () = world.stopped(), if !stopping => {
                connection.as_mut().graceful_shutdown();
                stopping = true;
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    routes: Router,
    world: Arc<World>,
    line: Arc<Line>,
) -> Result<Response, Reset> {
    if world.outages.is_on() {
        line.cut();
        return Err(Reset);
    }
    // What tokens are had by is no request for an item.
    let is_post =
        request.method() == Method::POST && !request.uri().path().starts_with("/2/oauth2/");
    let version = request.version();
    if is_post {
        world.ledger.arrive(world.clock.now());
    }
    let Ok(response) = routes.oneshot(request.map(Body::new)).await;
    if response.extensions().get::<Reset>().is_some() {
        // Over HTTP/2 the error resets this one stream: the others on the connection belong to other requests, and
        // what befalls those is not decided here.
        if version < Version::HTTP_2 {
            line.cut();
        }
        return Err(Reset);
    }
    if is_post {
        world.ledger.answer(response.status().as_u16());
    }
    Ok(response)
}

/// What a connection and the requests on it have in common.
#[derive(Default)]
struct Line {
    resets: AtomicBool,
    is_cut: Notify,
}

impl Line {
    /// Ends the connection by a reset.
    fn cut(&self) {
        self.resets.store(true, Ordering::Release);
        self.is_cut.notify_one();
    }
}

/// A connection's stream, which ends in a reset when its line was cut. hyper owns it by then, so the one moment to
/// say so is its drop.
struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.resets.load(Ordering::Acquire) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
