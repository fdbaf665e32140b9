//! What a git hook does: it links the commits that came, within a moment, and never gets in git's way.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::commit::{Evidence, Reach};
use super::index::{self, Known};
use super::trailer;
use crate::link::LinkRecord;
use crate::model::ObjectId;
use crate::ops::share::push_along;
use crate::ops::{OpError, Workspace};
use crate::store::Patience;

/// How much slower a build without optimisation is.
const SLOWNESS: u32 = if cfg!(debug_assertions) { 40 } else { 1 };

/// How long git waits for the link of what was just committed; what is left is linked by a later hook of an agent, or by
/// `git trace relink`.
const OWN_TIME: Duration = Duration::from_millis(50).saturating_mul(SLOWNESS);

/// How long git waits for what came with a checkout, a merge or a rebase.
const ARRIVED_TIME: Duration = Duration::from_millis(30).saturating_mul(SLOWNESS);

/// How long git waits for commits that were left before.
const WAITING_TIME: Duration = Duration::from_millis(5).saturating_mul(SLOWNESS);

/// How long an agent waits for all of that.
const AGENT_TIME: Duration = Duration::from_millis(300).saturating_mul(SLOWNESS);

/// Most commits that a move of HEAD makes a hook look at.
const COMMITS_MAX: usize = 50;

/// Most commits that wait to be linked.
const WAITING_MAX: usize = 1000;

/// Most commits that are remembered as seen.
const SEEN_MAX: usize = 2000;

/// The most of a hook's standard input that is read, in bytes.
pub const HOOK_INPUT_MAX: u64 = 16 << 20;

/// Describes a call of a git hook, as git makes it.
#[derive(Debug, Clone, Default)]
pub struct GitHook {
    /// The hook's name, such as `post-commit`.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What git writes to its standard input.
    pub stdin: Vec<u8>,
}

/// Says what a hook did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitHooked {
    /// Commits of the code that were linked.
    pub linked: usize,
    /// Commits that are left for later.
    pub left: usize,
    /// What the user asked to be reminded of.
    pub reminder: Option<String>,
}

/// Does what belongs to a git hook: links new commits to what wrote them. A hook of another name does nothing. git waits,
/// with its user: what takes longer than a moment is left for [`link_arrived`].
///
/// # Errors
/// When the repository cannot be read or written. The caller ends well all the same: git goes on in any case.
pub fn git_hook(workspace: &Workspace, hook: &GitHook) -> Result<GitHooked, OpError> {
    let argument = |nth: usize| hook.args.get(nth).map(String::as_str).unwrap_or_default();
    let mut run = Run::new(workspace);
    match hook.name.as_str() {
        "post-commit" => {
            run.commit(workspace.repo.code_commit(), OWN_TIME);
            run.waiting(WAITING_TIME, Reach::Near);
        }
        "post-rewrite" => run.rewritten(&String::from_utf8_lossy(&hook.stdin), ARRIVED_TIME),
        // Files were checked out, not a branch: the third argument says so.
        "post-checkout" if argument(2) == "1" => run.arrived(argument(1).parse().ok(), ARRIVED_TIME),
        "post-merge" if argument(0) != "1" => run.arrived(workspace.repo.code_commit(), ARRIVED_TIME),
        "prepare-commit-msg" => {
            if workspace.flag("trace.trailer") == Some(true) {
                trailer::add(workspace, Path::new(argument(0)), argument(1))?;
            }
            return Ok(GitHooked::default());
        }
        "pre-push" => return Ok(GitHooked { reminder: before_push(workspace, argument(0)), ..GitHooked::default() }),
        _ => return Ok(GitHooked::default()),
    }
    run.finish()
}

/// Links a commit that HEAD has moved to, those before it, and those that git's hooks left: for where nobody waits at a
/// terminal.
///
/// # Errors
/// When the repository cannot be read or written.
pub fn link_arrived(workspace: &Workspace, commit: ObjectId) -> Result<GitHooked, OpError> {
    let mut run = Run::new(workspace);
    run.arrived(Some(commit), AGENT_TIME);
    run.waiting(AGENT_TIME, Reach::Far);
    run.finish()
}

/// Reminds of the contexts that do not go with the code, or sends them too, as the user has asked; says what to tell.
fn before_push(workspace: &Workspace, remote: &str) -> Option<String> {
    match workspace.config("trace.push")?.as_str() {
        "remind" => {
            let has_any = !Evidence::new(workspace, Reach::Near).is_empty();
            // The code may go to an address without a name.
            let remote = if workspace.repo.remote(remote).is_ok() { format!(" {remote}") } else { String::new() };
            let text =
                format!("contexts are not pushed with the code (trace.push=remind): git trace push{remote} --all");
            has_any.then_some(text)
        }
        "auto" => push_along(workspace, remote),
        _ => None,
    }
}

/// Takes commits from the list of those that wait: all of these are linked now.
pub(super) fn no_longer_wait(workspace: &Workspace, ids: &HashSet<ObjectId>) {
    change_waiting(workspace, ids, &[]);
}

fn waiting_path(workspace: &Workspace) -> PathBuf {
    workspace.repo.trace_dir().join("unlinked")
}

/// Takes commits from the list of those that wait, and puts others at its end.
fn change_waiting(workspace: &Workspace, done: &HashSet<ObjectId>, left: &[ObjectId]) {
    let path = waiting_path(workspace);
    let known = read_ids(&path);
    let mut all: Vec<ObjectId> = known.iter().filter(|id| !done.contains(id) && !left.contains(id)).copied().collect();
    for id in left {
        if !all.contains(id) {
            all.push(*id);
        }
    }
    let all = &all[all.len().saturating_sub(WAITING_MAX)..];
    if all.is_empty() {
        let _ = fs::remove_file(&path);
    } else if all != known {
        write_ids(&path, all);
    }
}

