//! The X API: one request, `POST /2/media/metadata`, and what comes back; and who makes it.
//!
//! Owns HTTP and everything secret. It sends each request exactly once: no redirect is followed, nothing is sent again
//! behind the journal's back, and an answer is read up to a bound. What an answer means is not its business.
//!
//! | file | owns |
//! | --- | --- |
//! | `address`, `http` | where requests go, and how |
//! | `credentials/` | which secret they carry, where it comes from and how another one is had |
//! | `oauth1`, `oauth2` | the two protocols in which X hands secrets out and checks them |
//! | `user` | whom a secret belongs to |
//! | `courier` | messages about a run, by a client that knows no secret |

mod address;
mod courier;
mod credentials;
mod http;
mod oauth1;
mod oauth2;
mod secret;
mod user;

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, Request, Url,
    header::{CONTENT_TYPE, HeaderValue},
};

pub use self::{
    address::Address,
    courier::Hook,
    credentials::{
        Account, Credentials, CredentialsError, Foreign, ForeignError, Grant, Kind, Profile,
        Secret, Source, Store, StoreError, check_name as check_profile_name, refresh,
    },
    http::{ClientError, Http, trust},
    oauth1::Keys,
    oauth2::{App, Login, SCOPES, TokenError, Tokens, revoke},
    user::{LookUp, User, look_up, look_up_bearer},
};
use self::{
    credentials::Token,
    http::{Read, Received, authorize},
};
use crate::{
    answer::{Body, Limits, Reply},
    item::MediaId,
    metadata::Metadata,
    time::Timestamp,
};

/// Sends requests to one address with one account's credentials. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
    /// Where metadata goes, reckoned once.
    metadata: Url,
    credentials: Arc<Credentials>,
}

/// A reply, and what is known of the token that its request carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What came back.
    pub reply: Reply,
    /// The how-many-th token of the run it was.
    pub generation: u32,
    /// Whether its own time was over when the reply came, or the store had the next one already.
    pub is_over: bool,
}

impl Client {
    /// A client that sends by `http` with these credentials.
    #[must_use]
    pub fn new(http: Http, credentials: Arc<Credentials>) -> Self {
        Self {
            metadata: http.url("/2/media/metadata"),
            http,
            credentials,
        }
    }

    /// Sends one item's metadata, once.
    pub async fn send(&self, media_id: &MediaId, metadata: &Metadata) -> Sent {
        let token = self.credentials.token();
        let reply = self.reply(&token, media_id, metadata).await;
        let reply = token.found.secret.taken_out_of(reply);
        let is_refused = reply.status() == Some(401);
        Sent {
            generation: token.generation,
            is_over: is_refused
                && (token.is_expired(Timestamp::now()) || self.credentials.is_superseded(&token)),
            reply,
        }
    }

    async fn reply(&self, token: &Token, media_id: &MediaId, metadata: &Metadata) -> Reply {
        tracing::trace!(%media_id, to = %self.metadata, "sending");
        let mut request = Request::new(Method::POST, self.metadata.clone());
        // An id is digits: nothing of it needs escaping.
        let body = format!(r#"{{"id":"{media_id}","metadata":{}}}"#, metadata.to_text());
        *request.body_mut() = Some(body.into());
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let authorization = token
            .found
            .secret
            .authorization(request.method(), request.url());
        if let Err(why) = authorize(&mut request, &authorization) {
            // Credentials check their tokens when they are read.
            return Reply::NoConnection(why);
        }
        match self.http.send(request).await {
            Received::NoConnection(why) => Reply::NoConnection(why),
            Received::TimedOut => Reply::TimedOut,
            Received::Answer {
                status,
                headers,
                body,
            } => Reply::Answered {
                status,
                limits: Limits::read(|name| headers.get(name)?.to_str().ok()),
                body: match body {
                    Read::Complete(bytes) => Body::Complete(bytes),
                    Read::OverLong => Body::OverLong,
                    Read::CutOff => Body::CutOff,
                },
            },
        }
    }

    /// When another token should be had, so that none runs out on its way; none where that is not known.
    #[must_use]
    pub fn renew_at(&self) -> Option<Timestamp> {
        self.credentials.renew_at()
    }

    /// Gets another token than that of `generation`, and returns which one there is now.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn renew(&self, generation: u32) -> Result<u32, CredentialsError> {
        self.credentials.renew(generation).await
    }
}

/// How long a request to the token endpoint may take.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
