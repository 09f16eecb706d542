//! How often something goes wrong, how it is written (`503=5%`), and which requests it befalls.
//!
//! Owns the shares and the dice. A throw is a hash of seed, kind, media and turn, never of time or order, so a run
//! with many workers meets the same faults as one with one. What a fault does is `answer`'s.

use std::{fmt, str::FromStr};

use super::{kind::Kind, media_id::MediaId};

/// One kind of fault and how often it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    // In millionths, so that no rounding decides and equal faults are equal.
    chance: u32,
}

const CERTAIN: u32 = 1_000_000;

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (kind, chance) = match text.split_once('=') {
            Some((kind, percent)) => (kind, parse_percent(percent)?),
            None => (text, CERTAIN),
        };
        Ok(Self {
            kind: kind.trim().parse()?,
            chance,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.chance / 10_000, format!("{:04}", self.chance % 10_000));
        match rest.trim_end_matches('0') {
            "" => write!(f, "{}={whole}%", self.kind),
            rest => write!(f, "{}={whole}.{rest}%", self.kind),
        }
    }
}

fn parse_percent(text: &str) -> Result<u32, String> {
    let wrong =
        || format!("{text:?} is no share: write a percentage up to 100, for example 5% or 0.25%");
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.trim().strip_suffix('%').ok_or_else(wrong)?.trim_end();
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    if !(digits(whole) && digits(rest) && (1..=4).contains(&rest.len())) {
        return Err(wrong());
    }
    let whole: u32 = whole.parse().map_err(|_| wrong())?;
    let rest: u32 = format!("{rest:0<4}").parse().map_err(|_| wrong())?;
    let chance = whole
        .checked_mul(10_000)
        .and_then(|whole| whole.checked_add(rest));
    chance.filter(|chance| *chance <= CERTAIN).ok_or_else(wrong)
}

/// The faults of a sandbox and the seed they are thrown by.
pub(super) struct Faults {
    seed: u64,
    list: Vec<Fault>,
}

impl Faults {
    pub(super) const fn new(seed: u64, list: Vec<Fault>) -> Self {
        Self { seed, list }
    }

    /// The first that befalls this media at this turn.
    pub(super) fn choose(&self, id: MediaId, turn: u32) -> Option<Kind> {
        let befalls = |fault: &&Fault| {
            let turn = if fault.kind.lasts() { 0 } else { turn };
            let throw = hash(&format!("{}/{}/{id}/{turn}", self.seed, fault.kind));
            throw % u64::from(CERTAIN) < u64::from(fault.chance)
        };
        self.list.iter().find(befalls).map(|fault| fault.kind)
    }
}

/// FNV-1a with the finish of splitmix64: the standard library's hash may change between versions, a seed may not.
fn hash(text: &str) -> u64 {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> MediaId {
        MediaId::parse(&number.to_string()).unwrap()
    }

    fn faults(seed: u64, list: &[&str]) -> Faults {
        Faults::new(
            seed,
            list.iter().map(|fault| fault.parse().unwrap()).collect(),
        )
    }

    #[test]
    fn a_fault_reads_as_it_is_written() {
        for text in [
            "503=5%",
            "reset=2%",
            "not-found=0.5%",
            "slow=12.0625%",
            "599=100%",
            "silent=0%",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        assert_eq!("reset".parse::<Fault>().unwrap().to_string(), "reset=100%");
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        for text in [
            "503=",
            "503=5",
            "503=100.0001%",
            "503=101%",
            "503=-1%",
            "503=.5%",
            "503=1.%",
            "503=1e1%",
        ] {
            assert!(
                text.parse::<Fault>()
                    .unwrap_err()
                    .contains("percentage up to 100"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_seed_decides_and_another_seed_decides_otherwise() {
        let befallen = |seed| -> Vec<u64> {
            let faults = faults(seed, &["503=10%"]);
            (0..2_000)
                .filter(|number| faults.choose(id(*number), 0).is_some())
                .collect()
        };
        assert_eq!(befallen(1), befallen(1));
        assert_ne!(befallen(1), befallen(2));
        assert!(
            (150..250).contains(&befallen(1).len()),
            "{}",
            befallen(1).len()
        );
    }

    #[test]
    fn a_passing_fault_passes_and_a_lasting_one_lasts() {
        let (passing, lasting) = (faults(3, &["503=20%"]), faults(3, &["not-found=20%"]));
        let hits = |faults: &Faults, number| {
            (0..20)
                .filter(|turn| faults.choose(id(number), *turn).is_some())
                .count()
        };
        assert!((0..200).all(|number| hits(&passing, number) < 20));
        assert!((0..200).all(|number| [0, 20].contains(&hits(&lasting, number))));
        let lost = (0..200)
            .filter(|number| hits(&lasting, *number) == 20)
            .count();
        assert!((20..60).contains(&lost), "{lost}");
    }

    #[test]
    fn the_first_fault_that_befalls_is_the_only_one() {
        assert_eq!(
            faults(0, &["reset=0%", "503", "html"]).choose(id(1), 0),
            Some(Kind::Status(503))
        );
    }
}
