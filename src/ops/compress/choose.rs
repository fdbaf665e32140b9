//! What to compress where nobody wrote a plan: by the mode, the range, the pins and the target.

use std::collections::{BTreeSet, HashMap};

use super::super::OpError;
use super::plan::{Plan, Step, Verb};
use super::range::Selection;
use super::scene::{Scene, cost};
use super::stub::{self, Masked};
use super::ties::Ties;
use super::{Compress, Mode, repeats};
use crate::model::Role;

/// Turns that stay by default where no range is given.
const TURNS: u64 = 10;

/// The smallest share of a run that a driver is asked for: one part in this many.
pub(super) const SHARE: u64 = 4;

/// The fewest tokens that a summary is given.
pub(super) const SUMMARY_MIN: u64 = 16;

/// What a line in the place of a run costs, about.
const TITLE: u64 = 60;

/// Why entries stay that are no part of what the model sees.
const NOT_SENT: &str = "is not sent to a model";

/// Says why an entry stays, if it has to: by its place in the context.
type Reasons = Vec<Option<&'static str>>;

/// Chooses what becomes of the entries; returns the tokens too that the target is about.
pub(super) fn choose(
    scene: &Scene<'_>,
    request: &Compress<'_>,
    selection: Option<&Selection>,
    ties: &Ties,
) -> Result<(Plan, u64), OpError> {
    let mut reasons = protected(scene, request, selection);
    let mode = request.mode;
    if mode == Mode::Drop || mode.summarises() {
        keep_units_whole(scene, ties, &mut reasons, mode.summarises());
    }
    let free: Vec<usize> = (0..scene.entries.len()).filter(|at| reasons[*at].is_none()).collect();
    let before: u64 = match selection {
        // With a range, the target is what stands in its place.
        Some(_) => free.iter().map(|at| cost(&scene.entries[*at])).sum(),
        None => scene.total(),
    };
    let need = request.target_tokens.map(|target| before.saturating_sub(target));
    let mut masked = HashMap::new();
    let chosen: BTreeSet<usize> = match mode {
        Mode::Mask | Mode::Dedupe => {
            masked = mask(scene, mode, &free)?;
            let gain = |at: &usize| scene.entries[*at].tokens - masked[at].tokens;
            let mut items: Vec<(Vec<usize>, u64)> = masked.keys().map(|at| (vec![*at], gain(at))).collect();
            items.sort();
            enough(scene, items, need).into_iter().flatten().collect()
        }
        Mode::Drop => {
            let units = free.iter().map(|at| (at, ties.unit(*at))).filter(|(at, unit)| unit.first() == Some(*at));
            let gain = |unit: &Vec<usize>| unit.iter().map(|at| cost(&scene.entries[*at])).sum();
            let items = units.map(|(_, unit)| (unit.clone(), gain(&unit))).collect();
            enough(scene, items, need).into_iter().flatten().collect()
        }
        _ => oldest(scene, ties, &free, mode, before, request.target_tokens),
    };
    let idle = match need {
        Some(0) => Some(format!("there are {before} tokens already")),
        _ => chosen.is_empty().then(|| why(&reasons, mode, selection)),
    };
    let listed =
        |at: &usize| scene.entries[*at].role.is_sent() && selection.is_none_or(|some| some.places.contains(at));
    let verb = |at: &usize| if chosen.contains(at) { Verb::Make(mode) } else { Verb::Keep };
    let steps = (0..scene.entries.len()).filter(listed).map(|at| Step { at, verb: verb(&at), group: 0 });
    Ok((Plan { steps: steps.collect(), masked, idle, ..Plan::default() }, before))
}

/// Finds the entries that stay whatever the mode.
fn protected(scene: &Scene<'_>, request: &Compress<'_>, selection: Option<&Selection>) -> Reasons {
    let entries = &scene.entries;
    let spoken = |role: &Role| role.is_sent() && *role != Role::System;
    let front = entries.iter().position(|entry| spoken(&entry.role)).unwrap_or(entries.len());
    let first_user = entries.iter().position(|entry| entry.role == Role::User);
    let turns = match (request.keep_turns, selection) {
        (Some(turns), _) => turns,
        (None, None) => TURNS,
        (None, Some(_)) => 0,
    };
    let turns = usize::try_from(turns).unwrap_or(usize::MAX);
    let mut speakers = (0..entries.len()).rev().filter(|at| entries[*at].role == Role::Assistant);
    let newest = match turns {
        0 => entries.len(),
        turns => speakers.nth(turns - 1).unwrap_or(0),
    };
    let reason = |at: usize| {
        let entry = &entries[at];
        let single = selection.is_some_and(|selection| selection.single.contains(&at));
        match selection {
            _ if !entry.role.is_sent() => Some(NOT_SENT),
            Some(selection) if !selection.places.contains(&at) => Some("is outside of the range"),
            _ if entry.flags.pin && !request.ignore_pins => Some("is pinned"),
            _ if at < front && !single => Some("is one of the instructions at the front"),
            None if first_user == Some(at) || (at == front && entry.role != Role::Assistant) => {
                Some("is the first message of the user")
            }
            _ if at >= newest => Some("is among the newest turns"),
            _ => None,
        }
    };
    (0..entries.len()).map(reason).collect()
}

