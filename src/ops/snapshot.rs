//! Snapshots of the work tree: what the files were when a context was at a point.

use super::withhold::Withhold;
use super::{OpError, Workspace};
use crate::model::{Facts, ObjectId, Operation};
use crate::store::{StoreError, Untracked, WorkTreeState};

/// Largest file that is taken in although git does not track it, unless `trace.snapshotFileMax` says otherwise: 1 MiB.
const FILE_MAX: u64 = 1 << 20;
/// Most bytes of all such files together.
const TOTAL_MAX: u64 = 32 << 20;
/// Times that a snapshot is put on top anew when another process kept one in between.
const ATTEMPTS: usize = 3;
/// The trailer that names the linked worktree; there is none for the main one.
pub(super) const WORKTREE: &str = "Trace-Worktree";

/// Says at which moment of a context a snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// The agent whose context it is.
    pub agent: String,
    /// Its session.
    pub session: Option<String>,
    /// The newest commit of the context.
    pub commit: Option<ObjectId>,
    /// The tool call that has just run; its result may not be in the context yet.
    pub call: Option<String>,
    /// In a few words, why.
    pub reason: String,
}

/// Says which snapshot holds the work tree.
#[derive(Debug, Clone)]
pub struct SnapshotTaken {
    /// The snapshot, which may be an older one with the same files.
    pub id: ObjectId,
    /// Whether it was made now.
    pub is_new: bool,
}

/// Keeps the work tree as it is: tracked and untracked files, ignored ones not. Nothing of the user's is touched, and
/// a work tree that is as the newest snapshot has it makes no new one.
///
/// Untracked files are left out that are large, that `trace.capture.exclude` names, or in which there is a secret.
///
/// # Errors
/// When there is no work tree, or git cannot read or keep it.
pub fn take_snapshot(workspace: &Workspace, moment: &Moment) -> Result<SnapshotTaken, OpError> {
    let state = workspace.work_tree_state(false)?;
    workspace.keep_snapshot(&state, moment)
}

impl Workspace {
    /// Looks at the work tree; with `rehearse`, nothing is written to the repository.
    pub(super) fn work_tree_state(&self, rehearse: bool) -> Result<WorkTreeState, OpError> {
        let file_max = self.repo.config_number("trace.snapshotFileMax")?.unwrap_or(FILE_MAX);
        let withhold = Withhold::of(self);
        self.rehearse(rehearse);
        let redactor = self.redactor()?;
        let may_take =
            |path: &str, content: &[u8]| !withhold.is_path_left_out(path) && redactor.scan(content).is_empty();
        let untracked = Untracked { file_max, total_max: TOTAL_MAX.max(file_max), may_take: &may_take };
        Ok(self.repo.work_tree_state(&untracked, rehearse)?)
    }

    /// Keeps the work tree that was looked at.
    pub(super) fn keep_snapshot(&self, state: &WorkTreeState, moment: &Moment) -> Result<SnapshotTaken, OpError> {
        let repo = &self.repo;
        let worktree = repo.worktree_name();
        if let Some(id) = repo.find_ref_id(&repo.snapshot_ref(&moment.agent))? {
            let newest = repo.read_commit(&id)?;
            if newest.tree == state.tree && newest.facts.trailer(WORKTREE) == worktree.as_deref() {
                return Ok(SnapshotTaken { id, is_new: false });
            }
        }
        let mut facts = Facts::new(Operation::Snapshot);
        facts.agent = Some(moment.agent.clone());
        facts.session.clone_from(&moment.session);
        facts.code = repo.code_commit();
        let line = |text: &str| self.redactor().map(|redactor| redactor.line(text).into_inner());
        facts.other.extend(moment.commit.map(|id| ("Trace-Commit".to_owned(), id.to_string())));
        if let Some(call) = &moment.call {
            facts.other.push(("Trace-Call".to_owned(), line(call)?));
        }
        facts.other.extend(worktree.map(|name| (WORKTREE.to_owned(), name)));
        let subject = line(&format!("snapshot: {}", moment.reason))?;
        let who = repo.committer()?;
        let mut attempt = 1;
        loop {
            match repo.keep_snapshot(&moment.agent, state.tree, &subject, &facts, &who) {
                Err(StoreError::RefMoved { .. }) if attempt < ATTEMPTS => attempt += 1,
                kept => return Ok(SnapshotTaken { id: kept?, is_new: true }),
            }
        }
    }
}
