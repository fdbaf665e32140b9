//! What a git hook does: it links the commits that came, within a moment, and never gets in git's way.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::commit::{Evidence, Reach};
use super::index::{self, Known};
use super::trailer;
use crate::link::LinkRecord;
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::Patience;

/// How long a hook may work; what is left is linked by a later one, or by `git trace relink`.
const TIME: Duration = Duration::from_millis(1500);

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

/// Does what belongs to a git hook: links new commits to what wrote them. A hook of another name does nothing.
///
/// # Errors
/// When the repository cannot be read or written. The caller ends well all the same: git goes on in any case.
pub fn git_hook(workspace: &Workspace, hook: &GitHook) -> Result<GitHooked, OpError> {
    let argument = |nth: usize| hook.args.get(nth).map(String::as_str).unwrap_or_default();
    let mut run = Run::new(workspace);
    match hook.name.as_str() {
        "post-commit" => run.commits(workspace.repo.code_commit().into_iter().collect()),
        "post-rewrite" => run.rewritten(&String::from_utf8_lossy(&hook.stdin)),
        // Files were checked out, not a branch: the third argument says so.
        "post-checkout" if argument(2) == "1" => run.arrived(argument(1).parse().ok()),
        "post-merge" if argument(0) != "1" => run.arrived(workspace.repo.code_commit()),
        "prepare-commit-msg" => {
            if workspace.flag("trace.trailer") == Some(true) {
                trailer::add(workspace, Path::new(argument(0)), argument(1))?;
            }
            return Ok(GitHooked::default());
        }
        "pre-push" => return Ok(GitHooked { reminder: reminder(workspace, argument(0)), ..GitHooked::default() }),
        _ => return Ok(GitHooked::default()),
    }?;
    run.finish()
}

fn reminder(workspace: &Workspace, remote: &str) -> Option<String> {
    let wanted = workspace.config("trace.push").filter(|value| value == "remind")?;
    let has_any = !Evidence::new(workspace, Reach::Near).is_empty();
    has_any.then(|| {
        format!("contexts are not pushed with the code (trace.push={wanted}): git push {remote} 'refs/trace/heads/*'")
    })
}

/// One call of a hook.
struct Run<'w> {
    workspace: &'w Workspace,
    evidence: Evidence<'w>,
    until: Instant,
    records: Vec<LinkRecord>,
    left: Vec<ObjectId>,
}

impl<'w> Run<'w> {
    fn new(workspace: &'w Workspace) -> Self {
        let evidence = Evidence::new(workspace, Reach::Near);
        Run { workspace, evidence, until: Instant::now() + TIME, records: Vec::new(), left: Vec::new() }
    }

    /// Links commits, and those that wait from before.
    fn commits(&mut self, ids: Vec<ObjectId>) -> Result<(), OpError> {
        if self.evidence.is_empty() {
            return Ok(());
        }
        for id in ids.into_iter().chain(self.take_waiting()) {
            self.link(id, &Known::new())?;
        }
        Ok(())
    }

    /// Links commits that took the place of others; `pairs` are lines of an old and a new id.
    fn rewritten(&mut self, pairs: &str) -> Result<(), OpError> {
        if self.evidence.is_empty() {
            return Ok(());
        }
        let mut old_ids: std::collections::BTreeMap<ObjectId, Vec<ObjectId>> = Default::default();
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
            self.link(new, &known)?;
        }
        Ok(())
    }

    /// Links commits that came with a move of HEAD, as far as they are new here.
    fn arrived(&mut self, tip: Option<ObjectId>) -> Result<(), OpError> {
        let Some(tip) = tip.filter(|_| !self.evidence.is_empty()) else { return Ok(()) };
        let path = self.workspace.repo.trace_dir().join("seen-code");
        let seen = read_ids(&path);
        let known: HashSet<ObjectId> = seen.iter().copied().collect();
        let mut new = Vec::new();
        let mut queue = std::collections::VecDeque::from([tip]);
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
            if index::known(self.workspace, Some(id), None).is_empty() {
                self.link(*id, &Known::new())?;
            }
        }
        if !new.is_empty() {
            let all: Vec<ObjectId> = seen.into_iter().chain(new).collect();
            write_ids(&path, &all[all.len().saturating_sub(SEEN_MAX)..]);
        }
        Ok(())
    }

    fn link(&mut self, id: ObjectId, known: &Known) -> Result<(), OpError> {
        if Instant::now() > self.until {
            self.left.push(id);
            return Ok(());
        }
        let commit = self.workspace.repo.read_code_commit(&id)?;
        let record = self.evidence.link_commit(&commit, None, known)?;
        if !record.links.is_empty() {
            self.records.push(record);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<GitHooked, OpError> {
        let stored = index::store(self.workspace, &self.records, false, Patience::Short);
        if !matches!(stored, Ok(true)) {
            self.left.extend(self.records.drain(..).map(|record| record.commit));
        }
        if !self.left.is_empty() {
            let path = self.waiting_path();
            let all: Vec<ObjectId> = read_ids(&path).into_iter().chain(self.left.iter().copied()).collect();
            write_ids(&path, &all[all.len().saturating_sub(WAITING_MAX)..]);
        }
        stored?;
        Ok(GitHooked { linked: self.records.len(), left: self.left.len(), reminder: None })
    }

    fn waiting_path(&self) -> std::path::PathBuf {
        self.workspace.repo.trace_dir().join("unlinked")
    }

    fn take_waiting(&self) -> Vec<ObjectId> {
        let path = self.waiting_path();
        let found = read_ids(&path);
        if !found.is_empty() {
            let _ = fs::remove_file(&path);
        }
        found
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
