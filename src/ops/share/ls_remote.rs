//! `ls-remote`: tells what a remote has, and keeps nothing of it.

use serde::Serialize;

use super::{connection, default_remote};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::is_remote_name;

/// Asks what a remote has.
#[derive(Debug, Clone, Default)]
pub struct LsRemote {
    /// The remote, or an address; the default one if `None`.
    pub remote: Option<String>,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
}

/// Says what a remote has.
#[derive(Debug, Clone, Serialize)]
pub struct RemoteRefs {
    /// The remote, or the address without a password.
    pub remote: String,
    /// Its refs, by name.
    pub refs: Vec<ListedRef>,
}

/// Names a ref of a remote.
#[derive(Debug, Clone, Serialize)]
pub struct ListedRef {
    /// `heads`, `tags`, `meta` or `forgotten`.
    pub kind: String,
    /// Its name: `<agent>/<branch>` of a branch.
    pub name: String,
    /// What it holds.
    pub id: ObjectId,
    /// Whether it is known here that the remote has that.
    pub is_known: bool,
}

/// Lists what a remote has.
///
/// # Errors
/// When it cannot be reached.
pub fn ls_remote(workspace: &Workspace, request: &LsRemote) -> Result<RemoteRefs, OpError> {
    let repo = &workspace.repo;
    let remote = match &request.remote {
        Some(address) if !is_remote_name(address) => repo.remote_at(address)?,
        name => default_remote(workspace, name.as_deref())?,
    };
    let prefix = format!("{}/", workspace.settings().ref_prefix);
    let mut refs = Vec::new();
    for (local, id) in repo.list_remote(&remote, &connection(workspace, request.may_ask, None)?)? {
        let Some((kind, name)) = local.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else { continue };
        let known = remote.tracking(&local).map(|tracking| repo.find_ref_id(&tracking)).transpose()?.flatten();
        refs.push(ListedRef { kind: kind.to_owned(), name: name.to_owned(), id, is_known: known == Some(id) });
    }
    Ok(RemoteRefs { remote: remote.name, refs })
}
