//! The tiers: what is picked in which order.

use regex::Regex;

use super::concepts::Concepts;
use super::cover::cover;
use super::selection::Selection;
use super::units::{Source, Unit};
use super::{must_keep, repeats};
use crate::drivers::{DriverError, Form, Summarise, patterns};
use crate::tokens::Encoding;

/// Input with fewer tokens is covered only.
const SMALL: u64 = 4_000;
/// Up to which share of the budget people and the model are quoted, in percent.
const SAID: u64 = 80;
/// Which further share goes to results of tools, in percent.
const RESULTS: u64 = 10;
/// The share that one message may take, in percent, and the tokens that it may take in any case.
const MESSAGE: (u64, u64) = (10, 400);
/// The share that stubs may take, in percent.
const STUBS: u64 = 4;
/// A rest that is not worth cutting a message for.
const SCRAP: u64 = 16;
/// How often what counting piece by piece has left over is spent.
const ROUNDS: usize = 2;

/// Returns an extract of the passages with at most as many tokens as are asked for.
pub(super) fn summarise(encoding: Encoding, task: &Summarise) -> Result<String, DriverError> {
    let patterns = patterns(&task.must_keep)?;
    let target = task.target_tokens;
    let mut units: Vec<Unit> = Vec::new();
    let mut sources: Vec<Source<'_>> = Vec::with_capacity(task.passages.len());
    for (at, passage) in task.passages.iter().enumerate() {
        let text = must_keep::text_of(&passage.text, &patterns);
        sources.push(Source::read(encoding, passage, text, at, &mut units));
    }
    let movable = || (0..sources.len()).filter(|at| !sources[*at].passage.stays && !sources[*at].units.is_empty());
    let input: u64 = movable().map(|at| sources[at].cost).sum();
    let concepts = Concepts::read(&sources, &units);
    if task.form == Form::Title {
        return Ok(title(encoding, &sources, &units, &concepts, target));
    }
    let mut selection = Selection::new(encoding, &sources, &units, &concepts);
    if input <= target.saturating_add(target / 16) {
        movable().for_each(|at| selection.take_whole(at));
        let text = selection.text();
        if encoding.count(&text) <= target {
            return Ok(text);
        }
        selection = Selection::new(encoding, &sources, &units, &concepts);
    }
    let stubs = repeats::find(&sources);
    keep_matches(&mut selection, &patterns, target);
    if input >= SMALL {
        let share = |percent: u64| (u128::from(target) * u128::from(percent) / 100) as u64;
        let cap = share(MESSAGE.0).max(MESSAGE.1);
        let newest = || movable().rev().filter(|at| !stubs[*at]);
        quote(&mut selection, newest().filter(|at| !sources[*at].is_tool()), share(SAID), cap);
        let limit = selection.spent.saturating_add(share(RESULTS)).min(target);
        quote(&mut selection, newest().filter(|at| sources[*at].is_tool()), limit, cap);
        let mut rest = share(STUBS).min(target.saturating_sub(selection.spent));
        for at in movable().rev().filter(|at| stubs[*at]) {
            let before = selection.spent;
            if selection.is_touched(at) || !selection.take_stub(at, rest) {
                continue;
            }
            rest -= selection.spent - before;
        }
    }
    let pieces: Vec<usize> = movable().filter(|at| !stubs[*at]).flat_map(|at| sources[at].units.clone()).collect();
    let mut budget = target;
    for _ in 0..ROUNDS {
        let rest = budget.saturating_sub(selection.spent);
        cover(&mut selection, pieces.iter().copied(), rest);
        let real = encoding.count(&selection.text());
        if real.saturating_add(target / 100 + 1) >= target {
            break;
        }
        budget = selection.spent + (target - real);
    }
    Ok(fitted(&mut selection, encoding, target))
}

