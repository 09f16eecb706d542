//! OAuth 2.0 with PKCE (RFC 6749, 7636, 7009): how a person lets an app in, and how its tokens are had, renewed and
//! given back.
//!
//! Owns the words of the protocol. Keeps nothing: what was had is the store's to keep.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    TokenResponse, TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
    url::form_urlencoded,
};
use reqwest::{
    Method, Request,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Address,
    http::{Http, Read, Received, authorize, shown},
};
use crate::time::Timestamp;

/// What altfill asks for: to write metadata, to know whose it is, and to renew its token without a person.
pub const SCOPES: [&str; 4] = ["media.write", "tweet.read", "users.read", "offline.access"];

/// An app at X's developer portal.
#[derive(Debug, Clone)]
pub struct App {
    /// Its client id, which is no secret.
    pub client_id: String,
    /// Its client secret, where it is a confidential client.
    pub client_secret: Option<SecretString>,
}

/// What the token endpoint hands out.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What requests carry.
    pub access: SecretString,
    /// What the next ones are had for, once.
    pub refresh: Option<SecretString>,
    /// When they were handed out.
    pub issued: Timestamp,
    /// When the access token is over, where that was told.
    pub expires: Option<Timestamp>,
    /// What they allow.
    pub scopes: Vec<String>,
}

/// No tokens were had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The endpoint said no: what was given is not good, or not any more.
    #[error("{0}")]
    Refused(String),
    /// It can't be told whether what was given has been taken: no answer, or none that can be read.
    #[error("{0}")]
    Unclear(String),
    /// It was not taken: the endpoint was not reached, or has too much to do.
    #[error("{0}")]
    Unavailable(String),
}

/// A login that was begun: where the person goes, and what proves that an answer belongs to it.
#[derive(Debug)]
pub struct Login {
    app: App,
    redirect: RedirectUrl,
    address: oauth2::url::Url,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

impl Login {
    /// Begins a login of `app` at `api`, that comes back to the address `redirect`.
    ///
    /// # Errors
    /// Where an address can't be one.
    pub fn begin(api: &Address, app: App, redirect: &str) -> Result<Self, String> {
        let wrong = |error| format!("{redirect:?} is no address to come back to: {error}");
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(wrong)?;
        let page = api.authorization_page();
        let page = AuthUrl::new(page).map_err(|error| error.to_string())?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (address, state) = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(page)
            .set_redirect_uri(redirect.clone())
            .authorize_url(CsrfToken::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Self {
            app,
            redirect,
            address,
            state,
            verifier,
        })
    }

    /// Where the person lets the app in.
    #[must_use]
    pub const fn address(&self) -> &oauth2::url::Url {
        &self.address
    }

    /// Reads the code out of the address, or its part behind the host, to which the person came back.
    ///
    /// # Errors
    /// Where there is none, or it does not belong to this login.
    pub fn code(&self, came_back_to: &str) -> Result<SecretString, String> {
        let query = came_back_to.trim().split_once('?').map(|(_, query)| query);
        let query = query.ok_or("it has no ? with parameters behind it")?;
        let query = query.split('#').next().unwrap_or_default();
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if value("state").as_ref() != Some(self.state.secret()) {
            return Err("it does not belong to this login (its state is another one)".to_owned());
        }
        if let Some(error) = value("error") {
            return Err(format!("X says {}", shown(&error)));
        }
        value("code")
            .filter(|code| !code.is_empty())
            .map(SecretString::from)
            .ok_or_else(|| "it has no code".to_owned())
    }

    /// Gets the tokens for a code. X takes a code for 30 seconds, and once.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn finish(self, http: &Http, code: &SecretString) -> Result<Tokens, TokenError> {
        let courier = Courier::new(http);
        let client = client(&self.app).set_token_uri(token_endpoint(http)?);
        let client = client.set_redirect_uri(self.redirect);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(self.verifier)
            .request_async(&courier.carrier())
            .await;
        courier.read(answer, None)
    }
}

/// Gets the next tokens for a refresh token, which is thereby spent.
///
/// # Errors
/// Why there are none.
pub async fn renew(http: &Http, app: &App, refresh: &SecretString) -> Result<Tokens, TokenError> {
    let courier = Courier::new(http);
    let client = client(app).set_token_uri(token_endpoint(http)?);
    let token = RefreshToken::new(refresh.expose_secret().to_owned());
    let answer = client
        .exchange_refresh_token(&token)
        .request_async(&courier.carrier())
        .await;
    courier.read(answer, Some(refresh))
}

