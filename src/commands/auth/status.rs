//! `altfill auth status`: as whom a run would send, by which source and why, what its token allows and until when.

use serde_json::json;

use super::who;
use crate::{
    api::{Profile, Source},
    cli::AuthStatusArgs,
    commands::{print, tell},
    error::{Failure, exit},
    settings::{Access, address},
    time::Timestamp,
};

/// What is told.
#[derive(Default)]
struct Standing {
    user: Option<String>,
    user_id: Option<String>,
    api_url: Option<String>,
    kind: Option<&'static str>,
    scopes: Vec<String>,
    expires: Option<Timestamp>,
    renews: Option<bool>,
    problems: Vec<String>,
}

pub fn execute(args: &AuthStatusArgs) -> Result<u8, Failure> {
    let access = Access::of_status(args)?;
    let asked = address(args.api_url.as_ref())?.to_string();
    let mut standing = Standing::default();
    match &access.source {
        Err(why) => standing.problems.push(why.clone()),
        Ok(Source::Profile(store, name)) => match store.profile(name) {
            Ok(profile) => standing.read(name, &profile, &asked),
            Err(error) => standing.problems.push(error.to_string()),
        },
        Ok(Source::EnvironmentKeys(..)) => standing.kind = Some("OAuth 1.0a"),
        Ok(_) => standing.kind = Some("OAuth 2.0"),
    }
    let code = if standing.problems.is_empty() {
        exit::OK
    } else {
        exit::ACCESS
    };
    let source = access.source.as_ref().map(Source::describe).ok();
    if args.json {
        let profile = match &access.source {
            Ok(Source::Profile(_, name)) => Some(name),
            _ => None,
        };
        print(
            &json!({
                "source": source,
                "why": access.why,
                "others": access.others,
                "profile": profile,
                "user": standing.user,
                "user_id": standing.user_id,
                "api_url": standing.api_url.unwrap_or(asked),
                "kind": standing.kind,
                "scopes": standing.scopes,
                "expires": standing.expires.map(|moment| moment.to_string()),
                "renews": standing.renews,
                "problems": standing.problems,
                "exit_code": code,
            })
            .to_string(),
        )?;
    } else {
        tell(&standing.text(source.as_deref(), &access))?;
    }
    Ok(code)
}

impl Standing {
    fn read(&mut self, name: &str, profile: &Profile, asked: &str) {
        self.user = Some(who(profile));
        self.user_id.clone_from(&profile.user_id);
        self.api_url = Some(profile.api_url.clone());
        if profile.api_url != asked {
            self.problems.push(format!(
                "the profile {name} was logged in at {0} and is never used with {asked}: say --api-url {0}, or log in there with \
                 `altfill auth login --profile NAME --api-url {asked}`",
                profile.api_url
            ));
        }
        let Some(grant) = profile.grant() else {
            self.kind = Some("OAuth 1.0a");
            return;
        };
        self.kind = Some("OAuth 2.0");
        self.scopes.clone_from(&grant.scopes);
        self.expires = grant.expires;
        self.renews = Some(grant.refresh_token.is_some());
        let login = format!("`altfill auth login --profile {name}`");
        let is_over = grant
            .expires
            .is_some_and(|expires| expires <= Timestamp::now());
        for scope in grant.missing() {
            self.problems.push(match scope {
                "media.write" => format!(
                    "the scope media.write is missing, without which X takes no alt text: log in again with {login}"
                ),
                _ => format!(
                    "the scope {scope} is missing, so its token can't be renewed: log in again with {login}"
                ),
            });
        }
        if is_over && grant.refresh_token.is_none() {
            self.problems.push(format!(
                "its token is over and can't be renewed: log in again with {login}"
            ));
        }
        if let Some(since) = grant.in_doubt {
            self.problems.push(format!(
                "a renewal that was begun at {since} did not end; where X refuses the next one, log in again with {login}"
            ));
        }
    }

    fn text(&self, source: Option<&str>, access: &Access) -> String {
        let mut lines = Vec::new();
        if let Some(source) = source {
            lines.push(format!("A run would use {source} ({})", access.why));
            let user = self.user.as_deref();
            lines.push(format!(
                "As: {}",
                user.unwrap_or("a user who is asked for when something is sent")
            ));
        }
        if let Some(kind) = self.kind {
            lines.push(format!("Kind: {kind}"));
        }
        if !self.scopes.is_empty() {
            lines.push(format!("Scopes: {}", self.scopes.join(" ")));
        }
        if let Some(expires) = self.expires {
            let how = match (expires <= Timestamp::now(), self.renews) {
                (true, Some(true)) => "over, and renewed by the next run",
                (true, _) => "over",
                (false, Some(true)) => "then renewed by itself",
                (false, _) => "then it is over",
            };
            lines.push(format!(
                "Token until: {} ({how})",
                expires.local_date_time()
            ));
        }
        if !access.others.is_empty() {
            lines.push(format!("Not used: {}", access.others.join("; ")));
        }
        for problem in &self.problems {
            lines.push(format!("Problem: {problem}"));
        }
        lines.join("\n")
    }
}
