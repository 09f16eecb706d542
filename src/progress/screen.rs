//! The line of the terminal on which the bar is drawn.
//!
//! Owns how wide it is taken to be: a little narrower than it is, so that the `^C` that a terminal writes behind the bar
//! stays on the bar's line, and goes with it. The cursor never leaves that line.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use indicatif::TermLike;

use super::COLUMNS;

/// What a terminal writes of a key that stops a run.
const ECHO: usize = "^C".len();

/// How many columns the bar has.
pub(super) fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr())
        .map_or(COLUMNS, |(columns, _)| usize::from(columns.0))
        .saturating_sub(ECHO)
}

/// Standard error, line by line: what is drawn goes out as a whole.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<String>);

impl Screen {
    fn add(&self, text: &str) {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.push_str(text);
    }

    fn step(&self, count: usize, way: char) {
        if count > 0 {
            self.add(&format!("\x1b[{count}{way}"));
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(columns().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.step(count, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.step(count, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.step(count, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.step(count, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text);
        self.add("\n");
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut stderr = io::stderr().lock();
        stderr.write_all(drawn.as_bytes())?;
        stderr.flush()
    }
}
