//! `checkout`: `switch` in its older form, which takes a branch and a commit alike.

use super::switch::{Destination, Switch, Switched, switch};
use super::{OpError, Workspace};

/// Asks for HEAD to move.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// A branch, or any revision (HEAD is detached then). With `create`: where the new branch starts; HEAD if `None`.
    pub revision: Option<String>,
    /// Name of a branch to make.
    pub create: Option<String>,
    /// Whether HEAD is to be detached even where the revision is a branch.
    pub detach: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Moves HEAD. Making a branch copies no object.
///
/// # Errors
/// When the revision names nothing, or the branch to make exists.
pub fn checkout(workspace: &Workspace, request: &Checkout) -> Result<Switched, OpError> {
    let revision = || request.revision.clone().unwrap_or_else(|| "HEAD".to_owned());
    let to = match &request.create {
        Some(name) => Destination::New { name: name.clone(), start: request.revision.clone(), force: false },
        None if request.detach => Destination::Commit(revision()),
        None => Destination::Either(revision()),
    };
    switch(workspace, &Switch { to, dry_run: request.dry_run })
}
