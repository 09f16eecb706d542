//! Who may ask: the tokens that are accepted, and how they are had, renewed and given back.
//!
//! Owns every token and its life. A refresh token is good once, and with the next pair the former access token is over
//! too: harsher than a real server need be. Never shows a token.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::signature;
use crate::time::Timestamp;

/// How long a code is good that a person brings back.
const CODE_LIFE: Duration = Duration::from_secs(30);

/// The tokens that are accepted.
pub(super) struct Tokens {
    only: Option<String>,
    keys: Option<[String; 4]>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    life: Option<Duration>,
    issued: u64,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    codes: HashMap<String, Code>,
    reused: u64,
    renewals: u64,
}

struct Access {
    expires: Timestamp,
}

struct Refresh {
    client: String,
    scope: String,
    access: String,
    is_spent: bool,
}

/// What a person was asked for when they let an app in.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) redirect: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) until: Timestamp,
}

/// A pair as it is handed out.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The access token.
    pub access: String,
    /// The refresh token, where `offline.access` is among the scopes.
    pub refresh: Option<String>,
    /// How long the access token lives.
    pub life: Duration,
    /// What it allows.
    pub scope: String,
}

impl Tokens {
    /// Accepts `only` this bearer token, or requests signed with these `keys`; or what was issued here, each for its
    /// `life`; or, where none of these is given, any that is not empty.
    pub(super) fn new(
        only: Option<String>,
        keys: Option<[String; 4]>,
        life: Option<Duration>,
    ) -> Self {
        Self {
            only,
            keys,
            book: Mutex::new(Book {
                life,
                ..Book::default()
            }),
        }
    }

    /// Whether a request with these headers comes from a user.
    pub(super) fn admits(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> bool {
        let value = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = value.and_then(|value| value.split_once(' ')) else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("oauth") {
            return self
                .keys
                .as_ref()
                .is_some_and(|keys| signature::is_good(keys, method, uri, headers, token));
        }
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return false;
        }
        let book = self.book();
        match (&self.only, book.life, &self.keys) {
            (Some(only), ..) => only == token,
            (None, Some(_), _) => book
                .access
                .get(token)
                .is_some_and(|access| now < access.expires),
            (None, None, Some(_)) => false,
            (None, None, None) => true,
        }
    }

    /// Notes that a person has let an app in, and returns the code for it.
    pub(super) fn permit(&self, mut code: Code, now: Timestamp) -> String {
        code.until = now + CODE_LIFE;
        let mut book = self.book();
        book.issued += 1;
        let name = format!("code-{}", book.issued);
        book.codes.insert(name.clone(), code);
        name
    }

