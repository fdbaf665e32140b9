//! What a plan comes to: new bodies, texts of summaries, what leaves. Nothing is written yet, and no lock is held.

use super::super::OpError;
use super::super::change::{count_entry, redact_body};
use super::super::credits::Credits;
use super::answers::Answers;
use super::choose::{SHARE, SUMMARY_MIN};
use super::must_keep::MustKeep;
use super::plan::{Plan, Run, Verb};
use super::scene::{Scene, cost};
use super::stub::{self, Masked};
use super::{Compress, Mode, repeats, words};
use crate::drivers::{Passage, Summarise};
use crate::model::{BodyKind, Role};
use crate::tokens::MESSAGE_FRAMING;

/// Holds what is to be done, by places in the context.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) masks: Vec<(usize, Mode, Masked)>,
    pub(super) summaries: Vec<Summary>,
    pub(super) drops: Vec<usize>,
    pub(super) pins: Vec<usize>,
    pub(super) facts: Credits,
    /// Whether a driver was not asked, so that texts are missing.
    pub(super) is_estimate: bool,
}

/// Holds a summary before it is an entry.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) mode: Mode,
    pub(super) members: Vec<usize>,
    pub(super) text: String,
    pub(super) tokens: u64,
}

impl Prepared {
    pub(super) fn of(
        scene: &Scene<'_>,
        request: &Compress<'_>,
        plan: &mut Plan,
        answers: &mut Answers<'_>,
        must_keep: &MustKeep,
        room: Option<u64>,
    ) -> Result<Self, OpError> {
        let mut prepared = Prepared::default();
        let mut masked = std::mem::take(&mut plan.masked);
        let mut known = None;
        for step in &plan.steps {
            let at = step.at;
            match step.verb {
                Verb::Keep | Verb::Make(Mode::Combine | Mode::Extract | Mode::Title | Mode::Driver) => {}
                Verb::Pin if scene.entries[at].flags.pin => {}
                Verb::Pin => prepared.pins.push(at),
                Verb::Make(Mode::Drop) => prepared.drops.push(at),
                Verb::Make(mode) => {
                    let made = match masked.remove(&at) {
                        Some(made) => Some(made),
                        None if mode == Mode::Dedupe => {
                            if known.is_none() {
                                known = Some(repeats::find(scene, at)?);
                            }
                            let calls = known.as_ref().and_then(|known| known.get(&at));
                            stub::mask(scene, at, &|call| calls?.get(call).map(|later| Some(*later)))?
                        }
                        None => stub::mask(scene, at, &|_| Some(None))?,
                    };
                    prepared.masks.extend(made.map(|made| (at, mode, made)));
                }
            }
        }
        let runs = plan.runs(scene);
        let shares = shares(scene, &runs, room);
        for (run, share) in runs.into_iter().zip(shares) {
            prepared.add_run(scene, request, run, share, answers, must_keep, plan.is_given)?;
        }
        Ok(prepared)
    }

    /// Makes the text of one summary; a run that would not become smaller stays, unless a person wants it.
    #[allow(clippy::too_many_arguments, reason = "one step of the function above")]
    fn add_run(
        &mut self,
        scene: &Scene<'_>,
        request: &Compress<'_>,
        run: Run,
        share: u64,
        answers: &mut Answers<'_>,
        must_keep: &MustKeep,
        is_given: bool,
    ) -> Result<(), OpError> {
        let Run { mode, members, text } = run;
        let before: u64 = members.iter().map(|at| cost(&scene.entries[*at])).sum();
        let text = match (text, mode) {
            (Some(text), _) => Some(text),
            (None, Mode::Combine) => Some(words::combine(scene, &members)?),
            (None, Mode::Title) => Some(words::title(scene, &members)?),
            // As it stands, it fits.
            (None, _) if !is_given && before <= share => return Ok(()),
            (None, _) => {
                let task = task(scene, request, &members, share, must_keep)?;
                let fallback = words::amount(scene, &members);
                answers.ask(mode, scene.encoding, task, &fallback, &mut self.facts)?
            }
        };
        let Some(text) = text else {
            self.is_estimate = true;
            self.summaries.push(Summary { mode, members, text: String::new(), tokens: share });
            return Ok(());
        };
        let text = if text.trim().is_empty() { "[nothing was said]".to_owned() } else { text };
        let redacted = redact_body(scene.workspace, &BodyKind::Text, text.as_bytes())?;
        let tokens = count_entry(scene.encoding, &Role::Summary, &BodyKind::Text, redacted.as_inner());
        if is_given || tokens < before {
            self.summaries.push(Summary { mode, members, text, tokens });
        }
        Ok(())
    }

