//! OAuth 1.0a (RFC 5849): requests signed by HMAC-SHA1 with keys that do not expire.
//!
//! Owns the signature: over the method, the address without its query, and the parameters of the query and of the
//! protocol. A JSON body is not signed.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use crate::time::Timestamp;

/// Everything but the unreserved characters is encoded (RFC 5849, section 3.6).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The keys of an app and of a user who has let it in.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The app's API key.
    pub consumer_key: SecretString,
    /// The app's API key secret.
    pub consumer_secret: SecretString,
    /// The user's access token.
    pub token: SecretString,
    /// The user's access token secret.
    pub token_secret: SecretString,
}

impl Keys {
    /// What `Authorization` says of a request, made now.
    pub(super) fn authorization(&self, method: &Method, url: &Url) -> SecretString {
        let mut random = [0; 16];
        // Without random numbers from the system, TLS would not work either; the time alone is still a nonce.
        let _ = getrandom::fill(&mut random);
        let nonce = u128::from_ne_bytes(random);
        let now = Timestamp::now();
        self.header(method, url, &format!("{nonce:032x}"), now.seconds())
    }

    fn header(&self, method: &Method, url: &Url, nonce: &str, seconds: i64) -> SecretString {
        let mut protocol = self.protocol(nonce, seconds);
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        let signature = self.signature(method, url, &protocol, &query);
        protocol.push(("oauth_signature".to_owned(), signature));
        protocol.sort();
        let parts: Vec<_> = protocol
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", encode(value)))
            .collect();
        SecretString::from(format!("OAuth {}", parts.join(", ")))
    }

    fn protocol(&self, nonce: &str, seconds: i64) -> Vec<(String, String)> {
        [
            ("oauth_consumer_key", self.consumer_key.expose_secret()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &seconds.to_string()),
            ("oauth_token", self.token.expose_secret()),
            ("oauth_version", "1.0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The signature of a request with these parameters (RFC 5849, section 3.4).
    fn signature(
        &self,
        method: &Method,
        url: &Url,
        protocol: &[(String, String)],
        others: &[(String, String)],
    ) -> String {
        let mut parameters: Vec<_> = protocol
            .iter()
            .chain(others)
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        parameters.sort();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut address = url.clone();
        address.set_query(None);
        address.set_fragment(None);
        let base = [method.as_str(), address.as_str(), &parameters.join("&")]
            .map(encode)
            .join("&");
        let key = [&self.consumer_secret, &self.token_secret]
            .map(|secret| encode(secret.expose_secret()))
            .join("&");
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
            return String::new();
        };
        mac.update(base.as_bytes());
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of X's worked example.
    fn keys() -> Keys {
        Keys {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog".into(),
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".into(),
            token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".into(),
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".into(),
        }
    }

    const NONCE: &str = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";

    #[test]
    fn the_worked_example_of_x_has_its_published_signature() {
        // "Creating a signature" in X's documentation, once for each address that it has been published with.
        for (address, published) in [
            (
                "https://api.twitter.com/1/statuses/update.json",
                "tnnArxj06cWHq44gCs1OSKk/jLY=",
            ),
            (
                "https://api.twitter.com/1.1/statuses/update.json",
                "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
            ),
            (
                "https://api.x.com/1.1/statuses/update.json",
                "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=",
            ),
        ] {
            let url = Url::parse(address).unwrap();
            let protocol = keys().protocol(NONCE, 1_318_622_958);
            let others = [
                (
                    "status",
                    "Hello Ladies + Gentlemen, a signed OAuth request!",
                ),
                ("include_entities", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let signature = keys().signature(&Method::POST, &url, &protocol, &others);
            assert_eq!(signature, published, "{address}");
        }
    }

    #[test]
    fn a_query_is_signed_and_a_header_is_well_formed() {
        let with = Url::parse("https://api.x.com/2/users/me?user.fields=a%20b").unwrap();
        let without = Url::parse("https://api.x.com/2/users/me").unwrap();
        let header = |url| {
            keys()
                .header(&Method::GET, url, "n", 1)
                .expose_secret()
                .to_owned()
        };
        assert_ne!(header(&with), header(&without));
        let header = header(&without);
        assert!(header.starts_with("OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", oauth_nonce=\"n\", oauth_signature=\""), "{header}");
        assert!(header.ends_with("oauth_version=\"1.0\""));
        assert!(!header.contains("kAcSO") && !header.contains("LswwdoUa"));
    }
}
