//! What is typed about access: logging in, and what is known of the credentials there are.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Origins;
use crate::api::Address;

/// `altfill auth`.
#[derive(Debug, Args)]
pub struct AuthArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AuthCommand,
}

/// The commands of `altfill auth`.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Log in at X in a browser, and keep the tokens as a profile
    Login(LoginArgs),
    /// Take over the credentials of xurl or twurl as a profile
    Import(ImportArgs),
    /// Show as whom a run would send, what its token allows and until when; never a secret
    Status(AuthStatusArgs),
    /// Give a profile's tokens back to X, and remove the profile
    Logout(LogoutArgs),
    /// Renew a profile's tokens; a run does this by itself
    #[command(hide = true)]
    Refresh(RefreshArgs),
}

/// `altfill auth login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// The profile's name [default: default]
    #[arg(long, value_name = "NAME", env = "ALTFILL_PROFILE")]
    pub profile: Option<String>,
    /// The client id of your app at X's developer portal; also as `X_CLIENT_ID` in the environment
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Ask for the app's client secret, which a confidential client has; `X_CLIENT_SECRET` in the environment answers
    #[arg(long)]
    pub confidential: bool,
    /// Where the browser comes back to, as it is entered in your app [default: <http://127.0.0.1:8739/callback>]
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Option<String>,
    /// Without a browser on this machine: paste the address to which yours came back
    #[arg(long)]
    pub manual: bool,
    /// Trust the authorities in this PEM file too, beside the system's
    #[arg(long, value_name = "PATH", env = "ALTFILL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// The API's address [default: <https://api.x.com>]
    #[arg(long, value_name = "URL", env = "ALTFILL_API_URL")]
    pub api_url: Option<Address>,
}

/// `altfill auth import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Whose credentials
    #[arg(value_enum, value_name = "PROGRAM")]
    pub from: ForeignArg,
    /// The profile's name [default: the user's name there]
    #[arg(long, value_name = "NAME", env = "ALTFILL_PROFILE")]
    pub profile: Option<String>,
    /// The app's name there [default: the one that it uses by default]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// The user's name there; `oauth1` for the keys of an app of xurl [default: the one that it uses by default]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The file that holds them [default: where the program keeps it]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// The API's address [default: <https://api.x.com>]
    #[arg(long, value_name = "URL", env = "ALTFILL_API_URL")]
    pub api_url: Option<Address>,
}

/// Programs whose credentials can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForeignArg {
    /// X's own command
    Xurl,
    /// Its forerunner
    Twurl,
}

/// `altfill auth status`.
#[derive(Debug, Args)]
pub struct AuthStatusArgs {
    /// The profile to look at [default: what a run would use]
    #[arg(long, value_name = "NAME", env = "ALTFILL_PROFILE")]
    pub profile: Option<String>,
    /// As a run with this token file
    #[arg(long, value_name = "PATH", env = "ALTFILL_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// As a run with this token command, which is not run here
    #[arg(long, value_name = "CMD", env = "ALTFILL_TOKEN_COMMAND")]
    pub token_command: Option<String>,
    /// The API's address [default: <https://api.x.com>]
    #[arg(long, value_name = "URL", env = "ALTFILL_API_URL")]
    pub api_url: Option<Address>,
    /// Print one JSON object
    #[arg(long, env = "ALTFILL_JSON")]
    pub json: bool,
    /// Which of these was typed, which stands in the environment and which in a file.
    #[arg(skip)]
    pub origins: Origins,
}

/// `altfill auth logout`.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The profile [default: the only one]
    #[arg(long, value_name = "NAME", env = "ALTFILL_PROFILE")]
    pub profile: Option<String>,
    /// Remove it here without giving its tokens back to X
    #[arg(long)]
    pub local: bool,
    /// Trust the authorities in this PEM file too, beside the system's
    #[arg(long, value_name = "PATH", env = "ALTFILL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}

/// `altfill auth refresh`.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// The profile
    #[arg(long, value_name = "NAME")]
    pub profile: String,
    /// The number of the pair that is to be replaced
    #[arg(long, value_name = "N")]
    pub serial: u64,
    /// Trust the authorities in this PEM file too, beside the system's
    #[arg(long, value_name = "PATH", env = "ALTFILL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}
