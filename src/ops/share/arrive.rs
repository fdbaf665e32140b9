//! What came from a remote is looked at before anything here follows it.

use crate::model::{Branch, ObjectId};
use crate::ops::validate::{validate, validate_meta};
use crate::ops::{OpError, Workspace};
use crate::store::{Arrival, FORGOTTEN, HEADS, META, ObjectKind, TAGS};

/// Says why a ref that came is not followed; `None` if it is sound.
///
/// What `known` reaches was looked at before.
pub(super) fn fault(workspace: &Workspace, arrival: &Arrival, known: &[ObjectId]) -> Result<Option<String>, OpError> {
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
    let unsound = match arrival.kind {
        HEADS | TAGS => validate(workspace, arrival.new, known)?,
        META => validate_meta(workspace, arrival.new, known)?,
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
