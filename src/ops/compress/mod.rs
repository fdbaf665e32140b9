//! `compress`: puts less in the place of entries; history keeps the originals.
//!
//! A [`plan`] says what becomes of each entry: [`choose`] makes it from the mode, the range, the pins and the target, or
//! a person writes it. [`prepared`] makes the new texts, with no lock held, since a driver may take its time. Only then
//! is the context changed, [`check`]ed, and committed.

mod answers;
mod apply;
mod calls;
pub(super) mod check;
mod choose;
mod mode;
mod must_keep;
mod originals;
mod plan;
mod prepared;
mod range;
mod repeats;
mod report;
mod retention;
mod scene;
mod stub;
mod ties;
mod words;

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

pub use mode::Mode;
pub(super) use originals::{Compression, UNDOES, replaced_by};
pub(super) use report::IGNORED;
pub use report::{PlanLine, Report};
pub use retention::Retention;
pub(super) use scene::Scene;
pub(super) use ties::Ties;

use self::answers::Answers;
use self::apply::apply;
use self::check::Halves;
use self::must_keep::MustKeep;
use self::plan::{Plan, Verb};
use self::prepared::Prepared;
use super::change::{ATTEMPTS, Changed, Record};
use super::{Finding, OpError, Workspace};
use crate::codec::tool_ids;
use crate::drivers::Driver;
use crate::export::plain_text;
use crate::model::{BodyKind, Commit, NanoDollars, Operation};

/// Bytes of the rest of the context that are searched for names that are not in the new texts: without a range, and
/// with one, where the cost is to follow the range.
const SEARCHED_MAX: [usize; 2] = [2 << 20, 256 << 10];

/// Asks for a compression.
#[derive(Clone, Default)]
pub struct Compress<'a> {
    /// What to compress: ranges of entries (`<a>..<b>`, both included), entries, or commits (`HEAD~5..HEAD`); the whole
    /// context but its beginning and its end if there is none.
    pub ranges: Vec<String>,
    /// How.
    pub mode: Mode,
    /// The most tokens that the context may have then; with ranges, what stands in their place.
    pub target_tokens: Option<u64>,
    /// Number of the newest turns of the model that stay; 10 if not given and there are no ranges.
    pub keep_turns: Option<u64>,
    /// Whether pinned entries may change.
    pub ignore_pins: bool,
    /// Patterns whose matches must not be lost, beside those of `trace.mustKeep`.
    pub must_keep: Vec<String>,
    /// A plan that a person wrote, in the place of mode and ranges.
    pub plan: Option<&'a [u8]>,
    /// What a driver is told beside its prompt.
    pub instructions: Option<String>,
    /// The driver's name for [`Mode::Driver`]; `trace.driver` if not given.
    pub driver_name: Option<String>,
    /// A driver that the caller brings for [`Mode::Driver`].
    pub driver: Option<Rc<dyn Driver>>,
    /// The commit message; made of the numbers where there is none.
    pub message: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what was compressed, or would be.
#[derive(Debug, Clone)]
pub struct Compressed {
    /// The change; `None` where a driver was not asked because nothing is to be written.
    pub changed: Option<Changed>,
    /// What became of each entry that is not as it was.
    pub plan: Vec<PlanLine>,
    /// The numbers.
    pub report: Report,
}

/// Compresses a part of the context, in one commit.
///
/// # Errors
/// When there is nothing to compress, a pinned entry is in the way, the target cannot be reached, the driver fails, or
/// the result breaks a rule ([`OpError::Unsound`]). Nothing has changed then.
pub fn compress(workspace: &Workspace, request: &Compress<'_>) -> Result<Compressed, OpError> {
    let strict = workspace.config("trace.pins").is_some_and(|pins| pins.eq_ignore_ascii_case("strict"));
    if request.ignore_pins && strict {
        return Err(OpError::PinsStrict);
    }
    let must_keep = MustKeep::new(workspace, &request.must_keep)?;
    workspace.rehearse(request.dry_run);
    let mut answers = Answers::new(workspace, request);
    let mut attempt = 1;
    loop {
        let commit = workspace.tip()?;
        let job = Job::prepare(workspace, request, &commit, &mut answers, &must_keep)?;
        match job.carry_out()? {
            // Somebody changed the entries meanwhile; appending to them is no matter.
            None if attempt < ATTEMPTS => attempt += 1,
            None => return Err(OpError::Busy),
            Some(done) => return Ok(done),
        }
    }
}

