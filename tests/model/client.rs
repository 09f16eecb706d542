//! A client in virtual time: altfill's own limiter, asked as the runner asks it, with restarts; and an ideal one beside
//! it that knows all and has no way to go.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use altfill::{
    answer::{Limits, Told, WindowKind},
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
/// Milliseconds between two probes in an outage.
const PROBES: i64 = 10_000;
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
fn others(server: &mut Server, next: &mut i64, mean: i64, random: &mut Random, now: i64) {
    while mean > 0 && *next <= now {
        let _ = server.serve(*next, false);
        *next += 1 + random.below(2 * mean as u64) as i64;
    }
}

/// A moment at which something happens to a request, by its number.
type Due = Reverse<(i64, u64)>;

/// A request on its way.
struct Flight {
    ticket: Ticket,
    started: i64,
    /// Whether it was known when it started that it would be refused.
    was_forbidden: bool,
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
    /// Whether it shows at `now` by the server's clock that one more would be refused, behind `uncounted` others of ours.
    fn forbids(&self, now: i64, uncounted: usize) -> bool {
        let windows = &self.limits.windows;
        windows
            .iter()
            .any(|told| told.reset.0 > now && told.remaining as usize <= uncounted)
    }
}

/// Runs altfill's limiter against the server.
pub fn run(scenario: &Scenario) -> Result {
    Simulation::of(scenario).run()
}

struct Simulation<'s> {
    scenario: &'s Scenario,
    random: Random,
    other_random: Random,
    server: Server,
    result: Result,
    now: i64,
    next_other: i64,
    last_start: i64,
    limiter: Limiter,
    /// When requests were answered, or are given up: what the next process reads from the journal.
    past: VecDeque<i64>,
    told: Vec<Told>,
    arrivals: BinaryHeap<Due>,
    answers: BinaryHeap<Due>,
    flights: HashMap<u64, Flight>,
    newest: Option<Known>,
    next_flight: u64,
}

impl<'s> Simulation<'s> {
    fn of(scenario: &'s Scenario) -> Self {
        Self {
            scenario,
            random: Random::new(scenario.seed),
            other_random: Random::new(scenario.seed ^ 0x5eed),
            server: scenario.server.clone(),
            result: Result::default(),
            now: 0,
            next_other: scenario.other,
            last_start: i64::MIN / 2,
            limiter: Limiter::new(&scenario.rates, &Past::default()),
            past: VecDeque::new(),
            told: Vec::new(),
            arrivals: BinaryHeap::new(),
            answers: BinaryHeap::new(),
            flights: HashMap::new(),
            newest: None,
            next_flight: 0,
        }
    }

    fn run(mut self) -> Result {
        while self.now < self.scenario.length {
            if let Some(end) = within(&self.scenario.restarts, self.now) {
                self.restart(end);
                continue;
            }
            while let Some(id) = due(&mut self.arrivals, self.now) {
                self.arrive(id);
            }
            while let Some((_, id)) = due(&mut self.answers, self.now) {
                self.answer(id);
            }
            match self.opening() {
                Opening::Now => self.start(),
                Opening::At(moment) => self.sleep(Some(moment.0)),
                Opening::AfterAnswer => self.sleep(None),
            }
        }
        self.result
    }

    fn others(&mut self, now: i64) {
        others(
            &mut self.server,
            &mut self.next_other,
            self.scenario.other,
            &mut self.other_random,
            now,
        );
    }

    /// Killed: what is in flight still reaches the server, and its answers nobody. Started again at `end`.
    fn restart(&mut self, end: i64) {
        while let Some(Reverse((arrival, _))) = self.arrivals.pop() {
            self.others(arrival);
            self.result.accepted += u64::from(self.server.serve(arrival, false).0 == 200);
        }
        let unknown = self.flights.len();
        self.past
            .extend(self.flights.values().map(|flight| flight.started + TIMEOUT));
        self.flights.clear();
        self.answers.clear();
        self.now = end;
        let ended: Vec<_> = self.past.iter().map(|ended| at(*ended)).collect();
        let told = self.told.iter().map(|told| (*told, unknown)).collect();
        self.limiter = Limiter::new(
            &self.scenario.rates,
            &Past {
                account: ended.clone(),
                app: ended,
                told,
            },
        );
    }

