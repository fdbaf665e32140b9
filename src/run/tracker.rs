//! The tracker: the file through which an agent tells what it did, and whether it is done.

use std::borrow::Cow;

/// The first line of a tracker that nobody has written to yet.
const SKELETON: &str = "<!-- TRACKER_SKELETON -->";

/// Names the lines by which a tracker says that a run is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    /// The whole line that says that all is done.
    pub complete: String,
    /// The beginning of the line that says that something is in the way; ` -->` or `: <reason> -->` follows.
    pub blocked: String,
}

impl Default for Markers {
    fn default() -> Self {
        Markers { complete: "<!-- WORKFLOW_COMPLETE -->".to_owned(), blocked: "<!-- WORKFLOW_BLOCKED".to_owned() }
    }
}

/// Says what a tracker tells about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Work goes on.
    Open,
    /// Nobody has written to it yet.
    Skeleton,
    /// All is done.
    Completed,
    /// Something is in the way.
    Blocked {
        /// What, if it says so.
        reason: Option<String>,
    },
    /// A terminal line stands where it does not count: more text follows.
    Misplaced {
        /// The line, from 1.
        line: usize,
    },
}

impl Markers {
    /// Reads what a tracker says.
    ///
    /// Only its last line that is not empty ends a run: blanks around it, and carriage returns, do not matter. What
    /// stands in a fenced block above it is a quotation. A skeleton is known by its first line alone, unless the last one
    /// ends the run.
    pub fn read(&self, text: &str) -> Word {
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        if let Some(word) = last.and_then(|last| self.terminal(last)) {
            return word;
        }
        if text.lines().next().is_some_and(|first| first.trim() == SKELETON) {
            return Word::Skeleton;
        }
        let lines: Vec<&str> = text.lines().collect();
        let earlier = outside_fences(&lines).find(|at| self.terminal(lines[*at].trim()).is_some());
        earlier.map_or(Word::Open, |at| Word::Misplaced { line: at + 1 })
    }

    /// Takes back what a tracker says about an end, so that work can go on: each terminal line becomes a quotation, and
    /// every other byte stays. `None` if there is none.
    pub fn reopen(&self, text: &[u8], note: &str) -> Option<Vec<u8>> {
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let read: Vec<Cow<'_, str>> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        let trimmed: Vec<&str> = read.iter().map(|line| line.trim()).collect();
        let is_terminal = |at: &usize| self.terminal(trimmed[*at]).is_some();
        let last = trimmed.iter().rposition(|line| !line.is_empty());
        let terminal: Vec<usize> = outside_fences(&trimmed).chain(last).filter(is_terminal).collect();
        if terminal.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(text.len() + note.len() + 16);
        for (at, line) in lines.iter().enumerate() {
            if terminal.contains(&at) {
                out.extend_from_slice(format!("> {note}: `{}`\n", trimmed[at]).as_bytes());
            } else {
                out.extend_from_slice(line);
            }
        }
        Some(out)
    }

    /// Reads a line without blanks around it; `None` if it ends nothing.
    fn terminal(&self, line: &str) -> Option<Word> {
        if line == self.complete {
            return Some(Word::Completed);
        }
        let rest = line.strip_prefix(&self.blocked)?;
        if rest == " -->" {
            return Some(Word::Blocked { reason: None });
        }
        let reason = rest.strip_prefix(':')?;
        let reason = reason.split_once(" -->").map_or(reason, |(reason, _)| reason).trim();
        let reason = reason.strip_suffix("-->").unwrap_or(reason).trim();
        Some(Word::Blocked { reason: (!reason.is_empty()).then(|| reason.to_owned()) })
    }
}

/// Returns the tracker of a run that begins: `template` with what it is about.
pub fn skeleton(session: &str, tracker: &str, goal: &str) -> String {
    let goal = goal.split_whitespace().collect::<Vec<_>>().join(" ");
    let values = [("session", session), ("tracker", tracker), ("goal", goal.as_str())];
    super::template::fill(include_str!("../../templates/workflows/tracker.md"), &values)
}

