//! A client in virtual time: altfill's own limiter, asked as the runner asks it, with restarts; and an ideal one beside
//! it that knows all and has no way to go.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use altfill::{
    answer::{Limits, WindowKind},
    limiter::{Limiter, Opening, Ticket},
    rate::{Past, Rates},
    time::Timestamp,
};

use crate::{random::Random, server::Server};

/// What happens to the two.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub server: Server,
    pub rates: Rates,
    /// How long it goes on, in milliseconds.
    pub length: i64,
    /// The way to the server and back, at the most, in milliseconds.
    pub latency: i64,
    /// One in so many answers carries no headers; 0 for none.
    pub silent: u64,
    /// Another client's mean gap between requests, in milliseconds; 0 for none.
    pub other: i64,
    /// Our restarts: from when to when nothing of ours runs.
    pub restarts: Vec<(i64, i64)>,
    /// When nothing gets through.
    pub outages: Vec<(i64, i64)>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Result {
    pub accepted: u64,
    pub refused: u64,
    /// Refusals that what was told before could have spared.
    pub avoidable: u64,
}

const WORKERS: usize = 8;
/// Milliseconds between two starts: `--max-rps 20`.
const PACE: i64 = 50;
/// Milliseconds after which a request without an answer is given up.
const TIMEOUT: i64 = 30_000;

fn at(moment: i64) -> Timestamp {
    Timestamp(moment)
}

fn within(stretches: &[(i64, i64)], now: i64) -> Option<i64> {
    stretches
        .iter()
        .find(|(from, to)| (*from..*to).contains(&now))
        .map(|(_, to)| *to)
}

/// The other client's requests up to `now` reach the server.
fn others(server: &mut Server, next: &mut i64, mean: i64, random: &mut Random, now: i64) -> bool {
    let mut any = false;
    while mean > 0 && *next <= now {
        let moment = *next;
        any |= server.would_allow(moment);
        let _ = server.serve(moment, false);
        *next += 1 + random.below(2 * mean as u64) as i64;
    }
    any
}

/// A request on its way: when it arrives, when its answer does.
type Flight = Reverse<(i64, u64)>;

