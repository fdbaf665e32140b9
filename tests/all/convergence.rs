//! Clones that work on the same contexts, push and pull over lines that fail, and end with the same.
//!
//! What happens is chosen by a seed, which is printed when something is wrong; `GITTRACE_SEED` gives it again,
//! `GITTRACE_SOAK` runs all of it, on every kind of server; `GITTRACE_KIND` (`dulwich`, …) on one of them.

mod book;
mod sim;
mod trouble;

use crate::servers::Kind;
use crate::world::{amount, is_soak};
use sim::Sim;

#[test]
fn two_clones_converge() {
    runs(2, &[Kind::Daemon, Kind::Http, Kind::Path, Kind::Dulwich]);
}

#[test]
fn five_clones_converge() {
    runs(5, &[Kind::Ssh, Kind::Daemon, Kind::File, Kind::Dulwich]);
}

#[test]
fn what_two_machines_merge_at_once_is_one_merge() {
    for seed in 0..amount(2, 20) as u64 {
        Sim::begin(2, Kind::Path, seed).expect("there is nothing to install").merge_at_once();
    }
}

/// Runs a simulation on one of these kinds, or in a long run on all kinds there are.
fn runs(clones: usize, usual: &[Kind]) {
    let given = std::env::var("GITTRACE_SEED").ok().map(|seed| seed.parse().expect("GITTRACE_SEED is a number"));
    let seed = given.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let named = std::env::var("GITTRACE_KIND").ok().map(|name| {
        let is_meant = |kind: &Kind| format!("{kind:?}").eq_ignore_ascii_case(&name);
        vec![Kind::ALL.into_iter().find(is_meant).expect("GITTRACE_KIND is a kind of server")]
    });
    let kinds = match named {
        Some(kinds) => kinds,
        None if is_soak() => Kind::ALL.to_vec(),
        None => vec![usual[seed as usize % usual.len()]],
    };
    for kind in kinds {
        // What is not installed is said to be skipped; another kind then shows as much as can be shown here.
        let sim = Sim::begin(clones, kind, seed).or_else(|| Sim::begin(clones, Kind::Path, seed));
        sim.expect("a path needs nothing").run(amount(if clones == 2 { 60 } else { 80 }, 200));
    }
}
