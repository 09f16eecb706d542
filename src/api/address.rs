//! The API's address: https, or http to this machine alone.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;

/// A base address, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

impl Address {
    /// The address of `path`, which begins with a slash. A double slash in it would be answered by 404.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Its host, port and path, where it has a port.
    #[must_use]
    pub fn parts(&self) -> Option<(String, u16, String)> {
        let host = self.url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((
            host,
            self.url.port_or_known_default()?,
            self.url.path().to_owned(),
        ))
    }

    /// The page on which a person lets an app in. X has it on another host than its API.
    pub(super) fn authorization_page(&self) -> String {
        match self.url.host_str() {
            Some("api.x.com" | "api.twitter.com") => "https://x.com/i/oauth2/authorize".to_owned(),
            _ => self.url("/i/oauth2/authorize").to_string(),
        }
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Whether an address is this machine's.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Url = text.trim().parse().map_err(|error| {
            format!("{text:?} is no address ({error}): write https://api.x.com")
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address holds a user name or password, which altfill never sends: leave it out".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "{text:?} has more than a host and a path: write https://api.x.com"
            ));
        }
        let address = Self { url };
        match address.url.scheme() {
            "https" => Ok(address),
            "http" if address.is_loopback() => Ok(address),
            "http" => Err(format!(
                "{text:?} would send the token unencrypted: plain http is only for this machine; write https://"
            )),
            scheme => Err(format!(
                "{text:?} begins with {scheme}: write https://api.x.com"
            )),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_this_machine() {
        for (text, shown) in [
            ("https://api.x.com", "https://api.x.com"),
            ("HTTPS://API.X.com//", "https://api.x.com"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost/base/", "http://localhost/base"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "api.x.com",
            "http://api.x.com",
            "http://127.0.0.1.evil.org",
            "ftp://127.0.0.1",
            "https://a:b@api.x.com",
            "https://api.x.com?q=1",
        ] {
            text.parse::<Address>().unwrap_err();
        }
    }
}