/// Returns the numbers, from 0, of the lines that are in no fenced block. A fence that is never closed is none.
fn outside_fences(lines: &[&str]) -> impl Iterator<Item = usize> + use<> {
    let mut inside = vec![false; lines.len()];
    let mut open: Option<(usize, &str)> = None;
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_start();
        let fence = line.len() - line.trim_start_matches('`').len();
        let tilde = line.len() - line.trim_start_matches('~').len();
        let mark = if fence >= 3 { &line[..fence] } else { &line[..if tilde >= 3 { tilde } else { 0 }] };
        match open {
            None if !mark.is_empty() => open = Some((at, mark)),
            Some((from, mark_open)) if mark.starts_with(mark_open) && line.trim_end() == mark => {
                inside[from..=at].fill(true);
                open = None;
            }
            _ => {}
        }
    }
    inside.into_iter().enumerate().filter(|(_, inside)| !inside).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Word {
        Markers::default().read(text)
    }

    fn blocked(reason: &str) -> Word {
        Word::Blocked { reason: (!reason.is_empty()).then(|| reason.to_owned()) }
    }

    #[test]
    fn only_the_last_line_ends_a_run() {
        assert_eq!(read(""), Word::Open);
        assert_eq!(read("done\n  <!-- WORKFLOW_COMPLETE -->  \r\n\r\n"), Word::Completed);
        assert_eq!(read("x\n<!-- WORKFLOW_COMPLETE --> and more"), Word::Open);
        assert_eq!(read("<!-- WORKFLOW_COMPLETE -->\nmore"), Word::Misplaced { line: 1 });
        assert_eq!(read("```\n<!-- WORKFLOW_COMPLETE -->\n```"), Word::Open);
        assert_eq!(read("```\nnever closed\n<!-- WORKFLOW_COMPLETE -->"), Word::Completed);
        assert_eq!(read("```\n<!-- WORKFLOW_COMPLETE -->\nnever closed"), Word::Misplaced { line: 2 });
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        for (line, reason) in [
            ("<!-- WORKFLOW_BLOCKED -->", ""),
            ("<!-- WORKFLOW_BLOCKED: need token -->", "need token"),
            ("<!-- WORKFLOW_BLOCKED: a --> b -->", "a"),
            ("<!-- WORKFLOW_BLOCKED:tight-->", "tight"),
            ("<!-- WORKFLOW_BLOCKED: unclosed", "unclosed"),
            ("<!-- WORKFLOW_BLOCKED:", ""),
            ("<!-- WORKFLOW_BLOCKED: -->", ""),
        ] {
            assert_eq!(read(&format!("x\n{line}")), blocked(reason), "{line}");
        }
        assert_eq!(read("x\n<!-- WORKFLOW_BLOCKED -- x -->"), Word::Open);
        assert_eq!(read("x\n<!-- WORKFLOW_BLOCKED_ON_X -->"), Word::Open);
    }

    #[test]
    fn a_skeleton_is_known_by_its_first_line() {
        let made = skeleton("deploy-1", ".gittrace/runs/deploy-1/tracker.md", "fix\nthe {tracker} bug");
        assert_eq!(read(&made), Word::Skeleton);
        assert_eq!(read(&format!("{made}<!-- WORKFLOW_COMPLETE -->")), Word::Completed);
        assert!(made.contains("**Goal:** fix the {tracker} bug\n"), "{made}");
        assert_eq!(read("I removed `<!-- TRACKER_SKELETON -->`\n<!-- WORKFLOW_COMPLETE -->"), Word::Completed);
    }

    #[test]
    fn a_tracker_is_opened_again() {
        let markers = Markers::default();
        let text = "x\n<!-- WORKFLOW_BLOCKED: which db? -->\n";
        let opened = markers.reopen(text.as_bytes(), "was").expect("it ended");
        assert_eq!(opened, b"x\n> was: `<!-- WORKFLOW_BLOCKED: which db? -->`\n");
        assert_eq!(markers.reopen(&opened, "was"), None);
        let odd = b"\xff\r\n<!-- WORKFLOW_COMPLETE -->\r\nend";
        let opened = markers.reopen(odd, "was").expect("it has a terminal line");
        assert_eq!(opened, b"\xff\r\n> was: `<!-- WORKFLOW_COMPLETE -->`\nend", "every other byte stays");
    }

    proptest! {
        #[test]
        fn what_was_opened_again_is_open(lines in prop::collection::vec(prop_oneof![
            Just("<!-- WORKFLOW_COMPLETE -->"), Just("<!-- WORKFLOW_BLOCKED: x -->"), Just("```"), Just("~~~~"), Just("text"), Just("")
        ], 0..12)) {
            let markers = Markers::default();
            let text = lines.join("\n");
            let opened = markers.reopen(text.as_bytes(), "was").unwrap_or_else(|| text.into_bytes());
            prop_assert_eq!(markers.read(&String::from_utf8_lossy(&opened)), Word::Open);
            prop_assert_eq!(markers.reopen(&opened, "was"), None);
        }

        #[test]
        fn any_text_is_read(text in "(?s).{0,200}") {
            let _ = read(&text);
        }
    }
}
