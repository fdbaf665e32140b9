//! `rewind`: puts a context back to a point, and the work tree with it if asked to.

use std::collections::HashSet;

use serde::Serialize;

use super::find::{find_entry, say};
use super::snapshot::WORKTREE;
use super::{Moment, OpError, Reset, ResetMode, WasReset, Workspace, reset};
use crate::model::{Commit, EntryId, ObjectId, Operation, Role, TouchKind};

/// Asks for a context to be put back.
#[derive(Debug, Clone)]
pub struct Rewind {
    /// Where to: an entry, behind which nothing is to be left, or a commit.
    pub to: String,
    /// Whether the work tree goes back too.
    pub code: bool,
    /// The snapshot that the work tree is put back to, in the place of the one that goes with the point.
    pub snapshot: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what was put back.
#[derive(Debug, Clone, Serialize)]
pub struct Rewound {
    /// The context.
    pub context: WasReset,
    /// The work tree, if it was asked for.
    pub code: Option<CodeRewound>,
    /// The command that takes all of it back.
    pub undo: String,
}

/// Says what was done to the work tree.
#[derive(Debug, Clone, Serialize)]
pub struct CodeRewound {
    /// The snapshot that it is as now.
    pub snapshot: ObjectId,
    /// When that was taken.
    pub taken: String,
    /// The snapshot that holds it as it was before; `None` on a dry run.
    pub saved: Option<ObjectId>,
    /// The files that changed: `A` were put back, `D` taken away, `M` and `T` changed.
    pub files: Vec<(char, String)>,
    /// Whether the code's HEAD is at another commit than it was then. It is not moved.
    pub head_differs: bool,
}

/// Puts the current branch back to where an entry came in, or to a commit, and with `code` the files of the work tree to
/// the last snapshot before anything happened behind that point.
///
/// The work tree as it is is kept as a snapshot first. Index, HEAD and branches of the code stay as they are.
///
/// # Errors
/// When the point is not in the branch's history, there is no snapshot for it, or a file that no snapshot has is in the
/// way. Nothing has changed then.
pub fn rewind(workspace: &Workspace, request: &Rewind) -> Result<Rewound, OpError> {
    let point = point(workspace, &request.to)?;
    let target = workspace.target()?;
    let tip = workspace.repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
    // The way back of an earlier rewind leads forward.
    let is_way_back = request.snapshot.is_some();
    if !is_way_back && !workspace.repo.reached(tip, &[point.id])?.contains(&point.id) {
        let branch = target.display_name();
        return Err(OpError::NotInHistory { commit: point.id.short(10), branch });
    }
    let code = match request.code || request.snapshot.is_some() {
        true => Some(rewind_code(workspace, &point, request)?),
        false => None,
    };
    let revision = point.id.to_string();
    let context = reset(workspace, &Reset { revision, mode: ResetMode::Hard, dry_run: request.dry_run })?;
    let saved = code.as_ref().and_then(|code: &CodeRewound| code.saved);
    let undo = match saved {
        Some(saved) => workspace.command(&format!("rewind {} --snapshot {}", context.from.short(12), saved.short(12))),
        None => context.undo.clone(),
    };
    Ok(Rewound { context, code, undo })
}

/// Finds the commit that a revision names, or that brought the entry of this name.
fn point(workspace: &Workspace, name: &str) -> Result<Commit, OpError> {
    let unknown = match workspace.commit(Some(name)) {
        Ok(commit) => return Ok(commit),
        Err(error) => error,
    };
    let tip = workspace.tip()?;
    let entry: EntryId = match name.parse() {
        Ok(id) => id,
        Err(_) => {
            let entries = workspace.repo.read_entries(&tip)?;
            match find_entry(&entries, name, &|entry| say(workspace, entry)) {
                Ok(entry) => entry.id,
                // Neither: what was said of the revision tells more about a name that is none.
                Err(OpError::UnknownEntry { near, .. }) if near.is_empty() => return Err(unknown),
                Err(error) => return Err(error),
            }
        }
    };
    for commit in workspace.repo.history(&[tip.id], &[])? {
        let commit = commit?;
        if commit.facts.entries.iter().any(|touch| touch.kind == TouchKind::Added && touch.id == entry) {
            return Ok(commit);
        }
    }
    Err(OpError::UnknownEntry { name: name.to_owned(), near: Vec::new() })
}

fn rewind_code(workspace: &Workspace, point: &Commit, request: &Rewind) -> Result<CodeRewound, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let agent = target.branch.as_ref().map_or_else(|| "main".to_owned(), |branch| branch.agent().to_owned());
    let snapshot = match &request.snapshot {
        Some(name) => {
            let found = repo.read_commit(&repo.resolve(name)?)?;
            if found.facts.operation != Operation::Snapshot {
                return Err(OpError::NoSnapshot { commit: found.id.short(10) });
            }
            found
        }
        None => snapshot_at(workspace, &agent, point)?,
    };
    let state = workspace.work_tree_state(request.dry_run)?;
    let files = repo.tree_changes(&state, snapshot.tree)?;
    let mut saved = None;
    if !request.dry_run {
        let moment = Moment {
            agent,
            session: None,
            commit: repo.find_ref_id(&target.ref_name)?,
            call: None,
            reason: "before a rewind".to_owned(),
        };
        saved = Some(workspace.keep_snapshot(&state, &moment)?.id);
        repo.restore_work_tree(&state, snapshot.tree)?;
    }
    Ok(CodeRewound {
        snapshot: snapshot.id,
        taken: snapshot.committer.time.to_string(),
        saved,
        files: files.into_iter().map(|change| (change.kind, change.path)).collect(),
        head_differs: snapshot.facts.code != repo.code_commit(),
    })
}

/// Finds the newest snapshot of what was there when the context was at this commit: taken when the context was there or
/// before, or right after a tool call whose result is in it.
fn snapshot_at(workspace: &Workspace, agent: &str, point: &Commit) -> Result<Commit, OpError> {
    let repo = &workspace.repo;
    let worktree = repo.worktree_name();
    let mut snapshots = repo.snapshots(agent)?;
    snapshots.retain(|one| one.facts.trailer(WORKTREE) == worktree.as_deref());
    let sought: HashSet<&str> = snapshots.iter().filter_map(|one| one.facts.trailer("Trace-Call")).collect();
    let (mut commits, mut answered) = (HashSet::new(), HashSet::new());
    for commit in repo.history(&[point.id], &[])? {
        let commit = commit?;
        for touch in commit.facts.entries.iter().filter(|touch| touch.kind == TouchKind::Added) {
            let calls = touch.fields.iter().filter(|(name, call)| name == "call" && sought.contains(call.as_str()));
            for (_, call) in calls {
                // The message that made the call names it too.
                if repo.find_entry(&commit, touch.id)?.is_some_and(|entry| entry.role == Role::Tool) {
                    answered.insert(call.clone());
                }
            }
        }
        commits.insert(commit.id);
    }
    let is_within = |id: &str| id.parse::<ObjectId>().is_ok_and(|id| commits.contains(&id));
    let fits = |snapshot: &&Commit| match snapshot.facts.trailer("Trace-Call") {
        Some(call) => answered.contains(call),
        None => snapshot.facts.trailer("Trace-Commit").is_none_or(is_within),
    };
    let found = snapshots.iter().find(fits).cloned();
    found.ok_or_else(|| OpError::NoSnapshot { commit: point.id.short(10) })
}
