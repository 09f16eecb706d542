//! A server in virtual time: how X may count, and what its headers tell of it.

use std::collections::VecDeque;

use altfill::{
    answer::{Limits, Told, WindowKind},
    time::Timestamp,
};

/// How a server counts requests in a window.
#[derive(Debug, Clone)]
pub enum Counting {
    /// Windows one after the other, from a phase on.
    Fixed { phase: i64 },
    /// A window opens with the first request after the last one has ended.
    OnFirst,
    /// At most so many in any stretch.
    Sliding,
    /// A bucket of tokens that fills evenly.
    Bucket,
}

/// One window of a server.
#[derive(Debug, Clone)]
pub struct Window {
    pub kind: WindowKind,
    pub counting: Counting,
    pub limit: u32,
    /// Its length in milliseconds.
    pub length: i64,
    used: u32,
    ends: i64,
    log: VecDeque<i64>,
    tokens: f64,
    filled: i64,
}

impl Window {
    pub fn new(kind: WindowKind, counting: Counting, limit: u32, length: i64) -> Self {
        let tokens = f64::from(limit);
        Self {
            kind,
            counting,
            limit,
            length,
            used: 0,
            ends: i64::MIN,
            log: VecDeque::new(),
            tokens,
            filled: 0,
        }
    }

    fn turn(&mut self, now: i64) {
        match self.counting {
            Counting::Fixed { phase } if now >= self.ends => {
                self.used = 0;
                self.ends =
                    (now - phase).div_euclid(self.length) * self.length + phase + self.length;
            }
            // As X does it: from a whole second on.
            Counting::OnFirst if now >= self.ends => {
                self.used = 0;
                self.ends = now.div_euclid(1_000) * 1_000 + self.length;
            }
            Counting::Sliding => {
                while self.log.front().is_some_and(|at| at + self.length <= now) {
                    self.log.pop_front();
                }
            }
            Counting::Bucket => {
                let gained =
                    (now - self.filled) as f64 * f64::from(self.limit) / self.length as f64;
                self.tokens = (self.tokens + gained).min(f64::from(self.limit));
                self.filled = now;
            }
            _ => {}
        }
    }

    pub fn left(&mut self, now: i64) -> u32 {
        // A window that opens with its first request is not opened by a look at it.
        if matches!(self.counting, Counting::OnFirst) && now >= self.ends {
            return self.limit;
        }
        self.turn(now);
        match self.counting {
            Counting::Sliding => self.limit.saturating_sub(self.log.len() as u32),
            Counting::Bucket => self.tokens as u32,
            _ => self.limit.saturating_sub(self.used),
        }
    }

    fn take(&mut self, now: i64) {
        self.turn(now);
        match self.counting {
            Counting::Sliding => self.log.push_back(now),
            Counting::Bucket => self.tokens -= 1.0,
            _ => self.used += 1,
        }
    }

    /// When it tells that it begins anew.
    fn reset(&self, now: i64) -> i64 {
        match self.counting {
            Counting::Sliding => self.log.front().map_or(now, |at| at + self.length),
            Counting::Bucket => {
                now + ((f64::from(self.limit) - self.tokens) * self.length as f64
                    / f64::from(self.limit)) as i64
            }
            _ => self.ends,
        }
    }
}

/// A server with its windows and its clock.
#[derive(Debug, Clone)]
pub struct Server {
    pub windows: Vec<Window>,
    /// How far its clock is ahead, in milliseconds.
    pub skew: i64,
    /// Whether it tells its windows.
    pub tells: bool,
}

impl Server {
    /// Takes a request at `now`. Returns the status, and the limits that its answer tells.
    pub fn serve(&mut self, now: i64, with_headers: bool) -> (u16, Limits) {
        let mut allowed = true;
        for window in &mut self.windows {
            allowed &= window.left(now) > 0;
        }
        if allowed {
            self.windows.iter_mut().for_each(|window| window.take(now));
        }
        (
            if allowed { 200 } else { 429 },
            self.tell(now, with_headers),
        )
    }

    fn tell(&mut self, now: i64, with_headers: bool) -> Limits {
        let date = Timestamp::from_seconds((now + self.skew).div_euclid(1_000));
        if !(self.tells && with_headers) {
            return Limits {
                date: Some(date),
                ..Limits::default()
            };
        }
        let skew = self.skew;
        let told = |window: &mut Window| Told {
            kind: window.kind,
            limit: Some(window.limit),
            remaining: window.left(now),
            // Whole seconds, rounded up: before then there is nothing to be had.
            reset: Timestamp::from_seconds(-(-(window.reset(now) + skew)).div_euclid(1_000)),
        };
        Limits {
            windows: self.windows.iter_mut().map(told).collect(),
            retry_after: None,
            date: Some(date),
        }
    }

    /// Whether another request would be allowed now.
    pub fn would_allow(&mut self, now: i64) -> bool {
        self.windows.iter_mut().all(|window| window.left(now) > 0)
    }
}
