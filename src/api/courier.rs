//! Messages about a run to addresses that the user named: a ping, a notification.
//!
//! It knows no token, follows no redirect, and gives up in time. An address to be told may be a secret itself, so it is
//! never shown: only its host is.

use std::{fmt, str::FromStr, time::Duration};

use reqwest::{Url, header::CONTENT_TYPE};

use super::{address::is_loopback, http::reason};

/// How long one message may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address to be told of runs: https, or http to this machine alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    url: Url,
}

impl Hook {
    /// The address with another part at the end of its path, as healthchecks.io has it: `/start`, `/3`.
    #[must_use]
    pub fn with(&self, part: &str) -> Self {
        let mut url = self.url.clone();
        let path = format!("{}/{part}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Self { url }
    }

    /// Sends a message there, once.
    ///
    /// # Errors
    /// Why it was not taken, in words that do not show the address.
    pub async fn tell(&self, kind: &'static str, body: String) -> Result<(), String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("altfill/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // A redirect could lead to another host.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if is_loopback(&self.url) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| reason(&error))?;
        let request = client
            .post(self.url.clone())
            .header(CONTENT_TYPE, kind)
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answered {}", answer.status().as_u16())),
            Err(error) if error.is_timeout() => {
                Err(format!("it took longer than {} s", PATIENCE.as_secs()))
            }
            Err(error) => Err(reason(&error.without_url())),
        }
    }
}

impl FromStr for Hook {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text
            .trim()
            .parse()
            .map_err(|_| "this is no address: write https://host/path")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address holds a user name or password: leave it out");
        }
        match url.scheme() {
            "https" => Ok(Self { url }),
            "http" if is_loopback(&url) => Ok(Self { url }),
            "http" => Err("plain http is only for this machine: write https://"),
            _ => Err("this is no address: write https://host/path"),
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            self.url.scheme(),
            self.url.host_str().unwrap_or_default()
        )
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_shows_its_host_and_never_its_path() {
        let hook: Hook = "https://hc-ping.example/0b1c-secret?key=secret"
            .parse()
            .unwrap();
        for shown in [hook.to_string(), format!("{hook:?}")] {
            assert!(
                shown.contains("hc-ping.example") && !shown.contains("secret"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_part_goes_behind_the_path_and_before_the_query() {
        for (text, with) in [
            ("https://a.example/u", "https://a.example/u/start"),
            ("https://a.example/u/", "https://a.example/u/start"),
            (
                "https://a.example/u?create=1",
                "https://a.example/u/start?create=1",
            ),
        ] {
            assert_eq!(
                text.parse::<Hook>().unwrap().with("start").url.as_str(),
                with
            );
        }
    }

    #[test]
    fn a_hook_is_https_or_this_machine() {
        for text in [
            "https://a.example/x",
            "http://127.0.0.1:1/x",
            "http://localhost/x",
            "http://[::1]/",
        ] {
            text.parse::<Hook>().unwrap();
        }
        for text in [
            "",
            "a.example",
            "http://a.example/",
            "http://127.0.0.1.evil.example/",
            "ftp://127.0.0.1/",
            "https://a:b@c.example/",
        ] {
            text.parse::<Hook>().unwrap_err();
        }
    }
}
