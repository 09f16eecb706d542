//! `altfill auth login`: a person lets the app in, and the tokens are kept as a profile.

use std::{
    io::{self, BufRead, IsTerminal},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use secrecy::SecretString;

use super::{callback::Callback, failed, keep, who};
use crate::{
    api::{
        Address, App, Grant, Http, Login, Profile, TOKEN_TIMEOUT, Tokens, check_profile_name,
        look_up_bearer,
    },
    cli::LoginArgs,
    error::{Failure, exit},
    progress::say,
    settings::{address, store, variable},
};

/// Where the browser comes back to, where nothing else was said.
const REDIRECT: &str = "http://127.0.0.1:8739/callback";
/// What to do where X refuses to give tokens.
const AGAIN: &str = "See that the client id and the callback address are those of your app, and begin again with `altfill auth login`";
/// A profile's name, where none was said.
const DEFAULT: &str = "default";

pub async fn execute(args: &LoginArgs) -> Result<u8, Failure> {
    crate::commands::trust(args.ca_file.as_deref())?;
    let name = args.profile.as_deref().unwrap_or(DEFAULT);
    check_profile_name(name)?;
    let store = store()?;
    // A store that must not be trusted is told before a person has gone to the browser and back.
    let known = store.profiles()?.remove(name);
    let app = app(args, known.as_ref())?;
    let address = address(args.api_url.as_ref())?;
    let redirect = args.redirect_uri.as_deref().unwrap_or(REDIRECT);
    let login = Login::begin(&address, app.clone(), redirect).map_err(Failure::usage)?;
    let http = Http::new(&address, TOKEN_TIMEOUT)?;
    let tokens = if args.manual {
        by_hand(login, &http).await?
    } else {
        by_browser(login, &http, redirect).await?
    };
    let answer = look_up_bearer(&http, &tokens.access).await;
    if let Err(why) = &answer {
        say(&format!(
            "Logged in, but X did not tell as whom ({why}); a run asks again"
        ));
    }
    let profile = Profile::of_tokens(address.to_string(), app, tokens, answer.ok());
    let missing = profile.grant().map(Grant::missing).unwrap_or_default();
    keep(&store, name, profile.clone()).await?;
    say(&format!(
        "Logged in as {}: the profile {name}, in {}",
        who(&profile),
        store.path().display()
    ));
    if !missing.is_empty() {
        say(&format!(
            "X did not give the scopes {}: allow your app to read and write, and log in again",
            missing.join(" and ")
        ));
        return Ok(exit::ACCESS);
    }
    Ok(exit::OK)
}

/// The app: what was typed, else what the environment says, else that of the profile's last login.
fn app(args: &LoginArgs, known: Option<&Profile>) -> Result<App, Failure> {
    let former = known.and_then(Profile::grant).map(Grant::app);
    let in_environment = |rest: &str| {
        ["X", "TWITTER"]
            .iter()
            .find_map(|prefix| variable(&format!("{prefix}_{rest}")))
    };
    let client_id = args
        .client_id
        .clone()
        .or_else(|| {
            in_environment("CLIENT_ID")
                .map(|id| secrecy::ExposeSecret::expose_secret(&id).to_owned())
        })
        .or_else(|| former.as_ref().map(|app| app.client_id.clone()));
    let client_id = client_id.ok_or_else(|| {
        Failure::usage(
            "which app logs in? Name its client id with --client-id, or set X_CLIENT_ID. It stands at X's developer portal \
             under the app's keys and tokens, as OAuth 2.0 Client ID",
        )
    })?;
    let former_secret = former
        .filter(|app| app.client_id == client_id)
        .and_then(|app| app.client_secret);
    let client_secret = match in_environment("CLIENT_SECRET").or(former_secret) {
        Some(secret) => Some(secret),
        None if args.confidential => Some(ask_secret()?),
        None => None,
    };
    Ok(App {
        client_id,
        client_secret,
    })
}

fn ask_secret() -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "--confidential asks for the client secret on a terminal: without one set X_CLIENT_SECRET",
        ));
    }
    rpassword::prompt_password("The app's client secret (it is not shown): ")
        .map(SecretString::from)
        .map_err(Failure::unexpected)
}