    /// Returns the places of the entries that leave the context, in order.
    pub(super) fn gone(&self) -> Vec<usize> {
        let members = self.summaries.iter().flat_map(|summary| &summary.members);
        let mut gone: Vec<usize> = members.chain(&self.drops).copied().collect();
        gone.sort_unstable();
        gone
    }

    /// Returns the tokens of all entries that are touched, and of what takes their place.
    pub(super) fn sizes(&self, scene: &Scene<'_>) -> (u64, u64) {
        let old = |at: &usize| cost(&scene.entries[*at]);
        let before = self.gone().iter().map(old).sum::<u64>() + self.masks.iter().map(|(at, ..)| old(at)).sum::<u64>();
        let after = self.summaries.iter().map(|summary| summary.tokens).sum::<u64>()
            + self.masks.iter().map(|(_, _, masked)| masked.tokens).sum::<u64>();
        (before, after)
    }

    /// Returns the modes in use, by name.
    pub(super) fn modes(&self) -> String {
        let mut modes: Vec<&str> = self.masks.iter().map(|(_, mode, _)| mode.name()).collect();
        modes.extend(self.summaries.iter().map(|summary| summary.mode.name()));
        modes.extend((!self.drops.is_empty()).then_some(Mode::Drop.name()));
        modes.sort_unstable();
        modes.dedup();
        if modes.is_empty() { "pin".to_owned() } else { modes.join("+") }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.masks.is_empty() && self.summaries.is_empty() && self.drops.is_empty() && self.pins.is_empty()
    }
}

/// Divides the room for summaries by the sizes of the runs; without a limit, each gets a quarter of its own.
fn shares(scene: &Scene<'_>, runs: &[Run], room: Option<u64>) -> Vec<u64> {
    let size = |run: &Run| run.members.iter().map(|at| cost(&scene.entries[*at])).sum::<u64>();
    let all: u64 = runs.iter().map(size).sum();
    let least = runs.len() as u64 * SUMMARY_MIN;
    let share = |run: &Run| match room.map(|room| room.saturating_sub(least)) {
        Some(rest) => SUMMARY_MIN + (u128::from(rest) * u128::from(size(run)) / u128::from(all.max(1))) as u64,
        None => (size(run) / SHARE).max(SUMMARY_MIN),
    };
    runs.iter().map(share).collect()
}

/// Asks for a summary. The first message of the user goes along, so that the driver knows what it is all about.
fn task(
    scene: &Scene<'_>,
    request: &Compress<'_>,
    members: &[usize],
    share: u64,
    must_keep: &MustKeep,
) -> Result<Summarise, OpError> {
    let first = scene.entries.iter().position(|entry| entry.role == Role::User);
    let before = first.filter(|first| members.first().is_some_and(|member| first < member));
    let mut passages = Vec::with_capacity(members.len() + 1);
    for at in before.iter().chain(members) {
        let entry = &scene.entries[*at];
        passages.push(Passage {
            id: entry.id,
            role: entry.role.clone(),
            text: scene.text(*at)?,
            tokens: entry.tokens,
            body: entry.body,
            stays: before == Some(*at),
        });
    }
    Ok(Summarise {
        passages,
        target_tokens: share.saturating_sub(MESSAGE_FRAMING).max(1),
        must_keep: must_keep.texts(),
        instructions: request.instructions.clone(),
        ..Summarise::default()
    })
}
