//! The X API: one request, `POST /2/media/metadata`, and what comes back.
//!
//! Owns the HTTP client. It sends each request exactly once: no redirect is followed, nothing is sent again behind the
//! journal's back, and an answer is read up to a bound. What an answer means is not its business.

mod address;
mod credentials;

use std::{error::Error as _, sync::Arc, time::Duration};

use reqwest::{
    Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;

pub use self::{
    address::Address,
    credentials::{Credentials, CredentialsError, Source},
};
use crate::{
    answer::{Body, Limits, Reply},
    item::MediaId,
    metadata::Metadata,
};

/// No answer of the API comes near this: what is longer is not one.
const LONGEST_ANSWER: usize = 1 << 20;

/// Sends requests to one address with one account's credentials. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Url,
    credentials: Arc<Credentials>,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be set up: {0}")]
pub struct ClientError(#[from] reqwest::Error);

impl Client {
    /// A client for `address`; each request may take `timeout`.
    ///
    /// # Errors
    /// Where the system's certificates can't be read.
    pub fn new(
        address: &Address,
        timeout: Duration,
        credentials: Arc<Credentials>,
    ) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("altfill/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            // A redirect would carry the body, and on some hosts the token, elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            // What is sent again is the journal's decision alone.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_mins(1));
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        // Read once: each reading costs as much as all else that is done to a request.
        let endpoint = address.endpoint("/2/media/metadata");
        Ok(Self {
            http: builder.build()?,
            endpoint,
            credentials,
        })
    }

    /// Sends one item's metadata, once. Returns the reply and which token the request carried.
    pub async fn send(&self, media_id: &MediaId, metadata: &Metadata) -> (Reply, u32) {
        let token = self.credentials.token().await;
        let Ok(mut authorization) =
            HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()))
        else {
            // Credentials check their tokens when they are read.
            return (
                Reply::NoConnection("the token can't stand in a header".to_owned()),
                token.generation,
            );
        };
        authorization.set_sensitive(true);
        // An id is digits: nothing of it needs escaping.
        let body = format!(r#"{{"id":"{media_id}","metadata":{}}}"#, metadata.to_text());
        let request = self
            .http
            .post(self.endpoint.clone())
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        tracing::trace!(%media_id, to = %self.endpoint, "sending");
        (read(request.send().await).await, token.generation)
    }

    /// Gets another token than that of `generation`, which was refused.
    ///
    /// # Errors
    /// Why there is none, as the end of a sentence about the token.
    pub async fn renew(&self, generation: u32) -> Result<(), CredentialsError> {
        self.credentials.renew(generation).await
    }
}

async fn read(sent: Result<reqwest::Response, reqwest::Error>) -> Reply {
    let mut response = match sent {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Reply::TimedOut,
        Err(error) => return Reply::NoConnection(reason(&error)),
    };
    let status = response.status().as_u16();
    let limits = Limits::read(|name| response.headers().get(name)?.to_str().ok());
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > LONGEST_ANSWER => break Body::OverLong,
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break Body::Complete(bytes),
            Err(error) if error.is_timeout() => return Reply::TimedOut,
            Err(_) => break Body::CutOff,
        }
    };
    Reply::Answered {
        status,
        body,
        limits,
    }
}

/// The innermost reason of an error: "Connection refused" says more than "error sending request".
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = if error.source().is_some() {
        innermost.to_string()
    } else {
        "the request could not be sent".to_owned()
    };
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}
