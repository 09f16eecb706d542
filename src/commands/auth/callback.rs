//! Where the browser comes back to after a login: one small page on this machine.
//!
//! Owns the listening. Whether what came belongs to the login is not its business: it hands on what it was asked for, and
//! shows what it is told of it.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    time::timeout,
};

/// How long a person may take to log in.
const PATIENCE: Duration = Duration::from_mins(10);

/// An address that the browser asked for, and where it is said what came of it.
pub type Visit = (String, oneshot::Sender<Result<(), String>>);

/// A callback that is listened for.
pub struct Callback {
    visits: mpsc::Receiver<Visit>,
    serving: tokio::task::JoinHandle<()>,
}

impl Callback {
    /// Listens on an address of this machine for requests of `path`.
    ///
    /// # Errors
    /// Where the port can't be had.
    pub async fn listen(address: SocketAddr, path: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (sender, visits) = mpsc::channel(4);
        let app = Router::new().route(path, get(visit)).with_state(sender);
        let serving = tokio::spawn(async move {
            // It ends with its task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { visits, serving })
    }

    /// The next visit, unless nobody comes for too long.
    pub async fn next(&mut self) -> Option<Visit> {
        timeout(PATIENCE, self.visits.recv()).await.ok().flatten()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn visit(State(visits): State<mpsc::Sender<Visit>>, address: Uri) -> Response {
    let (sender, outcome) = oneshot::channel();
    let outcome = match visits.send((address.to_string(), sender)).await {
        Ok(()) => outcome
            .await
            .unwrap_or_else(|_| Err("altfill has ended".to_owned())),
        Err(_) => Err("altfill has ended".to_owned()),
    };
    let (status, title, text) = match outcome {
        Ok(()) => (
            StatusCode::OK,
            "Logged in",
            "altfill has what it needs. You can close this page and go back to the terminal.",
        ),
        Err(_) => (
            StatusCode::BAD_REQUEST,
            "Not logged in",
            "The terminal says why, and what to do.",
        ),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title} - altfill</title><h1>{title}</h1><p>{text}</p></html>"
    );
    // The address holds the code: it must lead nowhere else.
    let headers = [
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (axum::http::header::REFERRER_POLICY, "no-referrer"),
        (axum::http::header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}
