//! The address of an image, from whose name its media id is read, offline.
//!
//! Owns [`read`] and what is said where an id beside it differs. A name that decodes to no plausible id is an error and
//! never a guess.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};

use super::id::ends_in_zeros;
use crate::{item::MediaId, time::Timestamp};

/// What to do about an address from which no id can be read.
pub(super) const CURE: &str = "The id is in the name of an image at https://pbs.twimg.com/media/NAME; for anything else give its media_id, and pass this column over with --ignore.";

const NAMES: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD);
/// The start of X's clock, in milliseconds: ids carry the time since then above their lowest 22 bits.
const EPOCH: i64 = 1_288_834_974_657;
const DAY: i64 = 86_400_000;

/// Reads the id out of the address of an image.
pub(super) fn read(cell: &str, now: Timestamp) -> Result<MediaId, &'static str> {
    let text = cell.trim();
    let after_scheme = strip(text, "https://")
        .or_else(|| strip(text, "http://"))
        .unwrap_or(text);
    let path = strip(after_scheme, "pbs.twimg.com/media/")
        .ok_or("is no address of an image on pbs.twimg.com/media")?;
    let name = path
        .split(['.', '?', ':', '/', '#', '&'])
        .next()
        .unwrap_or_default();
    // Twelve characters are nine bytes, of which the first eight are the id.
    let bytes = name
        .get(..12)
        .and_then(|start| NAMES.decode(start).ok())
        .and_then(|bytes| bytes.first_chunk().copied())
        .map(u64::from_be_bytes);
    bytes
        .filter(|id| is_plausible(*id, now))
        .and_then(|id| id.to_string().parse().ok())
        .ok_or("has a name that holds no plausible media id")
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// Whether the time in an id lies between the first such id and tomorrow.
fn is_plausible(id: u64, now: Timestamp) -> bool {
    i64::try_from(id >> 22).is_ok_and(|since| since > 0 && since <= now.0 + DAY - EPOCH)
}

/// What is wrong where a row's id and address differ.
pub(super) fn difference(id: &MediaId, decoded: &MediaId) -> String {
    let told = format!("is {id}, but the address beside it is that of {decoded}");
    if is_rounded(id, decoded) {
        format!("{told}: a spreadsheet has rounded the media_id")
    } else {
        told
    }
}

/// What to do about it.
pub(super) fn difference_cure(id: &MediaId, decoded: &MediaId) -> &'static str {
    if is_rounded(id, decoded) {
        "Pass the column of ids over with --ignore: the addresses still hold the true ones."
    } else {
        "One of the two belongs to another image: mend it, or pass one of the columns over with --ignore."
    }
}

/// Whether an id is the rounded form of what an address decodes to.
pub(super) fn is_rounded(id: &MediaId, decoded: &MediaId) -> bool {
    let (id, decoded) = (id.as_str(), decoded.as_str());
    let alike = id.len() == decoded.len()
        && id
            .as_bytes()
            .iter()
            .zip(decoded.as_bytes())
            .take(14)
            .all(|(a, b)| a == b);
    let close = || -> Option<bool> {
        let (a, b): (u64, u64) = (id.parse().ok()?, decoded.parse().ok()?);
        // Floating point numbers of this size stand up to 1,024 apart.
        Some(a.abs_diff(b) <= 1_024)
    };
    alike && (ends_in_zeros(id) || close() == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_740_787_200_000);

    fn id(address: &str) -> Option<String> {
        read(address, NOW).ok().map(|id| id.to_string())
    }

    #[test]
    fn the_name_of_an_image_carries_its_id() {
        for address in [
            "https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg",
            "https://pbs.twimg.com/media/A7EiDWcCYAAZT1D?format=jpg&name=large",
            " http://PBS.twimg.com/media/A7EiDWcCYAAZT1D.jpg:large ",
            "pbs.twimg.com/media/A7EiDWcCYAAZT1D",
        ] {
            assert_eq!(
                id(address).as_deref(),
                Some("266031293949698048"),
                "{address}"
            );
        }
        assert_eq!(
            id("https://pbs.twimg.com/media/CHIZFl5U0AAENRU.png").as_deref(),
            Some("608576483511029760")
        );
    }

    #[test]
    fn a_name_without_a_plausible_id_is_no_guess() {
        for address in [
            "",
            "https://example.org/media/A7EiDWcCYAAZT1D.jpg",
            "https://pbs.twimg.com/media/",
            "https://pbs.twimg.com/media/A7EiDWc",
            "https://pbs.twimg.com/media/A7EiDWcCYA!ZT1D",
            "https://pbs.twimg.com/media/____________",
            "https://pbs.twimg.com/media/AAAAAAAAAAAA",
            "https://pbs.twimg.com/media/äääääääääääää",
            "https://pbs.twimg.com/profile_images/1/a.jpg",
            "https://pbs.twimg.com/ext_tw_video_thumb/1146654567674912769/pu/img/a.jpg",
        ] {
            assert_eq!(id(address), None, "{address}");
        }
    }

    #[test]
    fn an_id_from_tomorrow_on_is_not_plausible() {
        let early = Timestamp(1_352_000_000_000 - 2 * DAY);
        assert!(read("https://pbs.twimg.com/media/A7EiDWcCYAAZT1D.jpg", early).is_err());
    }

    #[test]
    fn the_rounded_one_of_two_is_named() {
        let decoded: MediaId = "266031293949698048".parse().unwrap();
        for (id, rounded) in [
            ("266031293949698000", true),
            ("266031293949698050", true),
            ("266031293949712345", false),
            ("26603129394969804", false),
        ] {
            let id: MediaId = id.parse().unwrap();
            assert_eq!(
                difference(&id, &decoded).contains("rounded"),
                rounded,
                "{id}"
            );
        }
    }
}
