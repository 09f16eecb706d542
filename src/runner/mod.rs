//! A run: from what is due in the journal to an outcome for each item, within the limits, until nothing is due.
//!
//! One task, the dispatcher, owns everything: it takes due items, asks whether one may start, writes down that it does,
//! lets it go, and settles what came back. Each turn of its loop is one transaction for all outcomes that have come in and
//! all starts that are allowed, so workers share commits and nothing is sent or counted before it is on disk. Workers only
//! send. A retry is a row with a later due time and holds no worker.
//!
//! The runner knows no command line and no terminal: it gets [`Options`], tells [`Event`]s and returns a [`Summary`].

mod event;
mod outage;
mod port;
mod renewal;
mod settling;
mod threshold;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    num::NonZeroUsize,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::sleep,
};

pub use self::{
    event::{Ending, Event, Summary, Wait},
    port::{Answered, Api, JournalQueue, NoToken, Queue},
    threshold::Share,
};
use self::{
    outage::Health,
    renewal::{Need, Renewal},
    threshold::{Failures, deadline, forbids},
};
use crate::{
    failpoint::Point,
    journal::{Due, Error, Next, Settled, Start},
    limiter::{Limiter, Opening, Pace, Ticket},
    time::{Clock, Timestamp},
};

/// What a run shall keep to.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// When it started.
    pub started: Timestamp,
    /// Requests at a time.
    pub workers: NonZeroUsize,
    /// Answered failures after which an item fails.
    pub max_attempts: u32,
    /// How long what is in flight may take when the run is stopped.
    pub stop_timeout: Duration,
    /// Items to start at the most.
    pub max_items: Option<u64>,
    /// Dollars to spend at the most.
    pub max_spend: Option<f64>,
    /// Requests charged for before, that count toward it.
    pub spent_before: u64,
    /// Dollars a request.
    pub price: f64,
    /// How long to go on.
    pub max_duration: Option<Duration>,
    /// Failures in a row for one cause, with none done yet, at which to halt; 0 for never.
    pub halt_after: u32,
    /// How many items may fail.
    pub max_failures: Share,
    /// How long X may be out.
    pub max_outage: Duration,
    /// A token that X has refused before the run began, by its number, where no later one was accepted.
    pub refused: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            started: Timestamp::default(),
            workers: NonZeroUsize::MIN.saturating_add(7),
            max_attempts: 5,
            stop_timeout: Duration::from_secs(20),
            max_items: None,
            max_spend: None,
            spent_before: 0,
            price: 0.005,
            max_duration: None,
            halt_after: 25,
            max_failures: Share::Percent(50.0),
            max_outage: Duration::from_mins(15),
            refused: None,
        }
    }
}

/// What signals have come: none, one (stop) or a second one (leave at once).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// The first one's number.
    pub first: Option<i32>,
    /// Whether another one came.
    pub again: bool,
}

/// A run that goes on.
pub struct Runner<'r, Q, A: Api> {
    queue: Q,
    api: A,
    limiter: Limiter,
    pace: Option<Pace>,
    clock: Clock,
    options: Options,
    signals: watch::Receiver<Signals>,
    tell: &'r mut (dyn FnMut(&Event) + Send),

    ready: VecDeque<Due>,
    claimed: HashSet<i64>,
    /// The last row taken in the order of rows, and whether there are more behind it.
    cursor: i64,
    has_more: bool,
    next_retry: Option<Timestamp>,
    workers: JoinSet<Answered>,
    flights: HashMap<Id, Flight>,
    /// Attempts that got nowhere, of which it is not clear yet whether they are their items' fault or an outage's.
    doubtful: Vec<(Settled, Due)>,
    health: Health,
    /// What was said of the last attempt that got nowhere.
    trouble: Option<String>,
    failures: Failures,
    summary: Summary,
    items: u64,
    longest_answer: Duration,
    renewal: Renewal,
    /// The one renewal that goes on, if one does.
    renewing: JoinSet<Result<u32, NoToken>>,
    /// What came of it, until it is taken.
    renewed: Option<Renewed>,
    waiting: Option<(Timestamp, Wait)>,
    told_offset: bool,
    /// Whether items were left out because of `--max-items`.
    left_out: bool,
    /// Answers that have come and are not taken yet.
    arrived: VecDeque<Arrival>,
    /// When what is in flight is given up, once a signal has come.
    give_up: Option<Timestamp>,
}

