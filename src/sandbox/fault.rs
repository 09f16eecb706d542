//! What can go wrong, how it is written (`503=5%`), and which requests it befalls.
//!
//! Owns the names and the dice. A throw is a hash of seed, kind, media and turn, never of time or order, so a run
//! with many workers meets the same faults as one with one. What a fault does is `answer`'s.

use std::{fmt, str::FromStr};

use super::media_id::MediaId;

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer of this status, 400 to 599, with a plain problem.
    Status(u16),
    /// The connection is reset before anything was done.
    Reset,
    /// The metadata is accepted, then the connection is reset.
    ResetAfter,
    /// The metadata is accepted, and its answer cut off in the middle.
    Truncate,
    /// The metadata is accepted, and answered seconds later.
    Slow,
    /// No answer ever.
    Silent,
    /// 502 with an HTML page, as a proxy sends it.
    Html,
    /// 200 with a body that is not JSON; nothing was accepted.
    Garbage,
    /// 200 that speaks of another media; nothing was accepted.
    OtherId,
    /// 200 with `data` and `errors`: accepted.
    Partial,
    /// 200 with `errors` alone; nothing was accepted.
    Errors,
    /// 200 without a body: accepted.
    Empty,
    /// 404, for this media always.
    NotFound,
    /// 403, for this media always.
    Forbidden,
    /// 400, for this media always.
    Invalid,
    /// 429 that tells no limits.
    RateLimited,
    /// 429 of the monthly cap.
    UsageCapped,
    /// 402, no credits left.
    Credits,
    /// 403, the spend cap is reached.
    SpendCap,
    /// 403, the app belongs to no project.
    NotEnrolled,
    /// 403, a token of the wrong kind.
    UnsupportedAuthentication,
    /// 401.
    Unauthorized,
    /// 302 to a path that is not there.
    Redirect,
}

const NAMES: [(&str, Kind); 22] = [
    ("reset", Kind::Reset),
    ("reset-after", Kind::ResetAfter),
    ("truncate", Kind::Truncate),
    ("slow", Kind::Slow),
    ("silent", Kind::Silent),
    ("html", Kind::Html),
    ("garbage", Kind::Garbage),
    ("other-id", Kind::OtherId),
    ("partial", Kind::Partial),
    ("errors", Kind::Errors),
    ("empty", Kind::Empty),
    ("not-found", Kind::NotFound),
    ("forbidden", Kind::Forbidden),
    ("invalid", Kind::Invalid),
    ("rate-limited", Kind::RateLimited),
    ("usage-capped", Kind::UsageCapped),
    ("credits", Kind::Credits),
    ("spend-cap", Kind::SpendCap),
    ("not-enrolled", Kind::NotEnrolled),
    (
        "unsupported-authentication",
        Kind::UnsupportedAuthentication,
    ),
    ("unauthorized", Kind::Unauthorized),
    ("redirect", Kind::Redirect),
];

impl Kind {
    /// Whether it befalls a media for good, so that no retry helps.
    const fn lasts(self) -> bool {
        matches!(self, Self::NotFound | Self::Forbidden | Self::Invalid)
    }

    /// Whether it is a 429, which uses up nothing of a window.
    pub(super) const fn is_free(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::UsageCapped | Self::Status(429)
        )
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, kind)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*kind);
        }
        if let Some(status) = text
            .parse()
            .ok()
            .filter(|status| (400..=599).contains(status))
        {
            return Ok(Self::Status(status));
        }
        let mut names = NAMES.map(|(name, _)| name);
        // Stable, so that what is equally far keeps the order of the table.
        names.sort_by_key(|name| distance(name, text));
        Err(format!(
            "{text:?} is no fault: known are {}, and each HTTP status from 400 to 599",
            names.join(", ")
        ))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            kind => f.write_str(
                NAMES
                    .iter()
                    .find(|(_, named)| named == kind)
                    .map_or("", |(name, _)| name),
            ),
        }
    }
}

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

/// How many letters have to change to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
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
        for (name, kind) in NAMES {
            assert_eq!(
                (name.parse(), kind.to_string()),
                (Ok(kind), name.to_owned())
            );
        }
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
    fn an_unknown_kind_is_told_the_known_ones_nearest_first() {
        let known = |text: &str| text.parse::<Fault>().unwrap_err();
        assert!(known("trunkate=1%").starts_with("\"trunkate\" is no fault: known are truncate, "));
        assert!(known("notfound").contains("known are not-found, "));
        for text in ["399=1%", "600=1%", "=1%", ""] {
            let error = known(text);
            assert!(
                NAMES.iter().all(|(name, _)| error.contains(name)),
                "{error}"
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
