//! Which pieces to take for a number of tokens: those that bring the most that is new, for each token.
//!
//! The lazy form of the greedy rule for budgeted coverage (Minoux 1978; Lin and Bilmes 2010, "Multi-document
//! summarization via budgeted maximization of submodular functions"): a gain only shrinks as more is covered, so that
//! an old gain is an upper bound and only the piece at the top needs to be looked at again.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::selection::Selection;

/// Looks at a piece again at most this often on average; then gains are taken as they were. Bounds the time on hostile
/// input, and is far from reached on any other.
const LOOKS: usize = 24;

struct Candidate {
    gain: u64,
    cost: u64,
    unit: usize,
}

impl Ord for Candidate {
    /// By gain for each token; of equals the newer one is greater.
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = u128::from(self.gain) * u128::from(other.cost);
        let theirs = u128::from(other.gain) * u128::from(self.cost);
        ours.cmp(&theirs).then(self.unit.cmp(&other.unit))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// Takes one piece after the other, best first, until nothing that is left fits into `budget` or brings anything.
pub(super) fn cover(selection: &mut Selection<'_>, candidates: impl Iterator<Item = usize>, mut budget: u64) {
    let mut heap: BinaryHeap<Candidate> = candidates
        .filter(|unit| selection.units[*unit].cost <= budget && !selection.has(*unit))
        .map(|unit| Candidate { gain: gain(selection, unit), cost: selection.cost_of(unit), unit })
        .filter(|candidate| candidate.gain > 0)
        .collect();
    let least = heap.iter().map(|candidate| selection.units[candidate.unit].cost).min().unwrap_or(0);
    let mut looks = heap.len().saturating_mul(LOOKS);
    while budget >= least {
        let Some(mut best) = heap.pop() else { break };
        if selection.units[best.unit].cost > budget {
            continue;
        }
        if looks > 0 {
            looks -= 1;
            best.gain = gain(selection, best.unit);
            if best.gain == 0 {
                continue;
            }
            best.cost = selection.cost_of(best.unit);
            if heap.peek().is_some_and(|next| best < *next) {
                heap.push(best);
                continue;
            }
        }
        // A label that another piece has paid for meanwhile makes a piece cheaper, never dearer.
        let cost = selection.cost_of(best.unit);
        if cost <= budget {
            budget -= cost;
            selection.take(best.unit);
        }
    }
}

fn gain(selection: &Selection<'_>, unit: usize) -> u64 {
    selection.concepts.gain(unit, &selection.covered)
}
