//! The renewal of a profile's tokens: the one place where a refresh token is spent.
//!
//! A refresh token is good once, so three things hold. One renewal goes on at a time, across all processes, by a lock;
//! whoever has waited for it reads the store again and mostly finds the work done. The next pair is on disk before
//! anybody uses it. And before a token is sent, it is written down that it may be spent from now on: if the process or
//! the machine goes down before the answer is kept, the next one can say exactly that.
//!
//! [`apart`] does it in a process of its own, so that `kill -9` of a run does not come between X's answer and the disk.

use std::{process::Stdio, time::Duration};

use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use super::{CredentialsError, Profile, Store, StoreError};
use crate::{
    api::{Address, Http, TOKEN_TIMEOUT, TokenError, http::shown, oauth2},
    time::Timestamp,
};

/// How long to wait for another process that renews the same tokens.
const HOLD_WAIT: Duration = Duration::from_mins(1);
/// How long a renewal in a process of its own may take: it waits, then asks, then writes.
const APART_TIMEOUT: Duration = Duration::from_mins(2);
/// How often the next pair is written, where the disk refuses it.
const WRITES: u32 = 10;
/// The exit code of a process that could not reach the token endpoint (`EX_UNAVAILABLE`).
const UNAVAILABLE: i32 = 69;

/// Renews the tokens of `name`, unless the pair in the store is another than that of the number `serial`.
///
/// # Errors
/// Where there is no next pair: a person must log in, or it is to be tried again.
pub async fn refresh(store: &Store, name: &str, serial: u64) -> Result<(), CredentialsError> {
    let _guard = store.hold(name, HOLD_WAIT).await?;
    let profile = store.profile(name)?;
    let Some(grant) = profile.grant().filter(|grant| grant.serial == serial) else {
        return Ok(());
    };
    let Some(refresh_token) = grant.refresh_token.clone() else {
        return Err(CredentialsError::LoginNeeded {
            profile: name.to_owned(),
            why: "its token is over, and there is no refresh token (the scope offline.access was not given)"
                .to_owned(),
        });
    };
    let address: Address = profile
        .api_url
        .parse()
        .map_err(CredentialsError::Unreachable)?;
    let http = Http::new(&address, TOKEN_TIMEOUT)
        .map_err(|error| CredentialsError::Unreachable(error.to_string()))?;
    let now = Timestamp::now();
    let in_doubt = grant.in_doubt;
    mark(store, name, Some(in_doubt.unwrap_or(now))).await?;
    match oauth2::renew(&http, &grant.app(), &refresh_token).await {
        Ok(tokens) => {
            keep(store, name, |profile| {
                if let Some(grant) = profile.grant_mut() {
                    grant.take(tokens.clone());
                }
            })
            .await
        }
        Err(TokenError::Refused(why)) => {
            let why = match in_doubt {
                None => {
                    mark(store, name, None).await?;
                    why
                }
                Some(since) => format!(
                    "{why}; a renewal that was begun at {since} was cut off before its answer was kept, and has spent the refresh token"
                ),
            };
            Err(CredentialsError::LoginNeeded {
                profile: name.to_owned(),
                why,
            })
        }
        Err(TokenError::Unavailable(why)) => {
            mark(store, name, in_doubt).await?;
            Err(CredentialsError::Unreachable(why))
        }
        Err(TokenError::Unclear(why)) => Err(CredentialsError::Unreachable(why)),
    }
}

async fn mark(store: &Store, name: &str, in_doubt: Option<Timestamp>) -> Result<(), StoreError> {
    store
        .change(|profiles| {
            if let Some(grant) = profiles.get_mut(name).and_then(Profile::grant_mut) {
                grant.in_doubt = in_doubt;
            }
        })
        .await
}

/// Writes what must not be lost: where the disk refuses it, again and again for a while.
async fn keep(
    store: &Store,
    name: &str,
    change: impl Fn(&mut Profile),
) -> Result<(), CredentialsError> {
    let mut writes = 1;
    loop {
        let written = store
            .change(|profiles| profiles.get_mut(name).map(&change))
            .await;
        match written {
            Ok(_) => return Ok(()),
            Err(error) if writes >= WRITES => return Err(error.into()),
            Err(_) => {
                writes += 1;
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// The same by a process of its own, which goes on when this one is killed.
pub(super) async fn apart(store: &Store, name: &str, serial: u64) -> Result<(), CredentialsError> {
    let Ok(program) = this_program() else {
        return refresh(store, name, serial).await;
    };
    let mut command = Command::new(program);
    command
        .args([
            "auth",
            "refresh",
            "--profile",
            name,
            "--serial",
            &serial.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // What a terminal sends to the run is not for it.
    #[cfg(unix)]
    command.process_group(0);
    let Ok(child) = command.spawn() else {
        return refresh(store, name, serial).await;
    };
    let Ok(Ok(output)) = timeout(APART_TIMEOUT, child.wait_with_output()).await else {
        return Err(CredentialsError::Unreachable(
            "the renewal takes too long".to_owned(),
        ));
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("altfill: ");
    Err(match output.status.code() {
        Some(UNAVAILABLE) | None => CredentialsError::Unreachable(shown(said)),
        Some(_) => CredentialsError::NotRenewed(said.replace(char::is_control, " ")),
    })
}

/// This program's file, also after an update has put another one in its place.
fn this_program() -> std::io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    }
}
