//! What a compression comes to, in numbers.

use super::retention::Retention;
use crate::model::EntryId;

/// Tells what a compression does to a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The modes in use, joined by `+`.
    pub mode: String,
    /// The highest number of times that something was compressed: 1 for originals.
    pub level: u32,
    /// Tokens of the context before.
    pub before: u64,
    /// Tokens of the context after.
    pub after: u64,
    /// Number of entries with stubs in them.
    pub masked: u64,
    /// Number of entries that left without a summary.
    pub dropped: u64,
    /// Number of entries that summaries stand for.
    pub summarised: u64,
    /// Number of summaries.
    pub summaries: u64,
    /// Whether `after` is what a driver would be asked for: it was not called.
    pub is_estimate: bool,
    /// What is still named; `None` in an estimate.
    pub retention: Option<Retention>,
    /// The driver's calls, one line each.
    pub drivers: Vec<String>,
}

/// Tells what a plan does to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLine {
    /// The entry.
    pub id: EntryId,
    /// What becomes of it, such as `mask` or `combine`.
    pub verb: &'static str,
    /// Who speaks.
    pub role: String,
    /// Its tokens before.
    pub tokens: u64,
    /// The beginning of what it says.
    pub preview: String,
}

impl Report {
    /// Says it in lines, for a commit's message.
    pub fn lines(&self) -> Vec<String> {
        let saved = self.before.saturating_sub(self.after);
        let percent = (u128::from(saved) * 1000).checked_div(u128::from(self.before)).unwrap_or(0);
        let about = if self.is_estimate { "about " } else { "" };
        let mut lines = vec![format!(
            "{} tokens before, {about}{} after ({}.{} % less)",
            self.before,
            self.after,
            percent / 10,
            percent % 10
        )];
        let count = |number: u64| if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") };
        let summaries =
            if self.summaries == 1 { "1 summary".to_owned() } else { format!("{} summaries", self.summaries) };
        let deeds = [
            (self.masked, format!("results emptied in {}", count(self.masked))),
            (self.summarised, format!("{} in {summaries}", count(self.summarised))),
            (self.dropped, format!("{} dropped", count(self.dropped))),
        ];
        let deeds: Vec<String> = deeds.into_iter().filter(|(number, _)| *number > 0).map(|(_, deed)| deed).collect();
        if !deeds.is_empty() {
            lines.push(deeds.join(", "));
        }
        if let Some(retention) = self.retention.as_ref().filter(|retention| retention.total() > 0) {
            let kinds = retention.kinds.iter().map(|(kind, kept, total)| format!("{kind} {kept} of {total}"));
            lines.push(format!("still named: {}", kinds.collect::<Vec<_>>().join(", ")));
        }
        lines
    }

    /// Returns the value of the trailer `Trace-Compress`.
    pub(super) fn trailer(&self, ignores_pins: bool) -> String {
        let mut value = format!("mode={} level={} before={} after={}", self.mode, self.level, self.before, self.after);
        if let Some(retention) = &self.retention {
            value += &format!(" kept={}/{}", retention.kept(), retention.total());
        }
        if ignores_pins {
            value += IGNORED;
        }
        value
    }
}

/// What a commit says that touched pinned entries.
pub(in crate::ops) const IGNORED: &str = " pins=ignored";