/// One call of a hook.
struct Run<'w> {
    workspace: &'w Workspace,
    evidence: Evidence<'w>,
    records: Vec<LinkRecord>,
    /// Commits that were looked at, to their end.
    done: HashSet<ObjectId>,
    left: Vec<ObjectId>,
    /// The first thing that went wrong: what else there is to do is done all the same.
    fault: Option<OpError>,
}

impl<'w> Run<'w> {
    fn new(workspace: &'w Workspace) -> Self {
        let evidence = Evidence::new(workspace, Reach::Near);
        Run { workspace, evidence, records: Vec::new(), done: HashSet::new(), left: Vec::new(), fault: None }
    }

    /// Links a commit that was just made.
    fn commit(&mut self, id: Option<ObjectId>, time: Duration) {
        self.evidence.set_end(Instant::now() + time);
        if let Some(id) = id.filter(|_| !self.evidence.is_empty()) {
            self.link(id, &Known::new());
        }
    }

    /// Links commits that wait from before, as far as there is time.
    fn waiting(&mut self, time: Duration, reach: Reach) {
        let waiting = read_ids(&waiting_path(self.workspace));
        if waiting.is_empty() || self.evidence.is_empty() {
            return;
        }
        let until = Instant::now() + time;
        self.evidence = Evidence::new(self.workspace, reach);
        self.evidence.set_end(until);
        for id in waiting {
            if Instant::now() >= until {
                break;
            }
            if !self.left.contains(&id) && !self.done.contains(&id) {
                self.link(id, &index::known(self.workspace, Some(&id), None));
            }
        }
    }

    /// Links commits that took the place of others; `pairs` are lines of an old and a new id.
    fn rewritten(&mut self, pairs: &str, time: Duration) {
        self.evidence.set_end(Instant::now() + time);
        if self.evidence.is_empty() {
            return;
        }
        let mut old_ids: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
        let mut order = Vec::new();
        for line in pairs.lines() {
            let mut words = line.split(' ');
            let mut id = || words.next()?.parse::<ObjectId>().ok();
            let (Some(old), Some(new)) = (id(), id()) else { continue };
            // A squash has several old commits.
            let known = old_ids.entry(new).or_default();
            if known.is_empty() {
                order.push(new);
            }
            known.push(old);
        }
        for new in order {
            let mut known = Known::new();
            for old in old_ids.get(&new).into_iter().flatten() {
                known.extend(index::known(self.workspace, Some(old), None));
            }
            self.link(new, &known);
        }
    }

    /// Links commits that came with a move of HEAD, as far as they are new here.
    fn arrived(&mut self, tip: Option<ObjectId>, time: Duration) {
        let until = Instant::now() + time;
        self.evidence.set_end(until);
        let Some(tip) = tip.filter(|_| !self.evidence.is_empty()) else { return };
        let path = self.workspace.repo.trace_dir().join("seen-code");
        let seen = read_ids(&path);
        let known: HashSet<ObjectId> = seen.iter().copied().collect();
        let mut new = Vec::new();
        let mut queue = VecDeque::from([tip]);
        let mut met = HashSet::new();
        while let Some(id) = queue.pop_front().filter(|_| new.len() < COMMITS_MAX) {
            if known.contains(&id) || !met.insert(id) {
                continue;
            }
            let Ok(commit) = self.workspace.repo.read_code_commit(&id) else { continue };
            if !commit.is_cut {
                queue.extend(commit.parents);
            }
            new.push(id);
        }
        for id in &new {
            // Commits that were made here have had their own hook.
            if Instant::now() >= until {
                self.left.push(*id);
            } else if index::known(self.workspace, Some(id), None).is_empty() {
                self.link(*id, &Known::new());
            }
        }
        if !new.is_empty() {
            let all: Vec<ObjectId> = seen.into_iter().chain(new).collect();
            write_ids(&path, &all[all.len().saturating_sub(SEEN_MAX)..]);
        }
    }

    /// Links a commit; one that cannot be looked at as a whole is left, one that cannot be read is let go.
    fn link(&mut self, id: ObjectId, known: &Known) {
        let read = || {
            let commit = self.workspace.repo.read_code_commit(&id)?;
            self.evidence.link_commit(&commit, None, known)
        };
        match read() {
            Ok(_) if self.evidence.fell_short() => self.left.push(id),
            Ok(record) => {
                self.done.insert(id);
                self.records.extend(Some(record).filter(|record| !record.links.is_empty()));
            }
            Err(error) => {
                self.done.insert(id);
                self.fault.get_or_insert(error);
            }
        }
    }

    fn finish(mut self) -> Result<GitHooked, OpError> {
        let stored = index::store(self.workspace, &self.records, false, Patience::Short);
        if !matches!(stored, Ok(true)) {
            self.left.extend(self.records.drain(..).map(|record| record.commit));
        }
        let done: HashSet<ObjectId> = self.done.into_iter().filter(|id| !self.left.contains(id)).collect();
        change_waiting(self.workspace, &done, &self.left);
        stored?;
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(GitHooked { linked: self.records.len(), left: self.left.len(), reminder: None }),
        }
    }
}

fn read_ids(path: &Path) -> Vec<ObjectId> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Writes a list that is a convenience: what cannot be kept is found again by `git trace relink`.
fn write_ids(path: &Path, ids: &[ObjectId]) {
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let temporary = path.with_extension(format!("{:08x}", fastrand::u32(..)));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
}
