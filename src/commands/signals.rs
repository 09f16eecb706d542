//! SIGINT, SIGTERM and SIGHUP, as the runner hears of them.

use tokio::sync::watch;

use crate::runner::Signals;

/// Listens from now on; the sender must be kept while the receiver is in use.
#[cfg(unix)]
pub fn listen() -> std::io::Result<watch::Receiver<Signals>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (sender, receiver) = watch::channel(Signals::default());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
                _ = hangup.recv() => SignalKind::hangup(),
            }
            .as_raw_value();
            sender.send_modify(|signals| match signals.first {
                None => signals.first = Some(number),
                Some(_) => signals.again = true,
            });
        }
    });
    Ok(receiver)
}

/// Listens from now on, for Ctrl-C.
#[cfg(not(unix))]
pub fn listen() -> std::io::Result<watch::Receiver<Signals>> {
    let (sender, receiver) = watch::channel(Signals::default());
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            sender.send_modify(|signals| match signals.first {
                None => signals.first = Some(2),
                Some(_) => signals.again = true,
            });
        }
    });
    Ok(receiver)
}
