//! The workflow that is there where nothing of its name is installed or offered.

use std::path::Path;

use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::Unpacked;
use crate::workflow::{DEFINITION, Definition};

/// Its name.
pub(super) const NAME: &str = "default";

/// Its files.
const FILES: [(&str, &[u8]); 2] = [
    (DEFINITION, include_bytes!("../../../templates/workflows/default/workflow.json")),
    ("instructions.md", include_bytes!("../../../templates/workflows/default/instructions.md")),
];

/// Reads its definition.
pub(super) fn definition() -> Definition {
    Definition::read(FILES[0].1).expect("a file of ours, which a test reads")
}

/// Puts its files where programs can read them.
pub(super) fn unpack(workspace: &Workspace, all: &Path) -> Result<Unpacked, OpError> {
    Ok(workspace.repo.unpack_files(&FILES, all)?)
}

/// Returns the tree that its files are.
pub(super) fn tree(workspace: &Workspace) -> Result<ObjectId, OpError> {
    Ok(workspace.repo.tree_of_files(&FILES)?)
}

/// Returns its instructions.
pub(super) fn instructions() -> &'static [u8] {
    FILES[1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_workflow_without_a_fault() {
        let definition = definition();
        assert!(definition.warnings.is_empty(), "{:?}", definition.warnings);
        assert!(definition.looping.enabled && definition.plugins.is_empty());
        assert!(FILES.iter().any(|(name, _)| *name == definition.workflow_file));
    }
}
