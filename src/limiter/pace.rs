//! The pace within the windows, by the `governor` crate: `--max-rps` starts a second, one after the other.
//!
//! governor is asked on tokio's clock, so that its time and the runner's are one, also when a test has paused it; and it
//! is asked by one task, since it is unfair among several. It smooths and does not count: a window is kept by
//! [`super::window`].

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

/// Tells governor tokio's time.
#[derive(Debug, Clone)]
struct TokioClock {
    origin: Instant,
}

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.origin.elapsed().into()
    }
}

/// Lets starts through one after the other.
#[derive(Debug)]
pub struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>,
    clock: TokioClock,
}

impl Pace {
    /// A pace of so many starts a second.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let clock = TokioClock {
            origin: Instant::now(),
        };
        let quota = Quota::per_second(per_second).allow_burst(NonZeroU32::MIN);
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
        }
    }

    /// Lets one start through now, or says how long that takes.
    ///
    /// # Errors
    /// The time until the next start may be let through.
    pub fn pass(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| {
            let earliest: Duration = not_until
                .earliest_possible()
                .duration_since(Nanos::new(0))
                .into();
            earliest.saturating_sub(self.clock.now().duration_since(Nanos::new(0)).into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn starts_pass_one_after_the_other_in_tokios_time() {
        let pace = Pace::new(NonZeroU32::new(20).unwrap());
        let began = Instant::now();
        for _ in 0..200 {
            while let Err(wait) = pace.pass() {
                tokio::time::sleep(wait).await;
            }
        }
        // 199 gaps of 50 ms, each rounded up to a millisecond of tokio's timer at the most.
        let took = began.elapsed();
        assert!((9_950..=10_200).contains(&took.as_millis()), "{took:?}");
    }
}