async fn by_browser(login: Login, http: &Http, redirect: &str) -> Result<Tokens, Failure> {
    let (socket, path) = place(redirect)?;
    let mut callback = Callback::listen(socket, &path).await.map_err(|error| {
        Failure::usage(format!(
            "the browser can't come back to {redirect} ({error}): end what uses that port, or enter another address in your app \
             and say it with --redirect-uri; on a machine without a browser use --manual"
        ))
    })?;
    say(&format!(
        "Log in at X as the account whose images you want to describe, in the browser:\n{}\n\
         It is waited for, for 10 minutes. Where the browser is on another machine, stop this and use --manual.",
        login.address()
    ));
    if io::stderr().is_terminal() {
        // Where none can be opened, the address stands there to be copied.
        let _ = browser::that_detached(login.address().as_str());
    }
    loop {
        let Some((address, told)) = callback.next().await else {
            return Err(Failure::Access(
                "nobody came back from the browser for 10 minutes: begin again with `altfill auth login`; with --manual where the browser is on another machine".to_owned(),
            ));
        };
        match login.code(&address) {
            Ok(code) => {
                let tokens = login.finish(http, &code).await;
                let _ = told.send(tokens.as_ref().map(|_| ()).map_err(ToString::to_string));
                // The page is on its way while the tokens are kept.
                return tokens.map_err(|error| failed("X gave no tokens", &error, AGAIN));
            }
            Err(why) => {
                say(&format!(
                    "What came back from the browser is no login: {why}"
                ));
                let is_refusal = address.contains("error=") && why.starts_with("X says");
                let _ = told.send(Err(why.clone()));
                if is_refusal {
                    return Err(Failure::Access(format!(
                        "the login was refused: {why}. `altfill auth login` begins again; allow the app in the browser"
                    )));
                }
            }
        }
    }
}

/// Where to listen for the browser: on this machine alone.
fn place(redirect: &str) -> Result<(SocketAddr, String), Failure> {
    let wrong = || {
        Failure::usage(format!(
            "{redirect:?} is no address of this machine with a port, such as {REDIRECT}; with another one use --manual"
        ))
    };
    let address: Address = redirect.parse().map_err(|_| wrong())?;
    if !address.is_loopback() || !redirect.starts_with("http://") {
        return Err(wrong());
    }
    let (host, port, path) = address.parts().ok_or_else(wrong)?;
    let ip = host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Ok((SocketAddr::new(ip, port), path))
}

async fn by_hand(login: Login, http: &Http) -> Result<Tokens, Failure> {
    say(&format!(
        "Log in at X as the account whose images you want to describe, in a browser on any machine:\n{}\n\
         The browser then goes to an address that it can't open. Copy it whole out of the address bar, and paste it here \
         within 30 seconds:",
        login.address()
    ));
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Failure::unexpected)?;
    let code = login.code(&line).map_err(|why| {
        Failure::Access(format!(
            "that is not the address to which the browser came back: {why}. Begin again with `altfill auth login --manual`"
        ))
    })?;
    let tokens = login.finish(http, &code).await;
    tokens.map_err(|error| failed("X gave no tokens", &error, AGAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_comes_back_to_this_machine_alone() {
        let (socket, path) = place(REDIRECT).unwrap();
        assert_eq!(
            (socket.to_string().as_str(), path.as_str()),
            ("127.0.0.1:8739", "/callback")
        );
        let (socket, _) = place("http://localhost:8080/callback").unwrap();
        assert_eq!(socket.to_string(), "127.0.0.1:8080");
        let (socket, path) = place("http://[::1]:9/").unwrap();
        assert_eq!(
            (socket.to_string().as_str(), path.as_str()),
            ("[::1]:9", "/")
        );
        for wrong in ["https://127.0.0.1:1/", "http://example.org:1/", "callback"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
