//! What an agent still has at hand after its context was compressed: `cargo bench --bench mem_use`.
//!
//! *memUse*: a real trajectory is cut at 60 % of its messages and the part before the cut compressed. Then every path,
//! identifier, number, address and error code is taken that the agent used after the cut, in its own text or its calls
//! of tools, that stood before the cut, and that no result of a tool and no message of the user supplied anew before
//! it was used. memUse is the share of them that the compressed part still has. The instructions and the user's first
//! message stay as they are, for every way of compressing, cost nothing and supply nothing.
//!
//! All ways have the same hard limit, counted by the same encoding on the whole text with its labels. None knows what
//! comes after the cut. Cut, budgets, seed, the conditions on trajectories and the parameters of ours were fixed before
//! the first run, and not changed after it. The halves are there for the day when somebody tunes: on the first only.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "benches start programs and print")]

#[path = "mem_use/baselines.rs"]
mod baselines;
mod measure;
#[path = "mem_use/statistics.rs"]
mod statistics;
#[path = "mem_use/trajectory.rs"]
mod trajectory;

use std::collections::HashSet;
use std::time::Instant;

use git_trace::drivers::{Driver, Embedded, Summarise, Task, entities};
use git_trace::tokens::Encoding;
use statistics::{interval, mean};
use trajectory::Trajectory;

/// Where a trajectory is cut, in percent of its messages.
const CUT: usize = 60;
/// What the part before the cut is compressed to, in thousandths of its tokens.
const BUDGETS: [u64; 3] = [500, 250, 125];
/// Trajectories with less before the cut, or fewer things used after it, say nothing.
const LEAST_TOKENS: u64 = 1_000;
const LEAST_USED: usize = 5;
/// Samples of the bootstrap, and its seed.
const SAMPLES: usize = 10_000;
const SEED: u64 = 20_261_121;

/// The encoding of all counts.
pub const ENCODING: Encoding = Encoding::O200kBase;

/// A way to compress: passages and a number of tokens become a text.
type Way = fn(&Summarise) -> String;

const WAYS: [(&str, Way); 4] = [
    ("git trace", ours),
    ("drop oldest", baselines::drop_oldest),
    ("head/tail", baselines::head_tail),
    ("mask", baselines::mask),
];

/// Holds the scores of one trajectory: for each budget, for each way.
struct Scores {
    name: String,
    tokens: u64,
    used: usize,
    milliseconds: f64,
    shares: Vec<Vec<f64>>,
}

fn main() {
    let Some(dir) = measure::transcripts() else { return println!("skipped: no transcripts here") };
    let trajectories = trajectory::load(&dir);
    let scores = at(&trajectories, CUT);
    println!("cut at {CUT} % of the messages; instructions and first message pinned, free; limits are hard\n");
    for score in &scores {
        let Scores { name, tokens, used, milliseconds, shares } = score;
        println!("{name}: {tokens} tokens, {used} used later, {milliseconds:.1} ms");
        for (budget, shares) in BUDGETS.iter().zip(shares) {
            let shares: Vec<String> = shares.iter().map(|share| format!("{share:.3}")).collect();
            println!("    {:4.1} %  {}", *budget as f64 / 10.0, shares.join("  "));
        }
    }
    table(&format!("all {} trajectories", scores.len()), &scores);
    let (tuned, held): (Vec<_>, Vec<_>) =
        scores.into_iter().partition(|scores| trajectory::is_first_half(&scores.name));
    table("first half", &tuned);
    table("other half", &held);
    let cuts = [30, 40, 50, 60, 70, 80, 90];
    let more: Vec<Vec<Scores>> = cuts.iter().map(|cut| at(&trajectories, *cut)).collect();
    let (first, other) =
        more.into_iter().flatten().partition::<Vec<_>, _>(|scores| trajectory::is_first_half(&scores.name));
    table("first half, cut at 30, 40 … 90 %, resampled by trajectory", &first);
    table("other half, cut at 30, 40 … 90 %, resampled by trajectory", &other);
    let all: Vec<Scores> = first.into_iter().chain(other).collect();
    table("all, cut at 30, 40 … 90 %, resampled by trajectory", &all);
}

/// Scores all trajectories at one cut.
fn at(trajectories: &[Trajectory], cut: usize) -> Vec<Scores> {
    trajectories.iter().filter_map(|trajectory| score(trajectory, cut)).collect()
}

fn score(trajectory: &Trajectory, cut: usize) -> Option<Scores> {
    let case = trajectory.cut(cut);
    let tokens = case.passages.iter().filter(|passage| !passage.stays).map(|passage| passage.tokens).sum();
    if tokens < LEAST_TOKENS || case.used.len() < LEAST_USED {
        return None;
    }
    let mut milliseconds = 0.0;
    let shares = BUDGETS.iter().map(|budget| {
        let target_tokens = tokens * budget / 1000;
        let task = Summarise { passages: case.passages.clone(), target_tokens, ..Summarise::default() };
        let shares = WAYS.iter().enumerate().map(|(nth, (name, way))| {
            let start = Instant::now();
            let text = way(&task);
            if nth == 0 {
                milliseconds += start.elapsed().as_secs_f64() * 1e3 / BUDGETS.len() as f64;
            }
            let counted = ENCODING.count(&text);
            assert!(counted <= target_tokens, "{name} took {counted} of {target_tokens} tokens");
            let kept: HashSet<&str> = entities(&text).into_iter().map(|entity| entity.text).collect();
            case.used.iter().filter(|name| kept.contains(name.as_str())).count() as f64 / case.used.len() as f64
        });
        shares.collect()
    });
    let shares = shares.collect();
    Some(Scores { name: trajectory.name.clone(), tokens, used: case.used.len(), milliseconds, shares })
}

fn ours(task: &Summarise) -> String {
    Embedded::new(ENCODING).carry_out(&Task::Summarise(task.clone())).expect("no patterns").text
}

/// Prints the mean of each way, and ours minus each other one with its interval.
fn table(title: &str, scores: &[Scores]) {
    let size = mean(&scores.iter().map(|score| score.tokens as f64).collect::<Vec<f64>>());
    println!("\n{title}: n = {}, {size:.0} tokens on average", scores.len());
    println!("| way | 50 % | 25 % | 12.5 % |\n|---|---|---|---|");
    let of = |way: usize, budget: usize| scores.iter().map(|score| score.shares[budget][way]).collect::<Vec<f64>>();
    for (way, (name, _)) in WAYS.iter().enumerate() {
        let means: Vec<String> = (0..BUDGETS.len()).map(|budget| format!("{:.3}", mean(&of(way, budget)))).collect();
        println!("| {name} | {} |", means.join(" | "));
    }
    let names: Vec<&str> = scores.iter().map(|score| score.name.as_str()).collect();
    for (way, (name, _)) in WAYS.iter().enumerate().skip(1) {
        let cells = (0..BUDGETS.len()).map(|budget| {
            let pairs: Vec<f64> =
                of(0, budget).iter().zip(of(way, budget)).map(|(ours, theirs)| ours - theirs).collect();
            let (low, high) = interval(&pairs, &names, SAMPLES, SEED);
            format!("{:+.3} [{low:+.3}, {high:+.3}]", mean(&pairs))
        });
        println!("| ours − {name} | {} |", cells.collect::<Vec<String>>().join(" | "));
    }
}
