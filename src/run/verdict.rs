//! What follows from a turn: the run is over, or another turn comes, and how.

use std::time::Duration;

use super::{Failure, Markers, Status, Word};

/// Longest pause before a retry.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// Holds the limits of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Whether there is more than one turn, and a tracker.
    pub repeats: bool,
    /// Most turns that are counted; at least one is made.
    pub max_iterations: u32,
    /// The lines that end a run.
    pub markers: Markers,
    /// Times in a row that an agent is told to go on, without the tracker having changed, before a person is needed.
    pub nudge_cap: u32,
    /// Failures in a row that pass by themselves, before a person is needed.
    pub retry_cap: u32,
    /// Pause before the first retry; each further one doubles it.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            repeats: true,
            max_iterations: 20,
            markers: Markers::default(),
            nudge_cap: 3,
            retry_cap: 3,
            backoff: Duration::from_secs(10),
        }
    }
}

/// Counts how far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The turn that is counted, from 1; retries do not count.
    pub iteration: u32,
    /// Nudges since the tracker changed last.
    pub nudges: u32,
    /// Failures in a row that pass by themselves.
    pub retries: u32,
    /// Whether this iteration was already begun anew because a resumed turn failed.
    pub replayed: bool,
}

/// Says how a turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What went wrong with the agent, if anything did.
    pub failure: Option<String>,
    /// Whether the agent went on with a session of its own.
    pub resumed: bool,
    /// Whether its session is known, so that it can go on.
    pub resumable: bool,
    /// What the tracker says now; `None` if it is gone.
    pub tracker: Option<String>,
    /// Whether the tracker says something else than before the turn.
    pub changed: bool,
}

/// Says what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The run ends so, with the reason where it has one.
    End(Status, Option<String>),
    /// The next turn, without memory.
    Continue,
    /// The next turn, in the same session: it stopped without saying how it stands.
    Nudge,
    /// The same turn once more, after a pause.
    Retry(Duration),
    /// The same turn once more, without memory: going on with the session failed.
    Replay,
}

impl Limits {
    /// Decides what follows from a turn, and counts.
    pub fn decide(&self, progress: &mut Progress, ended: &Ended) -> Verdict {
        if let Some(said) = &ended.failure {
            return self.after_failure(progress, ended, said);
        }
        progress.retries = 0;
        if !self.repeats {
            return Verdict::End(Status::Completed, None);
        }
        let end = |status, reason: &str| Verdict::End(status, Some(reason.to_owned()));
        let Some(text) = &ended.tracker else { return end(Status::Failed, "the tracker is gone") };
        let mut misplaced = None;
        match self.markers.read(text) {
            Word::Completed => return Verdict::End(Status::Completed, None),
            Word::Blocked { reason } => return Verdict::End(Status::Blocked, reason),
            Word::Skeleton if !ended.changed => {
                return end(Status::Failed, "the agent left the tracker as it was made");
            }
            // It was written to, and its first line forgotten.
            Word::Skeleton => {}
            Word::Misplaced { line } => misplaced = Some(line),
            Word::Open => {}
        }
        if progress.iteration >= self.max_iterations.max(1) {
            let mut reason = format!("{} turns, and no end", progress.iteration);
            if let Some(line) = misplaced {
                reason += &format!("; line {line} of the tracker would be one if nothing followed it");
            }
            return Verdict::End(Status::Exhausted, Some(reason));
        }
        if ended.changed {
            progress.nudges = 0;
        }
        progress.replayed = false;
        if !ended.resumable {
            progress.iteration += 1;
            return Verdict::Continue;
        }
        if progress.nudges >= self.nudge_cap {
            return end(
                Status::Suspended,
                &format!("the agent stopped {} times without a word in the tracker", progress.nudges + 1),
            );
        }
        progress.nudges += 1;
        progress.iteration += 1;
        Verdict::Nudge
    }

