//! What is about to leave is looked at first: its size, and whether a secret slipped in.

use serde::Serialize;

use super::ShareError;
use crate::model::ObjectId;
use crate::ops::scan::{scan_commits, scan_names};
use crate::ops::{OpError, Workspace};
use crate::store::{Reached, StoreError};

/// The largest object that hosts take, in bytes.
const OBJECT_MAX: u64 = 100_000_000;

/// The largest object that hosts like, in bytes.
const OBJECT_ADVISED: u64 = 1_000_000;

/// Names an object that hosts do not like, or refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TooLarge {
    /// The first commit that has it.
    pub commit: ObjectId,
    /// Its path in that commit's tree.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Looks at the names of refs, and at what `tips` reach and `known` do not; returns objects that are larger than hosts like.
///
/// # Errors
/// [`ShareError::Leaks`] when a secret is in it, [`ShareError::TooLarge`] when hosts refuse an object of that size.
pub(super) fn look(
    workspace: &Workspace,
    names: &[&str],
    tips: &[ObjectId],
    known: &[ObjectId],
) -> Result<Vec<TooLarge>, OpError> {
    let repo = &workspace.repo;
    let limit = repo.config_number("trace.maxObject")?.unwrap_or(OBJECT_MAX);
    let mut large = Vec::new();
    repo.visit_new(tips, known, &mut |reached| {
        if let Reached::Blob { commit, folder, name, id } = reached {
            let bytes = repo.header(&id)?.1;
            if bytes > OBJECT_ADVISED.min(limit) {
                let path = format!("{folder}{}", String::from_utf8_lossy(name));
                large.push(TooLarge { commit, path, bytes });
            }
        }
        Ok::<(), StoreError>(())
    })?;
    if let Some(TooLarge { commit, path, bytes }) = large.iter().find(|large| large.bytes > limit).cloned() {
        return Err(ShareError::TooLarge { commit, path, bytes, limit }.into());
    }
    let mut leaks = scan_names(workspace, names)?;
    leaks.extend(scan_commits(workspace, tips, known)?);
    if leaks.is_empty() { Ok(large) } else { Err(ShareError::Leaks { leaks }.into()) }
}
