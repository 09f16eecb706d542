//! How a run stands at a moment, and how that is said in one line: for a bar of any width, a log, or a program.
//!
//! Owns the counts that are shown and the words around them. It writes nothing anywhere.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{about, event};
use crate::{
    forecast::Forecast,
    runner::{Ending, Event, Wait},
    time::Timestamp,
};

/// What a bar is drawn of: what is done, and what is left.
const BLOCKS: (char, char) = ('█', '░');
/// The same where the terminal may not know those.
const PLAIN: (char, char) = ('#', '.');
/// The longest a bar gets, and the shortest that is worth its place.
const BAR: (usize, usize) = (24, 8);
/// Up to so many columns words are worth more than a bar.
const NARROW: usize = 39;

/// How a run stands.
#[derive(Debug)]
pub(super) struct Board {
    due: u64,
    done: u64,
    failed: u64,
    again: u64,
    forecast: Forecast,
    began: Instant,
    /// What is waited for, until when, and since when.
    waiting: Option<(Timestamp, Wait, Instant)>,
    /// How long was waited before.
    waited: Duration,
    stopping: Option<Ending>,
}

impl Board {
    /// A run that has `due` images to send, as the windows allow by this forecast.
    pub fn new(due: u64, forecast: Forecast) -> Self {
        Self {
            due,
            done: 0,
            failed: 0,
            again: 0,
            forecast,
            began: Instant::now(),
            waiting: None,
            waited: Duration::ZERO,
            stopping: None,
        }
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Done { .. } => self.done += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Again { .. } => self.again += 1,
            Event::Waiting { until, why } => {
                self.end_wait();
                self.waiting = Some((*until, *why, Instant::now()));
            }
            Event::Resumed => self.end_wait(),
            Event::Stopping(ending) => {
                self.end_wait();
                self.stopping = Some(ending.clone());
            }
            Event::Sent(_) | Event::ClockIsOff(_) => {}
        }
    }

    fn end_wait(&mut self) {
        if let Some((.., since)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
    }

    const fn ended(&self) -> u64 {
        self.done + self.failed
    }

    /// Images a second, while there was no waiting.
    fn rate(&self) -> Option<f64> {
        let waiting = self
            .waiting
            .map_or(Duration::ZERO, |(.., since)| since.elapsed());
        let sending = self.began.elapsed().saturating_sub(self.waited + waiting);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = self.ended() as f64 / sending.as_secs_f64().max(0.001);
        // The first moments say little.
        (self.ended() > 0 && sending > Duration::from_millis(500)).then_some(rate)
    }

    /// How long the rest takes: by the windows or by the pace so far, whichever is longer.
    fn left(&self) -> Option<Duration> {
        let left = self.due.saturating_sub(self.ended());
        if left == 0 {
            return None;
        }
        // Behind the forecast the rest of it stays the same; ahead of it, the end does.
        let behind = self.began.elapsed().min(self.forecast.start(self.ended()));
        let by_windows = self.forecast.time(self.due).saturating_sub(behind);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let by_pace = self
            .rate()
            .map(|rate| Duration::from_secs_f64((left as f64 / rate).min(1e9)));
        match by_pace {
            Some(by_pace) => Some(by_windows.max(by_pace)),
            None => (by_windows > Duration::from_secs(1)).then_some(by_windows),
        }
    }

    /// What is going on beside sending, in full and in short.
    fn state(&self, now: Timestamp) -> Option<(String, String)> {
        if let Some(ending) = &self.stopping {
            return Some((event::stopping(ending), "stopping".to_owned()));
        }
        let (until, why, _) = self.waiting?;
        let time = about(until.since(now));
        let at = event::moment(until, now);
        Some((
            format!("{}; going on at {at}, in {time}", event::reason(why)),
            format!("on at {at}"),
        ))
    }

    /// One line for a terminal of this many columns, with a bar where there is room for one.
    pub fn line(&self, columns: usize, is_plain: bool, now: Timestamp) -> String {
        let columns = columns.saturating_sub(1);
        let count = format!("{}/{}", grouped(self.ended()), grouped(self.due));
        // A bar that comes and goes with the words beside it would be restless: its least place is kept.
        let kept = if columns >= NARROW { BAR.1 + 1 } else { 0 };
        let mut room = columns.saturating_sub(count.chars().count() + kept);
        let mut parts = vec![count];
        let mut add = |part: String| {
            let width = part.chars().count() + 2;
            let fits = width <= room;
            if fits {
                room -= width;
                parts.push(part);
            }
            fits
        };
        let is_waiting = match self.state(now) {
            Some((full, short)) => add(full) || add(short),
            None => false,
        };
        if self.stopping.is_none()
            && let Some(left) = self.left()
        {
            add(format!("{} left", about(left)));
        }
        for (count, what) in [(self.failed, "failed"), (self.again, "sent again")] {
            if count > 0 {
                add(format!("{} {what}", grouped(count)));
            }
        }
        if let Some(rate) = self.rate().filter(|_| !is_waiting) {
            add(format!("{rate:.1}/s"));
        }
        let length = (room + kept).saturating_sub(1).min(BAR.0);
        let text = parts.join("  ");
        if length < BAR.1 {
            return text.chars().take(columns).collect();
        }
        format!("{} {text}", self.bar(length, is_plain))
    }

    fn bar(&self, length: usize, is_plain: bool) -> String {
        let (full, empty) = if is_plain { PLAIN } else { BLOCKS };
        // A bar is full when all is, and not before.
        let filled = usize::try_from(self.ended().saturating_mul(length as u64) / self.due.max(1));
        let filled = filled.unwrap_or(0).min(length);
        std::iter::repeat_n(full, filled)
            .chain(std::iter::repeat_n(empty, length - filled))
            .collect()
    }

    /// One line for a log.
    pub fn words(&self, now: Timestamp) -> String {
        let mut counts = vec![format!("{} done", self.done)];
        for (count, what) in [(self.failed, "failed"), (self.again, "sent again")] {
            if count > 0 {
                counts.push(format!("{count} {what}"));
            }
        }
        let mut line = format!("{} of {}: {}", self.ended(), self.due, counts.join(", "));
        match self.state(now) {
            Some((full, _)) => line = format!("{line}; {full}"),
            None => {
                if let Some(rate) = self.rate() {
                    line = format!("{line}; {rate:.1}/s");
                }
            }
        }
        if self.stopping.is_none()
            && let Some(left) = self.left()
        {
            line = format!("{line}; {} left", about(left));
        }
        line
    }

    /// The same for a program.
    pub fn to_json(&self) -> Value {
        json!({
            "event": "status",
            "due": self.due,
            "done": self.done,
            "failed": self.failed,
            "again": self.again,
            "seconds": self.began.elapsed().as_secs(),
            "seconds_left": self.left().map(|left| left.as_secs()),
            "waiting_until": self.waiting.map(|(until, ..)| until.to_string()),
            "waiting_for": self.waiting.map(|(_, why, _)| event::word(why)),
            "stopping": self.stopping.is_some(),
        })
    }
}

