//! What an answer means for the run: an outcome of its item, doubts, a renewed token, or the end.
//!
//! Owns the settling of attempts, up to the moment at which they can be written down. An attempt that got nowhere is held
//! back as doubtful until another item's answer tells whether it is its own fault or an outage's.

use std::time::Duration;

use super::{
    Api, Arrival, Ending, Event, Flight, Need, NoToken, Queue, Renewed, Runner, Turn,
    outage::is_sign, port::Answered,
};
use crate::{
    answer::Reply,
    journal::{Due, Next, Settled},
    limiter::Opening,
    outcome::{Cause, Decision, Outcome, Stop, decide},
    retry,
    time::Timestamp,
};

/// An offset of the clocks that people should hear of, in milliseconds.
const NOTABLE_OFFSET: i64 = 60_000;

impl<Q: Queue, A: Api> Runner<'_, Q, A> {
    /// Takes one answer: what it means, for the item and for the run.
    pub(super) fn take_answer(&mut self, answer: Arrival, turn: &mut Turn) {
        let (id, answered) = match answer {
            Ok((id, answered)) => (id, answered),
            // A fault of ours in one request is not the others': its outcome is not known, and it is sent again.
            Err(error) => {
                let reply = Reply::NoConnection("the request could not be made".to_owned());
                (
                    error.id(),
                    Answered {
                        reply,
                        generation: 0,
                        is_over: false,
                    },
                )
            }
        };
        let Some(Flight {
            due,
            attempt_id,
            ticket,
            started,
        }) = self.flights.remove(&id)
        else {
            return;
        };
        let now = self.clock.now();
        let reply = &answered.reply;
        let limits = match reply {
            Reply::Answered { status, limits, .. } => Some((*status, limits)),
            Reply::NoConnection(_) | Reply::TimedOut => None,
        };
        self.limiter.end(ticket, now, limits);
        self.tell_offset(turn);
        if limits.is_some() {
            self.longest_answer = self.longest_answer.max(now.since(started));
        }
        let Outcome {
            decision,
            cause,
            detail,
        } = decide(&due.media_id, &due.wanted, reply);
        if decision != Decision::Renew && reply.status().is_some() {
            self.renewal.accepted(answered.generation);
        }
        let mut settled = Settled {
            item_id: due.item_id,
            attempt_id,
            ended: now,
            http_status: reply.status(),
            cause,
            detail,
            spent: reply.is_spent(),
            next: Next::Again {
                at: now,
                counts: false,
            },
        };
        tracing::debug!(media_id = %due.media_id, status = settled.http_status, ?decision, "answered");
        let is_outage = self.health.learn(due.item_id, reply, now);
        match decision {
            Decision::Done(warnings) => {
                settled.next = Next::Done;
                self.summary.done += 1;
                self.summary.warnings += u64::from(!warnings.is_empty());
                turn.events.push(Event::Done {
                    media_id: due.media_id.to_string(),
                    warnings,
                });
            }
            Decision::Fail => return self.fail(settled, &due, turn),
            Decision::Again if is_sign(reply) => {
                // Whether it is this item's fault is told by what the others get.
                self.doubtful.push((settled, due));
                if is_outage {
                    self.settle_doubts(true, turn);
                }
                return;
            }
            Decision::Again => return self.again(settled, &due, true, turn),
            Decision::Wait => {
                self.summary.rate_limited += 1;
                return self.again(settled, &due, false, turn);
            }
            Decision::Renew => {
                if !self.renewal.refused(answered.generation, answered.is_over) {
                    let why = "the token was refused again after it was renewed".to_owned();
                    self.refuse_access(why, turn);
                }
            }
            Decision::Stop(stop) => {
                let cause = settled.cause.clone().unwrap_or(Cause::UNAUTHORIZED);
                self.end(
                    Ending::Refused(stop, cause, settled.detail.clone()),
                    &mut turn.events,
                );
            }
        }
        turn.settled.push(settled);
    }

    /// An attempt failed and the item is sent again, unless it was its last.
    fn again(&mut self, mut settled: Settled, due: &Due, counts: bool, turn: &mut Turn) {
        let failures = due.failures + u32::from(counts);
        if counts && failures >= self.options.max_attempts {
            return self.fail(settled, due, turn);
        }
        let delay = if counts {
            retry::delay(failures)
        } else {
            Duration::ZERO
        };
        let at = settled.ended + delay;
        settled.next = Next::Again { at, counts };
        let cause = settled.cause.clone().unwrap_or(Cause::BAD_ANSWER);
        turn.events.push(Event::Again {
            media_id: due.media_id.to_string(),
            cause,
            at,
        });
        turn.settled.push(settled);
    }

    fn fail(&mut self, mut settled: Settled, due: &Due, turn: &mut Turn) {
        let cause = settled.cause.clone().unwrap_or(Cause::BAD_ANSWER);
        // Nothing has ever answered: that is no verdict on this item, X could not be reached.
        if cause == Cause::CONNECT && !self.health.has_answered() {
            self.end(Ending::Outage(settled.detail.clone()), &mut turn.events);
            turn.settled.push(settled);
            return;
        }
        settled.next = Next::Failed;
        self.summary.failed += 1;
        let (media_id, detail) = (due.media_id.to_string(), settled.detail.clone());
        turn.events.push(Event::Failed {
            media_id,
            cause: cause.clone(),
            detail,
        });
        if let Some(ending) = self.failures.learn(&cause, &self.summary, &self.options) {
            self.end(ending, &mut turn.events);
        }
        turn.settled.push(settled);
    }

    /// Settles attempts that got nowhere, once it is clear whether an outage is to blame.
    pub(super) fn resolve_doubts(&mut self, turn: &mut Turn) {
        if let Some(lasted) = self
            .health
            .lasted(self.clock.now())
            .filter(|lasted| *lasted >= self.options.max_outage)
        {
            let said = self
                .doubtful
                .last()
                .and_then(|(settled, _)| settled.detail.clone());
            let said = said.unwrap_or_else(|| format!("for {} s", lasted.as_secs()));
            self.end(Ending::Outage(Some(said)), &mut turn.events);
        }
        if self.doubtful.is_empty() {
            return;
        }
        if self.health.is_outage() {
            self.settle_doubts(true, turn);
        } else if self.health.is_sound() {
            // Another item got an answer: X is there, and these failed by themselves.
            self.settle_doubts(false, turn);
        } else if self.flights.is_empty() && turn.leaving.is_empty() {
            // Nothing is on its way that could tell.
            if self.summary.ending.is_some() {
                self.settle_doubts(true, turn);
            } else if self.ready.is_empty() {
                self.settle_doubts(false, turn);
            }
        }
    }

    fn settle_doubts(&mut self, is_outage: bool, turn: &mut Turn) {
        for (settled, due) in std::mem::take(&mut self.doubtful) {
            self.again(settled, &due, !is_outage, turn);
        }
    }

    /// Sees to it that there is a token to send with. Returns what a start has to wait for, where there is none.
    pub(super) fn await_token(&mut self, now: Timestamp) -> Option<Opening> {
        let need = self.renewal.need(self.api.renew_at(), now);
        if need != Need::None
            && self.renewing.is_empty()
            && self.renewal.next_try().is_none_or(|next| next <= now)
        {
            let (api, current) = (self.api.clone(), self.renewal.current());
            self.renewing.spawn(async move { api.renew(current).await });
        }
        if !self.renewing.is_empty() {
            return Some(Opening::AfterAnswer);
        }
        // What runs out soon is still good; what was refused is not.
        let next_try = self.renewal.next_try().filter(|_| need == Need::Now)?;
        Some(Opening::At(next_try))
    }

    /// Takes what came of a renewal.
    pub(super) fn take_token(&mut self, renewed: Renewed, turn: &mut Turn) {
        let now = self.clock.now();
        let why = match renewed {
            Ok(Ok(generation)) => return self.renewal.renewed(generation),
            Ok(Err(NoToken::Access(why))) => return self.refuse_access(why, turn),
            Ok(Err(NoToken::Unreachable(why))) => why,
            Err(error) => error.to_string(),
        };
        tracing::warn!(why, "no fresh token");
        self.renewal.failed(now);
        let lacking = self.renewal.lacking(now);
        if lacking.is_some_and(|lacking| lacking >= self.options.max_outage) {
            self.end(Ending::Outage(Some(why)), &mut turn.events);
        }
    }

    fn refuse_access(&mut self, why: String, turn: &mut Turn) {
        let ending = Ending::Refused(Stop::Access, Cause::UNAUTHORIZED, Some(why));
        self.end(ending, &mut turn.events);
    }

    fn tell_offset(&mut self, turn: &mut Turn) {
        if let Some(offset) = self
            .limiter
            .clock_offset()
            .filter(|offset| offset.abs() >= NOTABLE_OFFSET)
            && !self.told_offset
        {
            self.told_offset = true;
            turn.events.push(Event::ClockIsOff(offset));
        }
    }
}