/// Runs altfill's limiter against the server.
pub fn run(scenario: &Scenario) -> Result {
    let mut random = Random::new(scenario.seed);
    let mut other_random = Random::new(scenario.seed ^ 0x5eed);
    let mut server = scenario.server.clone();
    let mut result = Result::default();
    let (mut now, mut next_other, mut last_start) = (0, scenario.other, i64::MIN / 2);
    // Requests that were answered: when each was, for the next process.
    let mut past: VecDeque<i64> = VecDeque::new();
    let mut told = Vec::new();
    let mut limiter = Limiter::new(&scenario.rates, &Past::default());
    let mut arrivals: BinaryHeap<Flight> = BinaryHeap::new();
    let mut answers: BinaryHeap<Flight> = BinaryHeap::new();
    let mut flights: std::collections::HashMap<u64, (Ticket, i64, i64, Option<(u16, Limits)>)> =
        Default::default();
    let mut next_flight = 0;
    while now < scenario.length {
        if let Some(end) = within(&scenario.restarts, now) {
            // Killed: what was in flight still reaches the server, and its answers nobody.
            while let Some(Reverse((arrival, _))) = arrivals.pop() {
                others(
                    &mut server,
                    &mut next_other,
                    scenario.other,
                    &mut other_random,
                    arrival,
                );
                result.accepted += u64::from(server.serve(arrival, false).0 == 200);
            }
            let unknown = flights.len();
            past.extend(flights.values().map(|(_, started, _, _)| started + TIMEOUT));
            flights.clear();
            answers.clear();
            now = end;
            let ended: Vec<_> = past.iter().map(|ended| at(*ended)).collect();
            let known = Past {
                account: ended.clone(),
                app: ended,
                told: told.iter().map(|told| (*told, unknown)).collect(),
            };
            limiter = Limiter::new(&scenario.rates, &known);
            continue;
        }
        // What has arrived, what has come back.
        while let Some(Reverse((moment, id))) = arrivals
            .peek()
            .copied()
            .filter(|Reverse((moment, _))| *moment <= now)
        {
            arrivals.pop();
            others(
                &mut server,
                &mut next_other,
                scenario.other,
                &mut other_random,
                moment,
            );
            if within(&scenario.outages, moment).is_some() {
                continue;
            }
            let headers = scenario.silent == 0 || random.below(scenario.silent) > 0;
            let answer = server.serve(moment, headers);
            match answer.0 {
                200 => result.accepted += 1,
                _ => {
                    result.refused += 1;
                    // With nobody else there, all that could refuse it was told or is in our own books.
                    result.avoidable += u64::from(scenario.other == 0);
                }
            }
            if let Some(flight) = flights.get_mut(&id) {
                flight.3 = Some(answer);
            }
        }
        while let Some(Reverse((_, id))) = answers
            .peek()
            .copied()
            .filter(|Reverse((moment, _))| *moment <= now)
        {
            answers.pop();
            if let Some((ticket, _, _, answer)) = flights.remove(&id) {
                limiter.end(
                    ticket,
                    at(now),
                    answer.as_ref().map(|(status, limits)| (*status, limits)),
                );
                past.push_back(now);
                told = limiter.told().collect();
            }
        }
        while past.front().is_some_and(|ended| ended + 90_000_000 < now) {
            past.pop_front();
        }
        // One more start, if it may be; else on to when something changes.
        let next_event = [arrivals.peek(), answers.peek()]
            .into_iter()
            .flatten()
            .map(|Reverse((moment, _))| *moment)
            .min();
        let next_restart = scenario
            .restarts
            .iter()
            .map(|(from, _)| *from)
            .filter(|from| *from > now)
            .min();
        let in_outage = within(&scenario.outages, now);
        let may = if flights.len() >= WORKERS || (in_outage.is_some() && !flights.is_empty()) {
            Opening::AfterAnswer
        } else {
            limiter.opening(at(now))
        };
        let opening = match may {
            Opening::Now if now - last_start < PACE => Opening::At(at(last_start + PACE)),
            Opening::Now if in_outage.is_some() && now - last_start < 10_000 => {
                Opening::At(at(last_start + 10_000))
            }
            other => other,
        };
        match opening {
            Opening::Now => {
                let ticket = limiter.start(at(now));
                last_start = now;
                let up = 1 + random.below(scenario.latency as u64) as i64;
                let down = 1 + random.below(scenario.latency as u64) as i64;
                next_flight += 1;
                arrivals.push(Reverse((now + up, next_flight)));
                answers.push(Reverse((now + up + down, next_flight)));
                flights.insert(next_flight, (ticket, now, now + up, None));
            }
            Opening::At(moment) => {
                let wake = [Some(moment.0), next_event, next_restart]
                    .into_iter()
                    .flatten()
                    .min()
                    .unwrap_or(moment.0);
                now = wake.max(now + 1);
            }
            Opening::AfterAnswer => {
                let wake = [next_event, next_restart].into_iter().flatten().min();
                now = wake.expect("something is in flight").max(now + 1);
            }
        }
    }
    result
}

/// What a client could have had that knows the server from within, with the same pace, restarts and outages.
pub fn ideal(scenario: &Scenario) -> u64 {
    let mut random = Random::new(scenario.seed ^ 0x5eed);
    let mut server = scenario.server.clone();
    let (mut now, mut next_other, mut accepted) = (0, scenario.other, 0);
    while now < scenario.length {
        if let Some(end) =
            within(&scenario.restarts, now).or_else(|| within(&scenario.outages, now))
        {
            now = end;
            continue;
        }
        others(
            &mut server,
            &mut next_other,
            scenario.other,
            &mut random,
            now,
        );
        if server.would_allow(now) {
            let _ = server.serve(now, false);
            accepted += 1;
        }
        now += PACE;
    }
    accepted
}

/// The kind by which a window is told that is so long.
pub fn kind(length: i64) -> WindowKind {
    if length >= 86_400_000 {
        WindowKind::AppDay
    } else {
        WindowKind::Endpoint
    }
}