/// What comes of a renewal.
type Renewed = Result<Result<u32, NoToken>, JoinError>;

/// What a worker brings back.
type Arrival = Result<(Id, Answered), JoinError>;

/// A request in flight.
struct Flight {
    due: Due,
    attempt_id: i64,
    ticket: Ticket,
    started: Timestamp,
}

impl Flight {
    const fn start(&self) -> Start {
        Start {
            item_id: self.due.item_id,
            attempt_id: self.attempt_id,
            started: self.started,
        }
    }
}

/// What one turn of the loop writes down, and tells when it is written.
#[derive(Default)]
struct Turn {
    settled: Vec<Settled>,
    leaving: Vec<Flight>,
    events: Vec<Event>,
}

/// A wait that people should hear of.
const NOTABLE_WAIT: Duration = Duration::from_secs(2);
/// After which a wait looks again at the clock.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl<'r, Q: Queue, A: Api> Runner<'r, Q, A> {
    /// A run over `queue` that sends by `api` as `limiter` and `pace` allow.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that the run stands on"
    )]
    pub fn new(
        queue: Q,
        api: A,
        limiter: Limiter,
        pace: Option<Pace>,
        clock: Clock,
        options: Options,
        signals: watch::Receiver<Signals>,
        tell: &'r mut (dyn FnMut(&Event) + Send),
    ) -> Self {
        Self {
            queue,
            api,
            limiter,
            pace,
            clock,
            renewal: Renewal::after(options.refused),
            options,
            signals,
            tell,
            ready: VecDeque::new(),
            claimed: HashSet::new(),
            cursor: 0,
            has_more: true,
            next_retry: None,
            workers: JoinSet::new(),
            flights: HashMap::new(),
            doubtful: Vec::new(),
            health: Health::default(),
            trouble: None,
            failures: Failures::default(),
            summary: Summary::default(),
            items: 0,
            longest_answer: Duration::ZERO,
            renewing: JoinSet::new(),
            renewed: None,
            waiting: None,
            told_offset: false,
            left_out: false,
            arrived: VecDeque::new(),
            give_up: None,
        }
    }

    /// Runs until nothing is due or something ends it, and returns what was done.
    ///
    /// # Errors
    /// Where the journal can't be read or written: then it stops at once, and counts nothing that is not on disk.
    pub async fn run(mut self) -> Result<Summary, Error> {
        loop {
            self.heed_signals();
            if self.signals.borrow().again {
                break;
            }
            let mut turn = Turn::default();
            while let Some(answer) = self
                .arrived
                .pop_front()
                .or_else(|| self.workers.try_join_next_with_id())
            {
                self.take_answer(answer, &mut turn);
            }
            while let Some(renewed) = self
                .renewed
                .take()
                .or_else(|| self.renewing.try_join_next())
            {
                self.take_token(renewed, &mut turn);
            }
            self.claim().await?;
            let opening = self.start_what_may(&mut turn);
            self.resolve_doubts(&mut turn);
            if !turn.settled.is_empty() || !turn.leaving.is_empty() {
                self.record(turn).await?;
                continue;
            }
            for event in turn.events {
                (self.tell)(&event);
            }
            if self.flights.is_empty() && self.is_over(opening) {
                if self.left_out && self.summary.ending.is_none() {
                    self.summary.ending = Some(Ending::MaxItems);
                }
                break;
            }
            if !self.wait(opening).await {
                break;
            }
        }
        self.summary.cut_off = (self.flights.len() + self.doubtful.len()) as u64;
        self.let_renewal_end().await;
        Ok(self.summary)
    }

    /// A renewal that was begun is not cut off, unless somebody is in a hurry: its token would be lost.
    async fn let_renewal_end(&mut self) {
        let end = sleep(self.options.stop_timeout);
        tokio::pin!(end);
        while !self.renewing.is_empty() && !self.signals.borrow_and_update().again {
            tokio::select! {
                _ = self.renewing.join_next() => {}
                _ = self.signals.changed() => {}
                () = &mut end => return,
            }
        }
    }

    /// Whether nothing is left to wait for.
    fn is_over(&self, opening: Option<Opening>) -> bool {
        self.summary.ending.is_some()
            || (opening.is_none()
                && self.ready.is_empty()
                && !self.has_more
                && self.next_retry.is_none())
    }

    fn end(&mut self, ending: Ending, events: &mut Vec<Event>) {
        if self.summary.ending.is_none() {
            events.push(Event::Stopping(ending.clone()));
            self.summary.ending = Some(ending);
        }
    }

    fn heed_signals(&mut self) {
        let first = self.signals.borrow().first;
        if let Some(number) =
            first.filter(|_| !matches!(self.summary.ending, Some(Ending::Signal(_))))
        {
            // A signal outranks whatever ended the run before.
            self.summary.ending = Some(Ending::Signal(number));
            self.give_up = Some(self.clock.now() + self.options.stop_timeout);
            (self.tell)(&Event::Stopping(Ending::Signal(number)));
        }
    }

    /// Keeps as many due items at hand as workers may take soon.
    async fn claim(&mut self) -> Result<(), Error> {
        let now = self.clock.now();
        let retry_is_due = self.next_retry.is_some_and(|retry| retry <= now);
        let wanted = self.options.workers.get();
        if self.summary.ending.is_some()
            || self.ready.len() >= wanted
            || !(self.has_more || retry_is_due)
        {
            return Ok(());
        }
        let most = (wanted * 8).max(256);
        let due = self
            .queue
            .claim(self.cursor, now, &self.claimed, most)
            .await?;
        if due.len() < most {
            self.has_more = false;
        }
        self.next_retry = match self.queue.next_retry(now).await? {
            // More retries were due than were asked for: they are asked for at once.
            _ if due.len() == most && due.iter().all(|due| due.is_retry) => Some(now),
            next => next,
        };
        for due in due {
            if !due.is_retry {
                self.cursor = self.cursor.max(due.item_id);
            }
            self.claimed.insert(due.item_id);
            self.ready.push_back(due);
        }
        Ok(())
    }

    /// Starts what may start now. Returns when the next one may, where there is one and a worker is free.
    fn start_what_may(&mut self, turn: &mut Turn) -> Option<Opening> {
        loop {
            let now = self.clock.now();
            let in_flight = self.flights.len() + turn.leaving.len();
            if self.summary.ending.is_some() || in_flight >= self.options.workers.get() {
                return None;
            }
            let is_retry = self.ready.front()?.is_retry;
            let ending = forbids(
                &self.options,
                &self.summary,
                // What is doubtful may have been charged for, and is not counted yet.
                (
                    self.items,
                    in_flight + self.doubtful.len() + turn.settled.len(),
                ),
                is_retry,
                now,
                self.longest_answer,
            );
            match ending {
                // What was started goes on; only further items do not start.
                Some(Ending::MaxItems) => {
                    self.ready.retain(|due| due.is_retry);
                    self.claimed = self.ready.iter().map(|due| due.item_id).collect();
                    (self.has_more, self.left_out) = (false, true);
                    continue;
                }
                Some(ending) => {
                    self.end(ending, &mut turn.events);
                    return None;
                }
                None => {}
            }
            if let Some(opening) = self.await_token(now) {
                return Some(opening);
            }
            let mut opening = self.limiter.opening(now);
            if let Some(probe) = self.health.next_probe() {
                let alone = if in_flight > 0 {
                    Opening::AfterAnswer
                } else {
                    Opening::Now
                };
                opening = opening.and(alone);
                if probe > now {
                    opening = opening.and(Opening::At(probe));
                }
            }
            if opening == Opening::Now
                && let Some(Err(delay)) = self.pace.as_ref().map(Pace::pass)
            {
                opening = Opening::At(now + delay.max(Duration::from_millis(1)));
            }
            if opening != Opening::Now {
                return Some(opening);
            }
            let due = self.ready.pop_front()?;
            let (ticket, attempt_id) = (self.limiter.start(now), self.queue.next_attempt());
            self.items += u64::from(!due.is_retry);
            turn.leaving.push(Flight {
                due,
                attempt_id,
                ticket,
                started: now,
            });
        }
    }

    /// Writes a turn down; when it is on disk its requests leave and its events are told.
    async fn record(&mut self, turn: Turn) -> Result<(), Error> {
        let told: Vec<_> = if turn.settled.is_empty() {
            Vec::new()
        } else {
            self.limiter.told().collect()
        };
        let starts: Vec<_> = turn.leaving.iter().map(Flight::start).collect();
        self.queue
            .record(&turn.settled, &starts, &told, self.clock.now())
            .await?;
        for settled in &turn.settled {
            self.summary.spent += u64::from(settled.spent);
            if let Next::Again { at, .. } = settled.next {
                self.next_retry = Some(self.next_retry.map_or(at, |known| known.min(at)));
            }
        }
        tracing::trace!(
            outcomes = turn.settled.len(),
            starts = starts.len(),
            "on disk"
        );
        Point::TurnCommitted.pass();
        for event in &turn.events {
            (self.tell)(event);
        }
        if !turn.settled.is_empty() {
            Point::OutcomesTold.pass();
        }
        for flight in turn.leaving {
            let due = &flight.due;
            self.claimed.remove(&due.item_id);
            self.summary.requests += 1;
            self.summary.retries += u64::from(due.is_retry);
            let (api, media_id, wanted) =
                (self.api.clone(), due.media_id.clone(), due.wanted.clone());
            let worker = self
                .workers
                // In a box, since a request is some thousand bytes, and a task is moved several times before it starts.
                .spawn(async move { Box::pin(api.send(&media_id, &wanted)).await });
            self.flights.insert(worker.id(), flight);
        }
        if !starts.is_empty() {
            if self.waiting.take().is_some() {
                (self.tell)(&Event::Resumed);
            }
            (self.tell)(&Event::Sent(starts.len()));
            Point::RequestsLeft.pass();
        }
        Ok(())
    }

    /// Waits for an answer, a signal, or the moment at which something can start. Returns whether the run goes on.
    async fn wait(&mut self, opening: Option<Opening>) -> bool {
        let now = self.clock.now();
        let until = match opening {
            Some(Opening::At(at)) => Some(at),
            None if self.flights.len() < self.options.workers.get() => self.next_retry,
            Some(Opening::AfterAnswer | Opening::Now) | None => None,
        };
        let until = until.filter(|_| self.summary.ending.is_none());
        if let Some(until) = until {
            self.tell_wait(until, now);
            // Waiting beyond the end of the time would only make the run end late.
            if self.flights.is_empty()
                && deadline(&self.options).is_some_and(|deadline| until >= deadline)
            {
                let mut events = Vec::new();
                self.end(Ending::MaxDuration, &mut events);
                for event in &events {
                    (self.tell)(event);
                }
                return true;
            }
        }
        if self.give_up.is_some_and(|give_up| give_up <= now) {
            return false;
        }
        let wake = [until, self.give_up].into_iter().flatten().min();
        // Not longer than so: what the machine sleeps through is no time to a timer, and is seen at the next look.
        let pause = wake.map_or(LONGEST_PAUSE, |wake| {
            wake.since(now)
                .clamp(Duration::from_millis(1), LONGEST_PAUSE)
        });
        tokio::select! {
            Some(answer) = self.workers.join_next_with_id() => self.arrived.push_back(answer),
            Some(renewed) = self.renewing.join_next() => self.renewed = Some(renewed),
            () = sleep(pause) => {}
            _ = self.signals.changed() => {}
        }
        true
    }

    fn tell_wait(&mut self, until: Timestamp, now: Timestamp) {
        let why = if self.health.is_outage() {
            Wait::Outage
        } else if self.renewal.next_try() == Some(until) {
            Wait::Token
        } else if self.limiter.paused_until(now).is_some() {
            Wait::RateLimited
        } else if self.ready.is_empty() {
            Wait::Retry
        } else {
            Wait::Window
        };
        let is_notable = until.since(now) >= NOTABLE_WAIT && self.flights.is_empty();
        if is_notable && self.waiting != Some((until, why)) {
            self.waiting = Some((until, why));
            (self.tell)(&Event::Waiting { until, why });
        }
    }
}
