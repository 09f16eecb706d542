//! `altfill sandbox`: serves the simulated X API until it is stopped.

use super::{print, signals};
use crate::{
    cli::SandboxArgs,
    error::{Failure, exit},
    progress::say,
    rate::Rates,
    sandbox::{self, Sandbox},
    settings::rates,
};

pub async fn execute(args: &SandboxArgs) -> Result<u8, Failure> {
    let mut signals = signals::listen().map_err(Failure::unexpected)?;
    let options = sandbox::Options {
        port: args.port,
        rates: served(&rates(&args.rate)?),
        faults: args.fault.clone(),
        seed: args.seed,
        record_bodies: false,
        token_life: args.token_ttl,
        ..sandbox::Options::default()
    };
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Failure::usage(format!(
            "port {} of this machine can't be had ({error}): name another with --port, or 0",
            args.port
        ))
    })?;
    print(&sandbox.url())?;
    say(&format!(
        "A simulated X, until Ctrl-C. To log in and send to it, in another terminal:\n  \
         `altfill auth login --client-id any --profile sandbox --api-url {0}`\n  \
         `altfill run MANIFEST --journal try.db --profile sandbox --api-url {0}`",
        sandbox.url()
    ));
    // The sender lives as long as the program: this ends with a signal only.
    let _ = signals.changed().await;
    let (requests, accepted) = (
        sandbox.ledger().requests(),
        sandbox.ledger().distinct_accepted(),
    );
    sandbox.stop().await;
    say(&format!("{requests} requests, {accepted} images accepted"));
    Ok(exit::OK)
}

/// The windows that a sandbox keeps for a client that keeps `rates`.
pub fn served(rates: &Rates) -> sandbox::Rates {
    match rates {
        Rates::Published => sandbox::Rates::default(),
        Rates::Own(rates) => sandbox::Rates::Windows(rates.clone()),
        Rates::Unlimited => sandbox::Rates::Unlimited,
    }
}
