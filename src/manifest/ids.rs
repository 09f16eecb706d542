//! Which item a row names, by an id, an address or both, and whether a spreadsheet has rounded the ids of a manifest.
//!
//! Owns [`Naming`] for one row and [`Ids`] for all. Keeps two counts and one example, whatever the manifest's length.

use super::{
    Error,
    draft::Draft,
    fault::Fault,
    id::{Unreadable, ends_in_zeros},
    notice::{Noticed, Tally},
    url,
};
use crate::{item::MediaId, time::Timestamp};

/// Where an id stands, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) position: Option<usize>,
    pub(super) header: &'a str,
    pub(super) cell: &'a str,
}

/// What one row says of which item it means.
#[derive(Default)]
pub(super) struct Naming<'a> {
    id: Option<(MediaId, Spot<'a>)>,
    url: Option<MediaId>,
    /// Where an id is expected, and whether something stands there.
    spot: Option<Spot<'a>>,
    filled: bool,
}

impl<'a> Naming<'a> {
    /// Takes in what was read of an id.
    pub(super) fn id(
        &mut self,
        spot: Spot<'a>,
        read: Result<MediaId, Unreadable>,
        draft: &mut Draft,
    ) {
        if !self.expects(spot) {
            return;
        }
        match (read, &self.id) {
            (Ok(id), Some((other, _))) if id != *other => draft.faults.push(
                Fault::new(
                    draft.line,
                    "named-twice",
                    format!("is {id}, but the same row also names {other}"),
                )
                .shows(spot.cell, None)
                .at(spot.position, spot.header),
            ),
            (Ok(id), _) => self.id = Some((id, spot)),
            (Err(why), _) => draft.faults.push(
                why.fault(draft.line, spot.cell)
                    .at(spot.position, spot.header),
            ),
        }
    }

    /// Takes in an address.
    pub(super) fn url(&mut self, spot: Spot<'a>, now: Timestamp, draft: &mut Draft) {
        if !self.expects(spot) {
            return;
        }
        match url::read(spot.cell, now) {
            Ok(id) => self.url = Some(id),
            Err(why) => draft.faults.push(
                Fault::new(draft.line, "media-url", why)
                    .hint(url::CURE)
                    .shows(spot.cell, None)
                    .at(spot.position, spot.header),
            ),
        }
    }

    fn expects(&mut self, spot: Spot<'a>) -> bool {
        self.spot.get_or_insert(spot);
        let filled = !spot.cell.trim().is_empty();
        self.filled |= filled;
        filled
    }

    /// Gives the draft the id that the row names, or the fault that it names none or two.
    pub(super) fn settle(self, draft: &mut Draft, ids: &mut Ids, tally: &mut Tally) {
        ids.row();
        if !self.filled {
            let fault = Fault::new(
                draft.line,
                "id-missing",
                "is empty: this row names no media",
            )
            .hint("Fill in the media id, or remove the row.");
            draft.faults.push(match self.spot {
                Some(spot) => fault.at(spot.position, spot.header),
                None => Fault {
                    message: "has no \"id\": this row names no media".to_owned(),
                    ..fault
                },
            });
            return;
        }
        if let (Some((id, spot)), Some(decoded)) = (&self.id, &self.url)
            && id != decoded
        {
            draft.faults.push(
                Fault::new(draft.line, "id-differs", url::difference(id, decoded))
                    .hint(url::difference_cure(id, decoded))
                    .shows(spot.cell, None)
                    .at(spot.position, spot.header),
            );
            if url::is_rounded(id, decoded) {
                // The true one must not be sent.
                draft.id = self.url;
                return;
            }
        }
        if let (Some((id, _)), None) = (&self.id, &self.url) {
            ids.note(id, draft.line, tally);
        }
        draft.id = self.id.map(|(id, _)| id).or(self.url);
    }
}

/// What the ids read so far look like.
#[derive(Default)]
pub(super) struct Ids {
    rows: u64,
    rounded: u64,
    first: Option<(u64, MediaId)>,
}

impl Ids {
    /// Takes in one more row.
    pub(super) const fn row(&mut self) {
        self.rows += 1;
    }

    /// Looks at an id that was written as digits.
    fn note(&mut self, id: &MediaId, line: u64, tally: &mut Tally) {
        if ends_in_zeros(id.as_str()) {
            self.rounded += 1;
            tally.count(Noticed::TrailingZeros, line, id.as_str());
            self.first.get_or_insert_with(|| (line, id.clone()));
        }
    }

    /// The error that it is when more than 1% of the rows, and at least 3, have ids that look rounded.
    pub(super) fn verdict(&self, file: &str) -> Option<Error> {
        let (line, example) = self.first.as_ref()?;
        (self.rounded >= 3 && self.rounded * 100 > self.rows).then(|| Error::RoundedIds {
            file: file.to_owned(),
            count: self.rounded,
            rows: self.rows,
            line: *line,
            example: example.to_string(),
        })
    }
}
