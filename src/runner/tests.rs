//! Whole runs in virtual time: a queue in memory, an API that is a function, and tokio's paused clock.

use std::{
    collections::{BTreeMap, HashSet},
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::*;
use crate::{
    answer::{Body, Limits, Reply, Told, WindowKind},
    item::{MediaId, State},
    limiter::pace,
    metadata::Metadata,
    outcome::{Cause, Stop},
    rate::{Past, Rates},
};

/// An item in memory, as the journal would keep it.
#[derive(Debug, Clone)]
struct Item {
    state: State,
    failures: u32,
    not_before: Option<Timestamp>,
    cause: Option<Cause>,
}

#[derive(Debug, Default)]
struct Memory {
    items: Arc<Mutex<BTreeMap<i64, Item>>>,
    next_attempt: i64,
}

impl Queue for Memory {
    async fn claim(
        &mut self,
        after: i64,
        now: Timestamp,
        claimed: &HashSet<i64>,
        most: usize,
    ) -> Result<Vec<Due>, Error> {
        let items = self.items.lock().unwrap();
        let retries = items
            .iter()
            .filter(|(_, item)| item.not_before.is_some_and(|at| at <= now));
        let fresh = items
            .range(after + 1..)
            .filter(|(_, item)| item.not_before.is_none());
        let due = retries
            .chain(fresh)
            .filter(|(id, item)| item.state == State::Pending && !claimed.contains(id));
        let due = due.take(most).map(|(id, item)| Due {
            item_id: *id,
            media_id: id.to_string().parse().unwrap(),
            wanted: Metadata::default().into(),
            attempts: 0,
            failures: item.failures,
            is_retry: item.not_before.is_some(),
        });
        Ok(due.collect())
    }

    async fn next_retry(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        Ok(self
            .items
            .lock()
            .unwrap()
            .values()
            .filter_map(|item| item.not_before)
            .filter(|at| *at > now)
            .min())
    }

    fn next_attempt(&mut self) -> i64 {
        self.next_attempt += 1;
        self.next_attempt
    }

    async fn record(
        &mut self,
        settled: &[Settled],
        starts: &[Start],
        _: &[Told],
        _: Timestamp,
    ) -> Result<(), Error> {
        let mut items = self.items.lock().unwrap();
        for settled in settled {
            let item = items.get_mut(&settled.item_id).unwrap();
            assert_eq!(
                item.state,
                State::Sending,
                "an outcome of an item that was not sent"
            );
            item.cause.clone_from(&settled.cause);
            match settled.next {
                Next::Done => item.state = State::Done,
                Next::Failed => item.state = State::Failed,
                Next::Again { at, counts } => {
                    item.state = State::Pending;
                    item.failures += u32::from(counts);
                    item.not_before = Some(at);
                }
            }
        }
        for start in starts {
            let item = items.get_mut(&start.item_id).unwrap();
            assert_eq!(item.state, State::Pending, "an item that starts twice");
            item.state = State::Sending;
            item.not_before = None;
        }
        Ok(())
    }
}

/// What the API does with the how-many-th request for an item, so many after the start: how long it takes, and says what.
type Answers = dyn Fn(i64, u32, Duration) -> (Duration, Reply) + Send + Sync;

#[derive(Clone)]
struct Server {
    began: Instant,
    answers: Arc<Answers>,
    items: Arc<Mutex<BTreeMap<i64, Item>>>,
    /// When which item arrived.
    seen: Arc<Mutex<Vec<(Duration, i64)>>>,
    in_flight: Arc<Mutex<(usize, usize)>>,
    renewals: Arc<Mutex<u32>>,
    renews: bool,
    /// How long a token lives, where that is known.
    life: Option<Duration>,
    /// Until when no token can be had.
    unreachable: Duration,
}

impl Api for Server {
    async fn send(&self, media_id: &MediaId, _: &Metadata) -> Answered {
        let id: i64 = media_id.as_str().parse().unwrap();
        assert_eq!(
            self.items.lock().unwrap()[&id].state,
            State::Sending,
            "sent before it was written down"
        );
        let at = self.began.elapsed();
        let nth = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((at, id));
            u32::try_from(seen.iter().filter(|(_, other)| *other == id).count()).unwrap()
        };
        let generation = *self.renewals.lock().unwrap();
        {
            let mut in_flight = self.in_flight.lock().unwrap();
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        let (delay, reply) = (self.answers)(id, nth, at);
        sleep(delay).await;
        self.in_flight.lock().unwrap().0 -= 1;
        Answered {
            reply,
            generation,
            is_over: false,
        }
    }

    fn renew_at(&self) -> Option<Timestamp> {
        let renewals = u64::from(*self.renewals.lock().unwrap());
        let life = self.life?;
        Some(START + life * u32::try_from(renewals + 1).unwrap())
    }

    async fn renew(&self, generation: u32) -> Result<u32, NoToken> {
        sleep(Duration::from_millis(300)).await;
        if self.began.elapsed() < self.unreachable {
            return Err(NoToken::Unreachable("nobody is there".to_owned()));
        }
        let mut renewals = self.renewals.lock().unwrap();
        if !self.renews {
            return Err(NoToken::Access("there is no other".to_owned()));
        }
        if *renewals == generation {
            *renewals += 1;
        }
        Ok(*renewals)
    }
}

/// When each run begins.
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Finished {
    summary: Summary,
    items: BTreeMap<i64, Item>,
    seen: Vec<(Duration, i64)>,
    most_in_flight: usize,
    events: Vec<Event>,
    took: Duration,
    renewals: u32,
}

impl Finished {
    fn count(&self, state: State) -> usize {
        self.items
            .values()
            .filter(|item| item.state == state)
            .count()
    }
}

struct Setting {
    count: i64,
    rates: Rates,
    pace: u32,
    options: Options,
    renews: bool,
    life: Option<Duration>,
    unreachable: Duration,
    signals: watch::Receiver<Signals>,
    sender: watch::Sender<Signals>,
}

impl Setting {
    fn of(count: i64) -> Self {
        let (sender, signals) = watch::channel(Signals::default());
        let options = Options {
            halt_after: 0,
            max_failures: Share::Percent(100.0),
            ..Options::default()
        };
        Self {
            count,
            rates: Rates::Unlimited,
            pace: 1_000,
            options,
            renews: false,
            life: None,
            unreachable: Duration::ZERO,
            signals,
            sender,
        }
    }

    async fn run(
        self,
        answers: impl Fn(i64, u32, Duration) -> (Duration, Reply) + Send + Sync + 'static,
    ) -> Finished {
        let clock = Clock::following(START);
        let item = Item {
            state: State::Pending,
            failures: 0,
            not_before: None,
            cause: None,
        };
        let items = Arc::new(Mutex::new(
            (1..=self.count)
                .map(|id| (id, item.clone()))
                .collect::<BTreeMap<_, _>>(),
        ));
        let began = Instant::now();
        let server = Server {
            began,
            answers: Arc::new(answers),
            items: items.clone(),
            seen: Arc::default(),
            in_flight: Arc::default(),
            renewals: Arc::default(),
            renews: self.renews,
            life: self.life,
            unreachable: self.unreachable,
        };
        let mut events = Vec::new();
        let mut tell = |event: &Event| events.push(event.clone());
        let options = Options {
            started: clock.now(),
            ..self.options
        };
        let limiter = Limiter::new(&self.rates, &Past::default());
        let pace = pace(&self.rates, NonZeroU32::new(self.pace).unwrap());
        let queue = Memory {
            items: items.clone(),
            next_attempt: 0,
        };
        let runner = Runner::new(
            queue,
            server.clone(),
            limiter,
            pace,
            clock,
            options,
            self.signals,
            &mut tell,
        );
        let summary = runner.run().await.unwrap();
        let took = began.elapsed();
        let (items, seen) = (
            items.lock().unwrap().clone(),
            server.seen.lock().unwrap().clone(),
        );
        let (most_in_flight, renewals) = (
            server.in_flight.lock().unwrap().1,
            *server.renewals.lock().unwrap(),
        );
        Finished {
            summary,
            items,
            seen,
            most_in_flight,
            events,
            took,
            renewals,
        }
    }
}

const QUICK: Duration = Duration::from_millis(50);

fn done() -> (Duration, Reply) {
    (QUICK, Reply::complete(200, "{}"))
}

fn status(status: u16) -> (Duration, Reply) {
    (QUICK, Reply::complete(status, r#"{"type":"about:blank"}"#))
}

fn problem(status: u16, kind: &str) -> (Duration, Reply) {
    (
        QUICK,
        Reply::complete(
            status,
            format!(r#"{{"type":"https://api.x.com/2/problems/{kind}","title":"T"}}"#),
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn every_item_is_sent_once_and_done() {
    let run = Setting::of(1_000).run(|_, _, _| done()).await;
    assert_eq!(
        (
            run.summary.done,
            run.summary.requests,
            run.count(State::Done)
        ),
        (1_000, 1_000, 1_000)
    );
    assert_eq!(run.summary.ending, None);
    let ids: HashSet<_> = run.seen.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_there_are_workers_and_no_fewer() {
    let mut setting = Setting::of(100);
    setting.options.workers = NonZeroUsize::new(7).unwrap();
    let run = setting.run(|_, _, _| done()).await;
    assert_eq!(run.most_in_flight, 7);
    // 100 in groups of 7, each taking 50 ms.
    assert!(run.took < Duration::from_millis(900), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_kept_exactly_and_used_to_the_full() {
    let mut setting = Setting::of(50);
    setting.rates = Rates::Own(vec!["10/1m".parse().unwrap()]);
    let run = setting.run(|_, _, _| done()).await;
    for (index, (start, _)) in run.seen.iter().enumerate() {
        let within = run.seen[index..]
            .iter()
            .filter(|(other, _)| other.saturating_sub(*start) < Duration::from_secs(60))
            .count();
        assert!(within <= 10, "{within} starts in a minute from {start:?}");
    }
    // Five windows: four minutes, and what answers and timers take.
    assert!(
        run.took >= Duration::from_secs(240) && run.took < Duration::from_secs(242),
        "{:?}",
        run.took
    );
    assert!(run.events.iter().any(|event| matches!(
        event,
        Event::Waiting {
            why: Wait::Window,
            ..
        }
    )));
}

#[tokio::test(start_paused = true)]
async fn starts_keep_governors_pace_within_the_windows() {
    let mut setting = Setting::of(100);
    (setting.rates, setting.pace) = (Rates::Published, 20);
    let run = setting.run(|_, _, _| done()).await;
    let gaps: Vec<_> = run
        .seen
        .windows(2)
        .map(|pair| pair[1].0.saturating_sub(pair[0].0))
        .collect();
    assert!(
        gaps.iter().all(|gap| *gap >= Duration::from_millis(49)),
        "{gaps:?}"
    );
    assert!(run.took < Duration::from_millis(5_200), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_retry_holds_no_worker() {
    let mut setting = Setting::of(5);
    setting.options.workers = NonZeroUsize::MIN;
    let run = setting
        .run(|id, nth, _| {
            if id == 1 && nth == 1 {
                status(500)
            } else {
                done()
            }
        })
        .await;
    let order: Vec<_> = run.seen.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [1, 2, 3, 4, 5, 1]);
    assert_eq!((run.summary.done, run.summary.retries), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn an_item_fails_after_so_many_attempts_and_keeps_its_cause() {
    let run = Setting::of(3)
        .run(|id, _, _| if id == 2 { status(500) } else { done() })
        .await;
    assert_eq!(run.seen.iter().filter(|(_, id)| *id == 2).count(), 5);
    assert_eq!(
        (run.items[&2].state, run.items[&2].cause.clone()),
        (State::Failed, Some(Cause::SERVER_ERROR))
    );
    assert_eq!(
        (run.summary.done, run.summary.failed, run.summary.requests),
        (2, 1, 7)
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_fails_at_once_and_the_others_go_on() {
    let run = Setting::of(10)
        .run(|id, _, _| {
            if id == 3 {
                problem(404, "resource-not-found")
            } else {
                done()
            }
        })
        .await;
    assert_eq!(
        (run.summary.done, run.summary.failed, run.summary.requests),
        (9, 1, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_429_everyone_waits_until_the_reset_and_no_attempt_is_counted() {
    let reset = Timestamp::from_seconds(1_800_000_300);
    let exhausted = move || {
        let told = Told {
            kind: WindowKind::Endpoint,
            limit: Some(500),
            remaining: 0,
            reset,
        };
        let limits = Limits {
            windows: vec![told],
            ..Limits::default()
        };
        let body = Body::Complete(br#"{"type":"about:blank","status":429}"#.to_vec());
        (
            QUICK,
            Reply::Answered {
                status: 429,
                body,
                limits,
            },
        )
    };
    let mut setting = Setting::of(100);
    setting.options.max_attempts = 1;
    let run = setting
        .run(move |id, _, at| {
            if at < Duration::from_secs(300) && id > 20 {
                exhausted()
            } else {
                done()
            }
        })
        .await;
    assert_eq!((run.summary.done, run.summary.failed), (100, 0));
    assert!(
        run.summary.rate_limited >= 1 && run.summary.rate_limited <= 8,
        "{}",
        run.summary.rate_limited
    );
    let between = |from: u64, to: u64| {
        let range = Duration::from_secs(from)..Duration::from_secs(to);
        run.seen.iter().filter(|(at, _)| range.contains(at)).count()
    };
    assert_eq!(between(1, 300), 0);
    assert!(between(300, 303) > 70);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_tells_nothing_pauses_for_15_seconds_then_longer() {
    let run = Setting::of(1)
        .run(|_, nth, _| if nth <= 3 { status(429) } else { done() })
        .await;
    let at: Vec<_> = run.seen.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(at, [0, 15, 45, 105]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_and_costs_no_attempt() {
    let mut setting = Setting::of(200);
    setting.renews = true;
    setting.options.max_attempts = 1;
    let run = setting
        .run(|id, nth, at| {
            let has_expired = at >= Duration::from_secs(1) && at < Duration::from_millis(1_050);
            if has_expired && nth == 1 && id > 0 {
                status(401)
            } else {
                done()
            }
        })
        .await;
    assert_eq!((run.summary.done, run.renewals), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_again_ends_the_run_with_all_items_pending() {
    for renews in [true, false] {
        let mut setting = Setting::of(50);
        setting.renews = renews;
        let run = setting.run(|_, _, _| status(401)).await;
        assert!(
            matches!(
                run.summary.ending,
                Some(Ending::Refused(Stop::Access, _, _))
            ),
            "{:?}",
            run.summary.ending
        );
        assert_eq!(run.count(State::Pending), 50);
        assert!(run.summary.requests <= 16, "{}", run.summary.requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_end_and_nothing_starts_meanwhile() {
    let mut setting = Setting::of(2_000);
    setting.renews = true;
    setting.pace = 100;
    setting.life = Some(Duration::from_secs(5));
    let run = setting.run(|_, _, _| done()).await;
    assert_eq!(run.summary.done, 2_000);
    assert!(run.renewals >= 2, "{}", run.renewals);
    let renewing = |at: &Duration| at.as_millis() % 5_000 < 300 && at.as_secs() >= 5;
    let meanwhile = run.seen.iter().filter(|(at, _)| renewing(at)).count();
    assert_eq!(meanwhile, 0);
}

#[tokio::test(start_paused = true)]
async fn where_no_token_can_be_had_for_a_while_the_run_waits_and_no_item_pays_for_it() {
    let mut setting = Setting::of(100);
    setting.renews = true;
    setting.options.max_attempts = 1;
    setting.unreachable = Duration::from_mins(5);
    let run = setting
        .run(|_, _, at| {
            if at < Duration::from_mins(5) {
                status(401)
            } else {
                done()
            }
        })
        .await;
    assert_eq!((run.summary.done, run.renewals), (100, 1));
    assert!(run.summary.requests <= 108, "{}", run.summary.requests);
    assert!(run.took < Duration::from_secs(340), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn where_no_token_can_be_had_for_too_long_the_run_ends_as_in_an_outage() {
    let mut setting = Setting::of(100);
    setting.renews = true;
    setting.unreachable = Duration::from_hours(1);
    let run = setting.run(|_, _, _| status(401)).await;
    assert!(
        matches!(run.summary.ending, Some(Ending::Outage(_))),
        "{:?}",
        run.summary.ending
    );
    assert_eq!(run.count(State::Pending), 100);
    assert!(run.took < Duration::from_mins(17), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn money_ends_the_run_and_what_is_in_flight_still_counts() {
    let run = Setting::of(100)
        .run(|id, _, _| match id {
            10 => problem(429, "usage-capped"),
            11 => (Duration::from_secs(3), Reply::complete(200, "{}")),
            _ => done(),
        })
        .await;
    assert!(matches!(
        run.summary.ending,
        Some(Ending::Refused(Stop::Money, _, _))
    ));
    assert_eq!(run.items[&11].state, State::Done);
    assert_eq!(run.items[&10].state, State::Pending);
    assert_eq!(run.count(State::Done) + run.count(State::Pending), 100);
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_item_an_attempt_and_is_over_within_3_seconds() {
    for attempts in [1, 3] {
        let mut setting = Setting::of(2_000);
        (setting.rates, setting.pace) = (Rates::Own(vec!["1000000/15m".parse().unwrap()]), 50);
        setting.options.max_attempts = attempts;
        let (from, to) = (Duration::from_secs(10), Duration::from_secs(30));
        let run = setting
            .run(move |_, _, at| {
                if (from..to).contains(&at) {
                    (QUICK, Reply::NoConnection("refused".to_owned()))
                } else {
                    done()
                }
            })
            .await;
        assert_eq!(
            (run.summary.done, run.summary.failed),
            (2_000, 0),
            "{attempts}"
        );
        let next = run
            .seen
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| *at >= to)
            .min()
            .unwrap();
        assert!(next < to + Duration::from_secs(3), "{next:?}");
        let probes = run
            .seen
            .iter()
            .filter(|(at, _)| (from..to).contains(at))
            .count();
        assert!((15..60).contains(&probes), "{probes} probes");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_too_long_ends_the_run_with_all_items_pending() {
    let mut setting = Setting::of(100);
    setting.options.max_outage = Duration::from_secs(120);
    let run = setting
        .run(|_, _, _| (QUICK, Reply::complete(503, "")))
        .await;
    assert!(
        matches!(run.summary.ending, Some(Ending::Outage(_))),
        "{:?}",
        run.summary.ending
    );
    assert_eq!(run.count(State::Pending), 100);
    assert!(
        run.took >= Duration::from_secs(120) && run.took < Duration::from_secs(150),
        "{:?}",
        run.took
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_that_never_answers_is_out_of_reach_also_for_a_few_items() {
    let run = Setting::of(2)
        .run(|_, _, _| (QUICK, Reply::NoConnection("refused".to_owned())))
        .await;
    assert!(
        matches!(run.summary.ending, Some(Ending::Outage(_))),
        "{:?}",
        run.summary.ending
    );
    assert_eq!(run.count(State::Pending), 2);
    assert!(run.took < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn one_item_that_times_out_among_others_that_do_not_fails() {
    let run = Setting::of(30)
        .run(|id, _, _| {
            if id == 4 {
                (QUICK, Reply::TimedOut)
            } else {
                done()
            }
        })
        .await;
    assert_eq!((run.summary.done, run.summary.failed), (29, 1));
    assert_eq!(run.items[&4].cause, Some(Cause::TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn a_signal_stops_starting_and_waits_for_what_is_in_flight() {
    let setting = Setting::of(1_000);
    let sender = setting.sender.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        sender.send_modify(|signals| signals.first = Some(15));
        // The receiver must see a sender for as long as the run goes on.
        std::future::pending::<()>().await;
        drop(sender);
    });
    let run = setting
        .run(|_, _, _| (Duration::from_millis(700), Reply::complete(200, "{}")))
        .await;
    assert_eq!(run.summary.ending, Some(Ending::Signal(15)));
    assert_eq!(run.summary.cut_off, 0);
    assert_eq!(run.count(State::Done), 24, "three rounds of eight");
    assert_eq!(run.count(State::Pending), 976);
    assert!(run.took < Duration::from_millis(2_200), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_stop_timeout_stays_sending() {
    let mut setting = Setting::of(1_000);
    setting.options.stop_timeout = Duration::from_secs(5);
    let sender = setting.sender.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        sender.send_modify(|signals| signals.first = Some(2));
        std::future::pending::<()>().await;
    });
    let run = setting
        .run(|_, _, _| (Duration::from_secs(30), Reply::complete(200, "{}")))
        .await;
    assert_eq!((run.summary.cut_off, run.count(State::Sending)), (8, 8));
    assert!(
        run.took >= Duration::from_secs(7) && run.took < Duration::from_millis(7_100),
        "{:?}",
        run.took
    );
}

#[tokio::test(start_paused = true)]
async fn so_many_items_are_started_and_their_retries_are_still_sent() {
    let mut setting = Setting::of(100);
    setting.options.max_items = Some(10);
    let run = setting
        .run(|id, nth, _| {
            if id == 10 && nth == 1 {
                status(500)
            } else {
                done()
            }
        })
        .await;
    assert_eq!(
        (run.count(State::Done), run.count(State::Pending)),
        (10, 90)
    );
    assert_eq!(
        (run.summary.requests, run.summary.ending),
        (11, Some(Ending::MaxItems))
    );
}

#[tokio::test(start_paused = true)]
async fn spending_stops_before_the_cap() {
    let mut setting = Setting::of(100);
    setting.options.max_spend = Some(0.1);
    let run = setting.run(|_, _, _| done()).await;
    assert_eq!(
        (run.summary.spent, run.summary.ending),
        (20, Some(Ending::MaxSpend))
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_in_its_time_and_does_not_wait_beyond_it() {
    let mut setting = Setting::of(100);
    setting.rates = Rates::Own(vec!["10/1h".parse().unwrap()]);
    setting.options.max_duration = Some(Duration::from_secs(600));
    let run = setting.run(|_, _, _| done()).await;
    assert_eq!(
        (run.count(State::Done), run.summary.ending),
        (10, Some(Ending::MaxDuration))
    );
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
}

#[tokio::test(start_paused = true)]
async fn a_run_in_which_everything_fails_for_one_cause_is_halted() {
    let mut setting = Setting::of(100);
    setting.options.halt_after = 25;
    let run = setting
        .run(|_, _, _| problem(403, "not-authorized-for-resource"))
        .await;
    assert!(
        matches!(run.summary.ending, Some(Ending::HaltAfter(25, _))),
        "{:?}",
        run.summary.ending
    );
    assert!(run.summary.failed < 25 + 8, "{}", run.summary.failed);
}