    /// A pair for a code, once, if it comes from who was let in.
    pub(super) fn redeem(
        &self,
        code: &str,
        client: &str,
        redirect: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Option<Pair> {
        let mut book = self.book();
        let noted = book.codes.remove(code)?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let is_good = noted.client == client
            && noted.redirect == redirect
            && noted.challenge == challenge
            && now <= noted.until;
        is_good.then(|| Self::hand_out(&mut book, client, &noted.scope, now))
    }

    /// The next pair for a refresh token, once.
    pub(super) fn renew(&self, refresh: &str, client: &str, now: Timestamp) -> Option<Pair> {
        let mut book = self.book();
        let known = book.refresh.get_mut(refresh)?;
        if known.is_spent {
            book.reused += 1;
            return None;
        }
        if known.client != client {
            return None;
        }
        known.is_spent = true;
        let (scope, former) = (known.scope.clone(), known.access.clone());
        book.renewals += 1;
        book.access.remove(&former);
        Some(Self::hand_out(&mut book, client, &scope, now))
    }

    /// Takes a token back, of whichever kind it is.
    pub(super) fn revoke(&self, token: &str) {
        let mut book = self.book();
        book.access.remove(token);
        if let Some(known) = book.refresh.remove(token) {
            book.access.remove(&known.access);
        }
    }

    /// A pair without a person, for tests.
    pub(super) fn issue(&self, client: &str, scope: &str, now: Timestamp) -> Pair {
        Self::hand_out(&mut self.book(), client, scope, now)
    }

    /// Lets the tokens that are had from now on live so long.
    pub(super) fn set_life(&self, life: Duration) {
        self.book().life = Some(life);
    }

    /// How many refresh tokens were sent that had been spent.
    pub(super) fn reused(&self) -> u64 {
        self.book().reused
    }

    /// How many pairs were handed out for a refresh token.
    pub(super) fn renewals(&self) -> u64 {
        self.book().renewals
    }

    fn hand_out(book: &mut Book, client: &str, scope: &str, now: Timestamp) -> Pair {
        let life = book.life.unwrap_or(Duration::from_hours(2));
        book.issued += 1;
        let number = book.issued;
        let access = format!("sandbox-access-{number}");
        book.access.insert(
            access.clone(),
            Access {
                expires: now + life,
            },
        );
        let has_refresh = scope.split(' ').any(|scope| scope == "offline.access");
        let refresh = has_refresh.then(|| {
            let refresh = format!("sandbox-refresh-{number}");
            book.refresh.insert(
                refresh.clone(),
                Refresh {
                    client: client.to_owned(),
                    scope: scope.to_owned(),
                    access: access.clone(),
                    is_spent: false,
                },
            );
            refresh
        });
        Pair {
            access,
            refresh,
            life,
            scope: scope.to_owned(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn admits(tokens: &Tokens, authorization: Option<&str>, now: Timestamp) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        tokens.admits(
            &Method::POST,
            &Uri::from_static("/2/media/metadata"),
            &headers,
            now,
        )
    }

    fn bearer(tokens: &Tokens, token: &str, now: Timestamp) -> bool {
        admits(tokens, Some(&format!("Bearer {token}")), now)
    }

    #[test]
    fn any_bearer_is_accepted_unless_one_is_named() {
        assert!(bearer(&Tokens::new(None, None, None), "anything", NOW));
        let only = Tokens::new(Some("secret".to_owned()), None, None);
        assert!(admits(&only, Some("bearer secret"), NOW));
        assert!(!bearer(&only, "secre", NOW));
        assert!(!bearer(&only, "secret2", NOW));
    }

    #[test]
    fn without_a_bearer_there_is_no_way_in() {
        let any = Tokens::new(None, None, None);
        for value in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Basic YTpi"),
            Some("token"),
        ] {
            assert!(!admits(&any, value, NOW), "{value:?}");
        }
    }

    #[test]
    fn a_token_that_was_issued_lives_its_time() {
        let tokens = Tokens::new(None, None, Some(Duration::from_secs(2)));
        let pair = tokens.issue("app", "media.write", NOW);
        assert!(bearer(&tokens, &pair.access, NOW));
        assert!(!bearer(&tokens, &pair.access, NOW + Duration::from_secs(2)));
        assert!(!bearer(&tokens, "anything", NOW));
        assert!(pair.refresh.is_none(), "offline.access was not asked for");
    }

    #[test]
    fn a_refresh_token_is_good_once_and_ends_its_access_token() {
        let tokens = Tokens::new(None, None, Some(Duration::from_secs(2)));
        let first = tokens.issue("app", "media.write offline.access", NOW);
        let refresh = first.refresh.unwrap();
        assert!(tokens.renew(&refresh, "another", NOW).is_none());
        let second = tokens.renew(&refresh, "app", NOW).unwrap();
        assert!(!bearer(&tokens, &first.access, NOW));
        assert!(bearer(&tokens, &second.access, NOW));
        assert!(tokens.renew(&refresh, "app", NOW).is_none());
        assert_eq!((tokens.renewals(), tokens.reused()), (1, 1));
    }

    #[test]
    fn a_code_is_good_once_for_who_was_let_in() {
        let tokens = Tokens::new(None, None, None);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(b"verifier"));
        let code = Code {
            client: "app".to_owned(),
            redirect: "http://127.0.0.1/".to_owned(),
            challenge,
            scope: "media.write".to_owned(),
            until: NOW,
        };
        let redeem = |client: &str, redirect: &str, verifier: &str, now| {
            let name = tokens.permit(code.clone(), NOW);
            let pair = tokens.redeem(&name, client, redirect, verifier, now);
            assert!(
                tokens
                    .redeem(&name, client, redirect, verifier, now)
                    .is_none()
            );
            pair.is_some()
        };
        assert!(redeem("app", "http://127.0.0.1/", "verifier", NOW));
        assert!(!redeem("other", "http://127.0.0.1/", "verifier", NOW));
        assert!(!redeem("app", "http://127.0.0.2/", "verifier", NOW));
        assert!(!redeem("app", "http://127.0.0.1/", "another", NOW));
        assert!(!redeem(
            "app",
            "http://127.0.0.1/",
            "verifier",
            NOW + Duration::from_secs(31)
        ));
    }
}
