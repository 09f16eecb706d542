//! A simulated X API on loopback: the limits, answers and faults of the real one, and an account of what it was sent.
//!
//! Owns the [`Options`] it starts from and the life of the server. It stands for the other side of the wire, so it
//! shares no type with the client: what X checks is written down here a second time, on purpose. It never leaves
//! 127.0.0.1 and never prints.
//!
//! | file | owns |
//! | --- | --- |
//! | `connection` | the accept loop, and how a connection ends |
//! | `world` | what all connections share |
//! | `endpoint` | the paths, and the way of a request through them |
//! | `answer`, `problem` | what is said, by fault and by problem kind |
//! | `kind`, `fault` | what can go wrong, and which request it befalls |
//! | `outage` | when nothing gets through |
//! | `schema`, `violation` | the rules of a request body, and what breaks them |
//! | `oauth`, `token`, `signature` | how tokens are had, and who may ask |
//! | `window` | how often |
//! | `ledger` | what happened |

mod answer;
mod connection;
mod endpoint;
mod fault;
mod kind;
mod ledger;
mod media_id;
mod oauth;
mod outage;
mod problem;
mod schema;
mod signature;
mod token;
mod violation;
mod window;
mod world;

#[cfg(test)]
mod tests;

use std::{io, net::Ipv4Addr, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};

pub use self::{fault::Fault, kind::Kind, ledger::Ledger, token::Pair, window::Rates};
use self::{token::Tokens, world::World};
use crate::time::Clock;

/// How long [`Sandbox::stop`] waits for requests that are being answered.
const STOP_BOUND: Duration = Duration::from_secs(2);

/// What a sandbox is started with.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The windows it keeps and tells.
    pub rates: Rates,
    /// What goes wrong, tried in this order; at most one befalls a request.
    pub faults: Vec<Fault>,
    /// Decides which requests the faults befall: the same seed, the same requests.
    pub seed: u64,
    /// The only bearer token that is accepted; any that is not empty when `None`.
    pub token: Option<String>,
    /// The keys by which requests may be signed: the app's key and secret, the user's token and secret.
    pub keys: Option<[String; 4]>,
    /// How long the tokens live that are had here. Where it is given, no others are accepted.
    pub token_life: Option<Duration>,
    /// How long the token endpoint takes: half of it before it has spent what it was given, half afterwards.
    pub token_delay: Duration,
    /// The id and name of the user to whom all tokens belong; nobody tells it when `None`.
    pub user: Option<(String, String)>,
    /// Whether the ledger keeps the bodies it accepted, and not their number alone. A benchmark of a million items
    /// does without.
    pub record_bodies: bool,
    /// How much later a request answers that the fault `slow` befell.
    pub slow_by: Duration,
    /// Stretches, from and to after the start, in which every connection is reset.
    pub outages: Vec<(Duration, Duration)>,
    /// What the windows and the ledger's times go by.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            rates: Rates::default(),
            faults: Vec::new(),
            seed: 0,
            token: None,
            keys: None,
            token_life: None,
            token_delay: Duration::ZERO,
            user: Some(("2244994945".to_owned(), "sandbox".to_owned())),
            record_bodies: true,
            slow_by: Duration::from_secs(3),
            outages: Vec::new(),
            clock: Clock::System,
        }
    }
}

/// A running simulated API. Dropped, it ends at once; [`stop`](Self::stop) lets it finish what it is answering.
pub struct Sandbox {
    address: SocketAddr,
    ledger: Ledger,
    tokens: Arc<Tokens>,
    clock: Clock,
    stopping: watch::Sender<bool>,
    // A set of one, because it aborts what is in it when it is dropped: a failed test leaves no server behind.
    serving: JoinSet<()>,
}

impl Sandbox {
    /// Binds 127.0.0.1 and serves from a task of its own.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let (stopping, stopped) = watch::channel(false);
        let world = Arc::new(World::new(options, stopped));
        let ledger = world.ledger.clone();
        let (tokens, clock) = (Arc::clone(&world.tokens), world.clock);
        let mut serving = JoinSet::new();
        serving.spawn(connection::accept(listener, world));
        Ok(Self {
            address,
            ledger,
            tokens,
            clock,
            stopping,
            serving,
        })
    }

    /// Where it is reached, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its own account of what happened, readable while it serves.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// A pair of tokens of the app `client`, as a person would have got it who has let it in.
    #[must_use]
    pub fn issue(&self, client: &str, scope: &str) -> Pair {
        self.tokens.issue(client, scope, self.clock.now())
    }

    /// Lets the tokens that are had from now on live so long.
    pub fn set_token_life(&self, life: Duration) {
        self.tokens.set_life(life);
    }

    /// How many pairs were handed out for a refresh token, and how often one was sent that had been spent.
    #[must_use]
    pub fn renewals(&self) -> (u64, u64) {
        (self.tokens.renewals(), self.tokens.reused())
    }

    /// Takes no more connections, finishes what is being answered, for two seconds at most, and ends.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        // What is left after the bound ends with `self`.
        let _ = timeout(STOP_BOUND, self.serving.join_next()).await;
    }
}
