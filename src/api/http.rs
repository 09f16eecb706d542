//! HTTP as altfill speaks it, whatever it asks for: one client, one address, nothing sent twice or elsewhere.
//!
//! Owns the client's settings and the bounds of what is read. What is said in it is the callers' business.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use reqwest::{
    Request, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::Address;

/// No answer of the API comes near this: what is longer is not one.
const LONGEST_ANSWER: usize = 1 << 20;

/// Sends requests to one address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    address: Address,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says it all in its own words")]
pub enum ClientError {
    #[error(
        "the HTTP client can't be set up: {0}. Install the system's certificates (ca-certificates), or name some with --ca-file"
    )]
    Setup(#[from] reqwest::Error),
    #[error("--ca-file: {0}")]
    Authorities(String),
}

/// Authorities that are trusted beside the system's, by every client of this program, and the file they are from.
static AUTHORITIES: OnceLock<(PathBuf, Vec<reqwest::Certificate>)> = OnceLock::new();

/// The file of [`trust`], for a process that shall trust the same.
pub(super) fn trusted() -> Option<&'static Path> {
    AUTHORITIES.get().map(|(path, _)| path.as_path())
}

/// Trusts the authorities in the PEM file `path` too, from here on; the first file holds.
///
/// # Errors
/// Where it holds none.
pub fn trust(path: &Path) -> Result<(), ClientError> {
    let wrong = |why: String| {
        ClientError::Authorities(format!(
            "{} {why}: it must hold certificates in PEM, as in /etc/ssl/certs",
            path.display()
        ))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("can't be read ({error})")))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if found.is_empty() => Err(wrong("holds no certificate".to_owned())),
        Ok(found) => {
            AUTHORITIES.get_or_init(|| (path.to_owned(), found));
            Ok(())
        }
        Err(_) => Err(wrong("can't be understood".to_owned())),
    }
}

/// What came back, as far as it came.
#[derive(Debug)]
pub(super) enum Received {
    /// Nothing: why, in a few words.
    NoConnection(String),
    /// Nothing in time.
    TimedOut,
    /// An answer.
    Answer {
        status: u16,
        headers: HeaderMap,
        body: Read,
    },
}

/// How far a body was read.
#[derive(Debug)]
pub(super) enum Read {
    /// To its end.
    Complete(Vec<u8>),
    /// It was longer than any answer is.
    OverLong,
    /// The connection broke.
    CutOff,
}

impl Http {
    /// A client for `address`; each request may take `timeout`.
    ///
    /// # Errors
    /// Where the system's certificates can't be read.
    pub fn new(address: &Address, timeout: Duration) -> Result<Self, ClientError> {
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
        if let Some((_, authorities)) = AUTHORITIES.get() {
            builder = builder.tls_certs_merge(authorities.iter().cloned());
        }
        Ok(Self {
            client: builder.build()?,
            address: address.clone(),
        })
    }

    /// Where it sends.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The address of `path`, which begins with a slash.
    pub(super) fn url(&self, path: &str) -> Url {
        self.address.url(path)
    }

    /// Sends a request, once, and reads what comes back.
    pub(super) async fn send(&self, request: Request) -> Received {
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Received::TimedOut,
            Err(error) => return Received::NoConnection(reason(&error)),
        };
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut bytes = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > LONGEST_ANSWER => {
                    break Read::OverLong;
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break Read::Complete(bytes),
                Err(error) if error.is_timeout() => return Received::TimedOut,
                Err(_) => break Read::CutOff,
            }
        };
        Received::Answer {
            status,
            headers,
            body,
        }
    }
}

/// Puts a secret into a request's `Authorization`, where nobody shows it.
pub(super) fn authorize(request: &mut Request, secret: &SecretString) -> Result<(), String> {
    let mut value = HeaderValue::from_str(secret.expose_secret())
        .map_err(|_| "the token can't stand in a header".to_owned())?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The innermost reason of an error: "Connection refused" says more than "error sending request".
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = if error.source().is_some() {
        innermost.to_string()
    } else {
        "the request could not be sent".to_owned()
    };
    shown(&text)
}

/// A text of somebody else's as it may be shown: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}
