//! Who shall be told of a run.

use crate::{
    cli::{MonitorArgs, Origin, SendArgs},
    monitor::Options,
};

/// Who shall be told of this run. A rehearsal tells only those who were named for it: what stands in a configuration file
/// is meant for real runs.
#[must_use]
pub fn monitoring(args: &SendArgs) -> Options {
    let is_meant =
        |name| !(args.journal.sandbox && matches!(args.origins.of(name), Origin::File(..)));
    let MonitorArgs {
        metrics_file,
        ping_url,
        notify_url,
    } = args.monitor.clone();
    Options {
        metrics: metrics_file.filter(|_| is_meant("metrics-file")),
        ping: ping_url.filter(|_| is_meant("ping-url")),
        notify: notify_url.filter(|_| is_meant("notify-url")),
    }
}