/// Writes the plan that a request comes to, for a person to change.
///
/// # Errors
/// As [`compress`], as far as they are known before anything is made.
pub fn compression_plan(workspace: &Workspace, request: &Compress<'_>) -> Result<String, OpError> {
    let commit = workspace.tip()?;
    let scene = Scene::read(workspace, &commit)?;
    let (plan, _) = make_plan(&scene, request)?;
    let target = workspace.target()?.display_name();
    let title = format!(
        "Plan to compress {target} at {}: {} tokens in {} entries.",
        commit.id.short(12),
        scene.total(),
        scene.entries.len()
    );
    plan.encode(&scene, &title)
}

/// Returns the plan, and the tokens that the target is about.
fn make_plan(scene: &Scene<'_>, request: &Compress<'_>) -> Result<(Plan, u64), OpError> {
    if let Some(given) = request.plan {
        if !request.ranges.is_empty() {
            let reason = "a plan names its entries itself: a range stands before '--plan', to write one".to_owned();
            return Err(OpError::Request { reason });
        }
        let plan = Plan::decode(scene, given)?;
        for step in plan.steps.iter().filter(|step| !matches!(step.verb, Verb::Keep | Verb::Pin)) {
            let entry = &scene.entries[step.at];
            if entry.flags.pin && !request.ignore_pins {
                return Err(OpError::Pinned { id: entry.id.to_string() });
            }
        }
        return Ok((plan, scene.total()));
    }
    let selection = match request.ranges.is_empty() {
        true => None,
        false => Some(range::select(scene, &request.ranges)?),
    };
    let places = selection.as_ref().map(|selection| &selection.places);
    let last = scene.entries.len().checked_sub(1);
    let window = match places {
        Some(places) => places.first().copied().zip(places.last().copied()),
        None => last.map(|last| (0, last)),
    };
    let Some((first, last)) = window else {
        return Err(OpError::Nothing { reason: "no entry is meant".to_owned() });
    };
    let needs_ties = request.mode == Mode::Drop || request.mode.summarises();
    let ties = if needs_ties { Ties::find(scene, first, last)? } else { Ties::default() };
    choose::choose(scene, request, selection.as_ref(), &ties)
}

/// A compression that is ready to be made.
struct Job<'j> {
    workspace: &'j Workspace,
    request: &'j Compress<'j>,
    scene: Scene<'j>,
    prepared: Prepared,
    lines: Vec<PlanLine>,
    report: Report,
    /// What is wrong whatever the context is by then.
    findings: Vec<Finding>,
    halves: (Vec<Halves>, Vec<Halves>),
}

