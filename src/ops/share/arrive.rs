//! What came from a remote is looked at before anything here follows it.

use crate::model::{Branch, ObjectId};
use crate::ops::validate::{validate, validate_all, validate_meta};
use crate::ops::{OpError, Workspace};
use crate::store::{Arrival, FORGOTTEN, HEADS, META, ObjectKind, TAGS};

/// Says of each ref that came why it is not followed; `None` if it is sound.
///
/// What `known` reaches was looked at before.
pub(super) fn faults(
    workspace: &Workspace,
    arrivals: &[Arrival],
    known: &[ObjectId],
) -> Result<Vec<Option<String>>, OpError> {
    // Mostly all of it is sound, which one walk tells.
    let is_context = |arrival: &&Arrival| [HEADS, TAGS].contains(&arrival.kind);
    let tips: Vec<ObjectId> = arrivals.iter().filter(is_context).map(|arrival| arrival.new).collect();
    let are_sound = validate_all(workspace, &tips, known)?.is_none();
    let mut known = known.to_vec();
    if are_sound {
        known.extend(tips);
    }
    let mut found = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let fault = match fault_of_form(workspace, arrival)? {
            None if are_sound && is_context(&arrival) => None,
            None => fault(workspace, arrival, &known)?,
            fault => fault,
        };
        if fault.is_none() && is_context(&arrival) && !are_sound {
            known.push(arrival.new);
        }
        found.push(fault);
    }
    Ok(found)
}

/// Looks at the name of a ref, and at what kind of object it names.
fn fault_of_form(workspace: &Workspace, arrival: &Arrival) -> Result<Option<String>, OpError> {
    let is_two_parts = || {
        let (agent, name) = arrival.name.split_once('/')?;
        Branch::new(agent, name).ok()
    };
    let is_hex = |name: &str| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_named_well = match arrival.kind {
        HEADS | TAGS => is_two_parts().is_some(),
        _ => is_hex(&arrival.name),
    };
    if !is_named_well {
        return Ok(Some("its name is none that git trace gives".to_owned()));
    }
    if workspace.repo.header(&arrival.new)?.0 != ObjectKind::Commit {
        return Ok(Some("it names no commit".to_owned()));
    }
    Ok(None)
}

fn fault(workspace: &Workspace, arrival: &Arrival, known: &[ObjectId]) -> Result<Option<String>, OpError> {
    let unsound = match arrival.kind {
        HEADS | TAGS => validate(workspace, arrival.new, known)?,
        META => validate_meta(workspace, arrival.new, arrival.old.as_slice())?,
        _ => {
            debug_assert_eq!(arrival.kind, FORGOTTEN);
            let error = workspace.repo.read_tombstone(&arrival.tracking, &arrival.new).err();
            return Ok(error.map(|error| error.to_string()));
        }
    };
    Ok(unsound.map(|unsound| {
        let path = unsound.path.map(|path| format!(" '{path}'")).unwrap_or_default();
        format!("{}{path}: {}", unsound.object.short(12), unsound.reason)
    }))
}
