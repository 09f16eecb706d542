//! Whether a request was signed by OAuth 1.0a, as the server checks it (RFC 5849, section 3.2).
//!
//! Written apart from the client's signing on purpose: what both would get wrong alike no test would find.

use std::{collections::BTreeMap, fmt::Write};

use axum::http::{HeaderMap, Method, Uri, header::HOST};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Whether `parameters`, what `Authorization` says behind `OAuth`, are a good signature of the request by `keys`: the
/// app's key and secret, the user's token and secret.
pub(super) fn is_good(
    keys: &[String; 4],
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    parameters: &str,
) -> bool {
    let mut said = BTreeMap::new();
    for part in parameters.split(',') {
        let Some((name, value)) = part.trim().split_once('=') else {
            return false;
        };
        let Some(value) = unescape(value.trim_matches('"')) else {
            return false;
        };
        if said.insert(name.to_owned(), value).is_some() {
            return false;
        }
    }
    let is = |name: &str, wanted: &str| said.get(name).is_some_and(|value| value == wanted);
    let has = |name: &str| said.get(name).is_some_and(|value| !value.is_empty());
    let is_whole = is("oauth_consumer_key", &keys[0])
        && is("oauth_token", &keys[2])
        && is("oauth_signature_method", "HMAC-SHA1")
        && is("oauth_version", "1.0")
        && has("oauth_nonce")
        && has("oauth_timestamp");
    let Some(signature) = said.remove("oauth_signature").filter(|_| is_whole) else {
        return false;
    };
    let mut pairs: Vec<(String, String)> = said
        .iter()
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
    for pair in uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (unescape(name), unescape(value)) else {
            return false;
        };
        pairs.push((escape(&name), escape(&value)));
    }
    pairs.sort();
    let joined = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
        .unwrap_or_default();
    let address = format!("http://{host}{}", uri.path());
    let base = format!("{method}&{}&{}", escape(&address), escape(&joined));
    let key = format!("{}&{}", escape(&keys[1]), escape(&keys[3]));
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return false;
    };
    mac.update(base.as_bytes());
    BASE64_STANDARD
        .decode(signature)
        .is_ok_and(|signature| mac.verify_slice(&signature).is_ok())
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'%' {
            let hex = behind.get(..2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}