impl<'j> Job<'j> {
    fn prepare(
        workspace: &'j Workspace,
        request: &'j Compress<'j>,
        commit: &Commit,
        answers: &mut Answers<'_>,
        must_keep: &MustKeep,
    ) -> Result<Self, OpError> {
        let scene = Scene::read(workspace, commit)?;
        let (mut plan, scope) = make_plan(&scene, request)?;
        if let Some(reason) = plan.idle.take() {
            let missed = request.target_tokens.filter(|target| scope > *target);
            return Err(match missed {
                Some(target) => OpError::Target { mode: request.mode.to_string(), target, reachable: scope },
                None => OpError::Nothing { reason },
            });
        }
        let room = room(&scene, &plan, request, scope)?;
        let prepared = Prepared::of(&scene, request, &mut plan, answers, must_keep, room)?;
        if prepared.is_empty() {
            return Err(OpError::Nothing { reason: "nothing would become smaller".to_owned() });
        }
        let (old, new) = prepared.sizes(&scene);
        let reached = (scope + new).saturating_sub(old);
        if let Some(target) = request.target_tokens.filter(|target| reached > *target) {
            return Err(OpError::Target { mode: prepared.modes(), target, reachable: reached });
        }
        let before = scene.total();
        let report = Report {
            mode: prepared.modes(),
            level: 0,
            before,
            after: (before + new).saturating_sub(old),
            masked: prepared.masks.len() as u64,
            dropped: prepared.drops.len() as u64,
            summarised: prepared.summaries.iter().map(|summary| summary.members.len() as u64).sum(),
            summaries: prepared.summaries.len() as u64,
            is_estimate: prepared.is_estimate,
            retention: None,
            drivers: prepared.facts.calls.clone(),
        };
        let changing = plan.steps.iter().filter(|step| step.verb != Verb::Keep);
        let lines = changing.map(|step| line(&scene, step.at, step.verb)).collect::<Result<_, _>>()?;
        let (findings, halves) = (Vec::new(), (Vec::new(), Vec::new()));
        let mut job = Job { workspace, request, scene, prepared, lines, report, findings, halves };
        if !job.prepared.is_estimate {
            job.look_at_texts(must_keep)?;
            job.halves = job.halves()?;
        }
        Ok(job)
    }