/// Gives a token back: it is good for nothing any more.
///
/// # Errors
/// Where X does not confirm it.
pub async fn revoke(http: &Http, app: &App, token: &SecretString) -> Result<(), TokenError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token.expose_secret());
    let mut request = Request::new(Method::POST, http.url("/2/oauth2/revoke"));
    match &app.client_secret {
        None => {
            form.append_pair("client_id", &app.client_id);
        }
        Some(secret) => {
            use base64::{Engine, prelude::BASE64_STANDARD};
            let pair = format!("{}:{}", app.client_id, secret.expose_secret());
            let basic = SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair)));
            authorize(&mut request, &basic).map_err(TokenError::Refused)?;
        }
    }
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    *request.body_mut() = Some(form.finish().into());
    match http.send(request).await {
        Received::Answer { status: 200, .. } => Ok(()),
        Received::Answer { status, .. } if status < 500 && status != 429 => {
            Err(TokenError::Refused(format!("X answered {status}")))
        }
        Received::Answer { status, .. } => {
            Err(TokenError::Unavailable(format!("X answered {status}")))
        }
        Received::NoConnection(why) => Err(TokenError::Unavailable(why)),
        Received::TimedOut => Err(TokenError::Unavailable("no answer in time".to_owned())),
    }
}

fn client(app: &App) -> BasicClient {
    let client = BasicClient::new(ClientId::new(app.client_id.clone()));
    match &app.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().into())),
        None => client,
    }
}

fn token_endpoint(http: &Http) -> Result<TokenUrl, TokenError> {
    let url = http.url("/2/oauth2/token").to_string();
    TokenUrl::new(url).map_err(|error| TokenError::Unavailable(error.to_string()))
}

/// Carries the protocol's requests by our client, and remembers how far they got.
#[derive(Clone)]
struct Courier {
    http: Http,
    status: Arc<AtomicU16>,
}

/// What is on its way.
type Carried = Pin<Box<dyn Future<Output = Result<HttpResponse, CourierError>> + Send>>;

/// Why a request of the protocol got no answer that can be read.
#[derive(Debug, thiserror::Error)]
enum CourierError {
    #[error("{0}")]
    NoConnection(String),
    #[error("no answer in time")]
    TimedOut,
    #[error("the answer broke off")]
    CutOff,
    #[error("the request can't be made")]
    Unmade,
}

impl Courier {
    fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            status: Arc::default(),
        }
    }

    fn carrier(&self) -> impl Fn(HttpRequest) -> Carried + use<> {
        let courier = self.clone();
        move |request| {
            let courier = courier.clone();
            Box::pin(async move { courier.carry(request).await })
        }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, CourierError> {
        let request = Request::try_from(request).map_err(|_| CourierError::Unmade)?;
        match self.http.send(request).await {
            Received::NoConnection(why) => Err(CourierError::NoConnection(why)),
            Received::TimedOut => Err(CourierError::TimedOut),
            Received::Answer {
                body: Read::OverLong | Read::CutOff,
                ..
            } => Err(CourierError::CutOff),
            Received::Answer {
                status,
                headers,
                body: Read::Complete(bytes),
            } => {
                self.status.store(status, Ordering::Relaxed);
                let mut response = HttpResponse::new(bytes);
                *response.status_mut() = status.try_into().map_err(|_| CourierError::CutOff)?;
                *response.headers_mut() = headers;
                Ok(response)
            }
        }
    }

    fn read(
        &self,
        answer: Result<
            BasicTokenResponse,
            RequestTokenError<CourierError, oauth2::basic::BasicErrorResponse>,
        >,
        former: Option<&SecretString>,
    ) -> Result<Tokens, TokenError> {
        let status = self.status.load(Ordering::Relaxed);
        let is_busy = status == 429 || status >= 500;
        let response = match answer {
            Ok(response) => response,
            Err(RequestTokenError::Request(error)) => {
                return Err(TokenError::Unclear(error.to_string()));
            }
            Err(_) if status == 429 => {
                return Err(TokenError::Unavailable("X answered 429".to_owned()));
            }
            Err(_) if is_busy => return Err(TokenError::Unclear(format!("X answered {status}"))),
            Err(RequestTokenError::ServerResponse(said)) => {
                let detail = said.error_description().map_or("", String::as_str);
                let said = format!("{} {detail}", said.error().as_ref());
                return Err(TokenError::Refused(format!(
                    "X answered {status} ({})",
                    shown(said.trim())
                )));
            }
            Err(_) if (400..500).contains(&status) => {
                return Err(TokenError::Refused(format!("X answered {status}")));
            }
            Err(_) => {
                return Err(TokenError::Unclear(format!(
                    "X answered {status} with something that holds no token"
                )));
            }
        };
        let issued = Timestamp::now();
        let scopes = response.scopes().map_or_else(Vec::new, |scopes| {
            scopes.iter().map(|scope| scope.to_string()).collect()
        });
        Ok(Tokens {
            access: SecretString::from(response.access_token().secret().as_str()),
            // An answer without a new one leaves the former good (RFC 6749, section 6).
            refresh: response
                .refresh_token()
                .map(|token| SecretString::from(token.secret().as_str()))
                .or_else(|| former.cloned()),
            issued,
            expires: response.expires_in().map(|lifetime| issued + lifetime),
            scopes,
        })
    }
}