    /// A request reaches the server.
    fn arrive(&mut self, (moment, id): (i64, u64)) {
        self.others(moment);
        if within(&self.scenario.outages, moment).is_some() {
            return;
        }
        let headers = self.scenario.silent == 0 || self.random.below(self.scenario.silent) > 0;
        let answer = self.server.serve(moment, headers);
        let flight = self.flights.get_mut(&id);
        if answer.0 == 200 {
            self.result.accepted += 1;
        } else {
            self.result.refused += 1;
            // With nobody else there, our own books tell it all.
            let was_forbidden = flight.as_ref().is_some_and(|flight| flight.was_forbidden);
            self.result.avoidable += u64::from(was_forbidden || self.scenario.other == 0);
        }
        if let Some(flight) = flight {
            (flight.answer, flight.accepted) = (Some(answer), self.result.accepted);
        }
    }

    /// An answer reaches us, or a request has failed.
    fn answer(&mut self, id: u64) {
        let Some(Flight {
            ticket,
            answer,
            accepted,
            ..
        }) = self.flights.remove(&id)
        else {
            return;
        };
        let said = answer.as_ref().map(|(status, limits)| (*status, limits));
        self.limiter.end(ticket, at(self.now), said);
        let tells = answer.filter(|(_, limits)| !limits.windows.is_empty());
        let is_newest = self
            .newest
            .as_ref()
            .is_none_or(|newest| newest.accepted <= accepted);
        if let Some((_, limits)) = tells.filter(|_| is_newest) {
            self.newest = Some(Known { limits, accepted });
        }
        self.past.push_back(self.now);
        self.told = self.limiter.told().collect();
        while self
            .past
            .front()
            .is_some_and(|ended| ended + 90_000_000 < self.now)
        {
            self.past.pop_front();
        }
    }

    /// When the next request may start: as the runner asks, with its workers, its pace and its probes in an outage.
    fn opening(&mut self) -> Opening {
        let is_outage = within(&self.scenario.outages, self.now).is_some();
        if self.flights.len() >= WORKERS || (is_outage && !self.flights.is_empty()) {
            return Opening::AfterAnswer;
        }
        let gap = if is_outage { PROBES } else { PACE };
        match self.limiter.opening(at(self.now)) {
            Opening::Now if self.now - self.last_start < gap => {
                Opening::At(at(self.last_start + gap))
            }
            other => other,
        }
    }

    fn start(&mut self) {
        let ticket = self.limiter.start(at(self.now));
        self.last_start = self.now;
        let mut way = || 1 + self.random.below(self.scenario.latency as u64) as i64;
        let (up, down) = (way(), way());
        self.next_flight += 1;
        self.arrivals
            .push(Reverse((self.now + up, self.next_flight)));
        self.answers
            .push(Reverse((self.now + up + down, self.next_flight)));
        let was_forbidden = self.newest.as_ref().is_some_and(|newest| {
            let is_counted =
                |flight: &&Flight| flight.answer.is_some() && flight.accepted <= newest.accepted;
            let uncounted = self
                .flights
                .values()
                .filter(|flight| !is_counted(flight))
                .count();
            newest.forbids(self.now + self.server.skew, uncounted)
        });
        let flight = Flight {
            ticket,
            started: self.now,
            was_forbidden,
            answer: None,
            accepted: 0,
        };
        self.flights.insert(self.next_flight, flight);
    }

    /// On to when something changes.
    fn sleep(&mut self, until: Option<i64>) {
        let events = [self.arrivals.peek(), self.answers.peek()];
        let events = events
            .into_iter()
            .flatten()
            .map(|Reverse((moment, _))| *moment);
        let restarts = self
            .scenario
            .restarts
            .iter()
            .map(|(from, _)| *from)
            .filter(|from| *from > self.now);
        let wake = events.chain(restarts).chain(until).min();
        self.now = wake
            .expect("something is in flight, or a moment is known")
            .max(self.now + 1);
    }
}

/// What is due in `queue` by `now`.
fn due(queue: &mut BinaryHeap<Due>, now: i64) -> Option<(i64, u64)> {
    queue.peek().filter(|Reverse((moment, _))| *moment <= now)?;
    queue.pop().map(|Reverse(due)| due)
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
            for (_, _, log) in &mut books {
                log.push_back(now);
            }
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
