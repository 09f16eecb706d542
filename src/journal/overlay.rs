//! What a row means for an item that may be known already: new, changed or unchanged, and in which state it is then.
//!
//! Owns that decision, without SQL: the batch that [`super::intake`] has read is changed in memory by it.

use serde_json::Value;

use crate::{
    item::State,
    metadata::{Digest, Field, FieldSet, Metadata, Patch, digest::canonical},
};

/// What two values for one field of one id are, within one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// An error.
    #[default]
    Error,
    /// The first one wins.
    First,
    /// The last one wins.
    Last,
}

/// An item as the intake knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub wanted: Metadata,
    pub digest: Digest,
    pub accepted: Option<Digest>,
    pub state: State,
    /// The fields that rows of this run have named of it so far.
    pub named: FieldSet,
}

/// What a row did to an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// The journal did not know it.
    New,
    /// Its digest differs from before.
    Changed {
        /// The first field that X has accepted and that would be sent anew otherwise, with what it was.
        resent: Option<(Field, Value)>,
    },
    /// Its digest is the same.
    Unchanged,
}

/// A row that gives another value for a field than an earlier row of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contradiction {
    pub field: &'static str,
}

/// Lays `patch` over what is known of the item.
pub(super) fn lay_over(
    known: &mut Option<Known>,
    patch: &Patch,
    duplicates: Duplicates,
) -> Result<Effect, Contradiction> {
    let Some(item) = known else {
        let mut wanted = Metadata::default();
        wanted.lay_over(patch);
        let digest = wanted.digest();
        *known = Some(Known {
            wanted,
            digest,
            accepted: None,
            state: State::Pending,
            named: patch.named(),
        });
        return Ok(Effect::New);
    };
    let mut contradicted = FieldSet::default();
    for (field, value) in patch
        .fields()
        .filter(|(field, _)| item.named.contains(*field))
    {
        if item.wanted.get(field).map(canonical) != value.map(canonical) {
            if duplicates == Duplicates::Error {
                return Err(Contradiction {
                    field: field.name(),
                });
            }
            contradicted = contradicted.with(field);
        }
    }
    item.named = item.named.union(patch.named());
    let before = item.wanted.clone();
    if duplicates == Duplicates::First && contradicted != FieldSet::default() {
        item.wanted.lay_over(&patch.without(contradicted));
    } else {
        item.wanted.lay_over(patch);
    }
    let digest = item.wanted.digest();
    if digest == item.digest {
        // What is sent stays as it was written when it came to be wanted.
        item.wanted = before;
        return Ok(Effect::Unchanged);
    }
    let differs = |(field, value): &(Field, &Value)| {
        item.wanted.get(*field).map(canonical) != Some(canonical(value))
    };
    let resent = before
        .fields()
        .filter(|_| item.state == State::Done)
        .find(differs);
    let resent = resent.map(|(field, value)| (field, value.clone()));
    item.digest = digest;
    item.state = match item.state {
        // Its last attempt may have reached X with other metadata: only sending it again settles that.
        State::Sending => State::Sending,
        _ if item.accepted == Some(digest) => State::Done,
        _ => State::Pending,
    };
    Ok(Effect::Changed { resent })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::Timestamp;

    fn patch(json: Value) -> Patch {
        let Value::Object(object) = json else {
            panic!("an object")
        };
        Patch::parse(object, Timestamp(0)).unwrap()
    }

    fn text(text: &str) -> Patch {
        patch(json!({"alt_text": {"text": text}}))
    }

    fn shared() -> Patch {
        patch(json!({"shared_info": {"shared": true}}))
    }

    fn take(known: &mut Option<Known>, patch: &Patch) -> Effect {
        lay_over(known, patch, Duplicates::Error).unwrap()
    }

    /// The item as a later run finds it.
    fn later(known: &mut Option<Known>, state: State) {
        let item = known.as_mut().unwrap();
        item.named = FieldSet::default();
        item.state = state;
        if state == State::Done {
            item.accepted = Some(item.digest);
        }
    }

    #[test]
    fn a_row_is_new_then_unchanged_then_changed() {
        let mut known = None;
        assert_eq!(take(&mut known, &text("a")), Effect::New);
        later(&mut known, State::Done);
        assert_eq!(take(&mut known, &text(" a\r\n")), Effect::Unchanged);
        assert_eq!(known.as_ref().unwrap().state, State::Done);
        later(&mut known, State::Done);
        assert_eq!(
            take(&mut known, &text("b")),
            Effect::Changed {
                resent: Some((Field::AltText, json!({"text": "a"})))
            }
        );
        assert_eq!(known.as_ref().unwrap().state, State::Pending);
    }

    #[test]
    fn an_added_field_is_a_change_that_resends_nothing() {
        let mut known = None;
        take(&mut known, &text("a"));
        later(&mut known, State::Done);
        assert_eq!(
            take(&mut known, &shared()),
            Effect::Changed { resent: None }
        );
    }

    #[test]
    fn what_is_wanted_again_as_it_was_accepted_is_done_without_a_request() {
        let mut known = None;
        take(&mut known, &text("a"));
        later(&mut known, State::Done);
        take(&mut known, &text("b"));
        later(&mut known, State::Failed);
        assert_eq!(
            take(&mut known, &text("a")),
            Effect::Changed { resent: None }
        );
        assert_eq!(known.unwrap().state, State::Done);
    }

    #[test]
    fn an_item_whose_last_attempt_is_unknown_stays_due_whatever_comes_to_be_wanted() {
        let mut known = None;
        take(&mut known, &text("a"));
        later(&mut known, State::Done);
        take(&mut known, &text("b"));
        later(&mut known, State::Sending);
        take(&mut known, &text("a"));
        assert_eq!(known.unwrap().state, State::Sending);
    }

    #[test]
    fn within_a_run_disjoint_fields_merge_and_two_values_contradict_each_other() {
        let mut known = None;
        take(&mut known, &text("a"));
        assert_eq!(
            take(&mut known, &shared()),
            Effect::Changed { resent: None }
        );
        assert_eq!(take(&mut known, &text("a")), Effect::Unchanged);
        let contradiction = lay_over(&mut known, &text("b"), Duplicates::Error);
        assert_eq!(contradiction, Err(Contradiction { field: "alt_text" }));
        let wanted = known.unwrap().wanted.to_json();
        assert_eq!(
            wanted,
            json!({"alt_text": {"text": "a"}, "shared_info": {"shared": true}})
        );
    }

    #[test]
    fn of_two_values_the_first_or_the_last_wins_as_asked() {
        let both = patch(json!({"alt_text": {"text": "b"}, "shared_info": {"shared": true}}));
        for (duplicates, wins) in [(Duplicates::First, "a"), (Duplicates::Last, "b")] {
            let mut known = None;
            take(&mut known, &text("a"));
            lay_over(&mut known, &both, duplicates).unwrap();
            let wanted = known.unwrap().wanted.to_json();
            assert_eq!(
                wanted,
                json!({"alt_text": {"text": wins}, "shared_info": {"shared": true}})
            );
        }
    }
}
