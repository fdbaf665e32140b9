//! How far a long piece of work has come.

use std::time::{Duration, Instant};

use super::figures::{bytes, count, percent};
use super::{Ui, escape_line};

/// Work that ends sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// Time between two updates: ten in a second.
const PERIOD: Duration = Duration::from_millis(100);
/// Calls between two looks at the clock, at most.
const LONGEST_STRIDE: u32 = 1024;

/// Shows on standard error how far a piece of work has come; it is wiped out when dropped.
///
/// It shows nothing before half a second has passed, nothing where standard error is no terminal, and nothing while a
/// pager has the screen. Telling it a value is cheap enough for inner loops.
pub struct Progress<'a> {
    ui: Option<&'a Ui>,
    what: String,
    total: Option<u64>,
    in_bytes: bool,
    value: u64,
    started: Instant,
    /// When the clock was last looked at, how many calls to wait until the next look, and how many are left.
    looked: Instant,
    stride: u32,
    left: u32,
    drawn: Option<Instant>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(ui: &'a Ui, what: &str, total: Option<u64>) -> Self {
        let now = Instant::now();
        Progress {
            ui: ui.shows_progress().then_some(ui),
            what: escape_line(what).into_owned(),
            total,
            in_bytes: false,
            value: 0,
            started: now,
            looked: now,
            stride: 1,
            left: 1,
            drawn: None,
        }
    }

    /// Tells values in bytes instead of in pieces.
    #[must_use]
    pub fn in_bytes(mut self) -> Self {
        self.in_bytes = true;
        self
    }

    /// Tells how much is done.
    pub fn set(&mut self, value: u64) {
        self.value = value;
        if self.ui.is_none() {
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.look(Instant::now());
        }
    }

    /// Tells that more is done.
    pub fn add(&mut self, more: u64) {
        self.set(self.value.saturating_add(more));
    }

    /// Draws when it is time, and decides when to look at the clock again.
    fn look(&mut self, now: Instant) {
        let quick = now.duration_since(self.looked) < Duration::from_millis(2);
        self.stride = if quick { (self.stride * 2).min(LONGEST_STRIDE) } else { 1 };
        self.left = self.stride;
        self.looked = now;
        let due = match self.drawn {
            Some(drawn) => now.duration_since(drawn) >= PERIOD,
            None => now.duration_since(self.started) >= PATIENCE,
        };
        if let (Some(ui), true) = (self.ui, due) {
            ui.draw_progress(&self.text(now));
            self.drawn = Some(now);
        }
    }

    /// Tells the state: `importing: 45% (450/1,000), 90/s`.
    fn text(&self, now: Instant) -> String {
        let tell = if self.in_bytes { bytes } else { count };
        let millis = now.duration_since(self.started).as_millis().max(1);
        let rate = tell(u64::try_from(u128::from(self.value) * 1000 / millis).unwrap_or(u64::MAX));
        let (what, value) = (&self.what, tell(self.value));
        match self.total {
            Some(total) => {
                let share = percent(self.value, total).min(100);
                format!("{what}: {share}% ({value}/{}), {rate}/s", tell(total))
            }
            None => format!("{what}: {value}, {rate}/s"),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let (Some(ui), Some(_)) = (self.ui, self.drawn) {
            ui.draw_progress("");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{Environment, Settings};

    fn terminal() -> Settings {
        let environment = Environment::default().with_terminal().with("TERM", "xterm").with("COLUMNS", "60");
        Settings { environment, ..Settings::default() }
    }

    #[test]
    fn it_waits_half_a_second_and_then_draws_ten_times_a_second() {
        let (ui, captured) = Ui::captured(terminal());
        let mut progress = ui.progress("importing", Some(1000));
        let at = |millis| Duration::from_millis(millis);
        let start = progress.started;
        for millis in 0..2000 {
            progress.value = millis / 2;
            progress.look(start + at(millis));
            if millis == 499 {
                assert_eq!(captured.messages(), "");
            }
        }
        let shown = captured.messages();
        assert!(shown.starts_with("\rimporting: 25% (250/1,000), 500/s"), "{shown:?}");
        assert_eq!(shown.matches("importing").count(), 15);
        drop(progress);
        let shown = captured.messages();
        assert!(
            shown.ends_with(&format!("\r{}\r", " ".repeat("importing: 95% (950/1,000), 500/s".len()))),
            "{shown:?}"
        );
    }

    #[test]
    fn a_message_takes_the_place_of_the_meter() {
        let (ui, captured) = Ui::captured(terminal());
        let mut progress = ui.progress("reading\u{1b}[2J", None).in_bytes();
        progress.value = 2048;
        progress.look(progress.started + Duration::from_secs(1));
        ui.status("half way");
        let meter = "reading^[[2J: 2.0 KiB, 2.0 KiB/s";
        let shown = captured.messages();
        assert_eq!(shown, format!("\r{meter}\r{}\rhalf way\n", " ".repeat(meter.len())));
    }

    #[test]
    fn nothing_is_drawn_where_no_person_sees_it() {
        let mut dumb = terminal();
        dumb.environment = dumb.environment.with("TERM", "dumb");
        for settings in [Settings::default(), dumb, Settings { quiet: true, ..terminal() }] {
            let (ui, captured) = Ui::captured(settings);
            let mut progress = ui.progress("importing", None);
            progress.look(progress.started + Duration::from_secs(9));
            progress.set(7);
            drop(progress);
            assert_eq!(captured.messages(), "");
        }
    }

    #[test]
    fn slow_work_is_looked_at_each_time_and_fast_work_seldom() {
        let (ui, _captured) = Ui::captured(terminal());
        let mut progress = ui.progress("importing", None);
        let mut now = progress.started;
        for _ in 0..20 {
            progress.look(now);
        }
        assert_eq!(progress.stride, LONGEST_STRIDE);
        now += Duration::from_secs(1);
        progress.look(now);
        assert_eq!(progress.left, 1);
    }
}
