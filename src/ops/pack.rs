//! `pack`: housekeeping, now instead of by itself.

use super::{OpError, Workspace};

/// Packs the loose objects that git trace wrote, and brings the commit-graph up to date.
///
/// # Errors
/// When the repository cannot be written; nothing is lost then.
pub fn pack(workspace: &Workspace) -> Result<(), OpError> {
    Ok(workspace.repo.pack_own_objects()?)
}
