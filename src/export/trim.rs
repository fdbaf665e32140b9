//! Leaving out the end of an interrupted session.

use std::collections::HashSet;

use super::plan::{Speech, is_unnamed_result};
use crate::model::{EntryId, Role};

/// Takes out the model's last messages whose calls are not all answered, and the results that belong to them.
///
/// From the end backwards, up to the first message of the model that is complete; what the user said stays. Returns
/// the entries that are gone as a whole, in the order of the context.
pub(super) fn trim(speeches: &mut Vec<Speech<'_>>) -> Vec<EntryId> {
    let mut answered: HashSet<String> = HashSet::new();
    let mut unnamed: Vec<usize> = Vec::new();
    let mut gone: HashSet<usize> = HashSet::new();
    let mut end = speeches.len();
    while end > 0 {
        let speech = &speeches[end - 1];
        if speech.entry.role != Role::Assistant {
            answered.extend(speech.answers().map(str::to_owned));
            if is_unnamed_result(speech) {
                unnamed.push(end - 1);
            }
            end -= 1;
            continue;
        }
        // The model's entries from `start` to `end` are one message: a result behind it may answer any of them.
        let start =
            speeches[..end].iter().rposition(|speech| speech.entry.role != Role::Assistant).map_or(0, |at| at + 1);
        let run = &speeches[start..end];
        let open: Vec<&str> = run.iter().flat_map(Speech::calls).filter(|call| !answered.contains(*call)).collect();
        let settled = open.is_empty() || (open.len() == 1 && unnamed.len() == 1);
        if settled && !run.iter().all(Speech::is_silent) {
            break;
        }
        let open: HashSet<&str> = open.into_iter().collect();
        let is_incomplete = |speech: &Speech<'_>| speech.calls().any(|call| open.contains(call));
        let rest_is_silent = run.iter().all(|speech| is_incomplete(speech) || speech.is_silent());
        if !settled {
            gone.extend(unnamed.drain(..));
            gone.extend((start..end).filter(|place| is_incomplete(&speeches[*place])));
        }
        if !rest_is_silent {
            break;
        }
        end = start;
    }
    let lost_calls: HashSet<String> =
        gone.iter().flat_map(|place| speeches[*place].calls()).map(str::to_owned).collect();
    let mut trimmed = Vec::new();
    let mut place = 0;
    speeches.retain_mut(|speech| {
        let mut stays = !gone.contains(&place);
        if stays && place >= end && speech.answers().any(|call| lost_calls.contains(call)) {
            speech.elements.retain(|element| !element.answers().any(|call| lost_calls.contains(call)));
            stays = !speech.elements.is_empty();
        }
        place += 1;
        if !stays {
            trimmed.push(speech.entry.id);
        }
        stays
    });
    trimmed
}