/// Keeps all halves of a tool call where one has to stay, or where no run could hold all of them.
fn keep_units_whole(scene: &Scene<'_>, ties: &Ties, reasons: &mut Reasons, in_one_run: bool) {
    loop {
        let mut staying = Vec::new();
        // How many entries stay before each place.
        let mut stay = 0;
        let counts: Vec<usize> = (0..reasons.len())
            .map(|at| {
                stay += usize::from(reasons[at].is_some() && scene.entries[at].role.is_sent());
                stay
            })
            .collect();
        for unit in ties.units() {
            let (Some(first), Some(last)) = (unit.first(), unit.last()) else { continue };
            let all_stay = unit.iter().all(|at| reasons[*at].is_some());
            let one_stays = unit.iter().any(|at| reasons[*at].is_some());
            if !all_stay && (one_stays || (in_one_run && counts[*first] != counts[*last])) {
                staying.extend(unit.iter().copied());
            }
        }
        if staying.is_empty() {
            return;
        }
        staying.into_iter().for_each(|at| {
            reasons[at].get_or_insert("is tied to a tool call or result that stays");
        });
    }
}

/// Makes the bodies with stubs, where they are smaller.
fn mask(scene: &Scene<'_>, mode: Mode, free: &[usize]) -> Result<HashMap<usize, Masked>, OpError> {
    let mut masked = HashMap::new();
    let repeats = match (mode, free.first()) {
        (Mode::Dedupe, Some(first)) => repeats::find(scene, *first)?,
        _ => repeats::Repeats::new(),
    };
    for at in free {
        let made = match mode {
            Mode::Dedupe => match repeats.get(at) {
                Some(calls) => stub::mask(scene, *at, &|call| calls.get(call).map(|later| Some(*later)))?,
                None => None,
            },
            _ => stub::mask(scene, *at, &|_| Some(None))?,
        };
        masked.extend(made.map(|made| (*at, made)));
    }
    Ok(masked)
}

/// Takes items with the most to gain, longest ago first, until enough is gained; all where no number is given, or
/// where all are not enough.
fn enough(scene: &Scene<'_>, items: Vec<(Vec<usize>, u64)>, need: Option<u64>) -> Vec<Vec<usize>> {
    let Some(need) = need else { return items.into_iter().map(|(places, _)| places).collect() };
    let age = |places: &[usize]| (scene.entries.len() - places.first().copied().unwrap_or(0)) as u128;
    let mut items = items;
    items.sort_by_key(|(places, gain)| (std::cmp::Reverse(u128::from(*gain) * age(places)), places.clone()));
    let mut gained = 0;
    let mut taken = Vec::new();
    for (places, gain) in items {
        if gained >= need {
            break;
        }
        gained += gain;
        taken.push(places);
    }
    taken
}

/// Takes entries, oldest first, until the rest leaves room for their summaries; all without a target.
fn oldest(
    scene: &Scene<'_>,
    ties: &Ties,
    free: &[usize],
    mode: Mode,
    before: u64,
    target: Option<u64>,
) -> BTreeSet<usize> {
    let Some(target) = target else { return free.iter().copied().collect() };
    let mut chosen = BTreeSet::new();
    let mut sum = 0;
    let mut runs = 0;
    for at in free {
        let needed = match mode {
            Mode::Title => runs * TITLE,
            Mode::Combine => sum,
            _ => (sum / SHARE).max(runs * SUMMARY_MIN),
        };
        if before - sum + needed <= target {
            break;
        }
        // What stands between the halves of a call goes too, so that one summary holds both.
        let (mut next, mut end) = (*at, *at);
        while next <= end {
            if free.binary_search(&next).is_ok() && chosen.insert(next) {
                end = end.max(ties.unit(next).last().copied().unwrap_or(next));
                sum += cost(&scene.entries[next]);
                let before = (0..next).rev().find(|before| scene.entries[*before].role.is_sent());
                runs += u64::from(before.is_none_or(|before| !chosen.contains(&before)));
            }
            next += 1;
        }
    }
    chosen
}

/// Says why nothing is left to compress.
fn why(reasons: &Reasons, mode: Mode, selection: Option<&Selection>) -> String {
    let in_range = |at: usize| selection.is_none_or(|selection| selection.places.contains(&at));
    let in_scope = |at: usize| in_range(at) && reasons[at] != Some(NOT_SENT);
    let mut said: Vec<&'static str> =
        reasons.iter().enumerate().filter(|(at, _)| in_scope(*at)).filter_map(|(_, reason)| *reason).collect();
    let all = said.len() == reasons.iter().enumerate().filter(|(at, _)| in_scope(*at)).count();
    said.sort_unstable();
    said.dedup();
    match (said.as_slice(), all) {
        (_, false) => format!("nothing becomes smaller by '{mode}'"),
        ([], true) => "no entry is meant".to_owned(),
        ([only], true) => format!("each entry {only}"),
        ([first, more @ ..], true) => format!("each entry {first}, or {}", more.join(", or ")),
    }
}