/// Returns the line or sentence that says the most by itself, as many words of it as fit.
fn title(encoding: Encoding, sources: &[Source<'_>], units: &[Unit], concepts: &Concepts, target: u64) -> String {
    let text = |unit: &Unit| sources[unit.source].text[unit.bytes.clone()].trim();
    let nothing = concepts.nothing_covered();
    let speaks = |unit: &Unit| {
        let source = &sources[unit.source];
        !source.passage.stays && text(unit).starts_with(|first: char| first.is_alphanumeric())
    };
    let best = (0..units.len()).filter(|at| speaks(&units[*at])).max_by_key(|at| {
        let fits = units[*at].cost <= target;
        (!sources[units[*at].source].is_tool(), fits, concepts.gain(*at, &nothing))
    });
    let Some(best) = best else { return String::new() };
    let mut title = String::new();
    for word in text(&units[best]).split_whitespace() {
        let before = title.len();
        if before > 0 {
            title.push(' ');
        }
        title.push_str(word);
        if encoding.count(&title) > target {
            title.truncate(before);
            break;
        }
    }
    title.trim_end_matches(['.', ':', ',', ';']).to_owned()
}

/// Takes back what matters least until the limit is kept, whatever the sums said.
fn fitted(selection: &mut Selection<'_>, encoding: Encoding, target: u64) -> String {
    loop {
        let text = selection.text();
        let over = encoding.count(&text).saturating_sub(target);
        if over == 0 {
            return text;
        }
        if selection.is_empty() {
            return String::new();
        }
        selection.take_back(over);
    }
}

/// Puts in what must be kept: the lines that have it, or only the matches if the lines would take more than half.
fn keep_matches(selection: &mut Selection<'_>, patterns: &[Regex], target: u64) {
    let matches = must_keep::find(selection.sources, patterns);
    let units = selection.units;
    let sources = selection.sources;
    // Pieces stand in order, so that the first one that a match touches can be searched for.
    let touched = |source: usize, bytes: &std::ops::Range<usize>| {
        let range = sources[source].units.clone();
        let first = range.start + units[range.clone()].partition_point(|unit| unit.bytes.end <= bytes.start);
        let end = range.start + units[range].partition_point(|unit| unit.bytes.start < bytes.end);
        first..end.max(first)
    };
    let mut lines: Vec<usize> =
        matches.iter().flat_map(|(source, bytes)| touched(*source, bytes).take(MATCH_PIECES)).collect();
    lines.sort_unstable();
    lines.dedup();
    let cost: u64 = lines.iter().map(|unit| units[*unit].cost + SCRAP / 2).sum();
    let whole = cost <= target / 2;
    for (source, bytes) in matches {
        let pieces = touched(source, &bytes);
        if pieces.clone().all(|unit| selection.has(unit)) && !pieces.is_empty() {
            continue;
        }
        let in_pieces = !pieces.is_empty()
            && units[pieces.start].bytes.start <= bytes.start
            && units[pieces.end - 1].bytes.end >= bytes.end;
        if whole && in_pieces && pieces.len() <= MATCH_PIECES {
            for unit in pieces {
                if !selection.has(unit) {
                    selection.take(unit);
                }
            }
        } else if selection.spent + selection.cost_of_fragment(source, &bytes) <= target {
            selection.take_fragment(source, bytes);
        }
    }
}

/// A match over more pieces than this is put in without the rest of its lines.
const MATCH_PIECES: usize = 64;

/// Quotes passages in the order given until `limit` tokens are spent; what is longer than `cap` is cut.
fn quote(selection: &mut Selection<'_>, order: impl Iterator<Item = usize>, limit: u64, cap: u64) {
    for at in order {
        let rest = limit.saturating_sub(selection.spent);
        if rest < SCRAP {
            break;
        }
        if selection.cost_of_whole(at) <= cap.min(rest) {
            selection.take_whole(at);
        } else {
            let pieces = selection.sources[at].units.clone();
            cover(selection, pieces, cap.min(rest));
        }
    }
}
