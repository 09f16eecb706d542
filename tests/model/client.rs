//! A client in virtual time: altfill's own limiter, asked as the runner asks it, with restarts; and an ideal one beside
//! it that knows all and has no way to go.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
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

/// A moment at which something happens to a request, by its number.
type Due = Reverse<(i64, u64)>;

/// A request on its way.
struct Flight {
    ticket: Ticket,
    started: i64,
    /// What was known when it started.
    known: Option<Known>,
    answer: Option<(u16, Limits)>,
    /// How many of ours the server had accepted when it answered.
    accepted: u64,
}

/// The newest of the answers that had come: what it told, and how many of ours the server had accepted then.
#[derive(Clone)]
struct Known {
    limits: Limits,
    accepted: u64,
}

impl Known {
    /// Whether it shows that one more of ours would be refused at `now` by the server's clock, `accepted` ones later.
    fn forbids(&self, now: i64, accepted: u64) -> bool {
        self.limits
            .windows
            .iter()
            .any(|told| told.reset.0 > now && u64::from(told.remaining) <= accepted - self.accepted)
    }
}

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
    let mut arrivals: BinaryHeap<Due> = BinaryHeap::new();
    let mut answers: BinaryHeap<Due> = BinaryHeap::new();
    let mut flights: HashMap<u64, Flight> = HashMap::new();
    let mut newest: Option<Known> = None;
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
            past.extend(flights.values().map(|flight| flight.started + TIMEOUT));
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
            let flight = flights.get_mut(&id);
            if answer.0 == 200 {
                result.accepted += 1;
            } else {
                result.refused += 1;
                let known = flight.as_ref().and_then(|flight| flight.known.as_ref());
                // With nobody else there, our own books tell it all.
                let is_avoidable =
                    known.is_some_and(|known| known.forbids(moment + server.skew, result.accepted));
                result.avoidable += u64::from(is_avoidable || scenario.other == 0);
            }
            if let Some(flight) = flight {
                (flight.answer, flight.accepted) = (Some(answer), result.accepted);
            }
        }
        while let Some(Reverse((_, id))) = answers
            .peek()
            .copied()
            .filter(|Reverse((moment, _))| *moment <= now)
        {
            answers.pop();
            if let Some(Flight {
                ticket,
                answer,
                accepted,
                ..
            }) = flights.remove(&id)
            {
                limiter.end(
                    ticket,
                    at(now),
                    answer.as_ref().map(|(status, limits)| (*status, limits)),
                );
                let tells = answer.filter(|(_, limits)| !limits.windows.is_empty());
                if let Some((_, limits)) = tells.filter(|_| {
                    newest
                        .as_ref()
                        .is_none_or(|newest| newest.accepted <= accepted)
                }) {
                    newest = Some(Known { limits, accepted });
                }
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
                let known = newest.clone();
                flights.insert(
                    next_flight,
                    Flight {
                        ticket,
                        started: now,
                        known,
                        answer: None,
                        accepted: 0,
                    },
                );
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

/// What a client could have had that knows the server from within and has no way to go, with the same pace, restarts and
/// outages, and the same rates of its own where the user has set some.
pub fn ideal(scenario: &Scenario) -> u64 {
    let mut random = Random::new(scenario.seed ^ 0x5eed);
    let mut server = scenario.server.clone();
    let own = match &scenario.rates {
        Rates::Own(rates) => rates.clone(),
        Rates::Published | Rates::Unlimited => Vec::new(),
    };
    let mut books: Vec<(usize, i64, VecDeque<i64>)> = own
        .iter()
        .map(|rate| {
            (
                rate.count.get() as usize,
                rate.per.as_millis() as i64,
                VecDeque::new(),
            )
        })
        .collect();
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
        for (_, length, log) in &mut books {
            while log.front().is_some_and(|start| start + *length <= now) {
                log.pop_front();
            }
        }
        if server.would_allow(now) && books.iter().all(|(count, _, log)| log.len() < *count) {
            let _ = server.serve(now, false);
            books.iter_mut().for_each(|(_, _, log)| log.push_back(now));
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
