#![no_main]
//! Headers: a block of `name: value` lines, read as an answer's, and handed to the limiter as several answers' would be.
//! No header may make it wait longer than a day and the hour that is allowed for clocks.

use std::{collections::HashMap, time::Duration};

use altfill::{
    answer::{Limits, RetryAfter, WindowKind},
    limiter::{Limiter, Opening},
    rate::{Past, Rates},
    time::Timestamp,
};
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp(1_740_787_200_000);
const STATUSES: [u16; 8] = [200, 429, 503, 401, 403, 404, 400, 302];

fn headers(block: &str) -> HashMap<String, &str> {
    block
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value))
        .collect()
}

fuzz_target!(|data: &str| {
    let mut limiter = Limiter::new(&Rates::Unlimited, &Past::default());
    let mut now = NOW;
    for (block, status) in data.split("\n\n").take(16).zip(STATUSES.iter().cycle()) {
        let headers = headers(block);
        let header = |name: &str| headers.get(name).copied();
        let limits = Limits::read(header);
        hold(&limits, header);

        let ticket = limiter.start(now);
        now = now + Duration::from_millis(250);
        limiter.end(ticket, now, Some((*status, &limits)));
        match limiter.opening(now) {
            Opening::Now => {}
            // Nothing is on its way that could be waited for.
            Opening::AfterAnswer => panic!("nothing would ever start"),
            Opening::At(moment) => {
                assert!(moment > now);
                assert!(moment.since(now) <= Duration::from_hours(26), "{moment}");
            }
        }
        for told in limiter.told() {
            let _ = (told.reset.to_string(), told.reset.local_date_time());
        }
    }
});

fn hold<'a>(limits: &Limits, header: impl Fn(&str) -> Option<&'a str>) {
    let kinds: Vec<WindowKind> = limits.windows.iter().map(|told| told.kind).collect();
    assert!(kinds.is_sorted_by(|a, b| a < b), "each once: {kinds:?}");
    for told in &limits.windows {
        let number = |end: &str| {
            let text = header(&format!("{}-{end}", told.kind.prefix()))?;
            text.trim().parse::<i64>().ok()
        };
        assert_eq!(number("remaining"), Some(told.remaining.into()));
        assert!(told.reset > Timestamp(0));
        assert!(number("reset").is_some_and(|reset| Timestamp::from_seconds(reset) == told.reset));
        if let Some(limit) = told.limit {
            assert_eq!(number("limit"), Some(limit.into()));
        }
    }
    match limits.retry_after {
        None => {}
        Some(RetryAfter::Delay(delay)) => {
            assert!(header("retry-after").is_some());
            assert!(delay <= Duration::from_secs(u32::MAX.into()));
        }
        Some(RetryAfter::Date(date)) => {
            let _ = (date.to_string(), date.local_time());
        }
    }
    if let Some(date) = limits.date {
        let _ = (date.to_string(), date.local_time(), date - Duration::MAX);
    }
}