    /// Looks for what must be kept, and for what is still named.
    fn look_at_texts(&mut self, must_keep: &MustKeep) -> Result<(), OpError> {
        let scene = &self.scene;
        let prepared = &self.prepared;
        let ranged = !self.request.ranges.is_empty();
        let gone = prepared.gone();
        let masked = prepared.masks.iter().map(|(at, ..)| *at);
        let touched: HashSet<usize> = gone.iter().copied().chain(masked.clone()).collect();
        let mut old = Vec::with_capacity(touched.len());
        for at in gone.iter().copied().chain(masked) {
            old.push(scene.text(at)?);
        }
        let texts = |limit: usize| {
            let summaries = prepared.summaries.iter().map(|summary| Ok(Cow::Borrowed(summary.text.as_str())));
            let masked = prepared
                .masks
                .iter()
                .map(|(at, _, masked)| Ok(Cow::Owned(plain_text(&scene.entries[*at].kind, &masked.body))));
            let mut searched = 0;
            let rest = (0..scene.entries.len()).rev().filter(|at| !touched.contains(at));
            let rest = rest.filter(|at| scene.entries[*at].role.is_sent()).map(|at| scene.text(at).map(Cow::Owned));
            let rest = rest.take_while(move |text: &Result<Cow<'_, str>, OpError>| {
                let enough = searched >= limit;
                searched += text.as_ref().map_or(0, |text| text.len());
                !enough
            });
            summaries.chain(masked).chain(rest)
        };
        if !must_keep.is_empty() {
            self.findings = must_keep.lost(&old, &mut texts(usize::MAX))?;
        }
        self.report.retention = Some(Retention::measure(&old, &mut texts(SEARCHED_MAX[usize::from(ranged)]))?);
        Ok(())
    }

    /// Returns the calls and results of all entries that are touched or tied to one that is, before and after.
    fn halves(&self) -> Result<(Vec<Halves>, Vec<Halves>), OpError> {
        let scene = &self.scene;
        let gone = self.prepared.gone();
        let mut before = match gone.first().zip(gone.last()) {
            Some((first, last)) => Ties::find(scene, *first, *last)?.halves(scene, &gone)?,
            None => Vec::new(),
        };
        let gone: HashSet<_> = gone.iter().map(|at| scene.entries[*at].id).collect();
        let mut after: Vec<Halves> = before.iter().filter(|halves| !gone.contains(&halves.id)).cloned().collect();
        for (at, _, masked) in &self.prepared.masks {
            let entry = &scene.entries[*at];
            let ids = if entry.kind == BodyKind::Json { tool_ids(&masked.body) } else { Default::default() };
            if ids != *scene.tool_ids(*at)? {
                before.push(Halves::of(entry.id, scene.tool_ids(*at)?.clone()));
                after.retain(|halves| halves.id != entry.id);
                after.push(Halves::of(entry.id, ids));
            }
        }
        Ok((before, after))
    }

    /// Makes the commit; `None` if the entries are not what they were.
    fn carry_out(self) -> Result<Option<Compressed>, OpError> {
        let Job { workspace, request, scene, prepared, lines, mut report, findings, halves } = self;
        if prepared.is_estimate {
            return Ok(Some(Compressed { changed: None, plan: lines, report }));
        }
        let mut moved = false;
        let outcome = workspace.change(request.dry_run, &mut |editing| {
            let before = editing.context.entries()?;
            moved = !before.starts_with(&scene.entries);
            if moved {
                return Err(OpError::Busy);
            }
            let total = editing.context.total();
            let applied = apply(editing, &scene, &prepared)?;
            let after = editing.context.entries()?;
            (report.before, report.after, report.level) = (total, editing.context.total(), applied.level);

            let mut findings = findings.clone();
            findings.extend(check::entries(&before, &after, &applied.touches, request.ignore_pins));
            findings.extend(check::first_speaker(&before, &after));
            findings.extend(check::pairs(&halves.0, &halves.1));
            findings.extend((report.after > total).then_some(Finding::Grew { before: total, after: report.after }));
            let target = request.target_tokens.filter(|_| request.ranges.is_empty());
            if let Some(target) = target.filter(|target| report.after > *target) {
                findings.push(Finding::Target { total: report.after, target });
            }
            if !findings.is_empty() {
                return Err(OpError::Unsound { findings });
            }
            Ok(record(request, &prepared, &report, applied.touches))
        });
        match outcome {
            Ok(changed) => Ok(Some(Compressed { changed: Some(changed), plan: lines, report })),
            Err(OpError::Busy) if moved => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns how many tokens the summaries may have, where a target says so.
fn room(scene: &Scene<'_>, plan: &Plan, request: &Compress<'_>, scope: u64) -> Result<Option<u64>, OpError> {
    let Some(target) = request.target_tokens else { return Ok(None) };
    let runs = plan.runs(scene);
    let mode = runs.first().map(|run| run.mode);
    if !matches!(mode, Some(Mode::Extract | Mode::Driver)) {
        return Ok(None);
    }
    let size: u64 = runs.iter().flat_map(|run| &run.members).map(|at| scene::cost(&scene.entries[*at])).sum();
    let rest = scope.saturating_sub(size);
    let least = rest + runs.len() as u64 * choose::SUMMARY_MIN;
    if target < least {
        let mode = request.mode.name().to_owned();
        return Err(OpError::Target { mode, target, reachable: least });
    }
    Ok(Some((target - rest).min(size)))
}

fn line(scene: &Scene<'_>, at: usize, verb: Verb) -> Result<PlanLine, OpError> {
    let entry = &scene.entries[at];
    Ok(PlanLine {
        id: entry.id,
        verb: verb.name(),
        role: entry.role.name().to_owned(),
        tokens: entry.tokens,
        preview: scene.preview(at)?,
    })
}

fn record(request: &Compress<'_>, prepared: &Prepared, report: &Report, touches: Vec<crate::model::Touch>) -> Record {
    let subject = request.message.clone().unwrap_or_else(|| {
        let touched = report.masked + report.dropped + report.summarised + prepared.pins.len() as u64;
        let unit = if touched == 1 { "entry" } else { "entries" };
        format!("compress ({}): {touched} {unit}, {} to {} tokens", report.mode, report.before, report.after)
    });
    let mut other = vec![("Trace-Compress".to_owned(), report.trailer(request.ignore_pins))];
    other.extend(prepared.facts.trailers());
    Record {
        body: report.lines().join("\n"),
        cost: prepared.facts.cost.map(NanoDollars),
        other,
        ..Record::new(Operation::Compress, subject, touches)
    }
}
