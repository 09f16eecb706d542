//! A profile: the credentials of one account under a name of the user's choice, as the store keeps them.
//!
//! Owns the form. Secrets are in [`SecretString`]s and leave them only to be written to the store.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Secret;
use crate::{
    api::{App, Keys, Tokens, User},
    time::Timestamp,
};

/// One account's credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The API's address at which they were had; they are never used with another.
    pub api_url: String,
    /// X's id of the account, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Its name behind the @.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Tokens of OAuth 2.0, or keys of OAuth 1.0a.
    pub credentials: Kind,
}

/// What kind of credentials they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum Kind {
    /// Tokens that run out and are renewed.
    OAuth2(Grant),
    /// Keys that do not.
    OAuth1(StoredKeys),
}

/// A pair of tokens and the app that may renew them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// The app.
    pub client_id: String,
    /// Its secret, where it is a confidential client.
    #[serde(
        default,
        with = "optional_secret",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_secret: Option<SecretString>,
    /// What the tokens allow; empty where that is not known.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Counts the pairs: the next one has a higher number.
    #[serde(default)]
    pub serial: u64,
    /// When they were handed out.
    #[serde(with = "moment")]
    pub issued: Timestamp,
    /// When the access token is over, where that is known.
    #[serde(
        default,
        with = "optional_moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Timestamp>,
    /// Since when it is not known whether the refresh token was spent: a renewal was begun and not ended.
    #[serde(
        default,
        with = "optional_moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub in_doubt: Option<Timestamp>,
    /// What requests carry.
    #[serde(with = "secret")]
    pub access_token: SecretString,
    /// What the next pair is had for.
    #[serde(
        default,
        with = "optional_secret",
        skip_serializing_if = "Option::is_none"
    )]
    pub refresh_token: Option<SecretString>,
}

/// The keys of OAuth 1.0a.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredKeys {
    #[serde(with = "secret")]
    api_key: SecretString,
    #[serde(with = "secret")]
    api_key_secret: SecretString,
    #[serde(with = "secret")]
    access_token: SecretString,
    #[serde(with = "secret")]
    access_token_secret: SecretString,
}

impl Profile {
    /// A profile of tokens that were just had.
    #[must_use]
    pub fn of_tokens(api_url: String, app: App, tokens: Tokens, user: Option<User>) -> Self {
        let mut grant = Grant {
            client_id: app.client_id,
            client_secret: app.client_secret,
            scopes: Vec::new(),
            serial: 0,
            issued: tokens.issued,
            expires: None,
            in_doubt: None,
            access_token: tokens.access.clone(),
            refresh_token: None,
        };
        grant.take(tokens);
        Self::new(api_url, Kind::OAuth2(grant), user)
    }

    /// A profile of keys.
    #[must_use]
    pub fn of_keys(api_url: String, keys: Keys, user: Option<User>) -> Self {
        let keys = StoredKeys {
            api_key: keys.consumer_key,
            api_key_secret: keys.consumer_secret,
            access_token: keys.token,
            access_token_secret: keys.token_secret,
        };
        Self::new(api_url, Kind::OAuth1(keys), user)
    }

    fn new(api_url: String, credentials: Kind, user: Option<User>) -> Self {
        let (user_id, handle) = user.map_or((None, None), |user| (Some(user.id), user.handle));
        Self {
            api_url,
            user_id,
            handle,
            credentials,
        }
    }

    /// Takes the place of a profile: its pair of tokens is a later one, and whose it is stays known.
    pub fn follow(&mut self, former: &Self) {
        if self.user_id.is_none() {
            self.user_id.clone_from(&former.user_id);
        }
        if self.handle.is_none() {
            self.handle.clone_from(&former.handle);
        }
        let last = former.grant().map_or(0, |grant| grant.serial);
        if let Some(grant) = self.grant_mut() {
            grant.serial = last + 1;
        }
    }

    /// Its tokens, where they are of OAuth 2.0.
    #[must_use]
    pub const fn grant(&self) -> Option<&Grant> {
        match &self.credentials {
            Kind::OAuth2(grant) => Some(grant),
            Kind::OAuth1(_) => None,
        }
    }

    pub(super) const fn grant_mut(&mut self) -> Option<&mut Grant> {
        match &mut self.credentials {
            Kind::OAuth2(grant) => Some(grant),
            Kind::OAuth1(_) => None,
        }
    }

