//! Ways to compress that need no thought, under the same hard limit and with the same labels.

use git_trace::drivers::{Passage, Summarise};
use git_trace::model::Role;

use crate::ENCODING;

/// Keeps the newest messages whole, and the end of the one that does not fit.
pub fn drop_oldest(task: &Summarise) -> String {
    newest(&movable(task).map(block).collect::<Vec<String>>(), task.target_tokens)
}

/// Cuts the middle out of every message that is longer than a length, the same for all: the greatest that fits.
pub fn head_tail(task: &Summarise) -> String {
    let (mut fits, mut beyond) = (0, movable(task).map(|passage| passage.text.len()).max().unwrap_or(0) + 1);
    let text = |length: usize| {
        let cut = movable(task).map(|passage| {
            let text = &passage.text;
            if text.len() <= length {
                return block(passage);
            }
            let boundary = |at: &usize| text.is_char_boundary(*at);
            let head = &text[..(0..=length / 2).rev().find(boundary).unwrap_or(0)];
            let tail = &text[(text.len() - length / 2..).find(boundary).unwrap_or(text.len())..];
            format!("{}: {head}…{tail}", passage.role.name())
        });
        cut.collect::<Vec<String>>().join("\n")
    };
    while beyond - fits > 1 {
        let middle = fits + (beyond - fits) / 2;
        if ENCODING.count(&text(middle)) <= task.target_tokens { fits = middle } else { beyond = middle }
    }
    newest(&text(fits).lines().map(str::to_owned).collect::<Vec<String>>(), task.target_tokens)
}

/// Clears the results of tools; the newest stay as far as there is room. If the rest alone is too long, the oldest goes.
pub fn mask(task: &Summarise) -> String {
    let passages: Vec<&Passage> = movable(task).collect();
    let mut blocks: Vec<String> = passages
        .iter()
        .map(|passage| if is_result(passage) { "tool: [cleared]".to_owned() } else { block(passage) })
        .collect();
    let mut counted = ENCODING.count(&blocks.join("\n"));
    if counted > task.target_tokens {
        return newest(&blocks, task.target_tokens);
    }
    for (at, passage) in passages.iter().enumerate().rev().filter(|(_, passage)| is_result(passage)) {
        let whole = block(passage);
        // One token more for each block than its own: what a line end may cost.
        let more = (ENCODING.count(&whole) + 1).saturating_sub(ENCODING.count(&blocks[at]));
        if counted + more > task.target_tokens {
            break;
        }
        counted += more;
        blocks[at] = whole;
    }
    newest(&blocks, task.target_tokens)
}

fn movable(task: &Summarise) -> impl Iterator<Item = &Passage> {
    task.passages.iter().filter(|passage| !passage.stays)
}

fn is_result(passage: &Passage) -> bool {
    passage.role == Role::Tool
}

fn block(passage: &Passage) -> String {
    format!("{}: {}", passage.role.name(), passage.text)
}

/// Returns the longest end of the blocks that fits, cut between lines.
fn newest(blocks: &[String], limit: u64) -> String {
    let text = blocks.join("\n");
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).chain([text.len()]).collect();
    let fits = starts.partition_point(|start| ENCODING.count(&text[*start..]) > limit);
    starts.get(fits).map_or(String::new(), |start| text[*start..].to_owned())
}
