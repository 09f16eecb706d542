//! Who may ask: the bearer tokens that are accepted.
//!
//! Owns the reading of `Authorization`. A token's lifetime and how one is had will be its business too. Never shows
//! a token.

use axum::http::{HeaderMap, header::AUTHORIZATION};

/// The tokens that are accepted.
pub(super) struct Tokens {
    only: Option<String>,
}

impl Tokens {
    /// Accepts `only` this one, or any that is not empty.
    pub(super) const fn new(only: Option<String>) -> Self {
        Self { only }
    }

    /// Whether a request with these headers comes from a user.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let value = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = value.and_then(|value| value.split_once(' ')) else {
            return false;
        };
        let token = token.trim();
        scheme.eq_ignore_ascii_case("bearer")
            && self
                .only
                .as_ref()
                .map_or(!token.is_empty(), |only| only == token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(only: Option<&str>, authorization: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        Tokens::new(only.map(str::to_owned)).admits(&headers)
    }

    #[test]
    fn any_bearer_is_accepted_unless_one_is_named() {
        assert!(admits(None, Some("Bearer anything")));
        assert!(admits(Some("secret"), Some("bearer secret")));
        assert!(!admits(Some("secret"), Some("Bearer secre")));
        assert!(!admits(Some("secret"), Some("Bearer secret2")));
    }

    #[test]
    fn without_a_bearer_there_is_no_way_in() {
        for value in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Basic YTpi"),
            Some("token"),
        ] {
            assert!(!admits(None, value), "{value:?}");
        }
    }
}