    pub(super) fn secret(&self) -> Secret {
        match &self.credentials {
            Kind::OAuth2(grant) => Secret::Bearer(grant.access_token.clone()),
            Kind::OAuth1(keys) => Secret::Keys(Keys {
                consumer_key: keys.api_key.clone(),
                consumer_secret: keys.api_key_secret.clone(),
                token: keys.access_token.clone(),
                token_secret: keys.access_token_secret.clone(),
            }),
        }
    }
}

impl Grant {
    /// The app that may renew it.
    #[must_use]
    pub fn app(&self) -> App {
        App {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
        }
    }

    /// Takes the next pair in. Scopes that were not told are those of before.
    pub(super) fn take(&mut self, tokens: Tokens) {
        self.serial += 1;
        self.issued = tokens.issued;
        self.expires = tokens.expires;
        self.in_doubt = None;
        self.access_token = tokens.access;
        self.refresh_token = tokens.refresh;
        if !tokens.scopes.is_empty() {
            self.scopes = tokens.scopes;
        }
    }

    /// Scopes that a run needs and these tokens lack, as far as their scopes are known.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let lacks =
            |scope: &&str| !self.scopes.is_empty() && !self.scopes.iter().any(|own| own == scope);
        ["media.write", "offline.access"]
            .into_iter()
            .filter(lacks)
            .collect()
    }

    /// When it should be renewed: 60 s before its end, or a quarter of its life where that is less.
    #[must_use]
    pub fn renew_at(&self) -> Option<Timestamp> {
        self.refresh_token.as_ref()?;
        let expires = self.expires?;
        let ahead = std::time::Duration::from_mins(1).min(expires.since(self.issued) / 4);
        Some(expires - ahead)
    }
}

mod secret {
    use super::{Deserialize, Deserializer, ExposeSecret, SecretString, Serializer};

    pub fn serialize<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose_secret())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(SecretString::from)
    }
}

mod optional_secret {
    #![expect(clippy::ref_option, reason = "serde asks for it")]

    use super::{Deserialize, Deserializer, SecretString, Serializer, secret};

    pub fn serialize<S: Serializer>(
        secret: &Option<SecretString>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => secret::serialize(secret, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<SecretString>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
    }
}

mod moment {
    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub fn serialize<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(moment)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom("no moment of RFC 3339"))
    }
}

mod optional_moment {
    #![expect(clippy::ref_option, reason = "serde asks for it")]

    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Serializer, Timestamp, moment};

    pub fn serialize<S: Serializer>(moment: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => moment::serialize(moment, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| {
            Timestamp::parse(&text).ok_or_else(|| D::Error::custom("no moment of RFC 3339"))
        })
        .transpose()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    /// A profile that was had at this address.
    pub fn profile(api_url: &str) -> Profile {
        let issued = Timestamp::from_seconds(1_800_000_000);
        let tokens = Tokens {
            access: "access-1".into(),
            refresh: Some("refresh-1".into()),
            issued,
            expires: Some(issued + Duration::from_hours(2)),
            scopes: crate::api::SCOPES.map(str::to_owned).to_vec(),
        };
        let app = App {
            client_id: "client".to_owned(),
            client_secret: Some("app-secret".into()),
        };
        let user = User {
            id: "1".to_owned(),
            handle: Some("brand".to_owned()),
        };
        Profile::of_tokens(api_url.to_owned(), app, tokens, Some(user))
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_end_or_a_quarter_of_its_life() {
        let profile = profile("https://api.x.com");
        let mut grant = profile.grant().unwrap().clone();
        let issued = grant.issued;
        assert_eq!(grant.renew_at(), Some(issued + Duration::from_secs(7_140)));
        grant.expires = Some(issued + Duration::from_secs(2));
        assert_eq!(
            grant.renew_at(),
            Some(issued + Duration::from_millis(1_500))
        );
        grant.refresh_token = None;
        assert_eq!(grant.renew_at(), None);
    }

    #[test]
    fn no_secret_is_seen_when_a_profile_is_shown() {
        let shown = format!("{:?}", profile("https://api.x.com"));
        for secret in ["access-1", "refresh-1", "app-secret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn missing_scopes_are_those_that_a_run_needs() {
        let mut profile = profile("https://api.x.com");
        let grant = profile.grant_mut().unwrap();
        assert!(grant.missing().is_empty());
        grant.scopes = vec!["tweet.read".to_owned()];
        assert_eq!(grant.missing(), ["media.write", "offline.access"]);
        grant.scopes.clear();
        assert!(grant.missing().is_empty(), "nothing is known of them");
    }
}