/// A count as people read it: 100,000.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Cause,
        rate::{Past, Rates},
    };

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn board(due: u64, done: u64) -> Board {
        let forecast = Forecast::new(&Rates::Published, &Past::default(), Some(20), NOW);
        let mut board = Board::new(due, forecast);
        board.done = done;
        board
    }

    fn waiting(board: &mut Board, why: Wait) {
        board.see(&Event::Waiting {
            until: NOW + Duration::from_mins(12),
            why,
        });
    }

    #[test]
    fn a_line_is_never_wider_than_the_terminal_and_the_count_is_always_there() {
        let mut boards = [board(100_000, 0), board(100_000, 4_321), board(1, 1)];
        boards[1].failed = 12;
        waiting(&mut boards[1], Wait::Window);
        for board in &boards {
            for columns in 20..=200 {
                let line = board.line(columns, false, NOW);
                assert!(line.chars().count() < columns, "{columns}: {line}");
                assert!(line.contains(&format!("/{}", grouped(board.due))), "{line}");
            }
        }
        // Whatever is left of a line on a terminal that is hardly one.
        assert_eq!(boards[0].line(5, false, NOW), "0/10");
        assert_eq!(boards[0].line(0, false, NOW), "");
    }

    #[test]
    fn what_is_waited_for_and_until_when_is_said_as_far_as_there_is_room() {
        let mut board = board(10_000, 500);
        waiting(&mut board, Wait::Window);
        let wide = board.line(100, false, NOW);
        assert!(
            wide.contains("X's limit is used up; going on at "),
            "{wide}"
        );
        assert!(wide.contains(", in 12 min"), "{wide}");
        let narrow = board.line(40, false, NOW);
        assert!(narrow.contains("  on at "), "{narrow}");
        assert!(!narrow.contains("limit"), "{narrow}");
        let words = board.words(NOW);
        assert!(
            words.starts_with("500 of 10000: 500 done; X's limit is used up"),
            "{words}"
        );
    }

    #[test]
    fn the_time_left_is_that_of_the_windows() {
        let board = board(1_000, 499);
        // 501 more: the 501st of all starts when the first window is over.
        assert_eq!(board.left().map(|left| left.as_secs() / 60), Some(15));
        let words = board.words(NOW);
        assert!(words.contains("16 min left"), "{words}");
    }

    #[test]
    fn a_bar_is_full_when_all_is_and_not_before() {
        assert_eq!(board(3, 3).bar(10, true), "##########");
        assert_eq!(board(100_000, 99_999).bar(10, true), "#########.");
        assert_eq!(board(0, 0).bar(10, false), "░░░░░░░░░░");
    }

    #[test]
    fn failures_and_what_is_sent_again_are_told_once_there_are_some() {
        let mut board = board(10, 2);
        assert_eq!(board.words(NOW), "2 of 10: 2 done");
        board.see(&Event::Failed {
            media_id: "1".to_owned(),
            cause: Cause::TIMEOUT,
            detail: None,
        });
        assert!(board.words(NOW).contains("2 done, 1 failed"));
        assert!(board.line(80, false, NOW).contains("3/10  "));
        assert!(board.line(80, false, NOW).contains("1 failed"));
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }
}
