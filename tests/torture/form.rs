//! How long the torture lasts, its dice, and its figures.
//!
//! Owns the two forms: the short one is part of the ordinary tests, the long one is asked for by `ALTFILL_TORTURE=long`.
//! A case that failed is thrown again by `ALTFILL_TORTURE_SEED`.

#![expect(clippy::print_stdout, reason = "the long form shows its figures")]

use std::hash::{BuildHasher, RandomState};

/// Whether this is the long form.
pub fn is_long() -> bool {
    std::env::var("ALTFILL_TORTURE").is_ok_and(|form| form == "long")
}

/// So many cases in the short form, so many in the long one.
pub fn cases(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// Tells a figure, for those who look.
pub fn tell(what: &str) {
    println!("torture: {what}");
}

/// Numbers that are random enough, and the same for the same seed.
#[derive(Debug, Clone)]
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    /// Dice of a test; each throws otherwise each time, unless a seed is given.
    pub fn new(test: &str) -> Self {
        let seed = std::env::var("ALTFILL_TORTURE_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| RandomState::new().hash_one(test));
        tell(&format!("{test} throws with ALTFILL_TORTURE_SEED={seed}"));
        Self { seed, state: seed }
    }

    /// Dice for one of several who throw at once.
    pub fn another(&self, number: usize) -> Self {
        let seed = self.seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { seed, state: seed }
    }

    /// `SplitMix64` (Steele, Lea and Flood, 2014).
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    /// One of several.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}