    fn after_failure(&self, progress: &mut Progress, ended: &Ended, said: &str) -> Verdict {
        if !self.repeats {
            return Verdict::End(Status::Failed, Some(said.to_owned()));
        }
        let failure = Failure::classify(said);
        if failure.is_transient() {
            if progress.retries >= self.retry_cap {
                let reason = format!("{failure} {} times in a row: {said}", progress.retries + 1);
                return Verdict::End(Status::Suspended, Some(reason));
            }
            let pause = self.backoff.saturating_mul(1 << progress.retries.min(16));
            progress.retries += 1;
            return Verdict::Retry(pause.min(PAUSE_MAX));
        }
        if ended.resumed && !progress.replayed {
            progress.replayed = true;
            return Verdict::Replay;
        }
        let reason = match failure {
            Failure::Unclassified => said.to_owned(),
            known => format!("{known}: {said}"),
        };
        Verdict::End(Status::Suspended, Some(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ended(tracker: &str) -> Ended {
        Ended { failure: None, resumed: false, resumable: false, tracker: Some(tracker.to_owned()), changed: true }
    }

    fn begun() -> Progress {
        Progress { iteration: 1, ..Progress::default() }
    }

    fn status(verdict: &Verdict) -> Option<Status> {
        match verdict {
            Verdict::End(status, _) => Some(*status),
            _ => None,
        }
    }

    #[test]
    fn the_tracker_ends_a_run_and_beats_the_ceiling() {
        let limits = Limits { max_iterations: 1, ..Limits::default() };
        let decide = |text: &str| status(&limits.decide(&mut begun(), &ended(text)));
        assert_eq!(decide("x\n<!-- WORKFLOW_COMPLETE -->"), Some(Status::Completed));
        assert_eq!(decide("x\n<!-- WORKFLOW_BLOCKED: y -->"), Some(Status::Blocked));
        assert_eq!(decide("x"), Some(Status::Exhausted));
        let untouched = Ended { changed: false, ..ended("<!-- TRACKER_SKELETON -->\n") };
        assert_eq!(status(&limits.decide(&mut begun(), &untouched)), Some(Status::Failed));
        let gone = Ended { tracker: None, ..ended("") };
        assert_eq!(status(&limits.decide(&mut begun(), &gone)), Some(Status::Failed));
    }

    #[test]
    fn an_agent_without_a_word_is_told_so_and_then_suspended() {
        let limits = Limits::default();
        let mut progress = begun();
        let silent = Ended { resumable: true, changed: false, ..ended("same") };
        for _ in 0..3 {
            assert_eq!(limits.decide(&mut progress, &silent), Verdict::Nudge);
        }
        assert_eq!(status(&limits.decide(&mut progress, &silent)), Some(Status::Suspended));
        assert_eq!(progress.iteration, 4);
        let changed = Ended { changed: true, ..silent };
        assert_eq!(limits.decide(&mut progress, &changed), Verdict::Nudge);
    }

    #[test]
    fn what_passes_is_tried_again_with_longer_pauses() {
        let limits = Limits::default();
        let mut progress = begun();
        let failed = Ended { failure: Some("HTTP 529 overloaded".to_owned()), ..ended("x") };
        for seconds in [10, 20, 40] {
            let verdict = limits.decide(&mut progress, &failed);
            assert_eq!(verdict, Verdict::Retry(Duration::from_secs(seconds)));
        }
        assert_eq!(status(&limits.decide(&mut progress, &failed)), Some(Status::Suspended));
        assert_eq!(progress.iteration, 1);
    }

    #[test]
    fn a_session_that_cannot_be_gone_on_with_is_begun_anew_once() {
        let limits = Limits::default();
        let mut progress = begun();
        let failed = Ended { failure: Some("no such session".to_owned()), resumed: true, ..ended("x") };
        assert_eq!(limits.decide(&mut progress, &failed), Verdict::Replay);
        assert_eq!(status(&limits.decide(&mut progress, &failed)), Some(Status::Suspended));
    }

    proptest! {
        /// Whatever agents do, a run has an end.
        #[test]
        fn every_run_ends(
            turns in prop::collection::vec((0u8..4, any::<bool>(), any::<bool>(), any::<bool>()), 1..8),
            max in 0u32..6,
        ) {
            let limits = Limits { max_iterations: max, ..Limits::default() };
            let mut progress = begun();
            let mut made = 0;
            'run: loop {
                for (kind, resumed, resumable, changed) in &turns {
                    let failure = match kind { 0 => Some("429".to_owned()), 1 => Some("odd".to_owned()), _ => None };
                    let ended = Ended { failure, resumed: *resumed, resumable: *resumable, changed: *changed, tracker: Some("x".to_owned()) };
                    made += 1;
                    prop_assert!(made < 500);
                    if let Verdict::End(..) = limits.decide(&mut progress, &ended) { break 'run }
                }
            }
            prop_assert!(progress.iteration <= max.max(1));
        }
    }
}
