//! SIGINT, SIGTERM and SIGHUP, as the runner hears of them, and SIGUSR1, which asks how all stands.

use tokio::sync::watch;

#[cfg(unix)]
use crate::progress;
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

/// Listens for as long as it is kept.
pub struct Listening(Option<tokio::task::JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// Tells on standard error how the run stands, whenever SIGUSR1 asks.
#[cfg(unix)]
pub fn tell_status_when_asked() -> std::io::Result<Listening> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut asked = signal(SignalKind::user_defined1())?;
    let task = tokio::spawn(async move {
        while asked.recv().await.is_some() {
            progress::tell_status();
        }
    });
    Ok(Listening(Some(task)))
}

/// Nobody can ask here.
#[cfg(not(unix))]
pub fn tell_status_when_asked() -> std::io::Result<Listening> {
    Ok(Listening(None))
}
